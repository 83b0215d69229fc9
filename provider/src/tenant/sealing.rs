//! The keys that seal what only this tenant's pods are to open, parsed once.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_crds::published::{SealingKeyDocument, SealingPhase};
use claviger_jose::{Sealer, SealingKey};
use zeroize::Zeroizing;

use crate::store::TenantKey;

/// What seals for `tenant`: with the Active key; every other one opens. None where there is no Active
/// one, or a key is unreadable: to seal with what the other pods cannot open would be worse.
pub(crate) fn sealer(tenant: &TenantKey, keys: &[SealingKeyDocument]) -> Option<Arc<Sealer>> {
    let mut active = None;
    let mut others = Vec::new();
    for document in keys {
        let Some(key) = parse(document) else {
            tracing::error!(tenant = tenant.as_str(), key = document.id, "a sealing key is unreadable");
            return None;
        };
        if document.phase == SealingPhase::Active && active.is_none() {
            active = Some(key);
        } else {
            others.push(key);
        }
    }
    Some(Arc::new(Sealer::new(&active?, others.iter(), tenant.as_str())))
}

fn parse(document: &SealingKeyDocument) -> Option<SealingKey> {
    let bytes = Zeroizing::new(STANDARD.decode(document.key.expose()).ok()?);
    Some(SealingKey::from_bytes(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
}
