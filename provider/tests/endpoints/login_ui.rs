//! A login UI of the tenant's own, at another origin.

use axum::body::Body;
use claviger_crds::published::{ClientAuthentication, ConsentPolicy, Content, LoginUiDocument};
use http::Request;
use http::header::{LOCATION, ORIGIN};
use serde_json::json;

use crate::browser::Browser;
use crate::code_flow::*;
use crate::fixture::*;

const UI: &str = "https://accounts.example/login?theme=dark";
const UI_CLIENT: (&str, &str) = ("identity.ui", SECRET);

fn fixture(consent: ConsentPolicy) -> Fixture {
    let mut tenant = tenant_document("acme");
    tenant.login.passwords = true;
    tenant.login.ui = Some(LoginUiDocument { url: UI.to_owned(), client_id: UI_CLIENT.0.to_owned() });
    Fixture::serving([
        serving("acme", "acme", Content::Tenant(tenant)),
        ring("acme", "es256", "ES256"),
        web_app("shop.app", consent),
        client("acme", UI_CLIENT.0),
        user("acme", "ada", "correct horse"),
        user("acme", "bob", "bobs password"),
    ])
}

/// What a browser is sent to the UI with.
fn sent(answer: &Answer, name: &str) -> Option<String> {
    assert!(answer.header(LOCATION.as_str()).unwrap().starts_with(UI), "{:?}", answer.headers);
    answer.redirected(name)
}

async fn flow(browser: &mut Browser<'_>, more: &[(&str, &str)]) -> String {
    sent(&browser.open(&authorize(more)).await, "flow").unwrap()
}

async fn state(fixture: &Fixture, flow: &str, fields: &[(&str, &str)]) -> Answer {
    let fields = [&[("flow", flow)], fields].concat();
    fixture.post_form("acme", "/oauth/login/statement", UI_CLIENT, &fields).await
}

fn way_back(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["redirect_to"].as_str().unwrap().to_owned()
}

const ADA: [(&str, &str); 3] = [("username", "Ada"), ("amr", "hwk pin"), ("acr", "gold")];

#[tokio::test]
async fn who_has_logged_in_there_is_logged_in_here() {
    let fixture = fixture(ConsentPolicy::Required);
    let mut browser = Browser::new(&fixture);
    let more = [("login_hint", "ada@acme"), ("ui_locales", "de fr"), ("acr_values", "gold silver")];
    let answer = browser.open(&authorize(&more)).await;
    let told = ["theme", "iss", "client_id", "login_hint", "ui_locales", "acr_values", "prompt"];
    let acme = issuer("acme");
    let expected = [
        Some("dark"),
        Some(acme.as_str()),
        Some("shop.app"),
        Some("ada@acme"),
        Some("de fr"),
        Some("gold silver"),
        None,
    ];
    assert_eq!(told.map(|name| sent(&answer, name)), expected.map(|value| value.map(str::to_owned)));
    let stated = state(&fixture, &sent(&answer, "flow").unwrap(), &ADA).await;
    assert_eq!((stated.json()["expires_in"].as_i64(), stated.header("cache-control")), (Some(120), Some("no-store")));
    let consent = browser.open(&way_back(&stated)).await;
    assert!(consent.is_page("consent"), "the other pages are the provider's: {}", consent.text());
    let code = browser.press(&consent, "decision", "allow").await.redirected("code").unwrap();
    let id_token = redeem(&fixture, &code).await.json()["id_token"].as_str().unwrap().to_owned();
    let claims = part(&id_token, 1);
    assert_eq!((&claims["sub"], &claims["acr"]), (&json!("usr_ada"), &json!("gold")));
    assert_eq!(claims["amr"], json!(["hwk", "pin"]));
    // From now on there is a session; only who has to show it again is sent there again.
    assert!(browser.get(&authorize(&[("prompt", "none")])).await.redirected("code").is_some());
    let again = browser.open(&authorize(&[("prompt", "login")])).await;
    assert_eq!(sent(&again, "login_hint").as_deref(), Some("ada"));
    assert_eq!(sent(&again, "prompt").as_deref(), Some("login"));
}

#[tokio::test]
async fn a_statement_is_good_once_in_one_browser_for_one_flow_and_not_for_long() {
    let fixture = fixture(ConsentPolicy::Skip);
    let (mut own, mut other) = (Browser::new(&fixture), Browser::new(&fixture));
    let (first, second) = (flow(&mut own, &[]).await, flow(&mut own, &[]).await);
    let theirs = flow(&mut other, &[]).await;
    let back = way_back(&state(&fixture, &first, &ADA).await);
    // Somebody whom this address is sent to is not made Ada.
    assert_eq!(other.get(&back).await.shown(), (400, "flow_cookie_missing".to_owned()));
    for flow in [&second, &theirs] {
        let moved = back.replace(&first, flow);
        let browser = if flow == &theirs { &mut other } else { &mut own };
        assert_eq!(browser.get(&moved).await.shown(), (400, "invalid_request".to_owned()));
    }
    let cookies = own.cookies.clone();
    assert!(own.get(&back).await.redirected("code").is_some());
    own.cookies = cookies;
    assert_eq!(own.get(&back).await.shown(), (400, "already_used".to_owned()), "whatever its browser says");
    let late = way_back(&state(&fixture, &second, &ADA).await);
    fixture.advance(120);
    let page = own.get(&late).await;
    assert_eq!(page.shown(), (400, "flow_expired".to_owned()));
    assert!(page.text().contains("id=\"start-again\" href=\"https://shop.example/\""), "{}", page.text());
    own.accept = "application/json";
    let told = own.get(&late).await.json();
    assert_eq!(told["error_description"], "statement is too old: begin again at the application");
}

#[tokio::test]
async fn who_comes_back_a_while_later_has_logged_in_when_it_was_stated() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let flow = flow(&mut browser, &[("max_age", "60")]).await;
    let back = way_back(&state(&fixture, &flow, &ADA).await);
    fixture.advance(100);
    let code = browser.get(&back).await.redirected("code").unwrap();
    let claims = part(redeem(&fixture, &code).await.json()["id_token"].as_str().unwrap(), 1);
    assert_eq!(claims["auth_time"], json!(NOW));
    let again = browser.get(&authorize(&[("prompt", "none"), ("max_age", "99")])).await;
    assert_eq!(again.redirected("error").as_deref(), Some("login_required"), "it counts from then on");
    // A pod that does not know the account yet leaves a session alone that has just begun.
    let ada = user("acme", "ada", "correct horse");
    fixture.apply(&withdrawn(&ada), 2);
    assert!(sent(&browser.open(&authorize(&[])).await, "flow").is_some());
    fixture.apply(&ada, 3);
    assert!(browser.get(&authorize(&[("prompt", "none")])).await.redirected("code").is_some());
}

#[tokio::test]
async fn who_only_looks_uses_up_no_statement_and_is_not_logged_in() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let flow = flow(&mut browser, &[]).await;
    let back = way_back(&state(&fixture, &flow, &ADA).await);
    let head = browser.head(&back).await;
    assert_eq!((head.status.as_u16(), head.header("allow")), (405, Some("GET, OPTIONS")));
    assert_eq!(head.header("set-cookie"), None);
    assert!(browser.get(&back).await.redirected("code").is_some());
}

#[tokio::test]
async fn nobody_but_the_ui_states_anything() {
    let fixture = fixture(ConsentPolicy::Skip);
    let public = |document: &mut claviger_crds::published::ClientDocument| {
        document.authentication = ClientAuthentication::None;
    };
    let mut browser = Browser::new(&fixture);
    let flow = flow(&mut browser, &[]).await;
    let fields = [&[("flow", flow.as_str())], &ADA[..]].concat();
    let path = "/oauth/login/statement";
    let refused = fixture.post_form("acme", path, SHOP, &fields).await;
    assert_eq!(refused.error(), (400, "unauthorized_client".to_owned()));
    let refused = fixture.post_form("acme", path, (UI_CLIENT.0, "wrong"), &fields).await;
    assert_eq!(refused.error(), (401, "invalid_client".to_owned()));
    let cross = Request::post(crate::fixture::path("acme", path)).header(ORIGIN, "https://accounts.example");
    let cross = fixture.send(cross.body(Body::empty()).unwrap()).await;
    assert_eq!((cross.status.as_u16(), cross.header("access-control-allow-origin")), (422, None));
    fixture.apply(&app("acme", UI_CLIENT.0, public), 2);
    let named = [&fields[..], &[("client_id", UI_CLIENT.0)]].concat();
    let request = token_request("acme").uri(crate::fixture::path("acme", path));
    let refused = fixture.send(request.body(crate::browser::form(&named).into()).unwrap()).await;
    assert_eq!(refused.error(), (400, "unauthorized_client".to_owned()), "anybody can say that he is a public one");
}

#[tokio::test]
async fn what_is_stated_is_checked() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let flow = flow(&mut browser, &[]).await;
    let long = "x".repeat(256);
    for (fields, expected) in [
        (&[("username", "ada")][..], 422),
        (&[("username", "nobody"), ("amr", "pwd"), ("acr", "a")], 400),
        (&[("subject", "usr_ada"), ("username", "ada"), ("amr", "pwd"), ("acr", "a")], 400),
        (&[("amr", "pwd"), ("acr", "a")], 400),
        (&[("username", "ada"), ("amr", "pwd"), ("acr", "a b")], 400),
        (&[("username", "ada"), ("amr", "pwd"), ("acr", &long)], 400),
        (&[("username", "ada"), ("amr", "a b c d e f g h i"), ("acr", "a")], 400),
        (&[("subject", "usr_ada"), ("amr", "pwd"), ("acr", "a")], 200),
    ] {
        assert_eq!(state(&fixture, &flow, fields).await.status.as_u16(), expected, "{fields:?}");
    }
    assert_eq!(state(&fixture, "nonsense", &ADA).await.error(), (400, "invalid_request".to_owned()));
    let back = way_back(&state(&fixture, &flow, &ADA).await);
    fixture.apply(&withdrawn(&user("acme", "ada", "correct horse")), 2);
    let page = browser.get(&back).await;
    assert_eq!(page.shown(), (400, "account_gone".to_owned()));
    assert!(page.text().contains("This account cannot be used"), "{}", page.text());
    fixture.advance(1_800);
    assert_eq!(state(&fixture, &flow, &ADA).await.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_password_does_not_lead_round_the_ui() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let flow = flow(&mut browser, &[]).await;
    let login = format!("{}/oauth/login", issuer("acme"));
    let fields = [("flow", flow.as_str()), ("username", "ada"), ("password", "correct horse")];
    assert!(sent(&browser.post(&login, &fields).await, "flow").is_some());
    assert!(sent(&browser.get(&format!("{login}?flow={flow}")).await, "flow").is_some());
    browser.accept = "application/json";
    let told = browser.get(&authorize(&[])).await.json();
    assert!(told["step"] == "login" && told["login_url"].as_str().unwrap().starts_with(UI), "{told}");
}

#[tokio::test]
async fn a_person_gives_up_there() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let flow = flow(&mut browser, &[]).await;
    let back = way_back(&state(&fixture, &flow, &[("decision", "cancel")]).await);
    assert_eq!(browser.get(&back).await.redirected("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn the_ui_is_told_which_acr_there_must_be_and_is_held_to_it() {
    let fixture = fixture(ConsentPolicy::Skip);
    let claims = r#"{"id_token":{"acr":{"essential":true,"values":["gold","platinum"]}}}"#;
    for (acr, error) in [("gold", None), ("silver", Some("unmet_authentication_requirements"))] {
        let mut browser = Browser::new(&fixture);
        let answer = browser.open(&authorize(&[("claims", claims), ("acr_values", "bronze")])).await;
        assert_eq!(sent(&answer, "acr_values").as_deref(), Some("gold platinum"));
        let flow = sent(&answer, "flow").unwrap();
        let stated = state(&fixture, &flow, &[("username", "ada"), ("amr", "hwk"), ("acr", acr)]).await;
        assert_eq!(browser.get(&way_back(&stated)).await.redirected("error").as_deref(), error, "{acr}");
    }
    let discovery = fixture.get(&path("acme", "/.well-known/openid-configuration")).await.json();
    assert_eq!(discovery.get("acr_values_supported"), None, "it alone knows");
}
