//! Which one audience an access token is for, and with which scopes.
//!
//! The `resource` (RFC 8707) or `audience` asked for, else that of the API scopes asked for, else the
//! client's first, else the issuer. A token for two APIs would let each use it at the other.

use claviger_crds::published::AudienceGrant;

use crate::tenant::metadata::STANDARD_SCOPES;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::Issuer;
use crate::web::error::{ErrorCode, OAuthError};

/// What a request asks for.
pub(crate) struct Asked<'a> {
    /// `resource` and `audience`.
    pub(crate) targets: Vec<&'a str>,
    /// None where the request has no `scope`.
    pub(crate) scopes: Option<Vec<&'a str>>,
}

/// What is granted of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chosen<'a> {
    /// `aud`.
    pub(crate) audience: &'a str,
    /// `scope`.
    pub(crate) scope: String,
}

/// Chooses among what `client` was granted, for a token without a person.
pub(crate) fn choose<'a>(client: &'a Client, issuer: &'a Issuer, asked: &Asked<'_>) -> Result<Chosen<'a>, OAuthError> {
    let scopes = asked.scopes.as_deref().unwrap_or_default();
    let api_scopes = api_scopes(client, scopes)?;
    let api = match one_target(&asked.targets)? {
        Some(target) => named(client, issuer, target, &api_scopes)?,
        None if api_scopes.is_empty() => client.audiences.first(),
        None => Some(of_scopes(client, &api_scopes)?),
    };
    let audience = api.map_or(&*issuer.url, |api| api.audience.as_str());
    let scope = match (&asked.scopes, api) {
        (Some(scopes), _) => scopes.join(" "),
        (None, Some(api)) => api.scopes.join(" "),
        (None, None) => {
            let own: Vec<&str> = client.scopes.iter().map(String::as_str).filter(|scope| !is_standard(scope)).collect();
            own.join(" ")
        }
    };
    Ok(Chosen { audience, scope })
}

/// Those of `scopes` that belong to an API. The others have to be the tenant's own.
fn api_scopes<'s>(client: &Client, scopes: &[&'s str]) -> Result<Vec<&'s str>, OAuthError> {
    let mut api_scopes = Vec::new();
    for scope in scopes {
        if is_standard(scope) {
            let description = format!("{scope} is about a person, and there is none in this grant");
            return Err(OAuthError::new(ErrorCode::InvalidScope, description));
        }
        if client.scopes.iter().any(|own| own == scope) {
            continue;
        }
        if !client.audiences.iter().any(|api| has(api, scope)) {
            return Err(not_granted(scope));
        }
        api_scopes.push(*scope);
    }
    Ok(api_scopes)
}

/// The API called `target`, or none where it is the issuer.
fn named<'a>(
    client: &'a Client,
    issuer: &Issuer,
    target: &str,
    api_scopes: &[&str],
) -> Result<Option<&'a AudienceGrant>, OAuthError> {
    let api = client.audiences.iter().find(|api| api.audience == target);
    if api.is_none() && *target != *issuer.url {
        let description = "the resource or audience is not granted to this client";
        return Err(OAuthError::new(ErrorCode::InvalidTarget, description));
    }
    if api_scopes.iter().any(|scope| !api.is_some_and(|api| has(api, scope))) {
        return Err(two_apis());
    }
    Ok(api)
}

/// The first API that has all these scopes.
fn of_scopes<'a>(client: &'a Client, api_scopes: &[&str]) -> Result<&'a AudienceGrant, OAuthError> {
    let all = |api: &&AudienceGrant| api_scopes.iter().all(|scope| has(api, scope));
    client.audiences.iter().find(all).ok_or_else(two_apis)
}

/// The one target among `targets`, which may be repeated if it is the same.
fn one_target<'t>(targets: &[&'t str]) -> Result<Option<&'t str>, OAuthError> {
    match targets.split_first() {
        Some((first, rest)) if rest.iter().any(|other| other != first) => Err(two_apis()),
        first => Ok(first.map(|(first, _)| *first)),
    }
}

fn has(api: &AudienceGrant, scope: &str) -> bool {
    api.scopes.iter().any(|granted| granted == scope)
}

fn is_standard(scope: &str) -> bool {
    STANDARD_SCOPES.contains(&scope)
}

fn two_apis() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, "a token is for one API: ask for the scopes of one")
}

fn not_granted(scope: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidScope, format!("{scope} is not granted to this client"))
}
