//! Algorithms and key IDs, whose rules are in `claviger_jose`, as specs write them.

use claviger_jose::{Algorithm, Kid};
use serde::de::DeserializeOwned;

use crate::fault::Faults;

/// The algorithm `text`, or a fault.
pub(crate) fn parse_algorithm(path: &str, text: &str, faults: &mut Faults) -> Option<Algorithm> {
    from_text(text).or_else(|| {
        faults.add(path, "must be RS256, PS256, ES256, ES384 or EdDSA");
        None
    })
}

/// The thumbprint `text`, or a fault.
pub(crate) fn parse_kid(path: &str, text: &str, faults: &mut Faults) -> Option<Kid> {
    let is_thumbprint =
        text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_thumbprint.then(|| from_text(text)).flatten().or_else(|| {
        faults.add(path, "must be the thumbprint of a key (RFC 7638), 43 characters, as status.keys shows it");
        None
    })
}

fn from_text<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}
