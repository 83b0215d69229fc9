//! What the tests of this module stand on: documents through the real parsers.

use std::sync::Arc;

use claviger_crds::names::ObjectName;
use claviger_crds::published::{ClientDocument, TenantDocument};
use serde_json::{Value, json};

use crate::metrics::KeyMetrics;
use crate::tenant::oauth_client::Client;
use crate::tenant::shared_map::SharedMap;
use crate::tenant::snapshot::{Issuer, TenantSnapshot};

/// The issuer of every test.
pub(super) const ISSUER: &str = "https://login.example/api/v1/auth/tenants/acme";
/// A S256 challenge (RFC 7636 appendix B).
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The redirect URI of [`client`].
pub(super) const CALLBACK: &str = "https://shop.example/cb";

/// A confidential client, with these members in place of its own.
pub(super) fn client(members: Value) -> Client {
    let mut document = json!({
        "clientId": "shop.app",
        "displayName": "Shop",
        "applicationType": "web",
        "redirectUris": [CALLBACK],
        "grantTypes": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile", "email", "offline_access", "employee"],
        "consent": "Required",
        "authentication": { "method": "secret", "hashes": [] },
        "requirePkce": false,
        "idTokenClaims": "Minimal",
        "accessTokenType": "at+jwt",
    });
    let members = members.as_object().cloned().unwrap_or_default();
    document.as_object_mut().unwrap().extend(members);
    let document: ClientDocument = serde_json::from_value(document).unwrap();
    Client::parse("doc".into(), &ObjectName::new("shop", "app"), &document).unwrap()
}

/// A tenant with that client.
pub(super) fn tenant(client: Client) -> TenantSnapshot {
    let document: TenantDocument = serde_json::from_value(json!({
        "slug": "acme",
        "issuer": ISSUER,
        "displayName": "Acme",
        "lifetimes": {
            "accessToken": 600, "idToken": 3600, "authorizationCode": 60, "refreshToken": 2_592_000,
            "refreshTokenIdle": 604_800, "session": 43_200,
        },
    }))
    .unwrap();
    let (ring, _) = crate::token::fixture::ring(0, "ES256");
    let mut clients = SharedMap::default();
    clients.insert(Arc::clone(&client.id), Arc::new(client));
    TenantSnapshot {
        issuer: Arc::new(Issuer::new(
            &ObjectName::new("identity", "acme"),
            &document,
            &Arc::default(),
            std::iter::once(&ring),
            &KeyMetrics::default(),
        )),
        apis: SharedMap::default(),
        accounts: SharedMap::default(),
        clients,
        users: Default::default(),
        origins: SharedMap::default(),
    }
}
