mod foreign;
mod hostile;
mod own;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::algorithm::Algorithm;
use crate::private_key::PrivateKey;
use crate::signer::{Signer, TokenType};

const NOW: i64 = 1_000_000;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn claims() -> Value {
    json!({"iss": "https://id.example", "sub": "ada", "iat": NOW, "exp": NOW + 600})
}

/// A token of any header and any payload, signed well.
fn forge(key: &PrivateKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", encode(signature))
}

/// The header that our own signer writes, with members replaced, added, or (by null) removed.
fn header(key: &PrivateKey, changes: Value) -> String {
    let mut header = json!({"alg": key.algorithm(), "typ": "at+jwt", "kid": key.public_jwk().kid()});
    for (name, value) in changes.as_object().unwrap() {
        header[name] = value.clone();
    }
    header.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    header.to_string()
}

fn set(keys: &[&PrivateKey]) -> VerifierSet {
    keys.iter().map(|key| Verifier::new(&key.public_jwk()).unwrap()).collect()
}

fn verify(key: &PrivateKey, token: &str) -> Result<Verified, VerifyError> {
    set(&[key]).verify(token, &[TokenType::AccessToken]).map(|signed| signed.at(NOW, Duration::ZERO).unwrap())
}
