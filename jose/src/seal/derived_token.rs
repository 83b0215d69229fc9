//! Tokens that are computed, never stored.
//!
//! The text is base64url of: version (1 byte), key ID (8), ID (16), generation (4, big-endian), tag (32):
//! 82 characters.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use super::sealer::{PREFIX, VERSION};
use super::{Purpose, SealError, Sealer};

/// Sets the tag apart from whatever else its subkey may come to authenticate.
const LABEL: &[u8] = b"token\0";

/// Bytes that are authenticated.
const BODY: usize = PREFIX + 16 + 4;

/// Bytes in all.
const LENGTH: usize = BODY + 32;

/// Characters in all.
const TEXT: usize = (LENGTH * 4).div_ceil(3);

/// What a refresh token says: the grant, and how often it was refreshed. Whether that grant lives, and
/// which generation is current, the store knows.
///
/// The text depends on these and the newest key alone, so that a lost answer can be given again. After
/// a rotation of keys the same token has another text, and both are good while their keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DerivedToken {
    /// The grant.
    pub id: [u8; 16],
    /// Counts from zero.
    pub generation: u32,
}

impl DerivedToken {
    /// The text, under the newest key.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn issue(&self, sealer: &Sealer) -> Result<String, SealError> {
        let Self { id, generation } = self;
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(sealer.newest().id().as_bytes());
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(&generation.to_be_bytes());
        let tag = sealer.tag(sealer.newest(), Purpose::RefreshToken, LABEL, &bytes)?;
        bytes.extend_from_slice(tag.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads what [`Self::issue`] wrote for the same tenant, under any key of the ring; `None` for
    /// everything else. The tag takes the same time whether it is right or not.
    pub fn open(sealer: &Sealer, text: &str) -> Option<Self> {
        // Longer ones are not decoded.
        if text.len() != TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        let (prefix, values) = body.split_at_checked(PREFIX)?;
        let (id, generation) = values.split_at_checked(16)?;
        let expected = sealer.tag(sealer.named(prefix)?, Purpose::RefreshToken, LABEL, body).ok()?;
        if !bool::from(expected.as_ref().ct_eq(tag)) {
            return None;
        }
        Some(Self { id: id.try_into().ok()?, generation: u32::from_be_bytes(generation.try_into().ok()?) })
    }
}
