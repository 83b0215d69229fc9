//! A flow as text, in a URL or a hidden field.

use claviger_jose::Purpose;

use super::Flow;
use crate::handle::{self, NoHandle, Room};
use crate::provider::Provider;
use crate::store::{KeptKind, KeptRoom};
use crate::tenant::snapshot::TenantSnapshot;

/// Proxies refuse long request lines.
const LONGEST: usize = 3072;
/// What the steps add to a flow, at most: it stays in its URL to the end, so that nobody who has begun needs room.
const GROWTH: usize = 256;
/// Few flows are longer, and nobody has logged in yet for many of those.
const ROOM: Room = Room { longest: LONGEST - GROWTH, kept: KeptRoom { kind: KeptKind::Flow, most: 1000 } };

/// `flow`, which begins, as text.
pub(crate) async fn seal(provider: &Provider, tenant: &TenantSnapshot, flow: &Flow) -> Result<String, NoHandle> {
    handle::seal(provider, tenant, (Purpose::Flow, ROOM), &plain(flow)?, super::end(flow)).await
}

/// `flow`, which came as `text` and has changed since, as text.
pub(crate) async fn seal_on(
    provider: &Provider,
    tenant: &TenantSnapshot,
    flow: &Flow,
    text: &str,
) -> Result<String, NoHandle> {
    handle::seal_on(provider, tenant, (Purpose::Flow, text), &plain(flow)?).await
}

fn plain(flow: &Flow) -> Result<Vec<u8>, NoHandle> {
    serde_json::to_vec(flow).map_err(|_| NoHandle::Unknown)
}

/// The flow that `text` is, in time or not.
pub(crate) async fn open(provider: &Provider, tenant: &TenantSnapshot, text: &str) -> Result<Flow, NoHandle> {
    let opened = handle::open(provider, tenant, Purpose::Flow, text).await?;
    serde_json::from_slice(opened.as_bytes()).map_err(|_| NoHandle::Unknown)
}
