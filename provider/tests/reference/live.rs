//! One person's way through every operation of the reference, each with everything that it takes, and
//! the bodies that come back.

use std::collections::BTreeSet;

use axum::body::Body;
use claviger_crds::published::{
    ActorToken, AudienceGrant, Content, Document, ResourceServerDocument, SubjectToken, TokenExchangeRuleDocument,
};
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::browser::{Browser, HOST, form};
use crate::exceptions::is_served;
use crate::fixture::*;
use crate::instance::differences;
use crate::reference::{self, Operation, Reference};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://shop.example/callback";
const LEFT: &str = "https://shop.example/";
const STOCK: &str = "https://stock.example";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A tenant with an application, an API for which it exchanges tokens, and a person who can log in.
pub(crate) fn documents() -> Vec<Document> {
    let mut tenant = tenant_document("acme");
    tenant.login.passwords = true;
    let mut shop = client_document("shop.app");
    shop.redirect_uris = vec![CALLBACK.to_owned()];
    shop.post_logout_redirect_uris = vec![LEFT.to_owned()];
    let grants = ["authorization_code", "refresh_token", "client_credentials", EXCHANGE];
    shop.grant_types = grants.map(str::to_owned).to_vec();
    shop.scopes = ["openid", "profile", "email", "groups", "offline_access"].map(str::to_owned).to_vec();
    shop.audiences =
        vec![AudienceGrant { audience: STOCK.to_owned(), scopes: vec!["read".to_owned()], token_exchange: true }];
    shop.token_exchange = vec![TokenExchangeRuleDocument {
        subject_tokens: vec![SubjectToken::IdToken],
        trusted_issuers: Vec::new(),
        audiences: vec![STOCK.to_owned()],
        actor_token: ActorToken::Optional,
        subjects: Vec::new(),
        actor_tokens: Vec::new(),
        actors: Vec::new(),
    }];
    let mut stock = client_document("stock.app");
    stock.resource_server = Some(ResourceServerDocument { audience: STOCK.to_owned(), scopes: Vec::new() });
    vec![
        serving("acme", "acme", Content::Tenant(tenant)),
        ring("acme", "es256", "ES256"),
        serving("acme", "shop.app", Content::OAuthClient(shop)),
        serving("acme", "stock.app", Content::OAuthClient(stock)),
        user("acme", "ada", "correct horse"),
    ]
}

/// Who goes the way, and where he has been.
struct Walk<'a> {
    fixture: &'a Fixture,
    reference: Reference,
    /// `/openapi.json`.
    document: Value,
    browser: Browser<'a>,
    /// What he has sent: the operation, and the name of a parameter or field.
    sent: BTreeSet<(String, String)>,
}

/// Whatever may be sent, by operation; those that are not served aside.
fn all_of(reference: &Reference) -> BTreeSet<(String, String)> {
    let served = reference.operations.iter().filter(|operation| is_served(&operation.name()));
    let names = |operation: &Operation| {
        let body = operation.body.iter().flat_map(|(_, schema)| &reference.schemas[schema]);
        let name = operation.name();
        let fields = operation.parameters.iter().chain(body).map(|field| (name.clone(), field.name.clone()));
        fields.collect::<Vec<_>>()
    };
    served.flat_map(names).collect()
}

impl Walk<'_> {
    /// Notes that `method` of `rest` is asked now, with these, all of which the reference has.
    fn visit(&mut self, method: &str, rest: &str, sent: &[(&str, &str)]) -> String {
        let name = format!("{method} {}", path("{tenant_slug}", rest));
        let known = all_of(&self.reference);
        for field in sent.iter().map(|(field, _)| *field).chain(["tenant_slug"]) {
            let pair = (name.clone(), field.to_owned());
            assert!(known.contains(&pair), "{name} has no {field}");
            self.sent.insert(pair);
        }
        path("acme", rest)
    }

    async fn get(&mut self, rest: &str, sent: &[(&str, &str)]) -> Answer {
        let path = self.visit("GET", rest, sent);
        self.browser.get(&format!("{HOST}{path}?{}", form(sent))).await
    }

    /// With the client's secret in the header.
    async fn post(&mut self, rest: &str, sent: &[(&str, &str)]) -> Answer {
        self.visit("POST", rest, &[sent, &[("authorization", "")]].concat());
        self.fixture.post_form("acme", rest, SHOP, sent).await
    }

    /// And in the form.
    async fn post_by_form(&mut self, rest: &str, sent: &[(&str, &str)]) -> Answer {
        let (id, secret) = SHOP;
        let sent = [sent, &[("client_id", id), ("client_secret", secret)]].concat();
        let request = Request::post(self.visit("POST", rest, &sent)).header(CONTENT_TYPE, FORM);
        self.fixture.send(request.body(form(&sent).into()).unwrap()).await
    }

    /// `answer` is what the reference and `/openapi.json` say of `schema`.
    fn is(&self, answer: &Answer, schema: &str) {
        self.is_described(answer, schema);
        assert_eq!(differences(&answer.json(), schema, &self.reference), Vec::<String>::new());
    }

    /// `answer` has what `/openapi.json` requires of `schema`, and nothing that it does not know.
    fn is_described(&self, answer: &Answer, schema: &str) {
        let (status, kind) = (answer.status.as_u16(), answer.header("content-type"));
        assert_eq!((status, kind), (200, Some("application/json")), "{schema} {}", answer.text());
        let described = &self.document["components"]["schemas"][schema];
        let body = answer.json();
        for name in body.as_object().unwrap().keys() {
            assert!(described["properties"][name].is_object(), "{schema}.{name} is not described");
        }
        for name in described["required"].as_array().unwrap() {
            assert!(!body[name.as_str().unwrap()].is_null(), "{schema}.{name} is missing");
        }
    }

    /// 1. The request. 2. The login. 3. Its completion.
    async fn code(&mut self) -> String {
        let request = [
            ("response_type", "code"),
            ("client_id", "shop.app"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid email groups offline_access"),
            ("state", "s-1"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let shape = [("prompt", "login"), ("login_hint", "ada"), ("acr_values", "1")];
        let hinted = [&request[..], &[("idp_hint", "nobody")]].concat();
        let refused = self.get("/oauth/authorize", &hinted).await;
        assert_eq!(refused.redirected("error").as_deref(), Some("invalid_request"));
        let step = self.get("/oauth/authorize", &[&request[..], &shape].concat()).await;
        assert_eq!((step.status.as_u16(), step.header("content-type")), (200, Some("application/json")));
        let login = json!({"flow": step.json()["flow"], "username": "ada", "password": "correct horse"});
        let done = self.browser.post_json(&format!("{}/oauth/login", issuer("acme")), &login).await.json();
        let session_id = done["session_id"].as_str().unwrap_or_else(|| panic!("{done}"));
        let all = [&request[..], &[("session_id", session_id)]].concat();
        let rest = "/oauth/authorize/complete";
        self.visit("POST", rest, &all);
        let body: serde_json::Map<String, Value> =
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let answer = self.browser.post_json(&format!("{}{rest}", issuer("acme")), &body.into()).await;
        self.is_described(&answer, "AuthorizeCompleteResponse");
        assert_eq!(answer.json()["state"], "s-1");
        answer.json()["code"].as_str().unwrap().to_owned()
    }

    async fn userinfo(&mut self, token: &str) {
        for method in ["GET", "POST"] {
            let path = self.visit(method, "/oauth/userinfo", &[("authorization", "")]);
            let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {token}"));
            let answer = self.fixture.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
            assert_eq!(answer.json()["email"], "ada@acme.example");
        }
    }
}

#[tokio::test]
async fn every_operation_answers_whoever_sends_everything_that_the_reference_has() {
    let fixture = Fixture::serving(documents());
    let mut browser = Browser::new(&fixture);
    browser.accept = "application/json";
    let document = fixture.get("/openapi.json").await.json();
    let mut walk = Walk { fixture: &fixture, reference: reference::read(), document, browser, sent: BTreeSet::new() };
    let discovery = walk.get("/.well-known/openid-configuration", &[]).await;
    walk.is(&discovery, "OpenIDConfiguration");
    let jwks = walk.get("/.well-known/jwks.json", &[]).await;
    assert_eq!((jwks.status.as_u16(), jwks.header("content-type")), (200, Some("application/json")));

    let code = walk.code().await;
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let tokens = walk.post_by_form("/oauth/token", &redeem).await;
    walk.is_described(&tokens, "TokenResponse");
    let tokens = tokens.json();
    let [access, refresh, hint] =
        ["access_token", "refresh_token", "id_token"].map(|name| tokens[name].as_str().unwrap());

    walk.userinfo(access).await;
    let refreshing = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", "openid email")];
    assert_eq!(walk.post("/oauth/token", &refreshing).await.status, 200);
    let exchange = [
        ("grant_type", EXCHANGE),
        ("subject_token", hint),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("audience", STOCK),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    let exchanged = walk.post("/oauth/token", &exchange).await;
    walk.is_described(&exchanged, "TokenResponse");
    assert_eq!(exchanged.claims()["aud"], STOCK);
    let token = [("token", access), ("token_type_hint", "access_token")];
    for introspection in
        [walk.post("/oauth/introspect", &token).await, walk.post_by_form("/oauth/introspect", &token).await]
    {
        walk.is(&introspection, "TokenIntrospectionResponse");
    }
    for revoked in [walk.post("/oauth/revoke", &token).await, walk.post_by_form("/oauth/revoke", &token).await] {
        assert_eq!(revoked.status, 200, "{}", revoked.text());
    }
    let left = [("id_token_hint", hint), ("post_logout_redirect_uri", LEFT), ("state", "bye")];
    let answer = walk.get("/oauth/logout", &left).await;
    assert_eq!(answer.header("location"), Some("https://shop.example/?state=bye"));

    let all = all_of(&walk.reference);
    let never: Vec<_> = all.difference(&walk.sent).collect();
    assert!(never.is_empty(), "never sent: {never:#?}");
}

#[tokio::test]
async fn the_discovery_document_has_every_field_that_may_be_said_and_its_defaults() {
    let (fixture, reference) = (Fixture::serving(documents()), reference::read());
    let body = fixture.get(&path("acme", "/.well-known/openid-configuration")).await.json();
    for field in &reference.schemas["OpenIDConfiguration"] {
        let value = &body[&field.name];
        if field.name == "backchannel_logout_uri" {
            // Absent, not null: nobody may call it (design §6), and it is not required.
            assert!(!body.as_object().unwrap().contains_key(&field.name) && !field.required);
        } else {
            assert!(!value.is_null(), "{}", field.name);
        }
        if let Some(default) = field.default {
            assert_eq!(*value, default, "{}", field.name);
        }
    }
}

#[tokio::test]
async fn an_active_token_has_every_field_and_another_has_one() {
    let (fixture, reference) = (Fixture::serving(documents()), reference::read());
    let token = fixture.token("acme", SHOP, "grant_type=client_credentials").await.json();
    let fields = [("token", token["access_token"].as_str().unwrap())];
    let body = fixture.post_form("acme", "/oauth/introspect", SHOP, &fields).await.json();
    assert_eq!(body["active"], true);
    assert_eq!(differences(&body, "TokenIntrospectionResponse", &reference), Vec::<String>::new());
    for field in &reference.schemas["TokenIntrospectionResponse"] {
        let value = body.get(&field.name);
        assert!(value.is_some(), "{}", field.name);
        // A client has neither.
        assert_eq!(value.unwrap().is_null(), ["email", "groups"].contains(&field.name.as_str()), "{}", field.name);
    }
    let body = fixture.post_form("acme", "/oauth/introspect", SHOP, &[("token", "x")]).await.json();
    assert_eq!(body, json!({"active": false}));
}

#[tokio::test]
async fn what_is_not_served_says_so() {
    let fixture = Fixture::serving(documents());
    let logout = fixture.post_form("acme", "/backchannel-logout", SHOP, &[("logout_token", "x")]).await;
    assert_eq!(logout.error(), (404, "not_found".to_owned()));
    let device = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", "x")];
    let device = fixture.post_form("acme", "/oauth/token", SHOP, &device).await;
    assert_eq!(device.error(), (400, "unsupported_grant_type".to_owned()));
}
