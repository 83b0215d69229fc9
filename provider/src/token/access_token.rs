//! Access tokens: JWTs as RFC 9068 has them, for exactly one audience.

use std::borrow::Cow;

use claviger_crds::published::AccessTokenType;
use claviger_jose::TokenType;
use jiff::Timestamp;
use serde::Serialize;

use super::actor::Actor;
use super::jti;
use crate::grant::{AccessGrant, Behind};
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
    sid: Option<Cow<'a, str>>,
    /// Who acts for `sub` (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Actor>,
}

/// What a token says of where it comes from.
struct Told<'a> {
    jti: String,
    auth_time: Option<i64>,
    acr: Option<&'a str>,
    sid: Option<Cow<'a, str>>,
    act: Option<&'a Actor>,
    /// It does not live longer, seconds since 1970.
    end: Option<i64>,
}

impl<'a> Told<'a> {
    fn of(behind: Behind<'a>) -> Self {
        let client = Self { jti: String::new(), auth_time: None, acr: None, sid: None, act: None, end: None };
        match behind {
            Behind::Client => Self { jti: jti::of_client(), ..client },
            Behind::Person(person) => Self {
                jti: jti::of_grant(person.id),
                auth_time: Some(person.authenticated_at.as_second()),
                acr: Some(&person.acr),
                sid: Some(Cow::Owned(person.session.to_string())),
                ..client
            },
            Behind::Exchange(facts) => {
                let person = facts.person.as_ref();
                Self {
                    jti: person.map_or_else(jti::of_client, |person| jti::of_exchange(person.grant)),
                    auth_time: person.and_then(|person| person.authenticated_at),
                    acr: person.and_then(|person| person.acr.as_deref()),
                    sid: person.and_then(|person| person.session.as_deref()).map(Cow::Borrowed),
                    act: facts.act.as_ref(),
                    end: Some(facts.expires_at),
                }
            }
        }
    }
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
    let told = Told::of(grant.behind);
    let left = told.end.map_or(u32::MAX, |end| u32::try_from(end.saturating_sub(iat)).unwrap_or(0));
    let expires_in = expires_in.min(left);
    let claims = Claims {
        iss: &issuer.url,
        sub: grant.subject,
        aud: grant.audience,
        exp: iat + i64::from(expires_in),
        iat,
        jti: &told.jti,
        client_id: &client.id,
        scope: &grant.scope,
        tenant_id: &issuer.slug,
        auth_time: told.auth_time,
        acr: told.acr,
        sid: told.sid,
        act: told.act,
    };
    let mut bytes = Vec::with_capacity(CLAIMS);
    serde_json::to_writer(&mut bytes, &claims).map_err(|_| failed())?;
    let token_type = match client.access_token_type {
        AccessTokenType::AtJwt => TokenType::AccessToken,
        AccessTokenType::Jwt => TokenType::Jwt,
    };
    let token = signing.sign(token_type, &bytes).map_err(|_| failed())?;
    Ok(AccessToken { token, expires_in, scope: grant.scope, of_person: matches!(grant.behind, Behind::Person(_)) })
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
            behind: person.map_or(Behind::Client, Behind::Person),
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
        for claim in ["auth_time", "acr", "sid", "act", "person"] {
            assert_eq!(claims.get(claim), None, "{claim}");
        }
    }
}
