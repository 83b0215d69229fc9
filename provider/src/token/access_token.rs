//! Access tokens: JWTs as RFC 9068 has them, for exactly one audience.

use claviger_crds::published::AccessTokenType;
use claviger_jose::TokenType;
use jiff::Timestamp;
use serde::Serialize;

use super::jti;
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
    /// RFC 9068 §2.2.1, of a person's token alone, like the two below.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

/// An access token, and what its client is told of it.
pub(crate) struct AccessToken {
    /// The JWS.
    pub(crate) token: String,
    /// Seconds.
    pub(crate) expires_in: u32,
    /// Space-separated; empty where there is none.
    pub(crate) scope: String,
    /// Whether it is about a person.
    pub(crate) of_person: bool,
}

/// What signs the access tokens of `issuer`.
pub(crate) fn signing(issuer: &Issuer) -> Result<&Signing, OAuthError> {
    let missing = || OAuthError::new(ErrorCode::TemporarilyUnavailable, "the tenant has no key yet");
    issuer.signing.as_ref().ok_or_else(missing)
}

/// Signs what `grant` says with the key of `issuer`.
pub(crate) fn issue(grant: AccessGrant<'_>, issuer: &Issuer, now: Timestamp) -> Result<AccessToken, OAuthError> {
    let signing = signing(issuer)?;
    let failed = || OAuthError::new(ErrorCode::ServerError, "an internal error");
    let client = grant.client.client();
    // A key leaves the JWK Set when the longest-lived token that it may have signed has expired.
    let expires_in =
        client.lifetimes.access_token.unwrap_or(issuer.lifetimes.access_token).min(signing.max_token_lifetime);
    let iat = now.as_second();
    let claims = Claims {
        iss: &issuer.url,
        sub: grant.subject,
        aud: grant.audience,
        exp: iat + i64::from(expires_in),
        iat,
        jti: &grant.person.map_or_else(jti::of_client, |person| jti::of_grant(person.id)),
        client_id: &client.id,
        scope: &grant.scope,
        tenant_id: &issuer.slug,
        auth_time: grant.person.map(|person| person.authenticated_at.as_second()),
        acr: grant.person.map(|person| person.acr.as_str()),
        sid: grant.person.map(|person| person.session.to_string()),
    };
    let mut bytes = Vec::with_capacity(CLAIMS);
    serde_json::to_writer(&mut bytes, &claims).map_err(|_| failed())?;
    let token_type = match client.access_token_type {
        AccessTokenType::AtJwt => TokenType::AccessToken,
        AccessTokenType::Jwt => TokenType::Jwt,
    };
    let token = signing.sign(token_type, &bytes).map_err(|_| failed())?;
    Ok(AccessToken { token, expires_in, scope: grant.scope, of_person: grant.person.is_some() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::token::fixture::{self, NOW, acme, now, person, shop};
    use crate::token::person::PersonGrant;

    fn issued(person: Option<&PersonGrant>) -> (AccessToken, Value) {
        let (tenant, _) = acme(&["ES256"], |_| {});
        let client = shop(&tenant);
        let subject = person.map_or("shop.app", |person| &person.subject);
        let grant = AccessGrant {
            client: &client,
            subject,
            audience: "https://api.example",
            scope: "openid".to_owned(),
            person,
        };
        let token = issue(grant, &tenant.issuer, now()).unwrap();
        let claims = fixture::part(&token.token, 1);
        (token, claims)
    }

    #[test]
    fn a_persons_token_says_who_logged_in_when_and_how_and_leads_to_its_grant() {
        let person = person();
        let (token, mut claims) = issued(Some(&person));
        assert!(token.of_person);
        assert_eq!(fixture::part(&token.token, 0)["typ"], "at+jwt");
        let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(jti::origin(jti.as_str().unwrap()), Some(jti::Origin::Grant(person.id)));
        let expected = json!({
            "iss": "https://login.example/acme",
            "sub": "usr_ada",
            "aud": "https://api.example",
            "exp": NOW + 600,
            "iat": NOW,
            "client_id": "shop.app",
            "scope": "openid",
            "tenant_id": "acme",
            "auth_time": NOW - 60,
            "acr": "1",
            "sid": person.session.to_string(),
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn a_clients_token_says_nothing_of_a_person() {
        let (token, claims) = issued(None);
        assert!(!token.of_person);
        assert_eq!(jti::origin(claims["jti"].as_str().unwrap()), Some(jti::Origin::Client));
        for claim in ["auth_time", "acr", "sid", "person"] {
            assert_eq!(claims.get(claim), None, "{claim}");
        }
    }
}
