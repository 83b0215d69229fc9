//! What the documents do to what is served, and what the pod says of them.

use std::time::{Duration, Instant};

use claviger_crds::names::ObjectName;
use claviger_crds::published::{
    ClientAuthentication, ClientDocument, Content, DATA_KEY, Document, KeyPhase, KeysDocument, SecretText,
    TenantDocument,
};
use http::StatusCode;
use k8s_openapi::ByteString;

use crate::fixture::*;

const GRANT: &str = "grant_type=client_credentials";
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The client `id` of `slug`, declared as `name`, with `secret`.
fn declared(slug: &str, name: &str, id: &str, secret: &str) -> Document {
    let authentication = ClientAuthentication::Secret { hashes: vec![hash(secret, None)] };
    serving(slug, name, Content::OAuthClient(ClientDocument { authentication, ..client_document(id) }))
}

async fn token(fixture: &Fixture, slug: &str, secret: &str) -> u16 {
    fixture.token(slug, ("shop.app", secret), GRANT).await.status.as_u16()
}

#[tokio::test]
async fn documents_come_in_any_order() {
    let documents = [tenant("acme"), ring("acme", "ring", "ES256"), client("acme", "shop.app")];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let fixture = Fixture::serving(order.map(|at: usize| documents[at].clone()));
        assert_eq!(token(&fixture, "acme", SECRET).await, 200, "{order:?}");
    }
}

#[tokio::test]
async fn a_newer_revision_replaces_and_an_older_one_is_refused() {
    let fixture = Fixture::acme();
    let new = declared("acme", "shop.app", "shop.app", "new");
    fixture.apply(&new, 5);
    assert_eq!((token(&fixture, "acme", "new").await, token(&fixture, "acme", SECRET).await), (200, 401));
    fixture.apply(&client("acme", "shop.app"), 4);
    assert_eq!((token(&fixture, "acme", "new").await, token(&fixture, "acme", SECRET).await), (200, 401));
    let (serving, refused) = fixture.acknowledged().await;
    assert!(serving.contains(&(new.secret_name(), 5)));
    assert_eq!(refused, [(new.secret_name(), "revision 4 is older than 5, which was read before".to_owned())]);

    fixture.apply(&client("acme", "shop.app"), 5);
    assert_eq!(token(&fixture, "acme", "new").await, 200, "one revision has one content");
    fixture.apply(&new, 6);
    let (serving, refused) = fixture.acknowledged().await;
    assert!(serving.contains(&(new.secret_name(), 6)) && refused.is_empty(), "{serving:?} {refused:?}");
}

#[tokio::test]
async fn a_bad_document_costs_only_itself_and_the_last_good_one_is_served() {
    let fixture = Fixture::acme();
    let name = ring("acme", "es256", "ES256").secret_name();
    let before = fixture.get(&path("acme", "/.well-known/jwks.json")).await.body;
    let of = |keys| serving("acme", "es256", Content::SigningKey(ring_document("ES256", keys)));
    let mut garbled = key("ES256", KeyPhase::Active);
    garbled.private_key = Some(SecretText::new("AAAA"));
    let mut swapped = key("ES256", KeyPhase::Active);
    swapped.private_key = key("ES256", KeyPhase::Active).private_key;
    let mut bare = key("ES256", KeyPhase::Active);
    bare.private_key = None;
    let mut standby = key("ES256", KeyPhase::Published);
    standby.private_key = Some(SecretText::new("not base64!"));
    let bad = [
        (vec![garbled], "a private key is unreadable"),
        (vec![swapped], "a private key is not that of its public key"),
        (vec![bare], "the Active key has no private half"),
        (vec![key("ES256", KeyPhase::Active), standby], "a private key is unreadable"),
        (vec![key("ES256", KeyPhase::Active), key("ES256", KeyPhase::Active)], "two keys are Active"),
    ];
    for (keys, reason) in bad {
        fixture.apply(&of(keys), 2);
        assert_eq!(fixture.acknowledged().await.1, [(name.clone(), reason.to_owned())]);
        assert_eq!(fixture.get(&path("acme", "/.well-known/jwks.json")).await.body, before);
        assert_eq!(token(&fixture, "acme", SECRET).await, 200);
    }

    let mut foreign = tenant("acme").to_secret("published", "uid", 2);
    foreign.data.as_mut().unwrap().insert(DATA_KEY.to_owned(), ByteString(b"{}".to_vec()));
    fixture.provider.apply_secret(&foreign);
    assert_eq!(fixture.get(&path("acme", DISCOVERY)).await.status, StatusCode::OK);
    let (_, refused) = fixture.acknowledged().await;
    assert!(refused.contains(&(tenant("acme").secret_name(), "the content does not match its digest".to_owned())));

    fixture.apply(&of(vec![key("ES256", KeyPhase::Active)]), 2);
    assert_ne!(fixture.get(&path("acme", "/.well-known/jwks.json")).await.body, before, "a good one is taken in");
}

#[tokio::test]
async fn a_withdrawn_client_is_served_no_more_and_its_withdrawal_is_acknowledged() {
    let fixture = Fixture::acme();
    let client = client("acme", "shop.app");
    fixture.apply(&withdrawn(&client), 2);
    assert_eq!(token(&fixture, "acme", SECRET).await, 401);
    assert!(fixture.acknowledged().await.0.contains(&(client.secret_name(), 2)));
    fixture.provider.secret_deleted(&client.secret_name());
    assert!(fixture.acknowledged().await.0.iter().all(|(name, _)| *name != client.secret_name()));
}

#[tokio::test]
async fn a_document_that_vanishes_is_a_loss_and_is_served_all_the_same() {
    let fixture = Fixture::acme();
    for document in [tenant("acme"), ring("acme", "es256", "ES256"), client("acme", "shop.app")] {
        fixture.provider.secret_deleted(&document.secret_name());
    }
    assert_eq!(token(&fixture, "acme", SECRET).await, 200);
    assert_eq!(fixture.acknowledged().await.0.len(), 3);
}

#[tokio::test]
async fn a_client_that_moves_to_another_tenant_leaves_the_first() {
    let fixture = Fixture::acme();
    fixture.apply(&tenant("beta"), 1);
    fixture.apply(&ring("beta", "ring", "ES256"), 1);
    let moved = Document { tenant: "beta".to_owned(), ..client("acme", "shop.app") };
    fixture.apply(&moved, 2);
    assert_eq!((token(&fixture, "acme", SECRET).await, token(&fixture, "beta", SECRET).await), (401, 200));
}

#[tokio::test]
async fn who_had_a_client_id_first_keeps_it_until_it_is_given_up() {
    let fixture = Fixture::acme();
    let rival = declared("acme", "rival", "shop.app", "rival");
    fixture.apply(&rival, 1);
    assert_eq!((token(&fixture, "acme", SECRET).await, token(&fixture, "acme", "rival").await), (200, 401));
    let (_, refused) = fixture.acknowledged().await;
    let reason = "the client ID shop.app is held by another document".to_owned();
    assert_eq!(refused, [(rival.secret_name(), reason)]);

    // An update of the holder changes nothing in that.
    fixture.apply(&declared("acme", "shop.app", "shop.app", "new"), 2);
    assert_eq!((token(&fixture, "acme", "new").await, token(&fixture, "acme", "rival").await), (200, 401));
    fixture.apply(&withdrawn(&client("acme", "shop.app")), 3);
    assert_eq!((token(&fixture, "acme", "new").await, token(&fixture, "acme", "rival").await), (401, 200));
    let (serving, refused) = fixture.acknowledged().await;
    assert!(serving.contains(&(rival.secret_name(), 1)) && refused.is_empty(), "{serving:?} {refused:?}");
}

#[tokio::test]
async fn a_rival_that_gives_up_waits_no_more() {
    let fixture = Fixture::acme();
    let rival = declared("acme", "rival", "shop.app", "rival");
    fixture.apply(&rival, 1);
    fixture.apply(&withdrawn(&rival), 2);
    fixture.apply(&withdrawn(&client("acme", "shop.app")), 2);
    assert_eq!((token(&fixture, "acme", SECRET).await, token(&fixture, "acme", "rival").await), (401, 401));
    let (serving, refused) = fixture.acknowledged().await;
    assert!(serving.contains(&(rival.secret_name(), 2)) && refused.is_empty(), "{serving:?} {refused:?}");
}

#[tokio::test]
async fn a_second_tenant_of_a_slug_or_a_host_is_not_served() {
    let first = tenant_at("bank", "login.bank.example");
    let fixture = Fixture::serving([first.clone(), ring("bank", "ring", "ES256")]);
    let slug = Document { owner: ObjectName::new("evil", "bank"), ..tenant("bank") };
    let host = tenant_at("thief", "login.bank.example");
    fixture.apply(&slug, 1);
    fixture.apply(&host, 1);
    assert_eq!(fixture.get(&path("bank", DISCOVERY)).await.status, StatusCode::NOT_FOUND);
    let at_host = async || {
        let request = http::Request::get("/.well-known/jwks.json").header("host", "login.bank.example");
        fixture.send(request.body(axum::body::Body::empty()).unwrap()).await
    };
    assert_eq!(at_host().await.status, StatusCode::OK);
    assert_eq!(fixture.acknowledged().await.1.len(), 2);

    fixture.apply(&withdrawn(&first), 2);
    assert_eq!(at_host().await.status, StatusCode::SERVICE_UNAVAILABLE, "the thief has no key");
    assert_eq!(fixture.get(&path("bank", DISCOVERY)).await.status, StatusCode::OK);
    assert!(fixture.acknowledged().await.1.is_empty());
}

#[tokio::test]
async fn a_tenant_speaks_for_its_own_slug_alone() {
    let fixture = Fixture::serving([]);
    let lying = serving(
        "acme",
        "acme",
        Content::Tenant(TenantDocument { slug: "other".to_owned(), ..tenant_document("acme") }),
    );
    fixture.apply(&lying, 1);
    assert_eq!(fixture.get(&path("acme", DISCOVERY)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(fixture.get(&path("other", DISCOVERY)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_ring_whose_key_is_replaced_signs_with_the_new_one_at_once() {
    let fixture = Fixture::acme();
    let replaced = ring("acme", "es256", "ES256");
    fixture.apply(&replaced, 2);
    let Content::SigningKey(KeysDocument { keys, .. }) = &replaced.content else { panic!("no ring") };
    let answer = fixture.token("acme", SHOP, GRANT).await.json();
    assert_eq!(part(answer["access_token"].as_str().unwrap(), 0)["kid"], keys[1].kid.to_string());
}

/// Sixteen times the clients must not take 256 times as long; the factor of three is room for a busy
/// machine.
#[tokio::test]
async fn loading_a_tenants_clients_takes_time_in_proportion() {
    let time = |count: usize| {
        let fixture = Fixture::serving([tenant("acme")]);
        let secrets: Vec<_> = (0..count)
            .map(|number| client("acme", &format!("shop.app-{number}")).to_secret("published", "uid", 1))
            .collect();
        let began = Instant::now();
        secrets.iter().for_each(|secret| fixture.provider.apply_secret(secret));
        began.elapsed()
    };
    time(200);
    // Other tests run beside this one: what is in proportion is so once in three.
    let mut tries = Vec::new();
    let is_in_proportion = (0..3).any(|_| {
        let (few, many) = (time(1_000), time(16_000));
        tries.push((few, many));
        many < few * 16 * 3 + Duration::from_millis(100)
    });
    assert!(is_in_proportion, "for 1,000 and for 16,000: {tries:?}");
}
