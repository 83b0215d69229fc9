//! PKCE (RFC 7636), by S256 alone: `plain` shows the verifier to whoever sees the request.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A `code_challenge` of the method S256: 43 characters of base64url (RFC 7636 §4.2).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge([u8; 32]);

/// A `code_verifier`. `Debug` shows nothing; the memory is zeroed when it goes.
pub struct CodeVerifier(Zeroizing<String>);

/// It is not what S256 makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code challenge is 43 characters of base64url (RFC 7636 §4.2)")]
pub struct InvalidCodeChallenge;

/// It has another length or other characters than RFC 7636 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code verifier has 43 to 128 unreserved characters (RFC 7636 §4.1)")]
pub struct InvalidCodeVerifier;

// === impl CodeChallenge ===

impl CodeChallenge {
    /// Reads the parameter of an authorization request.
    ///
    /// # Errors
    /// [`InvalidCodeChallenge`]: padding and stray bits at the end too.
    pub fn parse(text: &str) -> Result<Self, InvalidCodeChallenge> {
        // Whatever its length, nothing longer is decoded.
        if text.len() != 43 {
            return Err(InvalidCodeChallenge);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCodeChallenge)?;
        bytes.try_into().map(Self).map_err(|_| InvalidCodeChallenge)
    }

    /// Whether it was made of `verifier`; takes the same time either way.
    pub fn matches(&self, verifier: &CodeVerifier) -> bool {
        digest(&SHA256, verifier.0.as_bytes()).as_ref().ct_eq(&self.0).into()
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeChallenge({self})")
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = InvalidCodeChallenge;

    fn try_from(text: String) -> Result<Self, InvalidCodeChallenge> {
        Self::parse(&text)
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.to_string()
    }
}

// === impl CodeVerifier ===

impl CodeVerifier {
    /// Lengths of RFC 7636 §4.1, characters.
    const LENGTH: std::ops::RangeInclusive<usize> = 43..=128;

    /// Reads the parameter of a token request.
    ///
    /// # Errors
    /// [`InvalidCodeVerifier`]: a short one could be guessed from the challenge.
    pub fn parse(text: &str) -> Result<Self, InvalidCodeVerifier> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if Self::LENGTH.contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(InvalidCodeVerifier)
        }
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_appendix_b_matches_and_another_verifier_does_not() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(challenge.matches(&CodeVerifier::parse(VERIFIER).unwrap()));
        for other in [CHALLENGE, &VERIFIER.to_lowercase(), &format!("{VERIFIER}a")] {
            assert!(!challenge.matches(&CodeVerifier::parse(other).unwrap()), "{other}");
        }
        assert_eq!(challenge.to_string(), CHALLENGE);
        let stored: CodeChallenge = serde_json::from_value(serde_json::to_value(challenge).unwrap()).unwrap();
        assert!(stored.matches(&CodeVerifier::parse(VERIFIER).unwrap()));
    }

    #[test]
    fn a_challenge_that_s256_cannot_have_made_is_refused() {
        // "N" at the end: the same 32 bytes, but for bits that nothing reads.
        let stray = CHALLENGE.replace("-cM", "-cN");
        let padded = format!("{}=", &CHALLENGE[..42]);
        for bad in ["", &CHALLENGE[1..], &format!("{CHALLENGE}="), &format!("{CHALLENGE}A"), &stray, &padded] {
            assert!(CodeChallenge::parse(bad).is_err(), "{bad:?}");
            assert!(serde_json::from_value::<CodeChallenge>(bad.into()).is_err(), "{bad:?}");
        }
        assert!(CodeChallenge::parse(&CHALLENGE.replace('-', "+")).is_err());
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for good in ["a".repeat(43), "~".repeat(128), "A-._~z09".repeat(8)] {
            assert!(CodeVerifier::parse(&good).is_ok(), "{good}");
        }
        let foreign = ["+", "/", "=", " ", "%", "\0", "é"].map(|bad| format!("{}{bad}", &VERIFIER[1..]));
        for bad in ["a".repeat(42), "a".repeat(129), String::new()].into_iter().chain(foreign) {
            assert_eq!(CodeVerifier::parse(&bad).unwrap_err(), InvalidCodeVerifier, "{bad:?}");
        }
        assert!(!format!("{:?}", CodeVerifier::parse(VERIFIER).unwrap()).contains(VERIFIER));
    }
}
