//! The keys that rotate; everything that seals is derived from one.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// 256 random bits and their name. `Debug` shows the name alone; the memory is zeroed when it goes.
#[derive(Clone)]
pub struct SealingKey {
    id: SealingKeyId,
    bytes: Zeroizing<[u8; 32]>,
}

/// The name of a key, which each of its seals bears: a hash of the key, of 64 bits, from which
/// nothing of it can be learnt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealingKeyId([u8; SealingKeyId::LENGTH]);

// === impl SealingKey ===

impl SealingKey {
    /// A new one.
    #[cfg(test)]
    pub(crate) fn generate() -> Self {
        Self::from_bytes(Zeroizing::new(crate::random::bytes()))
    }

    /// The key of those bytes, which must be random.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(b"claviger sealing key id\0");
        context.update(bytes.as_slice());
        let mut id = [0; SealingKeyId::LENGTH];
        id.copy_from_slice(context.finish().as_ref().split_at(SealingKeyId::LENGTH).0);
        Self { id: SealingKeyId(id), bytes }
    }

    /// Its name.
    pub fn id(&self) -> SealingKeyId {
        self.id
    }

    /// The bytes, for the subkeys.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingKey").field(&self.id).finish()
    }
}

// === impl SealingKeyId ===

impl SealingKeyId {
    /// Its length, bytes.
    pub(super) const LENGTH: usize = 8;

    /// The bytes, as they stand in a seal.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for SealingKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SealingKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_fixed_for_seals_outlive_releases() {
        let key = SealingKey::from_bytes(Zeroizing::new([7; 32]));
        assert_eq!(key.id().to_string(), "afONo0a_Ptk");
    }

    #[test]
    fn keys_differ_and_debug_shows_the_name_alone() {
        let (key, other) = (SealingKey::generate(), SealingKey::generate());
        assert_ne!(key.id(), other.id());
        assert_eq!(format!("{key:?}"), format!("SealingKey({})", key.id()));
    }
}
