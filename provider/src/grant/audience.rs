//! Which one audience an access token is for, and with which scopes.
//!
//! The `resource` (RFC 8707) or `audience` asked for, else the API that has the scopes asked for, else
//! the client's first, else the issuer. A token for two APIs would let each use it at the other.

use claviger_crds::published::AudienceGrant;

use crate::tenant::metadata::STANDARD_SCOPES;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::Issuer;
use crate::web::error::{ErrorCode, OAuthError};
use crate::web::form::Form;

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
    check_granted(client, scopes)?;
    let api = api(client, issuer, &asked.targets, scopes)?;
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

/// Chooses for a token about a person, by the same rule. `scopes` were granted already; those that are
/// about the person go with any audience.
pub(crate) fn for_person<'a>(
    client: &'a Client,
    issuer: &'a Issuer,
    targets: &[&str],
    scopes: &[&str],
) -> Result<&'a str, OAuthError> {
    Ok(api(client, issuer, targets, scopes)?.map_or(&*issuer.url, |api| api.audience.as_str()))
}

/// The `resource` and `audience` of a token request about a grant: a token for another API than the grant's
/// is none that a person let anybody have (RFC 8707 §2.2).
pub(crate) fn check_same(form: &Form<'_>, audience: &str) -> Result<(), OAuthError> {
    if targets(form).all(|target| target == audience) {
        return Ok(());
    }
    Err(OAuthError::new(ErrorCode::InvalidTarget, "the grant is for another resource or audience"))
}

/// What `form` asks a token for.
pub(crate) fn targets<'f>(form: &'f Form<'_>) -> impl Iterator<Item = &'f str> {
    form.all("resource").chain(form.all("audience"))
}

/// The scopes of `audience` that `client` was granted; none where it is the issuer.
pub(crate) fn scopes_of<'a>(client: &'a Client, audience: &str) -> &'a [String] {
    client.audiences.iter().find(|api| api.audience == audience).map_or(&[], |api| &api.scopes)
}

/// Whether `client` may still have tokens for `audience`.
pub(crate) fn reaches(client: &Client, issuer: &Issuer, audience: &str) -> bool {
    *audience == *issuer.url || client.audiences.iter().any(|api| api.audience == audience)
}

/// Whether `client` is granted `scope` in a token for `audience`.
pub(crate) fn is_granted_at(client: &Client, audience: &str, scope: &str) -> bool {
    is_own(client, scope) || scopes_of(client, audience).iter().any(|granted| granted == scope)
}

/// What `client` is still granted of the `scope` of a token for `audience`: one that was withdrawn is served no more,
/// however long the token lives.
pub(crate) fn granted_scopes<'t>(client: &Client, audience: &str, scope: &'t str) -> impl Iterator<Item = &'t str> {
    scope.split(' ').filter(move |scope| !scope.is_empty() && is_granted_at(client, audience, scope))
}

/// Whether `client` was granted `scope`, of an API or of none.
pub(crate) fn is_granted(client: &Client, scope: &str) -> bool {
    is_own(client, scope) || client.audiences.iter().any(|api| has(api, scope))
}

/// The API that is meant; none where it is the issuer.
fn api<'a>(
    client: &'a Client,
    issuer: &Issuer,
    targets: &[&str],
    scopes: &[&str],
) -> Result<Option<&'a AudienceGrant>, OAuthError> {
    match one_target(targets)? {
        Some(target) => named(client, issuer, target, scopes),
        None => of_scopes(client, scopes),
    }
}

/// Each of `scopes` is one of the tenant's own or of an API, and granted.
fn check_granted(client: &Client, scopes: &[&str]) -> Result<(), OAuthError> {
    for scope in scopes {
        if is_standard(scope) {
            let description = format!("{scope} is about a person, and there is none in this grant");
            return Err(OAuthError::new(ErrorCode::InvalidScope, description));
        }
        if !is_granted(client, scope) {
            return Err(not_granted(scope));
        }
    }
    Ok(())
}

/// The API called `target`, or none where it is the issuer.
fn named<'a>(
    client: &'a Client,
    issuer: &Issuer,
    target: &str,
    scopes: &[&str],
) -> Result<Option<&'a AudienceGrant>, OAuthError> {
    let api = client.audiences.iter().find(|api| api.audience == target);
    if api.is_none() && *target != *issuer.url {
        let description = "the resource or audience is not granted to this client";
        return Err(OAuthError::new(ErrorCode::InvalidTarget, description));
    }
    if !scopes.iter().all(|scope| is_own(client, scope) || api.is_some_and(|api| has(api, scope))) {
        return Err(two_apis());
    }
    Ok(api)
}

/// The first API that has all those of these scopes that any has. One of the tenant's own that bears
/// the name of an API's counts as the API's: at another it would be a right that nobody asked for.
/// None where the client has no API.
fn of_scopes<'a>(client: &'a Client, scopes: &[&str]) -> Result<Option<&'a AudienceGrant>, OAuthError> {
    let of_none = |scope| !client.audiences.iter().any(|api| has(api, scope));
    let fits = |api: &&AudienceGrant| scopes.iter().all(|scope| has(api, scope) || of_none(scope));
    match client.audiences.iter().find(fits) {
        None if !client.audiences.is_empty() => Err(two_apis()),
        api => Ok(api),
    }
}

/// The one target among `targets`, which may be repeated if it is the same.
pub(super) fn one_target<'t>(targets: &[&'t str]) -> Result<Option<&'t str>, OAuthError> {
    match targets.split_first() {
        Some((first, rest)) if rest.iter().any(|other| other != first) => Err(two_apis()),
        first => Ok(first.map(|(first, _)| *first)),
    }
}

fn has(api: &AudienceGrant, scope: &str) -> bool {
    api.scopes.iter().any(|granted| granted == scope)
}

fn is_own(client: &Client, scope: &str) -> bool {
    client.scopes.iter().any(|own| own == scope)
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
