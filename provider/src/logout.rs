//! Whom the end of a session concerns, and how they are told: by a logout token over the back
//! channel (OpenID Connect Back-Channel Logout 1.0) and by an iframe on the logout page (Front-Channel
//! Logout 1.0).

pub(crate) mod backchannel;
pub(crate) mod frontchannel;
mod queue;
pub(crate) mod request;
pub(crate) mod token;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::provider::Provider;
use crate::store::{ClientKey, Id, NewLogout, Session, SessionEnd, StoreError, Tell};
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;

/// So long a logout token is tried to be delivered.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Ends `session`. Its clients that asked for it are told over the back channel from now on.
pub(crate) async fn end(
    provider: &Provider,
    tenant: &Arc<TenantSnapshot>,
    session: &Session,
) -> Result<(), StoreError> {
    let now = provider.now();
    let tell = teller(tenant, session, now);
    let end = SessionEnd { tenant: &tenant.issuer.key, session: session.id, now, tell };
    provider.store().end_session(end).await?;
    provider.logouts_due().notify_one();
    Ok(())
}

/// How each client of `session` is told of its end over the back channel.
pub(crate) fn teller(tenant: &Arc<TenantSnapshot>, session: &Session, now: Timestamp) -> Tell {
    let expires_at = now.saturating_add(PATIENCE).unwrap_or(session.expires_at);
    let (tenant, subject, session) = (Arc::clone(tenant), session.subject.clone(), session.id);
    Arc::new(move |key| {
        registered(&tenant, &key)?.backchannel_logout.as_ref()?;
        let (id, subject) = (Id::random(), subject.clone());
        Some(NewLogout { id, client: key, subject, session, expires_at })
    })
}

/// The addresses for iframes of those clients of `session`, which is over, that asked to be told so.
pub(crate) async fn frames(
    provider: &Provider,
    tenant: &TenantSnapshot,
    session: &Session,
) -> Result<Vec<String>, StoreError> {
    let keys = provider.store().session_clients(&tenant.issuer.key, session.id).await?;
    let asked = keys.iter().filter_map(|key| registered(tenant, key)?.frontchannel_logout.as_ref());
    Ok(asked.filter_map(|asked| frontchannel::address(asked, &tenant.issuer.url, session.id)).collect())
}

/// The client, unless another goes by its ID now.
fn registered<'a>(tenant: &'a TenantSnapshot, key: &ClientKey) -> Option<&'a Client> {
    tenant.clients.get(key.client_id()).map(|client| &**client).filter(|client| client.key == *key)
}
