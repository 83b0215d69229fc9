//! Sealing and opening, with a tenant's view of the key ring.
//!
//! A seal is base64url of: version (1 byte), key ID (8), nonce (12), ciphertext, tag (16).

use std::fmt;

use aws_lc_rs::aead::{Aad, MAX_TAG_LEN, NONCE_LEN, Nonce};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::subkeys::Subkeys;
use super::{OpenError, Opened, Purpose, SealError, SealingKey, SealingKeyId};

/// The first byte of all that is sealed. Another layout or algorithm takes another one.
pub(super) const VERSION: u8 = 1;

/// Bytes before the nonce.
pub(super) const PREFIX: usize = 1 + SealingKeyId::LENGTH;

/// Bytes before the ciphertext.
const HEAD: usize = PREFIX + NONCE_LEN;

/// Bytes after it.
const TAG: usize = MAX_TAG_LEN;

/// The longest plaintext, bytes.
const LONGEST: usize = 64 * 1024;

/// The longest context, bytes.
const LONGEST_CONTEXT: usize = 4 * 1024;

/// The longest text that is decoded at all.
const LONGEST_TEXT: usize = (HEAD + LONGEST + TAG).div_ceil(3) * 4;

/// Seals with the newest key of a ring and opens with any, for one tenant. Cheap to make: subkeys are
/// derived as they are used.
pub struct Sealer {
    tenant: Box<str>,
    newest: Subkeys,
    others: Box<[Subkeys]>,
}

// === impl Sealer ===

impl Sealer {
    /// The ring's keys as `tenant` has them. `tenant` is a name that no other tenant ever has.
    pub fn new<'a>(newest: &SealingKey, others: impl Iterator<Item = &'a SealingKey>, tenant: &str) -> Self {
        let others = others.filter(|key| key.id() != newest.id()).map(|key| Subkeys::new(key.clone()));
        Self { tenant: tenant.into(), newest: Subkeys::new(newest.clone()), others: others.collect() }
    }

    /// Seals `plaintext` for `purpose`. It opens only with the same `context`: what the value belongs
    /// to (a flow's ID, a client's), which is not in it. The length of the plaintext shows.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, purpose: Purpose, context: &[u8], plaintext: &[u8]) -> Result<String, SealError> {
        if plaintext.len() > LONGEST || context.len() > LONGEST_CONTEXT {
            return Err(SealError::TooLong);
        }
        let key = self.newest.aead(purpose, &self.tenant)?;
        let mut buffer = self.authenticated(purpose, context, HEAD + plaintext.len() + TAG);
        let start = buffer.len();
        buffer.push(VERSION);
        buffer.extend_from_slice(self.newest.id().as_bytes());
        buffer.extend_from_slice(&[0; NONCE_LEN]);
        buffer.extend_from_slice(plaintext);
        buffer.extend_from_slice(&[0; TAG]);

        let (authenticated, seal) = buffer.split_at_mut(start);
        let (head, body) = seal.split_at_mut(HEAD);
        let (ciphertext, tag) = body.split_at_mut(plaintext.len());
        let (nonce, made) =
            key.seal_in_place_separate_tag(Aad::from(authenticated), ciphertext).map_err(|_| SealError::Library)?;
        head[PREFIX..].copy_from_slice(nonce.as_ref());
        tag.copy_from_slice(made.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(seal))
    }

    /// Opens what [`Self::seal`] made, with any key of the ring.
    ///
    /// # Errors
    /// [`OpenError`], whatever it is that is wrong.
    pub fn open(&self, purpose: Purpose, context: &[u8], text: &str) -> Result<Opened, OpenError> {
        if text.len() > LONGEST_TEXT || context.len() > LONGEST_CONTEXT {
            return Err(OpenError);
        }
        let room = base64::decoded_len_estimate(text.len());
        // Zeroed whatever happens: a seal that turns out bad may have been decrypted.
        let mut buffer = Zeroizing::new(self.authenticated(purpose, context, room));
        let start = buffer.len();
        buffer.resize(start + room, 0);
        let (authenticated, seal) = buffer.split_at_mut(start);
        let length = URL_SAFE_NO_PAD.decode_slice(text, seal).map_err(|_| OpenError)?;
        let (head, body) = seal.get_mut(..length).and_then(|seal| seal.split_at_mut_checked(HEAD)).ok_or(OpenError)?;
        let (prefix, nonce) = head.split_at(PREFIX);
        let key = self.named(prefix).ok_or(OpenError)?.aead(purpose, &self.tenant).map_err(|_| OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let plaintext = key.open_in_place(nonce, Aad::from(authenticated), body).map_err(|_| OpenError)?.len();
        let from = start + HEAD;
        Ok(Opened::new(buffer, from..from + plaintext))
    }

    /// A number that `input` has in this tenant for as long as its newest key is that: to everybody who has not that
    /// key, a random one.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn draw(&self, input: &[u8]) -> Result<u32, SealError> {
        let tag = self.tag(&self.newest, Purpose::LoginStep, b"draw\0", input)?;
        let (first, _) = tag.as_ref().split_first_chunk().ok_or(SealError::Library)?;
        Ok(u32::from_be_bytes(*first))
    }

    /// HMAC-SHA256 of `input` under the subkey of `key`. No `label` is the beginning of another, so that
    /// one thing never has the tag of another.
    pub(super) fn tag(
        &self,
        key: &Subkeys,
        purpose: Purpose,
        label: &[u8],
        input: &[u8],
    ) -> Result<hmac::Tag, SealError> {
        let mut context = hmac::Context::with_key(key.mac(purpose, &self.tenant)?);
        context.update(label);
        context.update(input);
        Ok(context.sign())
    }

    /// The key that seals.
    pub(super) fn newest(&self) -> &Subkeys {
        &self.newest
    }

    /// The key of the ring that version and key ID at the beginning of a value name.
    pub(super) fn named(&self, prefix: &[u8]) -> Option<&Subkeys> {
        let (version, id) = prefix.split_first()?;
        if *version != VERSION {
            return None;
        }
        std::iter::once(&self.newest).chain(&self.others).find(|key| key.id().as_bytes() == id)
    }

    /// The additional authenticated data, with room for the seal behind it: one allocation for both. The
    /// lengths keep a part of one name from being read as one of the next.
    pub(super) fn authenticated(&self, purpose: Purpose, context: &[u8], room: usize) -> Vec<u8> {
        let names = [self.tenant.as_bytes(), purpose.as_str().as_bytes()];
        let length = 1 + names.iter().map(|name| 8 + name.len()).sum::<usize>() + context.len();
        let mut buffer = Vec::with_capacity(length + room);
        buffer.push(VERSION);
        for name in names {
            buffer.extend_from_slice(&(name.len() as u64).to_be_bytes());
            buffer.extend_from_slice(name);
        }
        buffer.extend_from_slice(context);
        buffer
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, newest, others } = self;
        let others: Vec<_> = others.iter().map(Subkeys::id).collect();
        f.debug_struct("Sealer").field("tenant", tenant).field("newest", &newest.id()).field("others", &others).finish()
    }
}
