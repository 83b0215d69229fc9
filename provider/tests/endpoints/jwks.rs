use claviger_crds::published::{Content, Document, KeyPhase, KeysDocument};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use crate::fixture::*;

const JWKS: &str = "/.well-known/jwks.json";

fn kids(body: &Value) -> Vec<String> {
    body["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn ring_of(name: &str, document: KeysDocument) -> Document {
    serving("acme", name, Content::SigningKey(document))
}

#[tokio::test]
async fn shows_the_keys_that_verifiers_need_and_no_private_half() {
    let phases = [KeyPhase::Published, KeyPhase::Active, KeyPhase::Retiring, KeyPhase::VerifyOnly, KeyPhase::Revoked];
    let keys: Vec<_> = phases.into_iter().map(|phase| key("ES256", phase)).collect();
    let shown: Vec<_> = keys[..3].iter().map(|key| key.kid.to_string()).collect();
    let fixture = Fixture::serving([tenant("acme"), ring_of("ec", ring_document("ES256", keys))]);
    let answer = fixture.get(&path("acme", JWKS)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=900"));
    assert!(answer.header("etag").is_some());
    assert_eq!(kids(&answer.json()), shown);
    for key in answer.json()["keys"].as_array().unwrap() {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{key}");
        }
        assert_eq!((&key["use"], &key["alg"]), (&"sig".into(), &"ES256".into()));
    }
}

#[tokio::test]
async fn the_oldest_ring_comes_first_and_the_shortest_lifetime_counts() {
    let of = |name: &str, created_at: i64, cache_lifetime| {
        let keys = vec![key("ES256", KeyPhase::Active)];
        let created_at = Timestamp::from_second(created_at).unwrap();
        ring_of(name, KeysDocument { created_at, cache_lifetime, ..ring_document("ES256", keys) })
    };
    let rings = [of("a", 30, 600), of("b", 10, 900), of("c", 20, 300)];
    let expected: Vec<_> = [1, 2, 0].map(|at: usize| kid(&rings[at])).to_vec();
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let fixture = Fixture::serving(order.map(|at| rings[at].clone()));
        fixture.apply(&tenant("acme"), 1);
        let answer = fixture.get(&path("acme", JWKS)).await;
        assert_eq!(kids(&answer.json()), expected);
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    }
}

fn kid(ring: &Document) -> String {
    let Content::SigningKey(keys) = &ring.content else { panic!("no ring") };
    keys.keys[0].kid.to_string()
}

#[tokio::test]
async fn there_is_never_an_empty_set() {
    let ring = ring("acme", "ec", "ES256");
    let fixture = Fixture::serving([tenant("acme")]);
    let unavailable = fixture.get(&path("acme", JWKS)).await;
    assert_eq!(unavailable.error(), (503, "temporarily_unavailable".to_owned()));
    assert_eq!(unavailable.header("retry-after"), Some("1"));
    assert_eq!(unavailable.header("cache-control"), Some("no-store"));

    fixture.apply(&ring, 1);
    assert_eq!(fixture.get(&path("acme", JWKS)).await.status, StatusCode::OK);
    fixture.apply(&withdrawn(&ring), 2);
    assert_eq!(fixture.get(&path("acme", JWKS)).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_pod_that_loads_or_leaves_lets_nobody_keep_its_keys() {
    let fixture = Fixture::loading();
    fixture.apply(&tenant("acme"), 1);
    fixture.apply(&ring("acme", "ec", "ES256"), 1);
    let loading = fixture.get(&path("acme", JWKS)).await;
    assert_eq!((loading.status.as_u16(), loading.header("cache-control")), (503, Some("no-store")));
    fixture.provider.loaded();
    assert_eq!(fixture.get(&path("acme", JWKS)).await.header("cache-control"), Some("public, max-age=900"));
    fixture.provider.leave();
    let leaving = fixture.get(&path("acme", JWKS)).await;
    assert_eq!((leaving.status.as_u16(), leaving.header("cache-control")), (200, Some("no-store")));
}

#[tokio::test]
async fn a_key_that_two_rings_show_is_shown_once() {
    let key = key("ES256", KeyPhase::Active);
    let of = |name| ring_of(name, ring_document("ES256", vec![key.clone()]));
    let fixture = Fixture::serving([tenant("acme"), of("a"), of("b")]);
    assert_eq!(kids(&fixture.get(&path("acme", JWKS)).await.json()), [key.kid.to_string()]);
}

#[tokio::test]
async fn who_has_the_set_is_told_so_until_a_key_joins_or_leaves_it() {
    let (old, new) = (key("ES256", KeyPhase::Active), key("ES256", KeyPhase::Published));
    let fixture = Fixture::serving([tenant("acme"), ring_of("ec", ring_document("ES256", vec![old.clone()]))]);
    let asked = async |etag: &str| {
        let request = http::Request::get(path("acme", JWKS)).header("if-none-match", etag);
        fixture.send(request.body(axum::body::Body::empty()).unwrap()).await
    };
    let etag = fixture.get(&path("acme", JWKS)).await.header("etag").unwrap().to_owned();
    let same = asked(&etag).await;
    assert_eq!((same.status, same.body.is_empty()), (StatusCode::NOT_MODIFIED, true));
    // It goes on being fresh (RFC 9110 §15.4.5), and a pod that leaves lets nobody think so.
    assert_eq!(same.header("cache-control"), Some("public, max-age=900"));
    assert_eq!(same.header("etag"), Some(etag.as_str()));

    fixture.apply(&ring_of("ec", ring_document("ES256", vec![old.clone(), new.clone()])), 2);
    let joined = asked(&etag).await;
    assert_eq!((joined.status, kids(&joined.json()).len()), (StatusCode::OK, 2));
    let etag = joined.header("etag").unwrap().to_owned();
    assert_eq!(asked(&etag).await.status, StatusCode::NOT_MODIFIED);
    fixture.apply(&ring_of("ec", ring_document("ES256", vec![old])), 3);
    assert_eq!(kids(&asked(&etag).await.json()).len(), 1);
    fixture.provider.leave();
    assert_eq!(asked("*").await.header("cache-control"), Some("no-store"));
}
