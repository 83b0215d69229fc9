//! Which scopes are granted, and for which audience.
//!
//! What is unknown or not granted to the client is left out, as OpenID Connect Core 1.0 §3.1.2.1 has
//! it and RFC 6749 §3.3 allows: the token response's `scope` tells. `invalid_scope` is for what is
//! malformed and where nothing is left.

use crate::authorize::parameters::Parameters;
use crate::authorize::refusal::{AuthorizationError, AuthorizationErrorCode};
use crate::authorize::request::ScopeDigest;
use crate::grant::{audience, scope};
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::Issuer;

/// What there is to grant.
pub(super) struct Scope {
    /// At least one.
    pub(super) granted: Vec<String>,
    /// Of what was sent, where it says more.
    pub(super) sent: Option<ScopeDigest>,
    /// `aud` of the access token.
    pub(super) audience: String,
}

/// The scopes that the client may have, and the one audience that has them.
pub(super) fn check_scope(
    parameters: &Parameters<'_>,
    client: &Client,
    issuer: &Issuer,
) -> Result<Scope, AuthorizationError> {
    let text = parameters.get("scope").unwrap_or_default();
    let granted: Vec<&str> = scope::parse(text)?.into_iter().filter(|scope| may_have(client, scope)).collect();
    if granted.is_empty() {
        let description = "none of the scopes is granted to this client";
        return Err(AuthorizationError::new(AuthorizationErrorCode::InvalidScope, description));
    }
    let targets: Vec<&str> = parameters.all("resource").chain(parameters.all("audience")).collect();
    let audience = audience::for_person(client, issuer, &targets, &granted)?.to_owned();
    let sent = (granted.join(" ") != text).then(|| ScopeDigest::of(text));
    Ok(Scope { granted: granted.into_iter().map(str::to_owned).collect(), sent, audience })
}

/// `offline_access` asks for a refresh token and so needs that grant type. That the person is asked is
/// left to the consent page, which names it, or to whoever declared that this client asks nobody:
/// the "other conditions" of OpenID Connect Core 1.0 §11.
fn may_have(client: &Client, scope: &str) -> bool {
    audience::is_granted(client, scope) && (scope != "offline_access" || client.grant_types.refresh_token)
}
