//! Tokens that others issued, brought to be exchanged: of this cluster's ServiceAccounts, and of the issuers that
//! the tenant trusts.

use std::time::Duration;

use claviger_crds::published::SubjectToken;
use claviger_jose::{Algorithm, ForeignType, NumericDate, Unverified, VerifyError};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::subject::{Refused, VerifiedSubject};
use crate::tenant::oauth_client::Client;
use crate::tenant::trust::{Foreign, ServiceAccountIssuer, TrustedIssuer};
use crate::token::actor::{Actor, MayAct};
use crate::token::audience::Audiences;
use crate::token::service_account;
use crate::web::error::{ErrorCode, OAuthError};
use crate::web::exchange::Exchange;

/// What another issuer's clock may be ahead. Its end is exact: nothing outlives it.
const LEEWAY: Duration = Duration::from_secs(30);
/// Of a token's whole life, seconds: a leak must not last.
const LONGEST_LIFE: i64 = 24 * 3600;
/// Bytes of a `sub` with its prefix: it stands in every token that is made of it.
const LONGEST_SUBJECT: usize = 2048;
/// What issuers call the tokens that they make for others.
const TYPES: [ForeignType; 2] = [ForeignType::Jwt, ForeignType::AccessToken];

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audiences,
    exp: NumericDate,
    iat: NumericDate,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    may_act: Option<MayAct>,
    #[serde(default)]
    act: Option<Actor>,
}

/// `text` taken apart, and who says that he issued it: believed for nothing but whose keys to take.
pub(super) fn read(text: &str) -> Result<(Unverified<'_>, String), Refused> {
    let token = Unverified::parse(text).map_err(|_| Refused::Invalid("it is no JWT"))?;
    let issuer = token.issuer_unverified().ok_or(Refused::Invalid("it names no issuer"))?.to_owned();
    Ok((token, issuer))
}

/// A token that `issuer` issued, which the tenant trusts.
pub(super) async fn token(
    exchange: &Exchange<'_>,
    requester: &Client,
    issuer: Foreign<'_>,
    token: &Unverified<'_>,
) -> Result<VerifiedSubject, Refused> {
    match issuer {
        Foreign::Cluster(issuer) => service_account(exchange, requester, issuer, token),
        Foreign::Trusted(issuer) => trusted(exchange, requester, issuer, token).await,
    }
}

/// A ServiceAccount's token. One for the issuer counts from that ServiceAccount's own client alone: whoever else
/// has it has it from there. One for the requester counts from the requester.
fn service_account(
    exchange: &Exchange<'_>,
    requester: &Client,
    issuer: &ServiceAccountIssuer,
    token: &Unverified<'_>,
) -> Result<VerifiedSubject, Refused> {
    let tenant = &exchange.tenant;
    let account = service_account::verify(exchange.provider, token, issuer).map_err(Refused::Invalid)?;
    // Of an account that no client names the UID is not known here: its token's life bounds it.
    let named = tenant.accounts.get(&account.subject).map(|clients| &**clients).unwrap_or_default();
    let mut clients = named.iter().filter_map(|id| tenant.clients.get(id));
    if !named.is_empty() && !clients.any(|client| client.is_service_account(&account.subject, &account.uid)) {
        return Err(Refused::Invalid("the ServiceAccount was deleted since the token was made"));
    }
    let for_us = account.audiences.all(|audience| *audience == *tenant.issuer.url);
    let own = for_us && requester.is_service_account(&account.subject, &account.uid);
    Ok(VerifiedSubject {
        kind: SubjectToken::ServiceAccount,
        issuer: issuer.issuer.clone(),
        audience: None,
        issued_to: None,
        consented: None,
        for_requester: own || is_for_api(exchange, requester, &account.audiences),
        for_tenant: own,
        sub: account.subject.clone(),
        subject: account.subject,
        scope: None,
        expires_at: account.expires_at,
        may_act: None,
        act: None,
        person: None,
    })
}

/// A trusted issuer's token: by its keys, for the tenant or the requester, and one of those that are trusted.
async fn trusted(
    exchange: &Exchange<'_>,
    requester: &Client,
    issuer: &TrustedIssuer,
    token: &Unverified<'_>,
) -> Result<VerifiedSubject, Refused> {
    let now = exchange.provider.now();
    let keys = exchange.provider.client_keys();
    let signed = issuer.keys.verify(keys, token, &Algorithm::ALL, &TYPES).await.map_err(|error| {
        let (tenant, issuer) = (&exchange.tenant.issuer.slug, &issuer.issuer);
        tracing::debug!(%tenant, issuer, %error, "the keys of a trusted issuer could not be had");
        let description = "the keys of the token's issuer could not be had";
        OAuthError::new(ErrorCode::TemporarilyUnavailable, description)
    })?;
    let signed = signed.map_err(|error| match error {
        VerifyError::UnknownKey => Refused::Invalid("its key is none of the issuer's"),
        _ => Refused::Invalid("it is not signed as it has to be"),
    })?;
    let verified =
        signed.of_a_peer(now.as_second(), LEEWAY).map_err(|_| Refused::Invalid("it is expired, or not valid yet"))?;
    let unreadable = Refused::Invalid("it lacks iss, sub, aud, exp or iat, or has an act that is no such claim");
    let Ok(claims) = verified.claims::<Claims>() else { return Err(unreadable) };
    let all: Map<String, Value> = verified.claims().map_err(|_| Refused::Invalid("its claims are no object"))?;
    // RFC 7800 §3.1: the issuer wants its holder to prove a key. Nobody does that here, and what is issued demands none.
    if all.contains_key("cnf") {
        return Err(Refused::Invalid("it is bound to a key of its holder's"));
    }
    let scope = scope(claims.scope.as_deref(), all.get("scp"))?;
    if !issuer.trusts(&claims.sub, &all) {
        return Err(Refused::Invalid("no subject rule of the trusted issuer fits it"));
    }
    if claims.iss != issuer.issuer {
        return Err(Refused::Invalid("its iss is another"));
    }
    let life = claims.exp.0.saturating_sub(claims.iat.0);
    if life > LONGEST_LIFE {
        return Err(Refused::Invalid("it lives longer than 24 hours"));
    }
    let for_tenant = claims.aud.all(|audience| issuer.audiences.iter().any(|known| known == audience));
    let subject = format!("{}{}", issuer.subject_prefix, claims.sub);
    // A User may have been declared with the subject of another system's account.
    let is_users = exchange.tenant.users.get(&subject).is_some();
    if claims.sub.is_empty() || subject.len() > LONGEST_SUBJECT || is_users {
        return Err(Refused::Invalid("its sub is empty, too long, or a User's"));
    }
    let act = claims.act.map(|act| act.prefixed(&issuer.subject_prefix));
    if act.as_ref().is_some_and(|act| !act.is_bounded()) {
        return Err(Refused::Invalid("too many act for one another"));
    }
    Ok(VerifiedSubject {
        kind: SubjectToken::TrustedIssuer,
        issuer: issuer.issuer.clone(),
        audience: None,
        issued_to: None,
        consented: None,
        for_requester: for_tenant || is_for_api(exchange, requester, &claims.aud),
        for_tenant,
        sub: claims.sub,
        subject,
        scope,
        expires_at: claims.exp.0,
        may_act: claims.may_act,
        act,
        person: None,
    })
}

/// What a token may do: by `scope` (RFC 9068 §2.2.3), or by `scp`, as some issuers call it, a text or a list. Where neither
/// is there it says nothing of it; what cannot be read is not taken for that.
fn scope(scope: Option<&str>, scp: Option<&Value>) -> Result<Option<Vec<String>>, Refused> {
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    match (scope, scp) {
        (Some(scope), _) => Ok(Some(words(scope))),
        (None, None) => Ok(None),
        (None, Some(Value::String(scp))) => Ok(Some(words(scp))),
        (None, Some(Value::Array(list))) => {
            let words: Option<_> = list.iter().map(|word| word.as_str().map(str::to_owned)).collect();
            words.map(Some).ok_or(Refused::Invalid("its scp is no list of texts"))
        }
        (None, Some(_)) => Err(Refused::Invalid("its scp is neither a text nor a list")),
    }
}

/// Whether one of `audiences` is the API of `requester`. Its client ID does not count: another tenant may have a
/// client of that name.
fn is_for_api(exchange: &Exchange<'_>, requester: &Client, audiences: &Audiences) -> bool {
    requester.api(&exchange.tenant.issuer.url).is_some_and(|api| audiences.has(api))
}
