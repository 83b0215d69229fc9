//! The acknowledgement port's certificate: from its Secret to the listener.

use claviger_crds::published::acknowledgement::TLS_SECRET;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::Event;
use rustls::pki_types::ServerName;

use super::CLIENT_NAME;
use crate::secrets::Secrets;
use crate::tls::{ServerTls, TlsError, mutual};

/// Gives `tls` the newest usable certificate, for ever. One that is unusable or gone costs nothing
/// while the last good one is valid.
pub(crate) async fn follow(secrets: Secrets, tls: ServerTls) {
    let mut events = std::pin::pin!(secrets.named(TLS_SECRET));
    while let Some(event) = events.next().await {
        take(event, &tls);
    }
}

pub(super) fn take(event: Event<Secret>, tls: &ServerTls) {
    match event {
        Event::Apply(secret) | Event::InitApply(secret) => match install(&secret, tls) {
            Ok(()) => tracing::info!(secret = TLS_SECRET, "the acknowledgement port has its certificate"),
            Err(error) => {
                tracing::warn!(secret = TLS_SECRET, %error, "the last good certificate stays");
            }
        },
        Event::Delete(_) => tracing::warn!(secret = TLS_SECRET, "deleted; the last good certificate stays"),
        Event::Init | Event::InitDone => {}
    }
}

fn install(secret: &Secret, tls: &ServerTls) -> Result<(), TlsError> {
    let client = ServerName::try_from(CLIENT_NAME).map_err(|_| TlsError::Unusable("the client's name"))?;
    tls.set(mutual(secret, client)?);
    Ok(())
}
