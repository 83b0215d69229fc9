//! One sealing key as one tenant has it: the subkeys of every purpose, each made when it is first used,
//! for most tenants never use most of them and each takes the better part of a kilobyte.

use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use zeroize::Zeroizing;

use super::{Purpose, SealError, SealingKey, SealingKeyId};

/// Not secret; says of what the keys are (RFC 5869 §3.1).
const SALT: &[u8] = b"claviger seal v1";

pub(super) struct Subkeys {
    key: SealingKey,
    aead: [OnceLock<RandomizedNonceKey>; Purpose::COUNT],
    mac: [OnceLock<Box<hmac::Key>>; Purpose::COUNT],
}

impl Subkeys {
    /// Nothing is derived yet.
    pub(super) fn new(key: SealingKey) -> Self {
        Self { key, aead: Default::default(), mac: Default::default() }
    }

    /// The name of the key from which they come.
    pub(super) fn id(&self) -> SealingKeyId {
        self.key.id()
    }

    /// The key that seals for `purpose`.
    pub(super) fn aead(&self, purpose: Purpose, tenant: &str) -> Result<&RandomizedNonceKey, SealError> {
        let cell = &self.aead[purpose as usize];
        if let Some(key) = cell.get() {
            return Ok(key);
        }
        let bytes = self.derive("aes-256-gcm", purpose, tenant)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes.as_slice()).map_err(|_| SealError::Library)?;
        Ok(cell.get_or_init(|| key))
    }

    /// The key that authenticates for `purpose`.
    pub(super) fn mac(&self, purpose: Purpose, tenant: &str) -> Result<&hmac::Key, SealError> {
        let cell = &self.mac[purpose as usize];
        if let Some(key) = cell.get() {
            return Ok(key);
        }
        let bytes = self.derive("hmac-sha256", purpose, tenant)?;
        Ok(cell.get_or_init(|| Box::new(hmac::Key::new(HMAC_SHA256, bytes.as_slice()))))
    }

    /// HKDF (RFC 5869). Neither a name of an algorithm nor one of a purpose has a zero byte, so that two
    /// different inputs never read the same.
    fn derive(&self, algorithm: &str, purpose: Purpose, tenant: &str) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let info = [algorithm.as_bytes(), b"\0", purpose.as_str().as_bytes(), b"\0", tenant.as_bytes()];
        let mut bytes = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, SALT)
            .extract(self.key.bytes())
            .expand(&info, HKDF_SHA256)
            .and_then(|okm| okm.fill(bytes.as_mut_slice()))
            .map_err(|_| SealError::Library)?;
        Ok(bytes)
    }
}
