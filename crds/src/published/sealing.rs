//! Sealing keys: with these the provider's pods seal what only they are to open again (codes,
//! cookies, handles), with an AEAD.

use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SecretText;

/// Where a sealing key is in its life. A key that may open nothing any more is not in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SealingPhase {
    /// Opens, and does not seal yet: the standby. Every pod knows it long before one seals with it,
    /// so that none ever meets a value that it cannot open.
    Published,
    /// Seals and opens.
    Active,
    /// Opens only, for as long as something lives that was sealed with it.
    Retiring,
}

/// One sealing key. Times are those of the changes that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealingKeyDocument {
    /// Tells it from the tenant's other keys where a person reads of it: twelve hexadecimal digits,
    /// random, so that they say nothing of the key. What is sealed bears a hash of the key instead.
    pub id: String,
    /// Where it is in its life.
    pub phase: SealingPhase,
    /// Thirty-two random bytes in base64 (RFC 4648 §4, padded).
    pub key: SecretText,
    /// When it was made, which is when pods were first told of it.
    pub published_at: Timestamp,
    /// When it began to seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
    /// When it stopped sealing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_at: Option<Timestamp>,
}
