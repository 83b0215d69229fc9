//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4).

use claviger_jose::TokenType;
use jiff::Timestamp;
use serde::Serialize;

use crate::store::NewLogout;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::Issuer;

/// Seconds. Each attempt bears a token of its own.
const LIFETIME: i64 = 120;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    events: Events,
    sid: String,
}

#[derive(Serialize)]
struct Events {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    logout: Empty,
}

#[derive(Serialize)]
struct Empty {}

/// The token that tells `client` of `logout`: signed as its ID tokens are. None where the issuer has
/// no key for that.
pub(crate) fn issue(logout: &NewLogout, client: &Client, issuer: &Issuer, now: Timestamp) -> Option<String> {
    let claims = Claims {
        iss: &issuer.url,
        sub: &logout.subject,
        aud: &client.id,
        iat: now.as_second(),
        exp: now.as_second() + LIFETIME,
        jti: logout.id.to_string(),
        events: Events { logout: Empty {} },
        sid: logout.session.to_string(),
    };
    let bytes = serde_json::to_vec(&claims).ok()?;
    issuer.signing_for(client)?.sign(TokenType::LogoutToken, &bytes).ok()
}
