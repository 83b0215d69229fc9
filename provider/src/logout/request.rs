//! A logout request (RP-Initiated Logout 1.0 §2): what it asks for, checked in one list.

use claviger_jose::Purpose;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;
use crate::token::hint::{self, VerifiedHint};
use crate::web::form::Form;

/// Longer than any use needs.
const LONGEST_STATE: usize = 2048;
/// Seconds that a person may look at the question.
const LIFETIME: i64 = 1800;

/// A valid request.
#[derive(Debug)]
pub(crate) struct LogoutRequest {
    /// Who says that the person logs out.
    pub(crate) hint: Option<VerifiedHint>,
    /// Where to go on, and for whom.
    pub(crate) asked: Asked,
}

/// What outlives the question to the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Who asks.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// Registered by that client.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) post_logout_redirect_uri: Option<String>,
    /// Comes back with it.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// Languages, the best first.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub(crate) ui_locales: Option<String>,
    /// When it was asked, seconds.
    #[serde(rename = "t", default)]
    asked_at: i64,
}

/// Why a request is refused; no logout happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl LogoutRequest {
    /// 1. The hint. 2. The client. 3. Where to go on. 4. `state`.
    pub(crate) fn check(form: &Form<'_>, tenant: &TenantSnapshot, now: Timestamp) -> Result<Self, Refused> {
        let hint = match form.get("id_token_hint") {
            None => None,
            Some(text) => {
                let hint = hint::verify(text, &tenant.issuer, now);
                Some(hint.ok_or(Refused("id_token_hint is not an ID token of this issuer"))?)
            }
        };
        let named = form.get("client_id");
        if let (Some(hint), Some(named)) = (&hint, named)
            && hint.client_id != named
        {
            return Err(Refused("client_id is not that of id_token_hint"));
        }
        let client_id = named.or(hint.as_ref().map(|hint| hint.client_id.as_str()));
        let client = client_id.and_then(|id| tenant.clients.get(id)).map(|client| &**client);
        if client_id.is_some() && client.is_none() {
            return Err(Refused("there is no such application here"));
        }
        let uri = form.get("post_logout_redirect_uri");
        check_uri(uri, client)?;
        let state = form.get("state");
        if state.is_some_and(|state| state.len() > LONGEST_STATE) {
            return Err(Refused("state is too long"));
        }
        let asked = Asked {
            client_id: client_id.map(str::to_owned),
            post_logout_redirect_uri: uri.map(str::to_owned),
            state: state.map(str::to_owned),
            ui_locales: form.get("ui_locales").filter(|text| text.len() <= 512).map(str::to_owned),
            asked_at: now.as_second(),
        };
        Ok(Self { hint, asked })
    }
}

/// Exact, and the client's own: else this would lead anywhere (§3).
fn check_uri(uri: Option<&str>, client: Option<&Client>) -> Result<(), Refused> {
    let Some(uri) = uri else { return Ok(()) };
    let client = client.ok_or(Refused("post_logout_redirect_uri needs id_token_hint or client_id"))?;
    let is_registered = client.post_logout_redirect_uris.iter().any(|registered| registered == uri);
    if is_registered { Ok(()) } else { Err(Refused("post_logout_redirect_uri is not registered by the application")) }
}

impl Asked {
    /// As text for a form, tied to this tenant.
    pub(crate) fn seal(&self, tenant: &TenantSnapshot) -> Option<String> {
        let plain = serde_json::to_vec(self).ok()?;
        tenant.issuer.sealer.as_ref()?.seal(Purpose::LogoutRequest, b"", &plain).ok()
    }

    /// What [`Asked::seal`] wrote, not too long ago.
    pub(crate) fn open(text: &str, tenant: &TenantSnapshot, now: Timestamp) -> Option<Self> {
        let opened = tenant.issuer.sealer.as_ref()?.open(Purpose::LogoutRequest, b"", text).ok()?;
        let asked: Self = serde_json::from_slice(opened.as_bytes()).ok()?;
        let age = now.as_second().saturating_sub(asked.asked_at);
        (-60..LIFETIME).contains(&age).then_some(asked)
    }

    /// Where the browser goes on, with `state`.
    pub(crate) fn next(&self) -> Option<String> {
        let uri = self.post_logout_redirect_uri.as_deref()?;
        let Some(state) = &self.state else { return Some(uri.to_owned()) };
        let mut next = format!("{uri}{}state=", if uri.contains('?') { '&' } else { '?' });
        crate::web::form_encoding::encode(state, &mut next);
        Some(next)
    }
}
