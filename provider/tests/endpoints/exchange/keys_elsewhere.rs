//! A trusted issuer's keys at its own address.

use claviger_crds::published::Content;

use super::world::*;
use crate::assertions::ClientKey;
use crate::assertions::jwks_uri::{KeyServer, later};
use crate::fixture::*;
use crate::foreign::*;

/// The world, in which the CI system has its keys there.
fn world(uri: &str) -> World {
    let world = World::new();
    let mut tenant = tenant_document("acme");
    tenant.login.passwords = true;
    trust_ci(&mut tenant, &world.ci);
    let issuer = &mut tenant.trusted_issuers[0];
    (issuer.jwks, issuer.jwks_uri) = (None, Some(uri.to_owned()));
    world.fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), 2);
    world
}

async fn status(world: &World, key: &ClientKey) -> u16 {
    let token = key.sign(&job(&issuer("acme")));
    world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await.status.as_u16()
}

#[tokio::test]
async fn they_are_fetched_once_and_again_when_a_newer_one_is_meant() {
    let newer = ClientKey::new();
    let server = KeyServer::new(&serde_json::json!({"keys": []})).await;
    let world = world(&server.uri);
    server.says(&world.ci.jwks());
    assert_eq!((status(&world, &world.ci).await, status(&world, &world.ci).await), (200, 200));
    assert_eq!(server.asked(), 1);
    assert_eq!(status(&world, &newer).await, 400);
    assert_eq!(server.asked(), 2, "it might have been there by now");
    server.says(&newer.jwks());
    assert_eq!(status(&world, &newer).await, 400);
    assert_eq!(server.asked(), 2, "whoever names keys that are not there makes us ask once a minute");
    later(61).await;
    assert_eq!(status(&world, &newer).await, 200);
}

#[tokio::test]
async fn an_issuer_whose_keys_cannot_be_had_is_asked_for_later() {
    let world = world("http://127.0.0.1:1/jwks.json");
    let token = world.ci.sign(&job(&issuer("acme")));
    let answer = world.exchange("allowed.app", Brought::TrustedIssuer, &token, &[]).await;
    assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()));
}
