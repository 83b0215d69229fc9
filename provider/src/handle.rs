//! A value as text that goes through a browser: sealed, and kept in the store where it is long, with the
//! text naming it. Who reads the store finds no more than who reads the URL.

use claviger_jose::{Opened, Purpose};
use jiff::Timestamp;

use crate::provider::Provider;
use crate::store::{Id, KeptRoom, StoreError};
use crate::tenant::snapshot::{NoSealingKey, TenantSnapshot};

/// Of a text that names what is kept. A seal holds no dot.
const KEPT: &str = "k.";

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHandle {
    /// Nothing that this tenant sealed for this purpose, or kept any longer.
    Unknown,
    /// There is no key for it.
    NoKey(NoSealingKey),
    /// It is kept, and the store is away.
    Store(StoreError),
}

impl From<NoSealingKey> for NoHandle {
    fn from(none: NoSealingKey) -> Self {
        Self::NoKey(none)
    }
}

/// What a text may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// What has more characters is kept.
    pub(crate) longest: usize,
    /// While a tenant has so many kept, no more are. Whoever has not logged in must not fill the store,
    /// nor keep those out who have.
    pub(crate) kept: KeptRoom,
}

/// `plain` as text, kept until `end` if that needs it.
pub(crate) async fn seal(
    provider: &Provider,
    tenant: &TenantSnapshot,
    (purpose, room): (Purpose, Room),
    plain: &[u8],
    end: Timestamp,
) -> Result<String, NoHandle> {
    let sealed = tenant.issuer.sealer()?.seal(purpose, b"", plain).map_err(|_| NoHandle::Unknown)?;
    if sealed.len() <= room.longest {
        return Ok(sealed);
    }
    let id = Id::random();
    let (store, key) = (provider.store(), &tenant.issuer.key);
    store.keep(key, id, sealed.as_bytes(), end, room.kept).await.map_err(NoHandle::Store)?;
    Ok(format!("{KEPT}{id}"))
}

/// `plain` in the place of what `text` is, which goes on: kept where that is, else in its text. So it takes nobody's room,
/// and nobody takes its.
pub(crate) async fn seal_on(
    provider: &Provider,
    tenant: &TenantSnapshot,
    (purpose, text): (Purpose, &str),
    plain: &[u8],
) -> Result<String, NoHandle> {
    let sealed = tenant.issuer.sealer()?.seal(purpose, b"", plain).map_err(|_| NoHandle::Unknown)?;
    let Some(id) = text.strip_prefix(KEPT) else { return Ok(sealed) };
    let id = Id::parse(id).ok_or(NoHandle::Unknown)?;
    let (store, key) = (provider.store(), &tenant.issuer.key);
    let is_there = store.keep_instead(key, id, sealed.as_bytes(), provider.now()).await.map_err(NoHandle::Store)?;
    if is_there { Ok(text.to_owned()) } else { Err(NoHandle::Unknown) }
}

/// What [`seal`] wrote as `text`, as often as it is asked for.
pub(crate) async fn open(
    provider: &Provider,
    tenant: &TenantSnapshot,
    purpose: Purpose,
    text: &str,
) -> Result<Opened, NoHandle> {
    let sealer = tenant.issuer.sealer()?;
    let opened = match text.strip_prefix(KEPT) {
        None => sealer.open(purpose, b"", text),
        Some(id) => {
            let id = Id::parse(id).ok_or(NoHandle::Unknown)?;
            let kept = provider.store().kept(&tenant.issuer.key, id, provider.now()).await;
            let kept = kept.map_err(NoHandle::Store)?.and_then(|kept| String::from_utf8(kept).ok());
            sealer.open(purpose, b"", &kept.ok_or(NoHandle::Unknown)?)
        }
    };
    opened.map_err(|_| NoHandle::Unknown)
}
