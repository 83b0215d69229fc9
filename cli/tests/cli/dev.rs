//! `claviger dev` on the quick start, from the table to a verified token.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::support::{Dev, Folder};

const TENANT: &str = "/api/v1/auth/tenants/acme";

#[test]
fn the_table_shows_tenants_clients_credentials_and_a_line_that_prints_a_jwt() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let issuer = format!("http://{}{TENANT}", dev.address);

    let tenant = dev.wait_for("identity/acme  yes");
    assert!(tenant.contains(&format!("{issuer}/.well-known/openid-configuration")), "{tenant}");
    let client = dev.wait_for("shop/reports");
    for part in ["yes", "shop.reports", "client_credentials", "/state/secrets/shop/reports-oidc.yaml"] {
        assert!(client.contains(part), "{part}: {client}");
    }
    assert!(!dev.printed().contains("not ready"), "{}", dev.printed());

    let token = dev.token();
    let (status, _, body) = dev.get(&format!("{TENANT}/.well-known/jwks.json"));
    assert_eq!(status, 200, "{body}");
    let keys: JwkSet = serde_json::from_str(&body).expect("a JWK Set");
    let header = decode_header(&token).expect("a JWT");
    let key = keys.find(header.kid.as_deref().expect("a kid")).expect("its key is published");
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[&issuer]);
    validation.set_audience(&["https://orders.shop.example"]);
    let key = DecodingKey::from_jwk(key).expect("a key");
    let claims = decode::<Value>(&token, &key, &validation).expect("it verifies").claims;
    assert_eq!(claims["client_id"], "shop.reports");
    assert_eq!(claims["scope"], "orders:read");
}

#[test]
fn discovery_tells_the_issuer_under_the_external_url() {
    let folder = Folder::quickstart();
    let dev = Dev::launch(&folder, &["--external-url", "https://login.acme.example/"]);
    dev.wait_for("Following changes");
    let path = format!("{TENANT}/.well-known/openid-configuration");
    let (status, _, body) = dev.get_as("login.acme.example", &path);
    assert_eq!(status, 200, "{body}");
    let document: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(document["issuer"], format!("https://login.acme.example{TENANT}"));
}

#[test]
fn a_redirect_uri_that_is_not_registered_is_shown_beside_those_that_are() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let asked = "/oauth/authorize?response_type=code&client_id=shop.shop&scope=openid&redirect_uri=http%3A%2F%2F127.0.0.1%3A8081%2Fcalback";
    let (status, _, page) = dev.get(&format!("{TENANT}{asked}"));
    assert_eq!(status, 400, "{page}");
    let line = dev.wait_for("the redirect URI is not registered");
    for part in ["shop.shop", "http://127.0.0.1:8081/calback", "http://127.0.0.1:8081/callback"] {
        assert!(line.contains(part), "{part}: {line}");
        assert!(!page.contains(part), "{part} is on the page");
    }
}

#[test]
fn a_foreign_host_is_refused_and_loopback_names_are_not() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let port = dev.address.rsplit(':').next().expect("a port");
    let path = format!("{TENANT}/.well-known/openid-configuration");
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        assert_eq!(dev.get_as(&host, &path).0, 200, "{host}");
    }
    for host in [format!("evil.example:{port}"), "evil.example".to_owned(), format!("127.0.0.1.evil.example:{port}")] {
        assert_eq!(dev.get_as(&host, &path).0, 421, "{host}");
    }
}

#[test]
fn a_signal_ends_it_with_success() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    assert_eq!(dev.terminate(), 0);
}
