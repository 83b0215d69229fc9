//! The wire format between operator and provider, byte for byte: `golden/` holds what this release
//! writes and what every later one must read. A change of a golden file is a change of the contract.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

#[path = "published/documents.rs"]
mod documents;

use std::path::PathBuf;

use claviger_crds::names::{ANNOTATION_DIGEST, ANNOTATION_REVISION};
use claviger_crds::published::{Content, DATA_KEY, Digest, Document, ReadError, Stored, TenantLifetimes};
use documents::{full, least};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

fn golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // A file ends with a line break, a document does not.
    text.strip_suffix(b"\n").expect("a line break at the end").to_vec()
}

/// The Secret of `document` with other bytes in it, and their digest.
fn with_bytes(document: &Document, bytes: &[u8]) -> Secret {
    let mut secret = document.to_secret("claviger-published", "uid", 7);
    secret.data = Some([(DATA_KEY.to_owned(), ByteString(bytes.to_vec()))].into());
    let annotations = secret.metadata.annotations.as_mut().unwrap();
    annotations.insert(ANNOTATION_DIGEST.to_owned(), Digest::of(bytes).to_string());
    secret
}

fn edited(document: &Document, edit: impl FnOnce(&mut Value)) -> Secret {
    let mut value: Value = serde_json::from_slice(&document.to_bytes()).unwrap();
    edit(&mut value);
    with_bytes(document, &serde_json::to_vec(&value).unwrap())
}

#[test]
fn what_is_written_is_byte_for_byte_what_was_always_written() {
    for (name, document) in full().into_iter().chain(least()) {
        let (written, expected) = (document.to_bytes(), golden(name));
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&expected), "{name}");
    }
}

#[test]
fn what_was_written_is_read_back_whole() {
    for (name, document) in full().into_iter().chain(least()) {
        let stored = Stored::from_secret(&with_bytes(&document, &golden(name))).unwrap();
        assert_eq!(stored.document, document, "{name}");
        assert_eq!((stored.revision, stored.name), (7, document.secret_name()));
    }
}

#[test]
fn fields_of_a_later_release_are_ignored() {
    for (name, document) in full() {
        let secret = edited(&document, |value| {
            value["later"] = json!({"x": 1});
            value["spec"]["later"] = json!([1]);
        });
        assert_eq!(Stored::from_secret(&secret).unwrap().document, document, "{name}");
    }
}

#[test]
fn a_newer_version_is_refused_as_such_whatever_its_shape() {
    let (_, document) = &full()[0];
    let secret = edited(document, |value| {
        *value = json!({"apiVersion": "published.claviger.dev/v2", "everything": "else"});
    });
    let error = Stored::from_secret(&secret).unwrap_err();
    assert_eq!(error, ReadError::NewerVersion("published.claviger.dev/v2".to_owned()));
}

#[test]
fn a_document_of_another_shape_is_refused_and_nothing_of_it_is_shown() {
    for (name, document) in full() {
        let secret = edited(&document, |value| value["spec"] = json!("hunter2"));
        let error = Stored::from_secret(&secret).unwrap_err();
        assert!(matches!(error, ReadError::Shape { .. }), "{name}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_foreign_edit_shows() {
    let (_, document) = &full()[0];
    let good = document.to_secret("claviger-published", "uid", 7);
    assert!(Stored::from_secret(&good).is_ok());
    let mut corrupted = good.clone();
    corrupted.data.as_mut().unwrap().get_mut(DATA_KEY).unwrap().0[20] ^= 1;
    assert_eq!(Stored::from_secret(&corrupted).unwrap_err(), ReadError::Corrupted);
    let mut emptied = good.clone();
    emptied.data = None;
    assert_eq!(Stored::from_secret(&emptied).unwrap_err(), ReadError::Malformed(DATA_KEY));
    let mut renamed = good.clone();
    renamed.metadata.name = Some("tenant-of-somebody-else".to_owned());
    assert_eq!(Stored::from_secret(&renamed).unwrap_err(), ReadError::Malformed("metadata.name"));
    let mut unnumbered = good;
    unnumbered.metadata.annotations.as_mut().unwrap().remove(ANNOTATION_REVISION);
    assert_eq!(Stored::from_secret(&unnumbered).unwrap_err(), ReadError::Malformed(ANNOTATION_REVISION));
}

#[test]
fn the_digest_is_of_the_content_and_not_of_its_revision() {
    let (_, document) = &full()[0];
    let digest = |revision| Stored::from_secret(&document.to_secret("a", "uid", revision)).unwrap().digest;
    assert_eq!(digest(1), digest(2));
}

#[test]
fn a_tenant_that_is_logged_shows_no_sealing_key() {
    let document = full().into_iter().find(|(name, _)| *name == "tenant-sealing").unwrap().1;
    let shown = format!("{document:?}");
    assert!(shown.contains("9b7702c4fd1e") && !shown.contains("AAECAwQF"), "{shown}");
}

#[test]
fn a_tenant_that_says_nothing_of_idle_sessions_lets_them_live_as_it_did() {
    for name in ["tenant-full", "tenant-least", "tenant-sealing", "tenant-idle", "tenant-workloads"] {
        let (_, document) = full().into_iter().chain(least()).find(|(found, _)| *found == name).unwrap();
        let stored = Stored::from_secret(&with_bytes(&document, &golden(name))).unwrap();
        let Content::Tenant(tenant) = stored.document.content else { panic!("{name}") };
        let expected = if name == "tenant-idle" { 7_200 } else { 43_200 };
        assert_eq!((tenant.lifetimes.session, tenant.lifetimes.session_idle), (43_200, expected), "{name}");
    }
}

#[test]
fn a_grace_of_refresh_tokens_is_written_where_it_is_not_the_usual_one() {
    let Content::Tenant(tenant) = &full()[0].1.content else { panic!("no tenant") };
    for (grace, written) in [(10, None), (0, Some(0)), (60, Some(60))] {
        let lifetimes = TenantLifetimes { refresh_token_grace: grace, ..tenant.lifetimes };
        let json = serde_json::to_value(lifetimes).unwrap();
        assert_eq!(json.get("refreshTokenGrace").and_then(serde_json::Value::as_u64), written, "{grace}");
        assert_eq!(serde_json::from_value::<TenantLifetimes>(json).unwrap(), lifetimes);
    }
}
