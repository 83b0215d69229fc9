//! Client secrets, and the hashes by which they are known.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::random;

/// Names the hash function, so that another could follow.
const PREFIX: &str = "sha256:";

/// A client's secret in the clear. `Debug` shows nothing; the memory is zeroed when it goes.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

/// The SHA-256 of a secret. That suffices where a secret has 256 random bits: there is nothing to
/// guess that a slow hash would make slower. A secret of somebody else's making has at least 32
/// characters. Two are compared in the same time whether they are equal or not.
#[derive(Clone, Eq)]
pub struct ClientSecretHash([u8; 32]);

/// The text is no hash that this release can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash of a client secret: sha256: and 43 characters of base64url are expected")]
pub struct HashUnreadable;

// === impl ClientSecret ===

impl ClientSecret {
    /// Longer ones are refused before anything is computed, bytes.
    pub const LONGEST: usize = 1024;

    /// A secret that somebody has.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A new one of 256 random bits: 43 characters of base64url, so that it needs no escape in a
    /// URL, a form, a shell or YAML.
    pub fn generate() -> Self {
        let bytes = Zeroizing::new(random::bytes::<32>());
        Self::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    /// The text itself: for the Secret that holds it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

// === impl ClientSecretHash ===

impl ClientSecretHash {
    /// The hash of `secret`.
    pub fn of(secret: &ClientSecret) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, secret.0.as_bytes()).as_ref());
        Self(bytes)
    }
}

impl PartialEq for ClientSecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for ClientSecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// It is not the secret, and yet nobody's business.
impl fmt::Debug for ClientSecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecretHash(…)")
    }
}

impl FromStr for ClientSecretHash {
    type Err = HashUnreadable;

    fn from_str(text: &str) -> Result<Self, HashUnreadable> {
        let encoded = text.strip_prefix(PREFIX).ok_or(HashUnreadable)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| HashUnreadable)?;
        bytes.try_into().map(Self).map_err(|_| HashUnreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_one_secret() {
        let (mine, other) = (ClientSecret::generate(), ClientSecret::generate());
        let hash = ClientSecretHash::of(&mine);
        assert_eq!(hash, ClientSecretHash::of(&mine));
        assert_ne!(hash, ClientSecretHash::of(&other));
        assert_eq!(hash.to_string().parse(), Ok(hash));
    }

    #[test]
    fn the_written_form_is_fixed_for_published_documents_outlive_releases() {
        // SHA-256 of "abc": FIPS 180-4, appendix B.1.
        let hash = ClientSecretHash::of(&ClientSecret::new("abc".to_owned()));
        assert_eq!(hash.to_string(), "sha256:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for bad in ["", "sha256:", "sha256:AAAA", "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0", "argon2id:x"] {
            assert_eq!(bad.parse::<ClientSecretHash>(), Err(HashUnreadable), "{bad:?}");
        }
    }

    #[test]
    fn a_generated_secret_has_256_bits_and_nothing_shows_it() {
        let secret = ClientSecret::generate();
        assert_eq!(URL_SAFE_NO_PAD.decode(secret.expose()).unwrap().len(), 32);
        assert!(!format!("{secret:?}").contains(secret.expose()));
        assert_ne!(secret.expose(), ClientSecret::generate().expose());
    }
}
