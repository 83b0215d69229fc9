//! A tenant, a client and a person for tests of tokens: documents through the real parsers.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use claviger_crds::names::ObjectName;
use claviger_crds::published::{ClientDocument, KeysDocument, UserDocument};
use claviger_jose::{Algorithm, ClientSecret, ClientSecretHash, PrivateKey, PublicJwk};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::person::PersonGrant;
use crate::claims::request::ClaimsRequest;
use crate::metrics::KeyMetrics;
use crate::store::Id;
use crate::tenant::oauth_client::Client;
use crate::tenant::ring::Ring;
use crate::tenant::shared_map::SharedMap;
use crate::tenant::snapshot::{Issuer, TenantSnapshot, Users};
use crate::tenant::user::User;
use crate::web::client_authentication::AuthenticatedClient;

/// When tests happen.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// The facts of a login of Ada's, a minute ago.
pub(crate) fn person() -> PersonGrant {
    PersonGrant {
        id: Id::random(),
        subject: "usr_ada".to_owned(),
        session: Id::random(),
        authenticated_at: Timestamp::from_second(NOW - 60).unwrap(),
        acr: "1".to_owned(),
        amr: vec!["pwd".to_owned()],
        scopes: vec!["openid".to_owned()],
        audience: "https://api.example".to_owned(),
        nonce: Some("n-0S6_WzA2Mj".to_owned()),
        claims: ClaimsRequest::default(),
        claim_scopes: Vec::new(),
    }
}

pub(crate) fn ada() -> User {
    let document: UserDocument = serde_json::from_value(json!({
        "subject": "usr_ada",
        "username": "ada",
        "claims": {"name": "Ada", "email": "ada@acme.example"},
        "groups": ["engineering"],
    }))
    .unwrap();
    User::new("user-ada".into(), &document)
}

/// The tenant `acme` with a ring of each of `algorithms`, the oldest first, whose tokens live an hour
/// at most, and the client `shop.app` as `change` leaves it; and the rings' public keys.
pub(crate) fn acme(algorithms: &[&str], change: impl FnOnce(&mut ClientDocument)) -> (TenantSnapshot, Vec<PublicJwk>) {
    let document = serde_json::from_value(json!({
        "slug": "acme",
        "issuer": "https://login.example/acme",
        "displayName": "Acme",
        "lifetimes": {
            "accessToken": 600, "idToken": 1_800, "authorizationCode": 60,
            "refreshToken": 2_592_000, "refreshTokenIdle": 604_800, "session": 43_200,
        },
    }))
    .unwrap();
    let (rings, keys): (Vec<_>, Vec<_>) = algorithms.iter().enumerate().map(|(day, name)| ring(day, name)).unzip();
    let issuer = Issuer::new(
        &ObjectName::new("identity", "acme"),
        &document,
        &Arc::default(),
        rings.iter(),
        &KeyMetrics::default(),
    );
    let mut clients = SharedMap::default();
    clients.insert("shop.app".into(), Arc::new(client(change)));
    let tenant = TenantSnapshot {
        issuer: Arc::new(issuer),
        apis: SharedMap::default(),
        accounts: SharedMap::default(),
        clients,
        users: Users::default(),
        origins: SharedMap::default(),
    };
    (tenant, keys)
}

/// The client of [`acme`], authenticated.
pub(crate) fn shop(tenant: &TenantSnapshot) -> AuthenticatedClient {
    AuthenticatedClient::of_test(tenant.clients.get("shop.app").unwrap())
}

/// Header (0) or claims (1) of a JWT.
pub(crate) fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

fn client(change: impl FnOnce(&mut ClientDocument)) -> Client {
    let hash = ClientSecretHash::of(&ClientSecret::new("s3cret".to_owned())).to_string();
    let mut document: ClientDocument = serde_json::from_value(json!({
        "clientId": "shop.app",
        "displayName": "Shop",
        "applicationType": "web",
        "scopes": ["openid", "profile", "email", "groups"],
        "consent": "Skip",
        "authentication": {"method": "secret", "hashes": [{"hash": hash, "createdAt": "2026-01-01T00:00:00Z"}]},
        "requirePkce": true,
        "idTokenClaims": "Minimal",
        "accessTokenType": "at+jwt",
    }))
    .unwrap();
    change(&mut document);
    Client::parse("client-shop".into(), &ObjectName::new("shop", "shop"), &document).unwrap()
}

/// A ring that signs by the algorithm of that name, made on that day, and its public key.
pub(crate) fn ring(day: usize, name: &str) -> (Ring, PublicJwk) {
    let algorithm = Algorithm::ALL.into_iter().find(|known| known.as_str() == name).unwrap();
    let key = PrivateKey::generate(algorithm).unwrap();
    let public = key.public_jwk();
    let document: KeysDocument = serde_json::from_value(json!({
        "algorithm": name,
        "createdAt": format!("2026-01-0{}T00:00:00Z", day + 1),
        "cacheLifetime": 900,
        "maxTokenLifetime": 3_600,
        "keys": [{
            "kid": public.kid(),
            "phase": "Active",
            "publicKey": public,
            "privateKey": STANDARD.encode(key.to_pkcs8()),
            "publishedAt": "2026-01-01T00:00:00Z",
        }],
    }))
    .unwrap();
    (Ring::parse(&ObjectName::new("identity", name.to_lowercase()), &document, &BTreeSet::new()).unwrap(), public)
}
