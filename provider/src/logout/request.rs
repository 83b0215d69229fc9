//! A logout request (RP-Initiated Logout 1.0 §2): what it asks for, checked in one list.

use claviger_jose::Purpose;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::interaction::failure::Failure;
use crate::store::Id;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;
use crate::token::hint::{self, VerifiedHint};
use crate::web::form::Form;

/// Longer than any use needs.
const LONGEST_STATE: usize = 2048;
/// What has more characters is nobody's.
const LONGEST_CLIENT_ID: usize = 256;
/// Of `logout_hint`; more than a name, an address or an ID has.
const LONGEST_HINT: usize = 512;
/// Seconds that a person may look at the question. After that he is asked again: who says yes then may be the next one at
/// the computer, or have forgotten what it was about.
const LIFETIME: i64 = 1800;
/// Seconds that a browser may take from a POST to the GET that follows.
const MOMENT: i64 = 60;

/// A valid request.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LogoutRequest {
    /// Who says that the person logs out.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<VerifiedHint>,
    /// Who is meant to log out, as the client calls him. Nobody has proven it: all that it does is to have the person asked.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<String>,
    /// Where to go on, and for whom.
    #[serde(rename = "a")]
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
    /// Whose end the person is asked about: the session that was shown, or that of the hint.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<Id>,
    /// When it was asked, seconds.
    #[serde(rename = "t", default)]
    asked_at: i64,
}

/// Why a request is refused; no logout happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl LogoutRequest {
    /// 1. The hints. 2. The client. 3. Where to go on. 4. `state`.
    pub(crate) fn check(form: &Form<'_>, tenant: &TenantSnapshot, now: Timestamp) -> Result<Self, Refused> {
        let hint = match form.get("id_token_hint") {
            None => None,
            Some(text) => {
                let hint = hint::verify(text, &tenant.issuer, now);
                Some(hint.ok_or(Refused("id_token_hint is not an ID token of this issuer"))?)
            }
        };
        let person = form.get("logout_hint");
        if person.is_some_and(|person| person.len() > LONGEST_HINT) {
            return Err(Refused("logout_hint is too long"));
        }
        let named = form.get("client_id");
        if named.is_some_and(|named| named.len() > LONGEST_CLIENT_ID) {
            return Err(Refused("client_id is too long"));
        }
        if let (Some(hint), Some(named)) = (&hint, named)
            && hint.client_id != named
        {
            return Err(Refused("client_id is not that of id_token_hint"));
        }
        let client_id = named.or(hint.as_ref().map(|hint| hint.client_id.as_str()));
        let uri = form.get("post_logout_redirect_uri");
        if uri.is_some() && client_id.is_none() {
            return Err(Refused("post_logout_redirect_uri needs id_token_hint or client_id"));
        }
        let state = form.get("state");
        if state.is_some_and(|state| state.len() > LONGEST_STATE) {
            return Err(Refused("state is too long"));
        }
        let asked = Asked {
            client_id: client_id.map(str::to_owned),
            post_logout_redirect_uri: uri.map(str::to_owned),
            state: state.map(str::to_owned),
            ui_locales: form.get("ui_locales").filter(|text| text.len() <= 512).map(str::to_owned),
            session: None,
            asked_at: now.as_second(),
        };
        asked.next(tenant)?;
        Ok(Self { hint, person: person.map(str::to_owned), asked })
    }

    /// As text for a URL, tied to this tenant. It has bounds, as all that is in it has.
    pub(crate) fn seal(&self, tenant: &TenantSnapshot) -> Result<String, Failure> {
        seal(self, Purpose::StoredRequest, tenant)
    }

    /// What [`LogoutRequest::seal`] wrote, in time or not.
    pub(crate) fn open(text: &str, tenant: &TenantSnapshot) -> Result<Self, Refused> {
        open(text, Purpose::StoredRequest, tenant).ok_or(Refused("there is no such logout"))
    }

    /// Whether it was sealed longer ago than a browser takes to follow.
    pub(crate) fn is_late(&self, now: Timestamp) -> bool {
        !self.asked.is_younger_than(MOMENT, now)
    }
}

impl Asked {
    /// As text for a form, tied to this tenant.
    pub(crate) fn seal(&self, tenant: &TenantSnapshot) -> Result<String, Failure> {
        seal(self, Purpose::LogoutRequest, tenant)
    }

    /// What [`Asked::seal`] wrote, in time or not.
    pub(crate) fn open(text: &str, tenant: &TenantSnapshot) -> Result<Self, Refused> {
        open(text, Purpose::LogoutRequest, tenant).ok_or(Refused("there is no such logout"))
    }

    /// Whether the question is too old for a yes.
    pub(crate) fn is_late(&self, now: Timestamp) -> bool {
        !self.is_younger_than(LIFETIME, now)
    }

    /// The same, asked now, about the end of `session`.
    pub(crate) fn about(self, session: Option<Id>, now: Timestamp) -> Self {
        Self { session, asked_at: now.as_second(), ..self }
    }

    fn is_younger_than(&self, seconds: i64, now: Timestamp) -> bool {
        (-60..seconds).contains(&now.as_second().saturating_sub(self.asked_at))
    }

    /// Who asks, if there is such a client.
    pub(crate) fn client<'t>(&self, tenant: &'t TenantSnapshot) -> Option<&'t Client> {
        tenant.clients.get(self.client_id.as_deref()?).map(|client| &**client)
    }

    /// Where the browser goes on, with `state`: an address that is registered now, exactly, by the client
    /// that asks (§3). Else this would lead anywhere. Of a client that is not there the same is said: which
    /// clients exist is not to be learnt.
    pub(crate) fn next(&self, tenant: &TenantSnapshot) -> Result<Option<String>, Refused> {
        let Some(uri) = self.post_logout_redirect_uri.as_deref() else { return Ok(None) };
        let registered = self.client(tenant).map(|client| client.post_logout_redirect_uris.as_slice());
        if !registered.unwrap_or_default().iter().any(|registered| registered == uri) {
            return Err(Refused("post_logout_redirect_uri is not registered by the application"));
        }
        let Some(state) = &self.state else { return Ok(Some(uri.to_owned())) };
        let mut next = format!("{uri}{}state=", if uri.contains('?') { '&' } else { '?' });
        crate::web::form_encoding::encode(state, &mut next);
        Ok(Some(next))
    }
}

fn seal(value: &impl Serialize, purpose: Purpose, tenant: &TenantSnapshot) -> Result<String, Failure> {
    let plain = serde_json::to_vec(value).map_err(|_| Failure::Unavailable)?;
    tenant.issuer.sealer()?.seal(purpose, b"", &plain).map_err(|_| Failure::Unavailable)
}

fn open<T: DeserializeOwned>(text: &str, purpose: Purpose, tenant: &TenantSnapshot) -> Option<T> {
    let opened = tenant.issuer.sealer().ok()?.open(purpose, b"", text).ok()?;
    serde_json::from_slice(opened.as_bytes()).ok()
}
