//! The client credentials grant (RFC 6749 §4.4): a client for itself.

use super::audience::{self, Asked};
use super::scope;
use super::{AccessGrant, Behind};
use crate::tenant::snapshot::Issuer;
use crate::web::client_authentication::AuthenticatedClient;
use crate::web::error::OAuthError;
use crate::web::form::Form;

/// What `client` gets for `form`.
pub(crate) fn decide<'a>(
    client: &'a AuthenticatedClient,
    issuer: &'a Issuer,
    form: &Form<'_>,
) -> Result<AccessGrant<'a>, OAuthError> {
    let itself = client.client();
    let asked =
        Asked { targets: audience::targets(form).collect(), scopes: form.get("scope").map(scope::parse).transpose()? };
    let chosen = audience::choose(itself, issuer, &asked)?;
    // RFC 9068 §2.2: without a person the subject is the client.
    Ok(AccessGrant {
        client,
        subject: &itself.id,
        audience: chosen.audience,
        scope: chosen.scope,
        behind: Behind::Client,
    })
}
