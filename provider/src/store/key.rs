//! Names of what is stored: a tenant's, a client's, and random ones.

use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whose rows: the Tenant by namespace, name and slug, so that one that is made anew elsewhere
/// inherits none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantKey(Arc<str>);

/// Which client, by namespace, name and `client_id`: one recreated elsewhere inherits no grant, no
/// consent and no session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey(Arc<str>);

/// 128 random bits: of a grant, a session, a single-use value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id([u8; 16]);

// === impl TenantKey, ClientKey, Id ===

impl TenantKey {
    /// The key of the Tenant `namespace`/`name` with this slug. None of the three holds a slash.
    pub fn new(namespace: &str, name: &str, slug: &str) -> Self {
        Self(format!("{namespace}/{name}/{slug}").into())
    }

    /// A key as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The slug in it.
    pub fn slug(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClientKey {
    /// The key of the OAuthClient `namespace`/`name` with this `client_id`, which is all that
    /// follows the second slash.
    pub fn new(namespace: &str, name: &str, client_id: &str) -> Self {
        Self(format!("{namespace}/{name}/{client_id}").into())
    }

    /// A key as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `client_id` in it.
    pub fn client_id(&self) -> &str {
        self.0.splitn(3, '/').nth(2).unwrap_or_default()
    }
}

impl Id {
    /// A new one.
    pub fn random() -> Self {
        Self(claviger_jose::random::bytes())
    }

    /// Of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The one that [`fmt::Display`] wrote so.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        lower.then(|| u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))).flatten()
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no ID"))
    }
}

/// The first half: enough to tell two apart in a log, too little to use.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({:016x}…)", u128::from_be_bytes(self.0) >> 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_what_it_wrote_and_nothing_else() {
        let id = Id::random();
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        let upper = Id::from_bytes([0xab; 16]).to_string().to_uppercase();
        for text in ["", "0", "+0000000000000000000000000000000", "zz", &upper, &format!("{id}0")] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_client_key_keeps_a_client_id_with_slashes() {
        assert_eq!(ClientKey::new("shop", "shop", "https://a/b").client_id(), "https://a/b");
    }
}
