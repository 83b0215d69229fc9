//! A pod's ServiceAccount token as `client_assertion`: a profile of RFC 7523 §2.2 of our own.
//!
//! Its `sub` is the ServiceAccount and not the client ID, and it is reused until it expires, for that is how
//! kubelet hands it out: no `jti` is remembered, nothing is written, and no API server is asked. Its `aud` is
//! the issuer alone: a token that is for somebody else too could come from there.

use std::sync::Arc;

use claviger_jose::Unverified;

use super::AuthenticatedClient;
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;
use crate::tenant::trust::ServiceAccountIssuer;
use crate::token::service_account::{self, VerifiedServiceAccount};
use crate::web::error::OAuthError;
use crate::web::exchange::Exchange;

/// The client that the ServiceAccount whose token `jwt` is may be. `id` is what the request calls it, which
/// is needed where it may be several.
pub(super) fn prove(
    exchange: &Exchange<'_>,
    issuer: &ServiceAccountIssuer,
    id: Option<&str>,
    jwt: &Unverified<'_>,
) -> Result<AuthenticatedClient, OAuthError> {
    let tenant = &exchange.tenant;
    let account = service_account::verify(exchange.provider, jwt, issuer).map_err(OAuthError::invalid_client)?;
    if !account.audiences.all(|audience| *audience == *tenant.issuer.url) {
        return Err(OAuthError::invalid_client("the ServiceAccount token is not for this issuer alone"));
    }
    client(tenant, &account, id).map(AuthenticatedClient)
}

fn client(
    tenant: &TenantSnapshot,
    account: &VerifiedServiceAccount,
    id: Option<&str>,
) -> Result<Arc<Client>, OAuthError> {
    let refused = OAuthError::invalid_client;
    let named = tenant.accounts.get(&account.subject).ok_or_else(|| refused("no client names the ServiceAccount"))?;
    // One that names an account which is not there is no candidate.
    let is_account = |id: &&Arc<str>| {
        tenant.clients.get(id).is_some_and(|client| client.is_service_account(&account.subject, &account.uid))
    };
    let mut may_be = named.iter().filter(is_account);
    let id = match (id, may_be.next(), may_be.next()) {
        (Some(id), ..) => named.iter().find(|named| ***named == *id),
        (None, Some(only), None) => Some(only),
        (None, None, _) => named.first(),
        (None, Some(_), Some(_)) => {
            return Err(refused("the ServiceAccount may be several clients: client_id says which"));
        }
    };
    let client = id.and_then(|id| tenant.clients.get(id));
    let client = client.ok_or_else(|| refused("the client does not name the ServiceAccount"))?;
    if !client.is_service_account(&account.subject, &account.uid) {
        return Err(refused("the ServiceAccount was deleted since the token was made"));
    }
    Ok(Arc::clone(client))
}
