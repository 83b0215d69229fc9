//! The keys that rotate; everything that seals is derived from one.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::random;

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

/// The text is no sealing key. Says nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a sealing key: 43 characters of base64url are expected")]
pub struct SealingKeyUnreadable;

// === impl SealingKey ===

impl SealingKey {
    /// A new one.
    pub fn generate() -> Self {
        Self::from_bytes(Zeroizing::new(random::bytes()))
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

    /// The key as text, base64url: for the Secret that holds it. [`FromStr`] reads it.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.bytes.as_slice()))
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

impl FromStr for SealingKey {
    type Err = SealingKeyUnreadable;

    fn from_str(text: &str) -> Result<Self, SealingKeyUnreadable> {
        let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| SealingKeyUnreadable)?);
        let mut bytes = Zeroizing::new([0; 32]);
        if decoded.len() != bytes.len() {
            return Err(SealingKeyUnreadable);
        }
        bytes.copy_from_slice(&decoded);
        Ok(Self::from_bytes(bytes))
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
    fn the_written_form_and_the_name_are_fixed_for_seals_outlive_releases() {
        let key = SealingKey::from_bytes(Zeroizing::new([7; 32]));
        assert_eq!(*key.expose(), "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
        assert_eq!(key.id().to_string(), "afONo0a_Ptk");
        assert_eq!(key.expose().parse::<SealingKey>().unwrap().id(), key.id());
    }

    #[test]
    fn keys_differ_and_debug_shows_the_name_alone() {
        let (key, other) = (SealingKey::generate(), SealingKey::generate());
        assert_ne!(*key.expose(), *other.expose());
        assert_ne!(key.id(), other.id());
        assert_eq!(format!("{key:?}"), format!("SealingKey({})", key.id()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = SealingKey::generate().expose();
        for bad in ["", &good[1..], &format!("{}=", *good), &format!("{}AA", *good), &"+".repeat(43)] {
            assert_eq!(bad.parse::<SealingKey>().unwrap_err(), SealingKeyUnreadable, "{bad:?}");
        }
    }
}
