//! Access tokens: JWTs as RFC 9068 has them, for exactly one audience.

use claviger_crds::published::AccessTokenType;
use claviger_jose::{TokenType, random};
use jiff::Timestamp;
use serde::Serialize;

use crate::grant::AccessGrant;
use crate::tenant::snapshot::{Issuer, Signing};
use crate::web::error::{ErrorCode, OAuthError};

/// Room for the claims of most tokens.
const CLAIMS: usize = 512;

/// RFC 9068 §2.2.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    tenant_id: &'a str,
}

/// A successful answer (RFC 6749 §5.1).
#[derive(Serialize)]
pub(crate) struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
}

impl Issued {
    /// The body.
    pub(crate) fn into_json(self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.access_token.len() + self.scope.len() + 96);
        // Text and a number always serialise, and memory can always be written.
        let _written = serde_json::to_writer(&mut body, &self);
        body
    }
}

/// Signs what `grant` says with the key of `issuer`.
pub(crate) fn issue(grant: AccessGrant<'_>, issuer: &Issuer, now: Timestamp) -> Result<Issued, OAuthError> {
    let Some(Signing { signer, max_token_lifetime }) = &issuer.signing else {
        return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, "the tenant has no key yet"));
    };
    let failed = || OAuthError::new(ErrorCode::ServerError, "an internal error");
    let client = grant.client.client();
    // A key leaves the JWK Set when the longest-lived token that it may have signed has expired.
    let expires_in = client.access_token_lifetime.unwrap_or(issuer.access_token_lifetime).min(*max_token_lifetime);
    let iat = now.as_second();
    let claims = Claims {
        iss: &issuer.url,
        sub: grant.subject,
        aud: grant.audience,
        exp: iat + i64::from(expires_in),
        iat,
        jti: &random::hex128(),
        client_id: &client.id,
        scope: &grant.scope,
        tenant_id: &issuer.slug,
    };
    let mut bytes = Vec::with_capacity(CLAIMS);
    serde_json::to_writer(&mut bytes, &claims).map_err(|_| failed())?;
    let token_type = match client.access_token_type {
        AccessTokenType::AtJwt => TokenType::AccessToken,
        AccessTokenType::Jwt => TokenType::Jwt,
    };
    let access_token = signer.sign_bytes(token_type, &bytes).map_err(|_| failed())?;
    Ok(Issued { access_token, token_type: "Bearer", expires_in, scope: grant.scope })
}
