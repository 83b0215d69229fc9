//! A login UI of the tenant's own, at another origin (`login.ui` of the Tenant).
//!
//! The browser is sent there with the flow's handle. The UI finds out who it is, in its own way, and states
//! it over a back channel, authenticated as the OAuthClient that the Tenant names. What it gets for that
//! is an address to which it sends the browser back. There the flow's cookie is asked for: whoever steals
//! a statement, or has somebody else make one for his flow, gets no session by it.
//!
//! Nothing crosses origins in the browser but navigations: there is no CORS, and no cookie that another
//! origin's script could use.

use std::time::Duration;

use claviger_jose::Purpose;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::authorize::prompt::Prompt;
use crate::flow::Flow;
use crate::interaction::{Interaction, Proposed, Todo};
use crate::store::Id;
use crate::tenant::snapshot::TenantSnapshot;
use crate::web::page;

/// So long a browser may take to come back with a statement.
pub(crate) const LIFETIME: Duration = Duration::from_secs(120);
/// What a statement is sealed with, before the ID of its flow: so it is none of another flow, nor a
/// finished login.
const CONTEXT: &[u8] = b"login-ui";

/// What a login UI states of one flow. Only [`Statement::new`] and [`Statement::open`] make it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Statement {
    /// Single use.
    #[serde(rename = "i")]
    pub(crate) id: Id,
    /// When it ends, seconds.
    #[serde(rename = "e")]
    expires_at: i64,
    /// What has happened there.
    #[serde(rename = "w")]
    pub(crate) what: Stated,
}

/// How a login there has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stated {
    /// The person has given it up.
    #[serde(rename = "c")]
    Cancelled,
    /// This one has shown who he is.
    #[serde(rename = "l")]
    LoggedIn(Person),
}

/// Who, and how he has shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// `sub`.
    #[serde(rename = "s")]
    pub(crate) subject: String,
    /// `amr` (RFC 8176).
    #[serde(rename = "m")]
    pub(crate) amr: Vec<String>,
    /// `acr`.
    #[serde(rename = "a")]
    pub(crate) acr: String,
}

impl Statement {
    /// Made `now`.
    pub(crate) fn new(what: Stated, now: Timestamp) -> Self {
        let end = now.saturating_add(LIFETIME).unwrap_or(now);
        Self { id: Id::random(), expires_at: end.as_second(), what }
    }

    /// When it ends.
    pub(crate) fn expires_at(&self) -> Timestamp {
        Timestamp::from_second(self.expires_at).unwrap_or(Timestamp::MIN)
    }

    /// As text, good for `flow` alone.
    pub(crate) fn seal(&self, tenant: &TenantSnapshot, flow: &Flow) -> Option<String> {
        let plain = serde_json::to_vec(self).ok()?;
        tenant.issuer.sealer.as_ref()?.seal(Purpose::LoginStep, &context(flow), &plain).ok()
    }

    /// When it was made, `now` at the latest: the clock of the pod that made it may be ahead.
    pub(crate) fn made_at(&self, now: Timestamp) -> Timestamp {
        self.expires_at().saturating_sub(LIFETIME).unwrap_or(now).min(now)
    }

    /// The statement of `flow` that `text` is, in time or not.
    pub(crate) fn open(text: &str, tenant: &TenantSnapshot, flow: &Flow) -> Option<Self> {
        let opened = tenant.issuer.sealer.as_ref()?.open(Purpose::LoginStep, &context(flow), text).ok()?;
        serde_json::from_slice(opened.as_bytes()).ok()
    }
}

fn context(flow: &Flow) -> Vec<u8> {
    [CONTEXT, flow.id.as_bytes()].concat()
}

/// Where the browser comes back with `statement`.
pub(crate) fn way_back(tenant: &TenantSnapshot, flow: &str, statement: &str) -> String {
    format!("{}{}?flow={flow}&statement={statement}", tenant.issuer.url, page::LOGIN_RETURN)
}

/// Where the browser goes to log in, if that is at a UI of the tenant's own and `todo` is to log in. The
/// flow, sealed, and what the UI has to know of it.
pub(crate) fn address(interaction: &Interaction<'_>, todo: &Todo, sealed: &str) -> Option<String> {
    let Todo::Login(proposed) = todo else { return None };
    let issuer = &interaction.exchange.tenant.issuer;
    let mut address = Url::parse(&issuer.login.ui.as_ref()?.url).ok()?;
    let request = &interaction.flow.request;
    let preferences = &request.preferences;
    // Whoever is logged in here, and is sent there all the same, has to show again who he is.
    let again = interaction.session.is_some() || request.prompt.contains(&Prompt::Login) || request.max_age.is_some();
    let hint = match proposed {
        Proposed::Fixed(username) => Some(username.as_str()),
        Proposed::Asked(hint) => hint.as_deref(),
    };
    let essential = request.claims.essential_acr().unwrap_or_default();
    let acr = if essential.is_empty() { preferences.acr_values.join(" ") } else { essential.join(" ") };
    let mut pairs = address.query_pairs_mut();
    pairs.append_pair("iss", &issuer.url).append_pair("flow", sealed).append_pair("client_id", &request.client_id);
    let more = [
        ("login_hint", hint.unwrap_or_default()),
        ("prompt", if again { "login" } else { "" }),
        ("acr_values", &acr),
        ("ui_locales", &preferences.ui_locales.join(" ")),
    ];
    pairs.extend_pairs(more.iter().filter(|(_, value)| !value.is_empty()));
    drop(pairs);
    Some(address.into())
}
