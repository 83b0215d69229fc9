//! Everything that the program says while people and clients come and go, at the finest level: no
//! secret of theirs is in it, and none of the tenant's own.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use claviger_jose::{Algorithm, PrivateKey};
use claviger_provider::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::browser::{Browser, code};
use crate::dev_login::{PASSWORD, log_in, redeem};
use crate::support::{Dev, Folder};

const TENANT: &str = "/api/v1/auth/tenants/acme";

/// Keys of JSON and YAML below which a secret stands.
const SECRET: [&str; 6] = ["client_secret", "hash", "key", "password", "passwordHash", "privateKey"];

/// A machine that proves who it is by `key`.
fn machine(key: &PrivateKey) -> String {
    let jwk = serde_json::to_value(key.public_jwk()).expect("JSON");
    json!({
        "apiVersion": "claviger.dev/v1alpha1", "kind": "OAuthClient",
        "metadata": {"name": "machine", "namespace": "shop"},
        "spec": {
            "tenantRef": {"name": "acme", "namespace": "identity"}, "displayName": "Machine",
            "grantTypes": ["client_credentials"],
            "authentication": {"privateKeyJwt": {"jwks": {"keys": [jwk]}, "algorithms": ["ES256"]}},
        },
    })
    .to_string()
}

fn assertion(key: &PrivateKey, issuer: &str) -> String {
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
    header.kid = Some(key.public_jwk().kid().to_string());
    let now = SystemClock.now().as_second();
    let (name, jti) = ("shop.machine", claviger_jose::random::hex128());
    let claims = json!({"iss": name, "sub": name, "aud": issuer, "exp": now + 60, "jti": jti});
    let signing = jsonwebtoken::EncodingKey::from_ec_der(&key.to_pkcs8());
    jsonwebtoken::encode(&header, &claims, &signing).expect("a JWT")
}

/// What the state folder keeps of keys, hashes and generated secrets.
pub(crate) fn kept(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            kept(&path, found);
        } else {
            let manifest: Value = serde_saphyr::from_str(&fs::read_to_string(&path).expect("a file")).expect("YAML");
            secrets(&manifest, "", found);
        }
    }
}

fn secrets(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) => match serde_json::from_str(text) {
            // A document in a manifest.
            Ok(document @ Value::Object(_)) => secrets(&document, "", found),
            _ if SECRET.contains(&name) => found.push(text.clone()),
            _ => {}
        },
        Value::Array(values) => values.iter().for_each(|value| secrets(value, name, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| secrets(value, name, found)),
        _ => {}
    }
}

#[test]
fn at_the_finest_level_no_log_and_no_event_holds_a_secret() {
    let (folder, key) = (Folder::quickstart(), PrivateKey::generate(Algorithm::Es256).expect("a key"));
    folder.write("40-machine.yaml", &machine(&key));
    let dev = Dev::launch(&folder, &["--log", "trace"]);
    dev.wait_for("Following changes");
    let mut browser = Browser::new(&dev.address, &dev.address);
    let callback = log_in(&dev, &mut browser);
    let tokens = redeem(&dev, code(&callback));
    let text = |name: &str| tokens[name].as_str().expect(name);
    let mut found = Vec::new();
    kept(&folder.path().join("state/secrets"), &mut found);
    assert!(found.len() > 10, "{found:?}");

    let secret = fs::read_to_string(folder.path().join("state/secrets/shop/shop-oidc.yaml")).expect("a Secret");
    let secret = secret.split("client_secret: \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a secret");
    let shop = format!("client_id=shop.shop&client_secret={secret}");
    let refresh = format!("{shop}&grant_type=refresh_token&refresh_token={}", text("refresh_token"));
    let again = format!("{shop}&grant_type=authorization_code&code={}&code_verifier=a-wrong-verifier", code(&callback));
    let issuer = format!("http://{}{TENANT}", dev.address);
    let jwt = format!(
        "grant_type=client_credentials&client_assertion={}&client_assertion_type={}",
        assertion(&key, &issuer),
        "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    for (path, form, status) in [
        ("userinfo", format!("access_token={}", text("access_token")), 200),
        ("userinfo", format!("access_token={}x", text("access_token")), 401),
        ("introspect", format!("{shop}&token={}", text("access_token")), 200),
        ("introspect", format!("client_id=shop.shop&client_secret=wrong-{secret}&token=nonsense-as-a-token"), 401),
        ("token", refresh.clone(), 200),
        ("token", format!("{refresh}x"), 400),
        ("token", again, 400),
        ("token", jwt.clone(), 200),
        ("token", jwt, 401),
        ("revoke", format!("{shop}&token={}", text("refresh_token")), 200),
        ("logout", format!("id_token_hint={}", text("id_token")), 303),
    ] {
        let answer = browser.post(&format!("{TENANT}/oauth/{path}"), &form);
        assert_eq!(answer.status, status, "{path} {form}: {}", answer.body);
    }
    let left = browser.get(&format!("{TENANT}/oauth/logout?id_token_hint={}", text("id_token")));
    assert_eq!(left.status, 200, "{}", left.body);

    let audit = audit_with(&folder, &["login", "consent", "token", "revoke", "logout"]);
    let printed = dev.printed();
    assert!(printed.contains("TRACE") && printed.contains("DEBUG"), "{printed}");
    // The lines that the program prints for a person to paste hold a verifier for demonstration.
    let logged: Vec<&str> = printed.lines().filter(|line| !line.contains("curl -s")).collect();
    for told in [audit, logged.join("\n")] {
        browser.expect_no_secret(&told);
        for secret in found.iter().map(String::as_str).chain([PASSWORD, "letmein"]) {
            assert!(!told.contains(secret), "{secret} is in {told}");
        }
        for name in ["access_token", "refresh_token", "id_token"] {
            assert!(!told.contains(text(name)), "{name} is in {told}");
        }
    }
}

/// The audit stream once it holds these events: lines of a busy moment are written together, a little later.
pub(crate) fn audit_with(folder: &Folder, events: &[&str]) -> String {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let audit = fs::read_to_string(folder.path().join("state/audit.log")).expect("the audit stream");
        let missing = events.iter().find(|event| !audit.contains(&format!("\"event\":\"{event}\"")));
        let Some(missing) = missing else { return audit };
        assert!(Instant::now() < end, "no {missing} in {audit}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
