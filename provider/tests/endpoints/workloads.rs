//! A ServiceAccount's token as client assertion, at every endpoint that asks who the client is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_crds::published::acknowledgement::Frame;
use claviger_crds::published::{Content, Document, FormerIssuer, ServiceAccountSubject};
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::assertions::{ClientKey, asserted, asserted_at};
use crate::capture::Capture;
use crate::fixture::*;
use crate::foreign::*;

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

struct Cluster {
    fixture: Fixture,
    key: ClientKey,
}

impl Cluster {
    /// Tenants `acme` and `other` in one cluster; billing is a client of both.
    fn new() -> Self {
        let key = ClientKey::new();
        let tenant = |slug: &str| {
            let mut tenant = tenant_document(slug);
            trust_cluster(&mut tenant, &key);
            serving(slug, slug, Content::Tenant(tenant))
        };
        let documents = ["acme", "other"].into_iter().flat_map(|slug| {
            [tenant(slug), ring(slug, "es256", "ES256"), workload(slug, "shop.billing", &["shop/billing"])]
        });
        Self { fixture: Fixture::serving(documents.collect::<Vec<_>>()), key }
    }

    /// A token request at acme with a token of these claims.
    async fn ask(&self, claims: &Value, more: &[(&str, &str)]) -> Answer {
        asserted(&self.fixture, "/oauth/token", &self.key.sign(claims), &[&GRANT, more].concat()).await
    }

    async fn status(&self, claims: &Value) -> u16 {
        self.ask(claims, &[]).await.status.as_u16()
    }
}

/// A client that these ServiceAccounts may be.
fn workload(slug: &str, id: &str, accounts: &[&str]) -> Document {
    let mut client = client_document(id);
    client.authentication = by_accounts(accounts);
    serving(slug, id, Content::OAuthClient(client))
}

fn billing() -> Value {
    account("shop", "billing", &issuer("acme"))
}

#[tokio::test]
async fn a_pod_gets_a_token_for_what_kubernetes_gave_it_as_often_as_it_asks() {
    let cluster = Cluster::new();
    for more in [&[][..], &[("client_id", "shop.billing")], &[]] {
        let answer = cluster.ask(&billing(), more).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let claims = answer.claims();
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("shop.billing"), &json!("shop.billing")));
    }
}

#[tokio::test]
async fn it_counts_wherever_a_client_is_asked_who_it_is() {
    let cluster = Cluster::new();
    let assertion = cluster.key.sign(&billing());
    let token = cluster.ask(&billing(), &[]).await.json()["access_token"].as_str().unwrap().to_owned();
    let fields = [("token", token.as_str())];
    let seen = asserted(&cluster.fixture, "/oauth/introspect", &assertion, &fields).await.json();
    assert_eq!((&seen["active"], &seen["sub"]), (&json!(true), &json!("shop.billing")));
    assert_eq!(asserted(&cluster.fixture, "/oauth/revoke", &assertion, &fields).await.status, 200);
    let seen = asserted(&cluster.fixture, "/oauth/introspect", &assertion, &fields).await.json();
    assert_eq!(seen, json!({"active": false}));
}

#[tokio::test]
async fn what_the_cluster_did_not_sign_for_this_issuer_and_this_time_is_refused() {
    let cluster = Cluster::new();
    let good = billing();
    let kubernetes = |name: &str, value: Value| with(&good, "kubernetes.io", with(&good["kubernetes.io"], name, value));
    for (what, claims) in [
        ("another audience", with(&good, "aud", json!(["https://kubernetes.default.svc"]))),
        ("another audience too", with(&good, "aud", json!([issuer("acme"), "https://elsewhere.example"]))),
        ("the token endpoint", with(&good, "aud", json!(format!("{}/oauth/token", issuer("acme"))))),
        ("no audience", with(&good, "aud", json!([]))),
        ("another tenant", with(&good, "aud", json!([issuer("other")]))),
        ("expired", with(&good, "exp", json!(NOW - 30))),
        ("no end", without(&good, "exp")),
        ("not yet", with(&good, "nbf", json!(NOW + 31))),
        ("longer than a day", with(&good, "exp", json!(NOW + 86_401))),
        ("no beginning", without(&good, "iat")),
        ("no ServiceAccount", without(&good, "kubernetes.io")),
        ("another name inside", kubernetes("serviceaccount", json!({"name": "web", "uid": UID}))),
        ("another namespace inside", kubernetes("namespace", json!("web"))),
        ("another UID", kubernetes("serviceaccount", json!({"name": "billing", "uid": UID.replace('1', "2")}))),
        ("another ServiceAccount", account("shop", "web", &issuer("acme"))),
        ("another namespace's", account("web", "billing", &issuer("acme"))),
        ("another issuer", with(&good, "iss", json!("https://elsewhere.example"))),
    ] {
        let answer = cluster.ask(&claims, &[]).await;
        assert_eq!(answer.error(), (401, "invalid_client".to_owned()), "{what}");
    }
    for good in [with(&good, "aud", json!(issuer("acme"))), with(&good, "exp", json!(NOW + 86_400))] {
        assert_eq!(cluster.status(&good).await, 200, "{good}");
    }
}

#[tokio::test]
async fn a_signature_is_the_clusters_by_its_own_algorithm_or_none_at_all() {
    let cluster = Cluster::new();
    let send = async |assertion: &str| asserted(&cluster.fixture, "/oauth/token", assertion, &GRANT).await;
    let good = cluster.key.sign(&billing());
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let written = |header: Value| URL_SAFE_NO_PAD.encode(header.to_string());
    let kid = &cluster.key.kid;
    let mut spoilt = signature.to_owned();
    spoilt.replace_range(..1, if spoilt.starts_with('A') { "B" } else { "A" });
    for (what, token) in [
        ("unsigned", format!("{}.{claims}.", written(json!({"alg": "none", "kid": kid})))),
        ("another algorithm", format!("{}.{claims}.{signature}", written(json!({"alg": "ES384", "kid": kid})))),
        ("a symmetric one", format!("{}.{claims}.{signature}", written(json!({"alg": "HS256", "kid": kid})))),
        ("another kid", format!("{}.{claims}.{signature}", written(json!({"alg": "ES256", "kid": "x"})))),
        ("another signature", format!("{header}.{claims}.{spoilt}")),
        ("another cluster's", ClientKey::new().sign(&billing())),
    ] {
        assert_eq!(send(&token).await.error(), (401, "invalid_client".to_owned()), "{what}");
    }
    assert_eq!(send(&good).await.status, 200);
}

#[tokio::test]
async fn a_key_that_is_not_known_is_told_to_the_operator_once_in_a_while() {
    let cluster = Cluster::new();
    let mut frames = Box::pin(cluster.fixture.provider.acknowledgements());
    while frames.next().await != Some(Frame::Synced) {}
    for _ in 0..3 {
        let foreign = ClientKey::new().sign(&billing());
        assert_eq!(asserted(&cluster.fixture, "/oauth/token", &foreign, &GRANT).await.status, 401);
    }
    assert_eq!(frames.next().await, Some(Frame::UnknownServiceAccountKey));
    // And the rest after ten seconds, with heartbeats between.
    assert!(matches!(frames.next().await, Some(Frame::Heartbeat { .. })));
    let mut tenant = tenant_document("acme");
    let newer = ClientKey::new();
    trust_cluster(&mut tenant, &newer);
    cluster.fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), 2);
    assert_eq!(asserted(&cluster.fixture, "/oauth/token", &newer.sign(&billing()), &GRANT).await.status, 200);
    assert_eq!(cluster.status(&billing()).await, 401, "the key before is the cluster's no more");
}

#[tokio::test]
async fn a_token_by_the_clusters_name_before_counts_for_a_day_after_it_got_another() {
    let cluster = Cluster::new();
    let renamed = |revision, previous: Option<&str>| {
        let mut tenant = tenant_document("acme");
        trust_cluster(&mut tenant, &cluster.key);
        let issuer = tenant.service_account_issuer.as_mut().unwrap();
        let until = jiff::Timestamp::from_second(NOW + 24 * 3600).unwrap();
        let former = previous.map(|issuer| FormerIssuer { issuer: issuer.to_owned(), until });
        (issuer.issuer, issuer.previous) = ("https://renamed.example".to_owned(), former);
        cluster.fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), revision);
    };
    let later = |seconds: i64| {
        let mut claims = billing();
        for name in ["iat", "nbf", "exp"] {
            claims[name] = json!(claims[name].as_i64().unwrap() + seconds);
        }
        claims
    };
    renamed(2, None);
    assert_eq!(cluster.status(&billing()).await, 401);
    renamed(3, Some(CLUSTER));
    assert_eq!(cluster.status(&billing()).await, 200);
    assert_eq!(cluster.status(&with(&billing(), "iss", json!("https://renamed.example"))).await, 200);
    assert_eq!(cluster.status(&with(&billing(), "iss", json!("https://another.example"))).await, 401);
    let day = 24 * 3600;
    cluster.fixture.advance(day - 1);
    assert_eq!(cluster.status(&later(day - 1)).await, 200);
    cluster.fixture.advance(1);
    assert_eq!(cluster.status(&later(day)).await, 401);
    assert_eq!(cluster.status(&with(&later(day), "iss", json!("https://renamed.example"))).await, 200);
}

#[tokio::test]
async fn a_token_that_was_good_is_asked_for_all_of_it_again_each_time() {
    let cluster = Cluster::new();
    let (token, fixture) = (cluster.key.sign(&billing()), &cluster.fixture);
    let status = async || asserted(fixture, "/oauth/token", &token, &GRANT).await.status.as_u16();
    let trusting = |key: &ClientKey| {
        let mut tenant = tenant_document("acme");
        trust_cluster(&mut tenant, key);
        serving("acme", "acme", Content::Tenant(tenant))
    };
    assert_eq!((status().await, status().await), (200, 200));
    fixture.advance(3_607 + 30);
    assert_eq!(status().await, 401, "it is expired");
    fixture.advance(-3_607 - 30);
    assert_eq!(status().await, 200);
    fixture.apply(&workload("acme", "shop.billing", &[]), 2);
    assert_eq!(status().await, 401, "it is nobody's");
    fixture.apply(&workload("acme", "shop.billing", &["shop/billing"]), 3);
    assert_eq!(status().await, 200);
    fixture.apply(&trusting(&ClientKey::new()), 2);
    assert_eq!(status().await, 401, "the cluster has rotated its key");
    fixture.apply(&trusting(&cluster.key), 3);
    assert_eq!(status().await, 200);
    let elsewhere = asserted_at(fixture, "other", "/oauth/token", &token, &GRANT).await;
    assert_eq!(elsewhere.status, 401, "it is for another tenant");
}

#[tokio::test]
async fn one_that_was_made_again_is_another() {
    let cluster = Cluster::new();
    let again = UID.replace('1', "9");
    let mut client = client_document("shop.billing");
    let named = |uid: &str| ServiceAccountSubject {
        namespace: "shop".to_owned(),
        name: "billing".to_owned(),
        uid: uid.to_owned(),
    };
    client.authentication =
        claviger_crds::published::ClientAuthentication::ServiceAccounts { accounts: vec![named(&again)] };
    cluster.fixture.apply(&serving("acme", "shop.billing", Content::OAuthClient(client)), 2);
    assert_eq!(cluster.status(&billing()).await, 401);
    let inside = with(&billing()["kubernetes.io"], "serviceaccount", json!({"name": "billing", "uid": again}));
    assert_eq!(cluster.status(&with(&billing(), "kubernetes.io", inside)).await, 200);
    let gone = workload("acme", "shop.billing", &[]);
    cluster.fixture.apply(&gone, 3);
    assert_eq!(cluster.status(&billing()).await, 401, "none is there any more");
}

#[tokio::test]
async fn who_may_be_several_clients_says_which() {
    let cluster = Cluster::new();
    cluster.fixture.apply(&workload("acme", "shop.reports", &["shop/web", "shop/billing"]), 1);
    assert_eq!(cluster.ask(&billing(), &[]).await.error(), (401, "invalid_client".to_owned()));
    for id in ["shop.reports", "shop.billing"] {
        assert_eq!(cluster.ask(&billing(), &[("client_id", id)]).await.claims()["sub"], id);
    }
    let web = account("shop", "web", &issuer("acme"));
    assert_eq!(cluster.ask(&web, &[]).await.claims()["sub"], "shop.reports");
    assert_eq!(cluster.ask(&web, &[("client_id", "shop.billing")]).await.status, 401);
    cluster.fixture.apply(&withdrawn(&workload("acme", "shop.reports", &[])), 2);
    assert_eq!(cluster.ask(&billing(), &[]).await.claims()["sub"], "shop.billing");
    assert_eq!(cluster.ask(&web, &[]).await.status, 401);
}

#[tokio::test]
async fn a_client_that_proves_itself_otherwise_is_no_service_account() {
    let cluster = Cluster::new();
    cluster.fixture.apply(&client("acme", "shop.app"), 1);
    assert_eq!(cluster.ask(&billing(), &[("client_id", "shop.app")]).await.status, 401);
    let secret = cluster.fixture.token("acme", ("shop.billing", SECRET), "grant_type=client_credentials").await;
    assert_eq!(secret.status, 401);
}

#[tokio::test]
async fn a_tenant_that_does_not_trust_the_cluster_takes_none_of_its_tokens() {
    let cluster = Cluster::new();
    let here = account("shop", "billing", &issuer("other"));
    let ask = async || {
        asserted_at(&cluster.fixture, "other", "/oauth/token", &cluster.key.sign(&here), &GRANT).await.status.as_u16()
    };
    assert_eq!(ask().await, 200);
    cluster.fixture.apply(&tenant("other"), 2);
    assert_eq!(ask().await, 401);
}

#[tokio::test]
async fn a_refused_token_is_told_of_the_one_client_that_it_may_have_meant() {
    let cluster = Cluster::new();
    let capture = Capture::begin();
    assert_eq!(cluster.status(&with(&billing(), "exp", json!(NOW - 60))).await, 401);
    let told = capture.take_audit();
    assert_eq!((&told[0]["event"], &told[0]["client"]), (&json!("client_authentication"), &json!("shop.billing")));
    assert_eq!(told[0]["reason"], "the ServiceAccount token is expired");
}
