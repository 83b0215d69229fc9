//! `claviger dev` signs with a key of the folder's.

use claviger_jose::{Algorithm, PrivateKey};

use crate::support::{Dev, Folder, eventually, parts};

const TENANT: &str = "/api/v1/auth/tenants/acme";

/// A Secret with a new key in it, and the kid of that.
fn secret() -> (String, String) {
    let pem = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    let key = PrivateKey::import(Algorithm::Es256, pem.as_bytes()).expect("P-256");
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "elsewhere", "namespace": "identity"},
        "stringData": {"tls.key": pem},
    });
    (secret.to_string(), key.public_jwk().kid().to_string())
}

#[test]
fn a_key_in_the_folder_signs_and_one_that_is_of_no_use_is_told() {
    let folder = Folder::quickstart();
    folder.edit("10-tenant.yaml", "  algorithm: RS256", "  existingSecretRef: {name: elsewhere}\n  algorithm: ES256");
    let (text, kid) = secret();
    folder.write("15-key.yaml", &text);
    let dev = Dev::start(&folder);
    assert_eq!(parts(&dev.token()).0["kid"], kid.as_str());
    let seen = dev.seen();
    folder.write("15-key.yaml", &text.replace("PRIVATE KEY-----", "PUBLIC KEY-----"));
    let line = dev.wait_after(seen, "Secret elsewhere: tls.key: ");
    assert!(line.contains("SigningKey identity/acme-rs256"), "{line}");
    assert_eq!(parts(&dev.token()).0["kid"], kid.as_str());
    let (text, next) = secret();
    folder.write("15-key.yaml", &text);
    eventually("the changed key is published", || {
        let (_, _, jwks) = dev.get(&format!("{TENANT}/.well-known/jwks.json"));
        if jwks.contains(&next) { Ok(()) } else { Err(jwks) }
    });
    assert_eq!(parts(&dev.token()).0["kid"], kid.as_str(), "it does not sign before verifiers know it");
}
