//! Nothing that is minted at one tenant, or for one client, is worth anything at another; and nobody
//! who tries spoils it for whom it belongs to.
//!
//! Both tenants have the same names in them: only whose they are tells them apart.

use claviger_crds::published::{ClientAuthentication, ConsentPolicy, Content, Document};
use serde_json::{Value, json};

use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::fixture::*;

/// Another client of the same tenant.
const MATE: (&str, &str) = ("mate.app", SECRET);

fn fixture() -> Fixture {
    let at = |slug: &str| {
        [
            tenant_with_logins(slug),
            ring(slug, "es256", "ES256"),
            app(slug, "shop.app", |_| {}),
            user(slug, "ada", "correct horse"),
        ]
    };
    let fixture = Fixture::serving(at("acme").into_iter().chain(at("other")));
    fixture.apply(&app("acme", "mate.app", |_| {}), 1);
    fixture
}

/// Where a try is made, and as whom.
const STRANGERS: [(&str, (&str, &str)); 2] = [("other", SHOP), ("acme", MATE)];

async fn post(fixture: &Fixture, (slug, client): (&str, (&str, &str)), to: &str, fields: &[(&str, &str)]) -> Answer {
    fixture.post_form(slug, to, client, fields).await
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// Ada's cookies of `acme`, under the names that `other` reads.
fn renamed(browser: &Browser<'_>) -> Vec<(String, String)> {
    let cookies = browser.cookies.iter();
    cookies.map(|(name, value)| (name.replace("-acme", "-other"), value.clone())).collect()
}

#[tokio::test]
async fn a_code() {
    let fixture = fixture();
    let long = "n".repeat(1000);
    for nonce in ["n-1", &long] {
        let code = Browser::new(&fixture).code(&authorize(&[("nonce", nonce)])).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", "https://shop.example/callback"),
            ("code_verifier", VERIFIER),
        ];
        for stranger in STRANGERS {
            let refused = post(&fixture, stranger, "/oauth/token", &fields).await;
            assert_eq!(refused.error(), (400, "invalid_grant".to_owned()), "{stranger:?}");
        }
        assert_eq!(redeem(&fixture, &code).await.status, 200);
    }
}

#[tokio::test]
async fn tokens() {
    let fixture = fixture();
    let tokens = crate::code_flow::tokens(&fixture, &[]).await;
    let (access_token, refresh_token) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    for stranger in STRANGERS {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let refused = post(&fixture, stranger, "/oauth/token", &fields).await;
        assert_eq!(refused.error(), (400, "invalid_grant".to_owned()), "{stranger:?}");
        for token in [access_token, refresh_token] {
            let seen = post(&fixture, stranger, "/oauth/introspect", &[("token", token)]).await;
            assert_eq!((seen.status.as_u16(), seen.json()), (200, json!({"active": false})), "{stranger:?}");
            assert_eq!(post(&fixture, stranger, "/oauth/revoke", &[("token", token)]).await.status, 200);
        }
    }
    assert_eq!(fixture.bearer("other", "/oauth/userinfo", access_token).await.status, 401);
    assert_eq!(fixture.bearer("acme", "/oauth/userinfo", access_token).await.status, 200);
    assert_eq!(refresh(&fixture, refresh_token).await.status, 200);
}

#[tokio::test]
async fn an_id_token_as_a_hint() {
    let fixture = fixture();
    let tokens = crate::code_flow::tokens(&fixture, &[]).await;
    let hint = ("id_token_hint", text(&tokens, "id_token"));
    let mut browser = Browser::new(&fixture);
    let none = ("prompt", "none");
    browser.code(&authorize_at("other", &[])).await;
    let answer = browser.get(&authorize_at("other", &[hint, none])).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("login_required"));
    for fields in [vec![hint], vec![hint, ("post_logout_redirect_uri", "https://shop.example/")]] {
        let answer = browser.get(&format!("{}/oauth/logout?{}", issuer("other"), form(&fields))).await;
        assert_eq!(answer.shown(), (400, "invalid_request".to_owned()));
    }
    assert!(browser.get(&authorize_at("other", &[none])).await.redirected("code").is_some());
    let mates = [hint, ("client_id", "mate.app")];
    let answer = browser.get(&format!("{}/oauth/logout?{}", issuer("acme"), form(&mates))).await;
    assert_eq!(answer.shown(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_session() {
    let fixture = fixture();
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    let none = [("prompt", "none")];
    let answer = browser.get(&authorize_at("other", &none)).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("login_required"), "under its own name");
    let mut thief = Browser::new(&fixture);
    thief.cookies.extend(renamed(&browser));
    let sessions = thief.cookies.keys().filter(|name| name.contains("-session-"));
    assert_eq!(sessions.count(), 1);
    let answer = thief.get(&authorize_at("other", &none)).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("login_required"), "under the other's");
    let page = thief.get(&format!("{}/oauth/logout", issuer("other"))).await;
    thief.press(&page, "decision", "yes").await;
    assert!(browser.get(&authorize(&none)).await.redirected("code").is_some());
}

#[tokio::test]
async fn a_flow() {
    let fixture = fixture();
    let long = "s".repeat(2048);
    let claims = json!({"userinfo": {"email": {"values": ["x".repeat(1500)]}}}).to_string();
    for more in [vec![], vec![("state", long.as_str()), ("claims", &claims)]] {
        let mut browser = Browser::new(&fixture);
        let page = browser.open(&authorize(&more)).await;
        let flow = page.hidden("flow");
        assert_eq!(flow.starts_with("k."), !more.is_empty(), "a long one is kept");
        let mut thief = Browser::new(&fixture);
        thief.cookies.extend(renamed(&browser));
        let fields = [("flow", flow.as_str()), ("username", "ada"), ("password", "correct horse")];
        for step in ["login", "consent", "select-account"] {
            let to = format!("{}/oauth/{step}", issuer("other"));
            assert_eq!(thief.post(&to, &fields).await.shown(), (400, "flow_expired".to_owned()), "{step}");
            assert_eq!(thief.get(&format!("{to}?flow={flow}")).await.status, 400, "{step}");
        }
        let answer = thief.get(&format!("{}/oauth/authorize/resume?flow={flow}", issuer("other"))).await;
        assert_eq!(answer.shown(), (400, "flow_expired".to_owned()));
        // The other's own flow, with the cookie of this one.
        let theirs = Browser::new(&fixture).open(&authorize_at("other", &[])).await;
        assert_eq!(thief.log_in(&theirs, "ada", "correct horse").await.status, 400);
        assert!(browser.log_in(&page, "ada", "correct horse").await.redirected("code").is_some());
    }
}

#[tokio::test]
async fn a_session_id() {
    let fixture = fixture();
    let mut browser = Browser::new(&fixture);
    browser.accept = "application/json";
    let step = browser.get(&authorize(&[])).await.json();
    let login = json!({"flow": step["flow"], "username": "ada", "password": "correct horse"});
    let done = browser.post_json(&format!("{}/oauth/login", issuer("acme")), &login).await.json();
    let mut request: serde_json::Map<String, Value> =
        request(&[]).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    request.insert("session_id".to_owned(), done["session_id"].clone());
    let mut thief = Browser::new(&fixture);
    thief.cookies.extend(renamed(&browser));
    let at = |slug| format!("{}/oauth/authorize/complete", issuer(slug));
    let refused = thief.post_json(&at("other"), &Value::Object(request.clone())).await;
    assert_eq!(refused.error(), (400, "invalid_request".to_owned()));
    let mut mates = request.clone();
    mates["client_id"] = json!("mate.app");
    assert_eq!(browser.post_json(&at("acme"), &Value::Object(mates)).await.status, 400);
    assert_eq!(browser.post_json(&at("acme"), &Value::Object(request)).await.status, 200);
}

#[tokio::test]
async fn a_logout_on_its_way() {
    let fixture = fixture();
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    browser.code(&authorize_at("other", &[])).await;
    let page = browser.get(&format!("{}/oauth/logout", issuer("acme"))).await;
    let flow = page.hidden("flow");
    let fields = [("flow", flow.as_str()), ("decision", "yes")];
    let refused = browser.post(&format!("{}/oauth/logout/confirm", issuer("other")), &fields).await;
    assert_eq!(refused.shown(), (400, "invalid_request".to_owned()));
    let posted = browser.post(&format!("{}/oauth/logout", issuer("acme")), &[("client_id", "shop.app")]).await;
    let resume = posted.header("location").unwrap().split_once('?').unwrap().1.to_owned();
    let refused = browser.get(&format!("{}/oauth/logout/resume?{resume}", issuer("other"))).await;
    assert_eq!(refused.shown(), (400, "invalid_request".to_owned()));
    assert!(browser.get(&authorize_at("other", &[("prompt", "none")])).await.redirected("code").is_some());
    assert!(browser.press(&page, "decision", "yes").await.is_page("logged-out"));
    let answer = browser.get(&authorize(&[("prompt", "none")])).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("login_required"));
    assert!(browser.get(&authorize_at("other", &[("prompt", "none")])).await.redirected("code").is_some());
}

#[tokio::test]
async fn credentials_of_a_client_and_a_consent() {
    let fixture = fixture();
    let with_secret = |slug: &str, secret: &str| -> Document {
        let hashes = vec![hash(secret, None)];
        let mut document = client_document("machine.app");
        document.authentication = ClientAuthentication::Secret { hashes };
        serving(slug, &format!("machine-{slug}"), Content::OAuthClient(document))
    };
    fixture.apply(&with_secret("acme", "one"), 1);
    fixture.apply(&with_secret("other", "two"), 1);
    for (slug, secret, status) in [("acme", "one", 200), ("acme", "two", 401), ("other", "one", 401)] {
        let answer = fixture.token(slug, ("machine.app", secret), "grant_type=client_credentials").await;
        assert_eq!(answer.status, status, "{slug} {secret}");
    }
    let asking = |slug: &str| app(slug, "shop.app", |app| app.consent = ConsentPolicy::Required);
    fixture.apply(&asking("acme"), 2);
    fixture.apply(&asking("other"), 2);
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    let page = browser.open(&authorize_at("other", &[])).await;
    assert!(browser.log_in(&page, "ada", "correct horse").await.is_page("consent"));
}
