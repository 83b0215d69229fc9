//! Where a request finds its tenant: by the slug in its path, or by the host that it was sent to.
//!
//! A tenant with a host of its own is served there alone, and nothing else is served there: what a
//! browser keeps for one origin must not meet two tenants that distrust each other.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapAny};

use super::shared_map::SharedMap;
use super::snapshot::TenantSnapshot;
use crate::store::TenantKey;

/// All tenants. Readers never wait; the one writer replaces a tenant's snapshot whole.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    tables: ArcSwap<Tables>,
}

/// Changes only when a tenant comes, goes or moves.
#[derive(Clone, Debug, Default)]
struct Tables {
    by_slug: SharedMap<Cell>,
    by_host: SharedMap<Cell>,
}

type Cell = Arc<ArcSwapAny<Arc<TenantSnapshot>>>;

impl Directory {
    /// From now on `snapshot` is what is served of `slug`. Called by one writer at a time.
    pub(crate) fn publish(&self, slug: &str, snapshot: Option<Arc<TenantSnapshot>>) {
        let tables = self.tables.load();
        let before = tables.by_slug.get(slug);
        let host_before = before.and_then(|cell| cell.load().issuer.host.clone());
        let host = snapshot.as_ref().and_then(|snapshot| snapshot.issuer.host.clone());
        match (before, snapshot) {
            (None, None) => {}
            (Some(cell), Some(snapshot)) if host == host_before => cell.store(snapshot),
            (_, snapshot) => {
                let mut tables = Tables::clone(&tables);
                host_before.and_then(|host| tables.by_host.remove(&host));
                tables.by_slug.remove(slug);
                if let Some(snapshot) = snapshot {
                    let cell = Cell::new(ArcSwapAny::new(snapshot));
                    host.and_then(|host| tables.by_host.insert(host, Arc::clone(&cell)));
                    tables.by_slug.insert(slug.into(), cell);
                }
                self.tables.store(Arc::new(tables));
            }
        }
    }

    /// The tenant `slug` at a path of `host`.
    pub(crate) fn at_path(&self, slug: &str, host: Option<&str>) -> Option<Arc<TenantSnapshot>> {
        let tables = self.tables.load();
        if tables.at_host(host).is_some() {
            return None;
        }
        let snapshot = tables.by_slug.get(slug)?.load_full();
        snapshot.issuer.host.is_none().then_some(snapshot)
    }

    /// The tenant whose rows in the store are these.
    pub(crate) fn by_key(&self, key: &TenantKey) -> Option<Arc<TenantSnapshot>> {
        let snapshot = self.tables.load().by_slug.get(key.slug())?.load_full();
        (snapshot.issuer.key == *key).then_some(snapshot)
    }

    /// The tenant at the root of `host`.
    pub(crate) fn at_host(&self, host: Option<&str>) -> Option<Arc<TenantSnapshot>> {
        self.tables.load().at_host(host)
    }
}

impl Tables {
    fn at_host(&self, host: Option<&str>) -> Option<Arc<TenantSnapshot>> {
        if self.by_host.is_empty() {
            return None;
        }
        let host = lower_case(host?);
        if let Some(cell) = self.by_host.get(&host) {
            return Some(cell.load_full());
        }
        // The scheme's default port says nothing (RFC 9110 §4.2.3).
        let (host, secure) = match (host.strip_suffix(":443"), host.strip_suffix(":80")) {
            (Some(host), _) => (host, true),
            (_, Some(host)) => (host, false),
            (None, None) => return None,
        };
        let snapshot = self.by_host.get(host)?.load_full();
        (snapshot.issuer.secure == secure).then_some(snapshot)
    }
}

fn lower_case(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() }
}
