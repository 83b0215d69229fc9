//! A value as text that goes through a browser: sealed, and kept in the store where it is long, with the
//! text naming it. Who reads the store finds no more than who reads the URL.

use claviger_jose::{Opened, Purpose, Sealer};
use jiff::Timestamp;

use crate::provider::Provider;
use crate::store::{Id, StoreError};
use crate::tenant::snapshot::TenantSnapshot;

/// Of a text that names what is kept. A seal holds no dot.
const KEPT: &str = "k.";

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHandle {
    /// Nothing that this tenant sealed for this purpose, or kept any longer.
    Unknown,
    /// It is kept, and the store is away.
    Store(StoreError),
}

/// How often what is kept can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Until its end.
    Many,
    /// Where it is kept: once.
    Once,
}

/// `plain` as text, kept until `end` if it would have more than `longest` characters.
pub(crate) async fn seal(
    provider: &Provider,
    tenant: &TenantSnapshot,
    (purpose, longest): (Purpose, usize),
    plain: &[u8],
    end: Timestamp,
) -> Result<String, NoHandle> {
    let sealed = sealer(tenant)?.seal(purpose, b"", plain).map_err(|_| NoHandle::Unknown)?;
    if sealed.len() <= longest {
        return Ok(sealed);
    }
    let id = Id::random();
    provider.store().keep(&tenant.issuer.key, id, sealed.as_bytes(), end).await.map_err(NoHandle::Store)?;
    Ok(format!("{KEPT}{id}"))
}

/// What [`seal`] wrote as `text`.
pub(crate) async fn open(
    provider: &Provider,
    tenant: &TenantSnapshot,
    purpose: Purpose,
    text: &str,
    uses: Use,
) -> Result<Opened, NoHandle> {
    let sealer = sealer(tenant)?;
    let opened = match text.strip_prefix(KEPT) {
        None => sealer.open(purpose, b"", text),
        Some(id) => {
            let id = Id::parse(id).ok_or(NoHandle::Unknown)?;
            let (store, key, now) = (provider.store(), &tenant.issuer.key, provider.now());
            let kept = match uses {
                Use::Many => store.kept(key, id, now).await,
                Use::Once => store.take_kept(key, id, now).await,
            };
            let kept = kept.map_err(NoHandle::Store)?.and_then(|kept| String::from_utf8(kept).ok());
            sealer.open(purpose, b"", &kept.ok_or(NoHandle::Unknown)?)
        }
    };
    opened.map_err(|_| NoHandle::Unknown)
}

fn sealer(tenant: &TenantSnapshot) -> Result<&Sealer, NoHandle> {
    tenant.issuer.sealer.as_deref().ok_or(NoHandle::Unknown)
}
