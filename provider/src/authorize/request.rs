//! A valid authorization request: what [`super::check`] lets through. It travels in a sealed flow
//! handle, hence the short names.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_jose::CodeChallenge;
use serde::{Deserialize, Serialize};

use super::prompt::Prompt;
use super::redirect_uri::RedirectUri;
use super::response::{Destination, ResponseMode};
use crate::claims::request::ClaimsRequest;

/// A valid request.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    /// Whose.
    #[serde(rename = "c")]
    pub(crate) client_id: String,
    /// As it was sent; the token endpoint compares it.
    #[serde(rename = "r")]
    pub(crate) redirect_uri: RedirectUri,
    /// How the answer is carried.
    #[serde(rename = "m", default)]
    pub(crate) response_mode: ResponseMode,
    /// Granted ones of those that were asked for, each once, in their order; at least one.
    #[serde(rename = "s")]
    pub(crate) scopes: Vec<String>,
    /// The digest of `scope` as it was sent, where it says more than `scopes`.
    #[serde(rename = "ss", default, skip_serializing_if = "Option::is_none")]
    pub(crate) sent_scope: Option<ScopeDigest>,
    /// `aud` of the access token.
    #[serde(rename = "a")]
    pub(crate) audience: String,
    /// Comes back with the answer.
    #[serde(rename = "st", default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// Stands in the ID token.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    /// S256 (RFC 7636 §4.2).
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(crate) code_challenge: Option<CodeChallenge>,
    /// What the person shall be asked.
    #[serde(rename = "p", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) prompt: BTreeSet<Prompt>,
    /// How long ago the login may be, seconds.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u32>,
    /// Single claims.
    #[serde(rename = "q", default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub(crate) claims: ClaimsRequest,
    /// Scopes of which `claims` asks for something, beside those that are granted: whoever is asked for
    /// consent has to see them too.
    #[serde(rename = "qs", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claim_scopes: Vec<String>,
    /// `sub` of the verified `id_token_hint`.
    #[serde(rename = "hs", default, skip_serializing_if = "Option::is_none")]
    pub(crate) hint_subject: Option<String>,
    /// What only shapes the pages.
    #[serde(flatten)]
    pub(crate) preferences: Preferences,
    /// Runs on the person's device (a public client with a loopback or private-use redirect URI).
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) native: bool,
}

/// What shapes the pages and changes no decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Preferences {
    /// What the person may type as a user name.
    #[serde(rename = "lh", default, skip_serializing_if = "Option::is_none")]
    pub(crate) login_hint: Option<String>,
    /// Wished for, the best first; voluntary (OpenID Connect Core 1.0 §3.1.2.1). A login UI of the tenant's own
    /// is told.
    #[serde(rename = "av", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) acr_values: Vec<String>,
    /// Language tags, the best first.
    #[serde(rename = "ul", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ui_locales: Vec<String>,
}

/// SHA-256 of a `scope`, in base64url: all that is needed to know the same one again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScopeDigest(String);

impl ScopeDigest {
    /// Of `scope`.
    pub(crate) fn of(scope: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, scope.as_bytes())))
    }
}

impl AuthorizationRequest {
    /// Where the answer of `issuer` goes.
    pub(crate) fn destination(&self, issuer: &Arc<str>) -> Destination {
        Destination {
            redirect_uri: self.redirect_uri.clone(),
            mode: self.response_mode,
            state: self.state.clone(),
            issuer: Arc::clone(issuer),
        }
    }

    /// Whether `scope` is what was sent.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        match &self.sent_scope {
            Some(sent) => *sent == ScopeDigest::of(scope),
            None => self.scopes.join(" ") == scope,
        }
    }
}

/// Without what guards the client's session and what says who the person is.
impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("response_mode", &self.response_mode)
            .field("scopes", &self.scopes)
            .field("audience", &self.audience)
            .field("prompt", &self.prompt)
            .finish_non_exhaustive()
    }
}
