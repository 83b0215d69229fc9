//! A flow as text, in a URL or a hidden field.

use claviger_jose::Purpose;

use super::Flow;
use crate::handle::{self, NoHandle, Room};
use crate::provider::Provider;
use crate::tenant::snapshot::TenantSnapshot;

/// Proxies refuse long request lines. Few flows are longer, and nobody has logged in yet for many of those.
const ROOM: Room = Room { longest: 3072, most: 1000 };

/// `flow` as text.
pub(crate) async fn seal(provider: &Provider, tenant: &TenantSnapshot, flow: &Flow) -> Result<String, NoHandle> {
    let plain = serde_json::to_vec(flow).map_err(|_| NoHandle::Unknown)?;
    handle::seal(provider, tenant, (Purpose::Flow, ROOM), &plain, super::end(flow)).await
}

/// The flow that `text` is, in time or not.
pub(crate) async fn open(provider: &Provider, tenant: &TenantSnapshot, text: &str) -> Result<Flow, NoHandle> {
    let opened = handle::open(provider, tenant, Purpose::Flow, text).await?;
    serde_json::from_slice(opened.as_bytes()).map_err(|_| NoHandle::Unknown)
}
