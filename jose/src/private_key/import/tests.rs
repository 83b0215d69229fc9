//! Keys of OpenSSL's in every form in which it writes them, and JWKs that PyJWT wrote (`tests/*.jwk`: keys
//! for these tests, known to everybody).

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::*;
use crate::{Signer, TokenType};

const RSA: &[&str] = &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const P256: &[&str] = &["ecparam", "-genkey", "-name", "prime256v1"];
const P384: &[&str] = &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
const ED25519: &[&str] = &["genpkey", "-algorithm", "ED25519"];

fn openssl(arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("openssl: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn make(arguments: &[&str]) -> String {
    openssl(arguments, "")
}

fn import(algorithm: Algorithm, text: &str) -> Result<PrivateKey, ImportError> {
    PrivateKey::import(algorithm, text.as_bytes())
}

fn error(algorithm: Algorithm, text: &str) -> ImportError {
    import(algorithm, text).map(|key| key.public_jwk()).unwrap_err()
}

fn jwk(name: &str) -> Value {
    let path = format!("{}/src/private_key/import/tests/{name}.jwk", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn with(mut jwk: Value, member: &str, value: Value) -> String {
    jwk[member] = value;
    jwk.to_string()
}

fn without(mut jwk: Value, member: &str) -> String {
    jwk.as_object_mut().unwrap().remove(member).unwrap();
    jwk.to_string()
}

/// Another library verifies what it signs, and what is signed by what is kept of it.
fn signs(key: PrivateKey) {
    let (algorithm, public, pkcs8) = (key.algorithm(), key.public_jwk(), key.to_pkcs8());
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(serde_json::to_value(&public).unwrap()).unwrap();
    let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let again = PrivateKey::from_pkcs8(algorithm, &pkcs8).unwrap();
    for key in [key, again] {
        assert_eq!(key.public_jwk(), public);
        let token = Signer::new(key).sign_bytes(TokenType::Jwt, b"{}").unwrap();
        let mut validation = jsonwebtoken::Validation::new(algorithm.as_str().parse().unwrap());
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Value>(&token, &decoding, &validation).unwrap();
    }
}

#[test]
fn every_form_that_openssl_writes_of_a_key_is_the_same_key() {
    for (algorithm, made, traditional) in [
        (Algorithm::Rs256, RSA, Some(["rsa", "-traditional"].as_slice())),
        (Algorithm::Ps256, RSA, Some(&["rsa", "-traditional"])),
        (Algorithm::Es256, P256, Some(&["ec"])),
        (Algorithm::Es384, P384, Some(&["ec", "-conv_form", "compressed"])),
        (Algorithm::EdDsa, ED25519, None),
    ] {
        let key = make(made);
        let pkcs8 = openssl(&["pkcs8", "-topk8", "-nocrypt"], &key);
        let public = import(algorithm, &pkcs8).unwrap().public_jwk();
        let mut forms = vec![key, pkcs8.replace('\n', "\r\n"), format!("made by hand\n\n{pkcs8}\n")];
        forms.push(format!("{}{pkcs8}", openssl(&["pkey", "-pubout"], &pkcs8)));
        forms.extend(traditional.map(|arguments| openssl(arguments, &pkcs8)));
        for form in forms {
            let key = import(algorithm, &form).unwrap_or_else(|error| panic!("{algorithm}: {error}\n{form}"));
            assert_eq!(key.public_jwk(), public, "{algorithm}\n{form}");
            signs(key);
        }
    }
}

#[test]
fn a_jwk_of_another_library_is_read_and_its_kid_is_the_thumbprint() {
    for (algorithm, name) in [
        (Algorithm::Rs256, "rsa"),
        (Algorithm::Ps256, "rsa"),
        (Algorithm::Es256, "p256"),
        (Algorithm::Es384, "p384"),
        (Algorithm::EdDsa, "ed25519"),
    ] {
        let mut wire = jwk(name);
        let key = import(algorithm, &wire.to_string()).unwrap();
        let public = serde_json::to_value(key.public_jwk()).unwrap();
        for member in ["n", "e", "x", "y", "crv", "kty"] {
            assert_eq!(public.get(member), wire.get(member), "{name}: {member}");
        }
        wire["kid"] = json!("a name of its own");
        wire["alg"] = json!(algorithm.as_str());
        wire["use"] = json!("sig");
        wire["key_ops"] = json!(["sign"]);
        assert_eq!(import(algorithm, &wire.to_string()).unwrap().public_jwk(), key.public_jwk());
        signs(key);
    }
    // RFC 8037, appendices A.1 and A.3.
    let rfc8037 = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let key = import(Algorithm::EdDsa, rfc8037).unwrap();
    assert_eq!(key.public_jwk().kid().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn zeros_before_the_modulus_of_a_jwk_change_nothing() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let wire = jwk("rsa");
    let n = URL_SAFE_NO_PAD.decode(wire["n"].as_str().unwrap()).unwrap();
    let longer = with(wire.clone(), "n", json!(URL_SAFE_NO_PAD.encode([&[0], n.as_slice()].concat())));
    let [first, second] = [wire.to_string(), longer].map(|text| import(Algorithm::Rs256, &text).unwrap().public_jwk());
    assert_eq!(first, second);
}

#[test]
fn an_encrypted_key_is_called_encrypted() {
    let key = make(RSA);
    for encrypt in [
        ["pkcs8", "-topk8", "-passout", "pass:x"].as_slice(),
        &["rsa", "-traditional", "-aes256", "-passout", "pass:x"],
    ] {
        assert_eq!(error(Algorithm::Rs256, &openssl(encrypt, &key)), ImportError::Encrypted, "{encrypt:?}");
    }
}

#[test]
fn a_key_of_another_kind_is_told_from_a_damaged_one() {
    let [rsa, p256, p384, ed25519] = [RSA, P256, P384, ED25519].map(make);
    let p384_sec1 = openssl(&["ec"], &p384);
    let p521 = make(&["ecparam", "-genkey", "-name", "secp521r1"]);
    for (algorithm, text) in [
        (Algorithm::Rs256, &p256),
        (Algorithm::Ps256, &ed25519),
        (Algorithm::Es256, &rsa),
        (Algorithm::Es256, &p384),
        (Algorithm::Es256, &p384_sec1),
        (Algorithm::Es384, &p256),
        (Algorithm::Es384, &p521),
        (Algorithm::EdDsa, &p256),
        (Algorithm::EdDsa, &rsa),
        (Algorithm::EdDsa, &jwk("p256").to_string()),
        (Algorithm::Es384, &jwk("p256").to_string()),
        (Algorithm::Rs256, &json!({"kty": "oct", "k": "c2VjcmV0"}).to_string()),
    ] {
        assert_eq!(error(algorithm, text), ImportError::OtherKind { algorithm }, "{algorithm}\n{text}");
    }
}

#[test]
fn rsa_keys_are_neither_short_nor_long_and_have_no_small_exponent() {
    let of = |bits: &str| make(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")]);
    let short = of("1024");
    assert_eq!(error(Algorithm::Rs256, &short), ImportError::TooShort);
    assert_eq!(error(Algorithm::Ps256, &openssl(&["rsa", "-traditional"], &short)), ImportError::TooShort);
    assert_eq!(error(Algorithm::Rs256, &jwk("rsa-exponent-3").to_string()), ImportError::Exponent);
    // Fewer than 2048 bits, in as many bytes.
    assert_eq!(error(Algorithm::Rs256, &of("2047")), ImportError::TooShort);
    assert_eq!(error(Algorithm::Rs256, &of("4104")), ImportError::TooLong);
}

#[test]
fn what_holds_no_private_key_or_several_is_told_apart() {
    let (one, two) = (make(ED25519), make(ED25519));
    let public = openssl(&["pkey", "-pubout"], &one);
    let algorithm = Algorithm::EdDsa;
    for (text, expected) in [
        (public.as_str(), ImportError::PublicOnly),
        (&without(jwk("ed25519"), "d"), ImportError::PublicOnly),
        (&format!("{one}{two}"), ImportError::Several),
        (&json!({"keys": [jwk("ed25519")]}).to_string(), ImportError::Several),
        ("", ImportError::NotAKey),
        ("correct horse battery staple", ImportError::NotAKey),
        ("{}", ImportError::NotAKey),
        (&one.replace("PRIVATE", "OPENSSH PRIVATE"), ImportError::Format),
    ] {
        assert_eq!(error(algorithm, text), expected, "{text}");
    }
    assert_eq!(PrivateKey::import(algorithm, &[0x30, 0xff]).unwrap_err(), ImportError::NotAKey);
}

#[test]
fn a_damaged_key_is_refused() {
    let pem = make(P256);
    let (rsa, p256, ed25519) = (jwk("rsa"), jwk("p256"), jwk("ed25519"));
    let cut: String = pem.lines().take(6).collect::<Vec<_>>().join("\n");
    let spoilt = pem.replacen("-----\nM", "-----\n*", 2);
    for (algorithm, text) in [
        (Algorithm::Es256, cut.as_str()),
        (Algorithm::Es256, &spoilt),
        (Algorithm::Es256, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        (Algorithm::Es256, &with(p256.clone(), "x", p256["y"].clone())),
        (Algorithm::Es256, &with(p256.clone(), "d", json!("AQAB"))),
        (Algorithm::Es256, &with(p256.clone(), "d", json!("not base64url"))),
        (Algorithm::EdDsa, &with(ed25519.clone(), "x", ed25519["d"].clone())),
        (Algorithm::Rs256, &with(rsa.clone(), "p", rsa["q"].clone())),
        (Algorithm::Rs256, &with(rsa.clone(), "d", rsa["dp"].clone())),
        (Algorithm::Rs256, &with(rsa.clone(), "qi", rsa["dq"].clone())),
    ] {
        assert_eq!(error(algorithm, text), ImportError::Broken, "{algorithm}\n{text}");
    }
    for member in ["p", "q", "dp", "dq", "qi", "n", "e"] {
        assert_eq!(error(Algorithm::Rs256, &without(rsa.clone(), member)), ImportError::Incomplete, "{member}");
    }
}

#[test]
fn a_jwk_that_was_made_for_something_else_is_refused() {
    let algorithm = Algorithm::Rs256;
    for (member, value) in [("alg", json!("PS256")), ("use", json!("enc")), ("key_ops", json!(["decrypt"]))] {
        assert_eq!(error(algorithm, &with(jwk("rsa"), member, value)), ImportError::OtherUse { algorithm }, "{member}");
    }
}

#[test]
fn no_error_shows_anything_of_the_text() {
    let text = with(jwk("p256"), "alg", json!("hunter2"));
    for error in [error(Algorithm::Es256, &text), error(Algorithm::Rs256, &text)] {
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
