//! `private_key_jwt` (RFC 7523 §2.2 and §3, OpenID Connect Core 1.0 §9): by an assertion that the
//! client signed, used once.

use std::sync::Arc;
use std::time::Duration;

use claviger_jose::{ForeignKeys, ForeignType, NumericDate, Unverified, VerifiedForeign, VerifyError};
use jiff::Timestamp;
use serde::Deserialize;

use super::{AuthenticatedClient, service_account};
use crate::outbound::{JwksError, KeySets, OutboundError};
use crate::tenant::oauth_client::{Authentication, Client};
use crate::tenant::snapshot::Issuer;
use crate::tenant::trust::Foreign;
use crate::token::audience::Audiences;
use crate::web::error::{ErrorCode, OAuthError};
use crate::web::exchange::Exchange;

/// Key sets of clients, by their `jwks_uri`.
pub(crate) type ClientKeys = KeySets<ForeignKeys>;

/// What a client's clock may be off.
const LEEWAY: Duration = Duration::from_secs(30);
/// What is taken for longer has to be remembered for longer.
const LONGEST_LIFE: i64 = 300;
/// Of a `jti`: each is stored.
const LONGEST_JTI: usize = 256;
const TYPES: [ForeignType; 2] = [ForeignType::Jwt, ForeignType::ClientAuthentication];

/// RFC 7523 §3.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audiences,
    exp: NumericDate,
    #[serde(default)]
    iat: Option<NumericDate>,
    #[serde(default)]
    jti: Option<String>,
}

/// The client whose assertion `jwt` is. `id` is what the request calls it.
pub(super) async fn prove(
    exchange: &Exchange<'_>,
    id: Option<&str>,
    jwt: &str,
) -> Result<AuthenticatedClient, OAuthError> {
    let refused = OAuthError::invalid_client;
    let jwt = Unverified::parse(jwt).map_err(|_| refused("the assertion is unreadable"))?;
    // Whose keys to take, and believed for nothing else. No client ID looks like an issuer.
    let issuer = jwt.issuer_unverified().and_then(|issuer| exchange.tenant.issuer.trust.find(issuer));
    if let Some(Foreign::Cluster(issuer)) = issuer {
        return service_account::prove(exchange, issuer, id, &jwt);
    }
    let sub = jwt.subject_unverified().ok_or_else(|| refused("the assertion names nobody"))?;
    if id.is_some_and(|id| id != sub) {
        return Err(refused("client_id is not that of the assertion"));
    }
    let client = exchange.tenant.clients.get(sub).ok_or_else(|| refused("no such client"))?;
    let now = exchange.provider.now();
    let verified = verify(exchange, client, &jwt, now).await?;
    let claims: Claims = verified.claims().map_err(|_| refused("the assertion lacks a claim"))?;
    let jti = check(&claims, client, &exchange.tenant.issuer, exchange.parts.uri.path(), now)?;
    let end = Timestamp::from_second(claims.end()).unwrap_or(now).saturating_add(LEEWAY).unwrap_or(now);
    let (store, key) = (exchange.provider.store(), &exchange.tenant.issuer.key);
    let is_first = store.consume_assertion(key, &client.key, jti, end).await.map_err(|_| OAuthError::store_away())?;
    if !is_first {
        return Err(refused("the assertion was used before"));
    }
    Ok(AuthenticatedClient(Arc::clone(client)))
}

/// The signature, by the keys that the client has declared or publishes.
async fn verify(
    exchange: &Exchange<'_>,
    client: &Client,
    jwt: &Unverified<'_>,
    now: Timestamp,
) -> Result<VerifiedForeign, OAuthError> {
    let refused = OAuthError::invalid_client;
    let Authentication::PrivateKeyJwt { keys, algorithms } = &client.authentication else {
        return Err(refused("the client authenticates in another way"));
    };
    let signed = keys.verify(exchange.provider.client_keys(), jwt, algorithms, &TYPES).await.map_err(|error| {
        tracing::debug!(client = &*client.id, %error, "the keys of a client could not be had");
        match error {
            // The client may well be right: it is not told that it is not.
            JwksError::Outbound(failed)
                if !matches!(failed, OutboundError::Refused(_) | OutboundError::TooLarge(_)) =>
            {
                OAuthError::new(ErrorCode::TemporarilyUnavailable, "the client's keys cannot be had now")
            }
            _ => refused("the client's keys could not be had"),
        }
    })?;
    let signed = signed.map_err(|error| match error {
        VerifyError::UnknownKey => refused("the assertion's key is none of the client's"),
        _ => refused("the assertion is not signed as it has to be"),
    })?;
    signed.at(now.as_second(), LEEWAY).map_err(|_| refused("the assertion is expired, or not valid yet"))
}

/// 1. By whom and about whom. 2. For whom. 3. For how long. 4. Which.
fn check<'c>(
    claims: &'c Claims,
    client: &Client,
    issuer: &Issuer,
    path: &str,
    now: Timestamp,
) -> Result<&'c str, OAuthError> {
    let refused = OAuthError::invalid_client;
    if *claims.iss != *client.id || *claims.sub != *client.id {
        return Err(refused("the assertion's iss and sub are not the client"));
    }
    if !claims.aud.all(|audience| is_us(audience, issuer, path)) {
        return Err(refused("the assertion is for somebody else"));
    }
    let leeway = LEEWAY.as_secs().cast_signed();
    let left = claims.end().saturating_sub(now.as_second());
    if left > LONGEST_LIFE + leeway {
        return Err(refused("the assertion lives longer than five minutes, and does not say since when"));
    }
    if left <= -leeway {
        return Err(refused("the assertion is older than five minutes"));
    }
    let jti = claims.jti.as_deref().filter(|jti| !jti.is_empty() && jti.len() <= LONGEST_JTI);
    jti.ok_or_else(|| refused("the assertion has no jti"))
}

impl Claims {
    /// Until when the assertion is taken, and so remembered. Libraries let theirs live for an hour, though
    /// each request has its own: where `iat` says when it was made, five minutes from then are enough.
    fn end(&self) -> i64 {
        self.iat.map_or(self.exp.0, |made| self.exp.0.min(made.0.saturating_add(LONGEST_LIFE)))
    }
}

/// Whether `audience` is the issuer or, where the tenant is not strict, the token endpoint or the endpoint that was
/// called.
fn is_us(audience: &str, issuer: &Issuer, path: &str) -> bool {
    if audience == &*issuer.url {
        return true;
    }
    !issuer.strict_audience
        && audience
            .strip_prefix(&*issuer.url)
            .is_some_and(|rest| rest == "/oauth/token" || (path.ends_with(rest) && rest.starts_with("/oauth/")))
}
