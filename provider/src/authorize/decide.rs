//! What a person still has to do for an authorization request. Pure, and asked again after every
//! step: a step never knows which one follows.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use claviger_crds::published::ConsentPolicy;
use jiff::Timestamp;

use super::prompt::Prompt;
use super::refusal::{AuthorizationError, AuthorizationErrorCode};
use super::request::AuthorizationRequest;
use crate::grant::audience;
use crate::tenant::oauth_client::Client;

/// All that the decision depends on.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    /// What is asked for.
    pub(crate) request: &'a AuthorizationRequest,
    /// By whom.
    pub(crate) client: &'a Client,
    /// The live session of the browser, of an account that is not disabled.
    pub(crate) session: Option<SessionFacts<'a>>,
    /// What the session's person has let this client have, as [`consent_entries`] has it.
    pub(crate) consented: &'a BTreeSet<String>,
    /// What happened in this flow.
    pub(crate) flow: FlowFacts,
    /// The `acr` values that a login here can reach.
    pub(crate) reachable_acr: &'a [&'a str],
    /// Now.
    pub(crate) now: Timestamp,
}

/// A live session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionFacts<'a> {
    /// Of whom.
    pub(crate) subject: &'a str,
    /// `auth_time`.
    pub(crate) authenticated_at: Timestamp,
    /// `acr`.
    pub(crate) acr: &'a str,
}

/// What happened in this flow, in the session that is live. Where that is another's by now (a login in
/// another tab), what was done before does not count: consent is not given for somebody else.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FlowFacts {
    /// They logged in.
    pub(crate) authenticated: bool,
    /// They said that this account shall be it.
    pub(crate) account_selected: bool,
    /// They said yes to what [`Step::Consent`] named.
    pub(crate) consented: bool,
    /// Somebody said no, or cancelled the login.
    pub(crate) denied: bool,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// The login page.
    Login(Account),
    /// The page that asks which account it shall be.
    SelectAccount,
    /// The consent page, which names all of these scopes.
    Consent {
        /// Every scope that will be granted.
        scopes: &'a [String],
    },
    /// A code is issued for the session's person, with all that was asked for.
    Finish,
    /// The client is told.
    Error(AuthorizationError),
}

/// Whose name the login page shows. A client can ask for anybody by `sub` or by a hint; the page would
/// tell whoever looks which account that is, and that there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// None: it is to be typed.
    Any,
    /// That of the session's own person.
    Own,
}

/// What comes next.
pub(crate) fn decide<'a>(situation: &Situation<'a>) -> Step<'a> {
    let step = situation.next();
    if situation.request.prompt.contains(&Prompt::None) { without_a_page(step) } else { step }
}

/// The API that a token is for, where none of its scopes is granted that would name it: to act there as somebody is a
/// right of its own, and asked for by its audience.
pub(crate) fn bare_audience<'r>(request: &'r AuthorizationRequest, client: &Client) -> Option<&'r str> {
    let audience = request.audience.as_str();
    let api = client.audiences.iter().find(|api| api.audience == audience)?;
    (!request.scopes.iter().any(|scope| api.scopes.contains(scope))).then_some(audience)
}

/// What to remember of a consent to `request`. A scope of an API is remembered with its audience:
/// two APIs may have one of the same name, and it is not the same right.
pub(crate) fn consent_entries(request: &AuthorizationRequest, client: &Client) -> BTreeSet<String> {
    let of_api = audience::scopes_of(client, &request.audience);
    let entry = |scope: &String| match of_api.contains(scope) {
        // Neither holds a space.
        true => format!("{scope} {}", request.audience),
        false => scope.clone(),
    };
    let of_claims = request.claim_scopes.iter().cloned();
    let bare = bare_audience(request, client).map(|audience| format!(" {audience}"));
    request.scopes.iter().map(entry).chain(of_claims).chain(bare).collect()
}

/// `prompt=none` (OpenID Connect Core 1.0 §3.1.2.1): each page has its error.
fn without_a_page(step: Step<'_>) -> Step<'_> {
    let (code, description) = match step {
        Step::Login { .. } => (AuthorizationErrorCode::LoginRequired, "the person has to log in"),
        Step::SelectAccount => {
            (AuthorizationErrorCode::AccountSelectionRequired, "the person has to choose an account")
        }
        Step::Consent { .. } => (AuthorizationErrorCode::ConsentRequired, "the person has to be asked"),
        Step::Finish | Step::Error(_) => return step,
    };
    error(code, description)
}

fn error<'a>(code: AuthorizationErrorCode, description: &'static str) -> Step<'a> {
    Step::Error(AuthorizationError::new(code, description))
}

impl<'a> Situation<'a> {
    /// The steps in their order; the first that is left to be taken.
    fn next(&self) -> Step<'a> {
        self.refusal()
            .or_else(|| self.login())
            .or_else(|| self.account_selection())
            .or_else(|| self.consent())
            .unwrap_or(Step::Finish)
    }

    /// What no step could mend.
    fn refusal(&self) -> Option<Step<'a>> {
        if self.flow.denied {
            return Some(error(AuthorizationErrorCode::AccessDenied, "the person did not agree"));
        }
        if self.request.hint_subject.as_deref().is_some_and(|hint| !self.request.claims.allows_subject(hint)) {
            return Some(error(AuthorizationErrorCode::LoginRequired, "id_token_hint and claims name two persons"));
        }
        // Nobody shall type a password for what cannot come of it.
        let is_out_of_reach = |wanted: &Vec<&str>| !wanted.iter().any(|acr| self.reachable_acr.contains(acr));
        let wanted = self.request.claims.essential_acr().filter(is_out_of_reach)?;
        let has_it = self.session.is_some_and(|session| wanted.contains(&session.acr));
        (!has_it).then(unmet)
    }

    /// A login of the right person, recent and good enough.
    fn login(&self) -> Option<Step<'a>> {
        let Some(session) = self.session else {
            return Some(Step::Login(Account::Any));
        };
        let fresh = self.flow.authenticated;
        if !self.accepts(session.subject) {
            // Core §3.1.2.2: whoever has just logged in is not the person that was meant. To ask again
            // would go on for ever.
            let description = "another person was meant";
            let again = Step::Login(Account::Any);
            return Some(if fresh { error(AuthorizationErrorCode::LoginRequired, description) } else { again });
        }
        let is_open = self.request.prompt.contains(&Prompt::SelectAccount);
        let again = Step::Login(if is_open { Account::Any } else { Account::Own });
        if !self.has_essential_acr(session.acr) {
            return Some(if fresh { unmet() } else { again });
        }
        let is_due = self.request.prompt.contains(&Prompt::Login) || self.is_too_old(session.authenticated_at);
        (is_due && !fresh).then_some(again)
    }

    /// A choice of the account. A login in this flow was one.
    fn account_selection(&self) -> Option<Step<'a>> {
        let chosen = self.flow.authenticated || self.flow.account_selected;
        (self.request.prompt.contains(&Prompt::SelectAccount) && !chosen).then_some(Step::SelectAccount)
    }

    /// A yes to all that is granted.
    fn consent(&self) -> Option<Step<'a>> {
        if self.flow.consented {
            return None;
        }
        let is_remembered = match self.client.consent {
            ConsentPolicy::Skip => true,
            ConsentPolicy::Required => consent_entries(self.request, self.client).is_subset(self.consented),
        };
        // Any program on the device can claim to be a native application, and sends what it wants:
        // a person has to see it, however often (RFC 8252 §8.6).
        let is_asked = self.request.native || self.request.prompt.contains(&Prompt::Consent) || !is_remembered;
        is_asked.then_some(Step::Consent { scopes: &self.request.scopes })
    }

    fn accepts(&self, subject: &str) -> bool {
        let hint = self.request.hint_subject.as_deref();
        hint.is_none_or(|hint| hint == subject) && self.request.claims.allows_subject(subject)
    }

    fn has_essential_acr(&self, acr: &str) -> bool {
        self.request.claims.essential_acr().is_none_or(|wanted| wanted.contains(&acr))
    }

    /// Core §3.1.2.1: older than `max_age`. Zero is as `prompt=login`, within the same second too.
    fn is_too_old(&self, authenticated_at: Timestamp) -> bool {
        let age = self.now.as_second().saturating_sub(authenticated_at.as_second());
        self.request.max_age.is_some_and(|max_age| max_age == 0 || age > i64::from(max_age))
    }
}

fn unmet<'a>() -> Step<'a> {
    let description = "a login here does not reach the acr that claims asks for";
    error(AuthorizationErrorCode::UnmetAuthenticationRequirements, description)
}
