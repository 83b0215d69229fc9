//! A flow as text: sealed, in a URL or a hidden field; a large one is kept in the store, and the text
//! names it.

use claviger_jose::Purpose;

use super::Flow;
use crate::provider::Provider;
use crate::store::{Id, StoreError};
use crate::tenant::snapshot::TenantSnapshot;

/// Longer than this it is kept: proxies refuse long request lines.
const LONGEST: usize = 3072;
/// Of a text that names a kept flow.
const KEPT: &str = "k.";

/// Why there is no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFlow {
    /// Nothing that this tenant sealed.
    Unknown,
    /// It took too long.
    Over,
    /// It is kept, and the store is away.
    Store(StoreError),
}

/// `flow` as text.
pub(crate) async fn seal(provider: &Provider, tenant: &TenantSnapshot, flow: &Flow) -> Result<String, NoFlow> {
    let sealer = tenant.issuer.sealer.as_ref().ok_or(NoFlow::Unknown)?;
    let plain = serde_json::to_vec(flow).map_err(|_| NoFlow::Unknown)?;
    let sealed = sealer.seal(Purpose::Flow, b"", &plain).map_err(|_| NoFlow::Unknown)?;
    if sealed.len() <= LONGEST {
        return Ok(sealed);
    }
    let id = Id::random();
    let end = super::end(flow);
    provider.store().keep(&tenant.issuer.key, id, sealed.as_bytes(), end).await.map_err(NoFlow::Store)?;
    Ok(format!("{KEPT}{id}"))
}

/// The flow that `text` is.
pub(crate) async fn open(provider: &Provider, tenant: &TenantSnapshot, text: &str) -> Result<Flow, NoFlow> {
    let sealer = tenant.issuer.sealer.as_ref().ok_or(NoFlow::Unknown)?;
    let now = provider.now();
    let opened = match text.strip_prefix(KEPT) {
        None => sealer.open(Purpose::Flow, b"", text),
        Some(id) => {
            let id = Id::parse(id).ok_or(NoFlow::Unknown)?;
            let kept = provider.store().kept(&tenant.issuer.key, id, now).await.map_err(NoFlow::Store)?;
            let kept = kept.and_then(|kept| String::from_utf8(kept).ok()).ok_or(NoFlow::Over)?;
            sealer.open(Purpose::Flow, b"", &kept)
        }
    };
    let opened = opened.map_err(|_| NoFlow::Unknown)?;
    let flow: Flow = serde_json::from_slice(opened.as_bytes()).map_err(|_| NoFlow::Unknown)?;
    if flow.is_over(now) { Err(NoFlow::Over) } else { Ok(flow) }
}
