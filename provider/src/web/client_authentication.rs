//! Who asks: `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1), `private_key_jwt` (RFC 7523
//! §2.2) or the same with a ServiceAccount's token, or `none`: a public client, which says its name and can prove nothing.
//!
//! [`authenticate`] alone makes an [`AuthenticatedClient`], and grants take nothing less.

mod assertion;
mod credentials;
mod secret;
mod service_account;

use std::sync::Arc;

use self::credentials::Credentials;
use super::error::{ErrorCode, OAuthError};
use super::exchange::Exchange;
use super::form::Form;
use crate::tenant::oauth_client::Client;

pub(crate) use self::assertion::ClientKeys;

/// A client that has proven who it is, as far as it can.
#[derive(Clone, Debug)]
pub(crate) struct AuthenticatedClient(Arc<Client>);

impl AuthenticatedClient {
    /// One that a test has declared.
    #[cfg(test)]
    pub(crate) fn of_test(client: &Arc<Client>) -> Self {
        Self(Arc::clone(client))
    }

    /// Which one.
    pub(crate) fn client(&self) -> &Client {
        &self.0
    }
}

/// The client that the request proves to come from. Who fails to prove to be a client that there is, is told
/// to the audit stream: it may be somebody with a secret that leaked.
pub(crate) async fn authenticate(exchange: &Exchange<'_>, form: &Form<'_>) -> Result<AuthenticatedClient, OAuthError> {
    let credentials = Credentials::read(&exchange.parts.headers, form)?;
    let authenticated = check(exchange, &credentials).await;
    if let Err(refused) = &authenticated
        && refused.code == ErrorCode::InvalidClient
        && let Some(client) = credentials.claimed(&exchange.tenant).and_then(|id| exchange.tenant.clients.get(&id))
    {
        exchange.audit().client_refused(client, refused.detail);
    }
    authenticated
}

async fn check(exchange: &Exchange<'_>, credentials: &Credentials<'_>) -> Result<AuthenticatedClient, OAuthError> {
    let clients = &exchange.tenant.clients;
    match credentials {
        Credentials::Secret { id, secret } => {
            let client = clients.get(id);
            let provider = exchange.provider;
            secret::prove(client.map(|client| &**client), secret, provider.uses(), provider.now())?;
            proven(client)
        }
        Credentials::Assertion { id, jwt } => assertion::prove(exchange, *id, jwt).await,
        Credentials::Name(id) => proven(clients.get(id).filter(|client| client.is_public())),
    }
}

fn proven(client: Option<&Arc<Client>>) -> Result<AuthenticatedClient, OAuthError> {
    let client = client.ok_or_else(|| OAuthError::invalid_client("no such client, or it has to prove who it is"))?;
    Ok(AuthenticatedClient(Arc::clone(client)))
}
