//! What a client's document says of its secrets.

use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Digest;

/// The hash of one client secret. SHA-256 suffices, for a generated secret has 256 random bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretHash {
    /// As `claviger_jose::ClientSecretHash` writes it.
    pub hash: String,
    /// When it was published.
    pub created_at: Timestamp,
    /// When it stops being accepted; none for the current one, and for one that is to follow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// It is accepted, and the application's Secret does not hold it yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pending: bool,
    /// Set where somebody else chose the secret: random, and part of the fingerprint. Without it
    /// whoever may read a status could try guesses at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// A secret that must never be accepted again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevokedSecret {
    /// As `claviger_jose::ClientSecretHash` writes it.
    pub hash: String,
    /// As in [`SecretHash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// When the operator took it out of the hashes.
    pub revoked_at: Timestamp,
}

impl SecretHash {
    /// The hash of a secret that is the client's from `created_at` on.
    pub fn current(hash: String, created_at: Timestamp) -> Self {
        Self { hash, created_at, expires_at: None, pending: false, salt: None }
    }

    /// What people and the providers' reports know the secret by.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.hash, self.salt.as_deref())
    }
}

impl RevokedSecret {
    /// So many of a client are kept in mind, the newest: as many as an object can name.
    pub const MOST: usize = 20;

    /// All that any of `memories` knows of, each once, newest first, within [`Self::MOST`].
    pub fn known<'a>(memories: impl IntoIterator<Item = &'a [Self]>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for revoked in memories.into_iter().flatten() {
            if !all.iter().any(|known| known.hash == revoked.hash) {
                all.push(revoked.clone());
            }
        }
        all.sort_by_key(|revoked| std::cmp::Reverse(revoked.revoked_at));
        all.truncate(Self::MOST);
        all
    }

    /// As that of the [`SecretHash`] that it was.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.hash, self.salt.as_deref())
    }
}

/// 48 bits of SHA-256 over the hash: enough to tell a client's secrets apart, of no use for anything
/// else. In groups, so that no YAML reader takes one for a number.
fn fingerprint(hash: &str, salt: Option<&str>) -> String {
    let digest = Digest::of(format!("{}{hash}", salt.unwrap_or_default()).as_bytes()).to_string();
    let hex: Vec<char> = digest.chars().skip("sha256:".len()).take(12).collect();
    hex.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_the_hash_and_of_the_salt_and_is_always_text() {
        let at = Timestamp::UNIX_EPOCH;
        let hash = SecretHash::current("sha256:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0".to_owned(), at);
        // The first of SHA-256 over that text, as sha256sum prints it.
        assert_eq!(hash.fingerprint(), "c855-a6ce-29fd");
        let salted = SecretHash { salt: Some("x".to_owned()), ..hash.clone() };
        assert_ne!(salted.fingerprint(), hash.fingerprint());
        let revoked = RevokedSecret { hash: salted.hash.clone(), salt: salted.salt.clone(), revoked_at: at };
        assert_eq!(revoked.fingerprint(), salted.fingerprint());
    }

    #[test]
    fn what_any_memory_knows_is_known_once_and_the_newest_stay() {
        let revoked = |number: i64| RevokedSecret {
            hash: format!("secret {number}"),
            salt: None,
            revoked_at: Timestamp::from_second(number).unwrap(),
        };
        let (old, new): (Vec<_>, Vec<_>) = ((0..15).map(revoked).collect(), (10..25).map(revoked).collect());
        let known = RevokedSecret::known([old.as_slice(), new.as_slice(), &[]]);
        assert_eq!(known, (5..25).rev().map(revoked).collect::<Vec<_>>());
    }
}
