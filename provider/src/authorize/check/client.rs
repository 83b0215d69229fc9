//! The client and its redirect URI, whose faults are never told by a redirect.

use std::sync::Arc;

use crate::authorize::parameters::{Flaw, Parameters};
use crate::authorize::redirect_uri::{self, RedirectUri, RedirectUriKind};
use crate::authorize::refusal::PageError;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;

/// What the contract requires; those without which nothing can be told by a redirect.
const REQUIRED: [&str; 4] = ["response_type", "client_id", "redirect_uri", "scope"];
const FIRST: [&str; 2] = ["client_id", "redirect_uri"];
/// Characters of a redirect URI in the log.
const SHOWN: usize = 200;

/// Client ID and redirect URI are there, once and readable. Where one is missing, whatever else is
/// required and missing is told with it.
pub(super) fn check_present(parameters: &Parameters<'_>) -> Result<(), PageError> {
    if let Some(flaw) = FIRST.iter().find_map(|name| parameters.flaw(name)) {
        return Err(PageError::Unusable(match flaw {
            Flaw::Repeated => "client_id or redirect_uri is repeated",
            Flaw::Unreadable => "client_id or redirect_uri is not form-encoded UTF-8 without control characters",
            Flaw::TooLong => "client_id or redirect_uri is too long",
        }));
    }
    if FIRST.iter().all(|name| parameters.get(name).is_some()) {
        return Ok(());
    }
    let is_missing = |name: &&str| parameters.get(name).is_none() && parameters.flaw(name).is_none();
    let fields = REQUIRED.into_iter().filter(is_missing).collect();
    Err(PageError::Missing { source: parameters.source(), fields })
}

/// There is such a client.
pub(super) fn check_client<'t>(
    parameters: &Parameters<'_>,
    tenant: &'t TenantSnapshot,
) -> Result<&'t Arc<Client>, PageError> {
    let client = parameters.get("client_id").and_then(|id| tenant.clients.get(id));
    client.ok_or_else(|| not_registered(parameters, "there is no such client"))
}

/// The redirect URI is one of its own.
pub(super) fn check_redirect_uri(
    parameters: &Parameters<'_>,
    client: &Client,
) -> Result<(RedirectUri, RedirectUriKind), PageError> {
    let asked = parameters.get("redirect_uri").unwrap_or_default();
    redirect_uri::find(client, asked).ok_or_else(|| {
        // What an application's developer looks for first.
        let shown: String = asked.chars().take(SHOWN).collect();
        let registered = &client.redirect_uris;
        tracing::debug!(client = &*client.id, asked = ?shown, ?registered, "the redirect URI is not registered");
        not_registered(parameters, "the redirect URI is not registered")
    })
}

fn not_registered(parameters: &Parameters<'_>, detail: &'static str) -> PageError {
    let asked = |name| parameters.get(name).unwrap_or_default().to_owned();
    PageError::NotRegistered { detail, client_id: asked("client_id"), redirect_uri: asked("redirect_uri") }
}
