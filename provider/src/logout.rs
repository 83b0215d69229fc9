//! Whom the end of a session concerns, and how they are told: by a logout token over the back
//! channel (OpenID Connect Back-Channel Logout 1.0) and by an iframe on the logout page (Front-Channel
//! Logout 1.0).

pub(crate) mod backchannel;
pub(crate) mod frontchannel;
pub(crate) mod request;
pub(crate) mod resume;
pub(crate) mod token;

use std::time::Duration;

use crate::provider::Provider;
use crate::store::{Id, NewLogout, Session, StoreError};
use crate::tenant::snapshot::TenantSnapshot;

/// So long a logout token is tried to be delivered.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Whom to tell.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Over the back channel; to be written with the end of the session.
    pub(crate) backchannel: Vec<NewLogout>,
    /// Addresses for iframes.
    pub(crate) frontchannel: Vec<String>,
}

/// Whom the end of `session` concerns: the clients that have had a grant by it and asked to be told.
pub(crate) async fn told(provider: &Provider, tenant: &TenantSnapshot, session: &Session) -> Result<Told, StoreError> {
    let mut told = Told::default();
    let expires_at = provider.now().saturating_add(PATIENCE).unwrap_or(session.expires_at);
    for key in provider.store().session_clients(&tenant.issuer.key, session.id).await? {
        let Some(client) = tenant.clients.get(key.client_id()).filter(|client| client.key == key) else { continue };
        if client.backchannel_logout.is_some() {
            let (id, subject) = (Id::random(), session.subject.clone());
            told.backchannel.push(NewLogout { id, client: key, subject, session: session.id, expires_at });
        }
        if let Some(registered) = &client.frontchannel_logout {
            told.frontchannel.extend(frontchannel::address(registered, &tenant.issuer.url, session.id));
        }
    }
    Ok(told)
}
