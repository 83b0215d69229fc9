//! Compact JWS (RFC 7515 §7.1) over a parsed key. One buffer a token; the header is encoded once a key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::algorithm::Algorithm;
use crate::kid::Kid;
use crate::private_key::PrivateKey;

/// Characters of the longest signature of `algorithm` in base64url; of RSA's, one with 4096 bits.
fn longest_signature(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => 683,
        Algorithm::Es256 | Algorithm::EdDsa => 86,
        Algorithm::Es384 => 128,
    }
}

/// What a token is, as its `typ` header says: a verifier of one kind refuses the others (RFC 8725 §3.11).
///
/// [`TokenType::Jwt`] and [`TokenType::IdToken`] share `typ: JWT`, so the header does not tell them
/// apart and a verifier that asks for one gets the other too. Their claims do (RFC 8725 §3.12), and
/// whoever verifies must look: an access token always has `client_id` and `tenant_id`, an ID token
/// neither. Without that look an ID token, which every client passes around, would be a bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt`: an access token (RFC 9068 §2.1).
    AccessToken,
    /// `JWT`: an access token for resource servers that refuse `at+jwt`.
    Jwt,
    /// `JWT`: an ID token (OpenID Connect Core 1.0 §2).
    IdToken,
    /// `logout+jwt`: a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
    LogoutToken,
}

impl TokenType {
    /// In the order of their declaration, so that one is the index of its header.
    const ALL: [Self; 4] = [Self::AccessToken, Self::Jwt, Self::IdToken, Self::LogoutToken];

    /// The `typ` header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::Jwt | Self::IdToken => "JWT",
            Self::LogoutToken => "logout+jwt",
        }
    }
}

/// A key that signs tokens.
pub struct Signer {
    key: PrivateKey,
    kid: Kid,
    /// Encoded, with the dot, in the order of [`TokenType::ALL`].
    headers: [String; TokenType::ALL.len()],
}

/// The library refused to sign; nothing that a caller did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token could not be signed")]
pub struct SignError;

// === impl Signer ===

impl Signer {
    /// Signs with `key` from now on.
    pub fn new(key: PrivateKey) -> Self {
        let kid = key.public_jwk().kid().clone();
        // None of the three needs an escape in JSON.
        let headers = TokenType::ALL.map(|token_type| {
            let (alg, typ) = (key.algorithm(), token_type.as_str());
            let header = format!(r#"{{"alg":"{alg}","typ":"{typ}","kid":"{kid}"}}"#);
            URL_SAFE_NO_PAD.encode(header) + "."
        });
        Self { key, kid, headers }
    }

    /// The algorithm of its signatures.
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// The key's ID.
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The JWS of `payload`, a JSON object.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign_bytes(&self, token_type: TokenType, payload: &[u8]) -> Result<String, SignError> {
        let header = &self.headers[token_type as usize];
        let mut token =
            String::with_capacity(header.len() + payload.len() * 4 / 3 + 4 + longest_signature(self.algorithm()));
        token.push_str(header);
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.key.sign(token.as_bytes()).ok_or(SignError)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.kid).finish()
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use serde_json::{Value, json};

    use super::*;
    use crate::algorithm::Algorithm;

    fn verify(token: &str, key: &PrivateKey) -> jsonwebtoken::errors::Result<Value> {
        let jwk: Jwk = serde_json::from_value(serde_json::to_value(key.public_jwk()).unwrap()).unwrap();
        let mut validation = Validation::new(decode_header(token)?.alg);
        validation.required_spec_claims.clear();
        validation.validate_aud = false;
        decode::<Value>(token, &DecodingKey::from_jwk(&jwk)?, &validation).map(|data| data.claims)
    }

    #[test]
    fn another_library_verifies_what_is_signed_by_every_algorithm() {
        for algorithm in Algorithm::ALL {
            let claims = json!({"sub": "é", "n": 1});
            let (key, other) = (PrivateKey::generate(algorithm).unwrap(), PrivateKey::generate(algorithm).unwrap());
            let again = PrivateKey::from_pkcs8(algorithm, &key.to_pkcs8()).unwrap();
            let token = Signer::new(key).sign_bytes(TokenType::AccessToken, claims.to_string().as_bytes()).unwrap();
            assert_eq!(verify(&token, &again).unwrap(), claims, "{algorithm}");
            assert!(verify(&token, &other).is_err(), "{algorithm}: another key's signature");
        }
    }

    #[test]
    fn the_header_names_algorithm_type_and_key() {
        for (token_type, typ) in [
            (TokenType::AccessToken, "at+jwt"),
            (TokenType::Jwt, "JWT"),
            (TokenType::IdToken, "JWT"),
            (TokenType::LogoutToken, "logout+jwt"),
        ] {
            let signer = Signer::new(PrivateKey::generate(Algorithm::Es256).unwrap());
            let token = signer.sign_bytes(token_type, b"{}").unwrap();
            let header = decode_header(&token).unwrap();
            assert_eq!(header.typ.as_deref(), Some(typ));
            assert_eq!(header.kid.as_deref(), Some(signer.kid().as_str()));
            assert_eq!(header.alg, jsonwebtoken::Algorithm::ES256);
        }
    }
}
