//! Manifests as they are written into the state folder: for a person to open, and to be read back.

use std::io;

use k8s_openapi::api::core::v1::Secret;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a cluster adds to an object, and what would get in the way of `kubectl apply`.
const VOLATILE: [&str; 5] = ["resourceVersion", "uid", "managedFields", "generation", "selfLink"];

/// The manifest of an object.
pub(super) fn of<T: Serialize>(object: &T) -> io::Result<String> {
    let mut value = serde_json::to_value(object)?;
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !VOLATILE.contains(&key.as_str()));
    }
    if let Some(map) = value.as_object_mut() {
        map.remove("status");
    }
    Ok(yaml(&value))
}

/// The manifest of a Secret: what is text is written as text.
pub(super) fn of_secret(secret: &Secret) -> io::Result<String> {
    let mut secret = secret.clone();
    let (text, data): (Vec<_>, Vec<_>) =
        secret.data.take().unwrap_or_default().into_iter().partition(|(_, bytes)| is_text(&bytes.0));
    let text = text.into_iter().map(|(key, bytes)| (key, String::from_utf8_lossy(&bytes.0).into_owned()));
    secret.string_data = Some(text.collect()).filter(|map: &std::collections::BTreeMap<_, _>| !map.is_empty());
    secret.data = Some(data.into_iter().collect()).filter(|map: &std::collections::BTreeMap<_, _>| !map.is_empty());
    of(&secret)
}

/// A Secret as an API server stores it: `stringData` goes over `data`.
pub(in crate::embedded) fn merged(mut secret: Secret) -> Secret {
    let text = secret.string_data.take().unwrap_or_default();
    let text = text.into_iter().map(|(key, text)| (key, k8s_openapi::ByteString(text.into_bytes())));
    secret.data.get_or_insert_default().extend(text);
    secret
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte == b'\n')
}

/// Block style with every string quoted as in JSON, so that no reader of any YAML version takes a
/// secret such as `0755`, `1e9` or `no` for something else.
fn yaml(value: &Value) -> String {
    let mut out = String::new();
    if let Value::Object(map) = value {
        block(map, 0, &mut out);
    }
    out
}

fn block(map: &Map<String, Value>, depth: usize, out: &mut String) {
    // The order that people expect; what is not named here comes after, as it stands.
    let rank =
        |key: &str| ["apiVersion", "kind", "metadata", "name", "namespace"].iter().position(|known| *known == key);
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| rank(key).unwrap_or(usize::MAX));
    for (key, value) in entries {
        out.push_str(&"  ".repeat(depth));
        if is_plain(key) {
            out.push_str(key);
        } else {
            out.push_str(&Value::from(key.as_str()).to_string());
        }
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                block(inner, depth + 1, out);
            }
            other => {
                // JSON is YAML.
                out.push(' ');
                out.push_str(&other.to_string());
                out.push('\n');
            }
        }
    }
}

/// Whether a key needs no quotes in any version of YAML.
fn is_plain(key: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    key.len() > 5 && key.starts_with(|first: char| first.is_ascii_alphabetic()) && key.bytes().all(legal)
        || ["kind", "name", "type", "data", "spec"].contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_as_it_was_and_its_text_can_be_read() {
        let mut secret: Secret = serde_json::from_value(serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": "a", "namespace": "b", "labels": {"claviger.dev/holds": "ring", "no": "yes"},
                         "creationTimestamp": "2026-01-02T03:04:05Z"},
        }))
        .expect("a Secret");
        for (key, bytes) in [
            ("client_secret", b"0755".to_vec()),
            ("multi", b"a\nb: \"c\" # d\n".to_vec()),
            ("binary", vec![0, 255, 10]),
            ("utf8", "caf\u{e9}".as_bytes().to_vec()),
            ("empty", Vec::new()),
        ] {
            secret.data.get_or_insert_default().insert(key.into(), k8s_openapi::ByteString(bytes));
        }
        let text = of_secret(&secret).expect("it can be written");
        assert!(text.contains("\n  client_secret: \"0755\"\n"), "{text}");
        let back: Secret = serde_saphyr::from_str(&text).expect("it can be read");
        assert_eq!(merged(back), secret, "{text}");
    }
}
