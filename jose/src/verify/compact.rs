//! A compact JWS (RFC 7515 §7.1), taken apart. Nothing of it is proven here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{IgnoredAny, MapAccess};

use super::json_object::{self, Members, Text};
use super::{VerifyError, VerifyingKey};
use crate::algorithm::Algorithm;

/// Tokens have a few hundred bytes, or a few thousand with many groups; with all that a User may have, 40 KiB.
const LONGEST: usize = 48 * 1024;

/// The parts of a token. The header was read strictly; the payload waits for the signature.
pub(crate) struct Compact<'a> {
    text: &'a str,
    header: Header,
    signing_input: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

/// What is read of a header (RFC 7515 §4.1). All else is ignored, as §4 demands.
#[derive(Default)]
struct Header {
    /// None where `alg` is none that this crate knows, or is not there.
    algorithm: Option<Algorithm>,
    kid: Option<String>,
    typ: Option<String>,
    critical: bool,
}

// === impl Compact ===

impl<'a> Compact<'a> {
    /// Takes `token` apart.
    pub(crate) fn parse(token: &'a str) -> Result<Self, VerifyError> {
        if token.len() > LONGEST {
            return Err(VerifyError::TooLong);
        }
        // A dot too many ends up in the header, which is then no base64url.
        let (signing_input, signature) = split_at_last_dot(token)?;
        let (header, payload) = split_at_last_dot(signing_input)?;
        let header: Header =
            decode_text(header).and_then(|text| json_object::read(&text)).ok_or(VerifyError::Malformed)?;
        if header.critical {
            return Err(VerifyError::Critical);
        }
        let signature = decode(signature).ok_or(VerifyError::Malformed)?;
        Ok(Self { text: token, header, signing_input, payload, signature })
    }

    /// All of it, as it came.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// `alg`, when it is one that this crate knows.
    pub(crate) fn algorithm(&self) -> Result<Algorithm, VerifyError> {
        self.header.algorithm.ok_or(VerifyError::Algorithm)
    }

    /// `kid`.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Whether `typ` is there.
    pub(crate) fn has_type(&self) -> bool {
        self.header.typ.is_some()
    }

    /// Whether `typ` is `expected`: a media type, so case does not matter, and `application/` may stand
    /// before it (RFC 7515 §4.1.9).
    pub(crate) fn is_type(&self, expected: &str) -> bool {
        const PREFIX: &str = "application/";
        self.header.typ.as_deref().is_some_and(|typ| {
            let short = match typ.split_at_checked(PREFIX.len()) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
                _ => typ,
            };
            short.eq_ignore_ascii_case(expected)
        })
    }

    /// The signature, decoded.
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether the signature is that of `key`. The caller has compared the algorithms.
    pub(crate) fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        key.verifies(self.signing_input.as_bytes(), &self.signature)
    }

    /// The payload's text, decoded.
    pub(crate) fn claims(&self) -> Result<String, VerifyError> {
        decode_text(self.payload).ok_or(VerifyError::Claims)
    }
}

// === impl Header ===

impl Members for Header {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<(), A::Error> {
        match name {
            "alg" => self.algorithm = Algorithm::named(&object.next_value::<Text<'de>>()?.0),
            "kid" => self.kid = Some(object.next_value()?),
            "typ" => self.typ = Some(object.next_value()?),
            // `b64` changes what is signed, and is an error without `crit` (RFC 7797 §6).
            "crit" | "b64" => {
                object.next_value::<IgnoredAny>()?;
                self.critical = true;
            }
            _ => {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// By vector instructions: tokens are looked through once for each dot.
fn split_at_last_dot(text: &str) -> Result<(&str, &str), VerifyError> {
    let dot = memchr::memrchr(b'.', text.as_bytes()).ok_or(VerifyError::Malformed)?;
    Ok((&text[..dot], &text[dot + 1..]))
}

/// base64url without padding, and without stray bits at the end: of several texts for the same bytes
/// only one is a token.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn decode_text(text: &str) -> Option<String> {
    String::from_utf8(decode(text)?).ok()
}
