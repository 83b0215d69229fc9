//! The audit stream: one JSON line an event on standard output, under the target `audit`, for
//! whoever must know who did what. Never a secret, a token, a code or a cookie.

use http::HeaderValue;
use jiff::Timestamp;

use crate::store::DueLogout;
use crate::tenant::oauth_client::Client;

/// How an attempt to tell a client of a logout ended, also as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogoutDelivery {
    /// The client has it.
    Delivered,
    /// It is tried again.
    Retried,
    /// The client refuses it, and did so again, or is gone.
    Refused,
    /// It was tried for as long as it made sense.
    GivenUp,
}

impl LogoutDelivery {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 4] = [Self::Delivered, Self::Retried, Self::Refused, Self::GivenUp];

    /// In metrics and events.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retried => "retried",
            Self::Refused => "refused",
            Self::GivenUp => "given_up",
        }
    }
}

/// A client was told of a logout, or not.
pub(crate) fn logout_delivery(at: Timestamp, due: &DueLogout, outcome: LogoutDelivery) {
    logout(at, due, due.attempts.saturating_add(1), outcome);
}

/// A client was not told of a logout in time, by none of the attempts.
pub(crate) fn logout_given_up(at: Timestamp, due: &DueLogout) {
    logout(at, due, due.attempts, LogoutDelivery::GivenUp);
}

fn logout(at: Timestamp, due: &DueLogout, attempt: u32, outcome: LogoutDelivery) {
    tracing::info!(
        target: "audit",
        event = "backchannel_logout",
        %at,
        tenant = due.tenant.slug(),
        client = due.logout.client.client_id(),
        subject = due.logout.subject,
        attempt,
        outcome = outcome.as_str(),
    );
}

/// How something that a person or a client tried has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It worked.
    Ok,
    /// It was refused.
    Refused,
    /// It was not looked at, for too many had failed.
    Throttled,
    /// It was not looked at, for too many came at once.
    Busy,
    /// The person gave it up.
    Cancelled,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What is told of a token that was issued for another one.
#[derive(Clone, Copy)]
pub(crate) struct Exchanged<'a> {
    /// About whom it is.
    pub(crate) subject: &'a str,
    /// For which API.
    pub(crate) audience: &'a str,
    /// Who acts; empty where nobody but the subject does.
    pub(crate) actor: &'a str,
}

/// Writes the events of one request.
#[derive(Clone, Copy)]
pub(crate) struct Audit<'a> {
    /// When.
    pub(crate) at: Timestamp,
    /// Slug of the tenant.
    pub(crate) tenant: &'a str,
    /// For finding the request elsewhere.
    pub(crate) request_id: &'a HeaderValue,
}

macro_rules! event {
    ($audit:expr, $name:literal, $($field:tt)*) => {
        tracing::info!(
            target: "audit",
            event = $name,
            at = %$audit.at,
            tenant = $audit.tenant,
            request_id = $audit.request_id.to_str().unwrap_or_default(),
            $($field)*
        )
    };
}

impl Audit<'_> {
    /// Somebody tried to log in for `client`, as `subject` or, where that is empty, as nobody that there is.
    pub(crate) fn login(self, client: &Client, subject: &str, outcome: Outcome) {
        event!(self, "login", client = &*client.id, subject, outcome = outcome.as_str());
    }

    /// Somebody did not prove to be `client`, and why.
    pub(crate) fn client_refused(self, client: &Client, reason: &'static str) {
        let outcome = Outcome::Refused.as_str();
        event!(self, "client_authentication", client = &*client.id, reason, outcome);
    }

    /// A person let a client have what it asked for, or did not.
    pub(crate) fn consent(self, client: &Client, subject: &str, given: bool) {
        let outcome = if given { Outcome::Ok } else { Outcome::Refused };
        event!(self, "consent", client = &*client.id, subject, outcome = outcome.as_str());
    }

    /// Tokens were issued, by this grant type.
    pub(crate) fn token_issued(self, client: &Client, subject: &str, grant: &'static str) {
        event!(self, "token", client = &*client.id, subject, grant, outcome = Outcome::Ok.as_str());
    }

    /// A token about `subject` was issued for another one, by this grant type: for which API, and who acts.
    pub(crate) fn token_exchanged(self, client: &Client, grant: &'static str, told: &Exchanged<'_>) {
        let Exchanged { subject, audience, actor } = *told;
        event!(self, "token", client = &*client.id, subject, grant, audience, actor, outcome = Outcome::Ok.as_str());
    }

    /// A client brought a token by this grant type and got none for it: the error that it was told, and why, which it was
    /// not.
    pub(crate) fn exchange_refused(
        self,
        client: &Client,
        grant: &'static str,
        error: &'static str,
        reason: &'static str,
    ) {
        let outcome = Outcome::Refused.as_str();
        event!(self, "token", client = &*client.id, grant, error, reason, outcome);
    }

    /// A refresh token came that was used before: its grant is ended.
    pub(crate) fn refresh_reused(self, client: &Client, subject: &str) {
        event!(self, "refresh_reuse", client = &*client.id, subject, outcome = Outcome::Refused.as_str());
    }

    /// A code came that was redeemed before: its grant is ended.
    pub(crate) fn code_replayed(self, client: &Client, subject: &str) {
        event!(self, "code_replay", client = &*client.id, subject, outcome = Outcome::Refused.as_str());
    }

    /// A client gave a token back.
    pub(crate) fn token_revoked(self, client: &Client, subject: &str) {
        event!(self, "revoke", client = &*client.id, subject, outcome = Outcome::Ok.as_str());
    }

    /// A session was ended.
    pub(crate) fn logout(self, client: Option<&Client>, subject: &str) {
        let client = client.map_or("", |client| &*client.id);
        event!(self, "logout", client, subject, outcome = Outcome::Ok.as_str());
    }
}
