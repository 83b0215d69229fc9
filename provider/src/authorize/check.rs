//! The checks of an authorization request, in their order.
//!
//! Before the client and its redirect URI are known to belong together, a fault is a page; after it,
//! a redirect (RFC 6749 §4.1.2.1). Each check is a function that either yields what it found or says
//! what is wrong; none sees what a later one is for.

mod claims;
mod client;
mod hint;
mod hint_shape;
mod pkce;
mod preferences;
mod request_object;
mod response;
mod scope;
#[cfg(test)]
mod tests;
mod usable;

use std::sync::Arc;

use jiff::Timestamp;

use super::parameters::Parameters;
use super::prompt;
use super::redirect_uri::{RedirectUri, RedirectUriKind};
use super::refusal::{AuthorizationError, RedirectError, Refusal};
use super::request::AuthorizationRequest;
use super::response::{Destination, ResponseMode};
use crate::claims::Release;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::{Issuer, TenantSnapshot};

/// The request that `parameters` make at `tenant`.
pub(crate) fn check(
    parameters: &Parameters<'_>,
    tenant: &TenantSnapshot,
    now: Timestamp,
) -> Result<AuthorizationRequest, Refusal> {
    client::check_present(parameters).map_err(Refusal::Page)?;
    let client = client::check_client(parameters, tenant).map_err(Refusal::Page)?;
    let (redirect_uri, kind) = client::check_redirect_uri(parameters, client).map_err(Refusal::Page)?;
    // From here on the redirect URI is the client's own.
    let destination = destination(parameters, &tenant.issuer, redirect_uri.clone());
    check_rest(parameters, client, &tenant.issuer, (redirect_uri, kind), now)
        .map_err(|error| Refusal::Redirect(RedirectError { destination, error }))
}

fn check_rest(
    parameters: &Parameters<'_>,
    client: &Client,
    issuer: &Issuer,
    (redirect_uri, kind): (RedirectUri, RedirectUriKind),
    now: Timestamp,
) -> Result<AuthorizationRequest, AuthorizationError> {
    usable::check_flaws(parameters)?;
    request_object::reject_request_objects(parameters)?;
    usable::check_present(parameters)?;
    usable::check_idp_hint(parameters)?;
    let response_mode = response::check_response_mode(parameters)?;
    response::check_response_type(parameters)?;
    response::check_grant_type(client)?;
    let code_challenge = pkce::check_pkce(parameters, client)?;
    let scope = scope::check_scope(parameters, client, issuer)?;
    usable::check_keys(&scope.granted, client, issuer)?;
    let prompt = prompt::parse(parameters.get("prompt").unwrap_or_default())?;
    hint_shape::check_hint_shape(parameters)?;
    let hint_subject = hint::check_hint(parameters, &prompt, issuer, now)?;
    let max_age = claims::check_max_age(parameters)?;
    let claims = claims::check_claims(parameters)?;
    let release = Release { granted: &scope.granted, within: &client.scopes, declared: &issuer.scopes };
    let claim_scopes = release.beyond(&claims);
    let preferences = preferences::read(parameters);
    let request = AuthorizationRequest {
        client_id: client.id.as_ref().to_owned(),
        redirect_uri,
        response_mode,
        scopes: scope.granted,
        sent_scope: scope.sent,
        audience: scope.audience,
        state: owned(parameters, "state"),
        nonce: owned(parameters, "nonce"),
        code_challenge,
        prompt,
        max_age,
        claims,
        claim_scopes,
        hint_subject,
        preferences,
        native: client.is_public() && kind != RedirectUriKind::Https,
    };
    usable::check_size(&request, issuer)?;
    Ok(request)
}

/// Where an error goes. A mode that cannot be used is no reason to leave the client without one.
fn destination(parameters: &Parameters<'_>, issuer: &Issuer, redirect_uri: RedirectUri) -> Destination {
    let within = request_object::way_back(parameters);
    let mode = parameters.get("response_mode").or(within.response_mode.as_deref());
    let mode = mode.and_then(ResponseMode::parse).unwrap_or_default();
    let state = match parameters.flaw("state") {
        Some(_) => None,
        None => owned(parameters, "state").or(within.state),
    };
    Destination { redirect_uri, mode, state, issuer: Arc::clone(&issuer.url) }
}

fn owned(parameters: &Parameters<'_>, name: &str) -> Option<String> {
    parameters.get(name).map(str::to_owned)
}
