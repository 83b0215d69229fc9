//! A login that ends: cancelled, finished, left behind in another browser, or with its account.

use std::sync::Arc;

use claviger_crds::published::{BackchannelLogoutDocument, ClientDocument, Content, Document, UserDocument};
use claviger_provider::store::{Store, StoreOptions};
use jiff::Timestamp;

use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::fixture::*;

fn login(flow: &str) -> String {
    format!("{}/oauth/login?flow={flow}", issuer("acme"))
}

fn link(page: &Answer) -> Option<String> {
    let text = page.text();
    let tag = text.split("id=\"start-again\" href=\"").nth(1)?;
    Some(tag.split('"').next().unwrap().to_owned())
}

#[tokio::test]
async fn the_back_button_after_a_finished_login_leads_to_the_application() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let first = browser.open(&authorize(&[])).await;
    let second = browser.open(&authorize(&[])).await;
    for page in [&first, &second] {
        assert!(browser.log_in(page, "ada", "correct horse").await.redirected("code").is_some());
    }
    for page in [&first, &second] {
        let back = browser.get(&login(&page.hidden("flow"))).await;
        assert_eq!(back.shown(), (400, "already_used".to_owned()));
        assert!(!back.text().to_lowercase().contains("cookie"), "{}", back.text());
        assert_eq!(link(&back).as_deref(), Some("https://shop.example/"));
        assert_eq!(browser.log_in(page, "ada", "correct horse").await.shown(), (400, "already_used".to_owned()));
    }
    for _ in 0..20 {
        assert!(browser.get(&authorize(&[("prompt", "none")])).await.redirected("code").is_some());
    }
    let back = browser.get(&login(&second.hidden("flow"))).await;
    assert_eq!(back.shown(), (400, "already_used".to_owned()), "what was on no page drives nothing out");
    // Where nobody has registered a page beside the redirect URI, there is the host's root.
    fixture.apply(&app("acme", "shop.app", |shop| shop.post_logout_redirect_uris.clear()), 3);
    let back = browser.get(&login(&first.hidden("flow"))).await;
    assert_eq!(link(&back).as_deref(), Some("https://shop.example/"));
    fixture.apply(&withdrawn(&app("acme", "shop.app", |_| {})), 4);
    assert_eq!(link(&browser.get(&login(&first.hidden("flow"))).await), None, "the application is gone");
}

#[tokio::test]
async fn what_a_browser_remembers_of_finished_logins_opens_none() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let flow_cookie = browser.cookies.keys().find(|name| name.contains("-flow-")).unwrap().clone();
    browser.log_in(&page, "ada", "correct horse").await;
    let finished = browser.cookies["__Host-claviger-finished-acme"].clone();
    browser.cookies.insert(flow_cookie, finished);
    let again = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(again.shown(), (400, "already_used".to_owned()));
    let mut newest = String::new();
    for _ in 0..20 {
        let page = browser.open(&authorize(&[("prompt", "login")])).await;
        newest = page.hidden("flow");
        browser.log_in(&page, "ada", "correct horse").await;
    }
    assert!(browser.cookies["__Host-claviger-finished-acme"].len() < 300);
    assert_eq!(browser.get(&login(&newest)).await.shown(), (400, "already_used".to_owned()));
    let oldest = browser.get(&login(&page.hidden("flow"))).await;
    assert_eq!(oldest.shown(), (400, "flow_cookie_missing".to_owned()), "only the last few are remembered");
}

#[tokio::test]
async fn another_browser_is_not_told_that_its_cookies_are_off() {
    let fixture = shop(|_| {});
    let page = Browser::new(&fixture).open(&authorize(&[])).await;
    let mut other = Browser::new(&fixture);
    let none = other.get(&login(&page.hidden("flow"))).await;
    assert!(none.text().contains("Cookies are off"), "{}", none.text());
    other.cookies.insert("any".to_owned(), "1".to_owned());
    let some = other.get(&login(&page.hidden("flow"))).await;
    assert_eq!(some.shown(), (400, "flow_cookie_missing".to_owned()));
    assert!(!some.text().contains("Cookies are off") && link(&some).is_none(), "{}", some.text());
}

#[tokio::test]
async fn who_took_too_long_is_led_back() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    fixture.advance(1_800);
    let late = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(late.shown(), (400, "flow_expired".to_owned()));
    assert_eq!(link(&late).as_deref(), Some("https://shop.example/"));
}

#[tokio::test]
async fn a_login_is_cancelled_without_a_password() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    assert!(page.text().contains("id=\"cancel\""), "{}", page.text());
    let answer = browser.press(&page, "decision", "cancel").await;
    assert_eq!(answer.redirected("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.redirected("state").as_deref(), Some("s-1"));
    assert_eq!(browser.get(&login(&page.hidden("flow"))).await.shown(), (400, "already_used".to_owned()));
    browser.accept = "application/json";
    let begun = browser.get(&authorize(&[])).await.json();
    let body = serde_json::json!({"flow": begun["flow"], "decision": "cancel"});
    let told = browser.post_json(&format!("{}/oauth/login", issuer("acme")), &body).await.json();
    assert_eq!((&told["step"], &told["parameters"]["error"]), (&"refused".into(), &"access_denied".into()));
}

#[tokio::test]
async fn a_tenant_without_a_way_to_log_in_says_so_in_each_language() {
    let fixture = shop(|_| {});
    let mut tenant = tenant_document("acme");
    tenant.login.passwords = false;
    fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), 2);
    for (language, words) in [("en", "Nobody can sign in"), ("de", "niemand anmelden"), ("fr", "se connecter ici")] {
        let mut browser = Browser::new(&fixture);
        let page = browser.open(&authorize(&[("ui_locales", language)])).await;
        assert!(page.is_page("no-login") && page.text().contains(words), "{}", page.text());
        assert!(!page.text().contains("type=\"password\""));
        let answer = browser.press(&page, "decision", "cancel").await;
        assert_eq!(answer.redirected("error").as_deref(), Some("access_denied"));
    }
}

/// Ada's account as `change` makes it.
fn ada(change: impl FnOnce(&mut UserDocument)) -> Document {
    let Content::User(mut document) = user("acme", "ada", "correct horse").content else { panic!("no user") };
    change(&mut document);
    serving("acme", "ada", Content::User(document))
}

/// How many logout tokens are on their way.
async fn told(store: &Arc<dyn Store>) -> usize {
    let later = Timestamp::from_second(NOW + 1_000).unwrap();
    store.claim_logouts(later, later, 100).await.unwrap().len()
}

/// With an application that wants to be told, and the store behind it.
fn listening() -> (Fixture, Arc<dyn Store>) {
    let listen = |shop: &mut ClientDocument| {
        let uri = "http://127.0.0.1:9/logout".to_owned();
        shop.backchannel_logout = Some(BackchannelLogoutDocument { uri, session_required: true });
    };
    let documents = [
        tenant_with_logins("acme"),
        ring("acme", "es256", "ES256"),
        app("acme", "shop.app", listen),
        user("acme", "ada", "correct horse"),
    ];
    let store = open(StoreOptions::parse("sqlite::memory:").unwrap());
    (Fixture::remembering_in(Arc::clone(&store), &documents), store)
}

async fn logged_in(fixture: &Fixture) -> (Browser<'_>, String) {
    let mut browser = Browser::new(fixture);
    let code = browser.code(&authorize(&[])).await;
    let id_token = redeem(fixture, &code).await.json()["id_token"].as_str().unwrap().to_owned();
    (browser, id_token)
}

#[tokio::test]
async fn the_session_of_a_disabled_person_ends_at_the_next_request_and_is_told() {
    let (fixture, store) = listening();
    let (mut browser, _) = logged_in(&fixture).await;
    fixture.apply(&ada(|ada| ada.disabled = true), 2);
    assert_eq!(told(&store).await, 0);
    assert!(browser.open(&authorize(&[])).await.is_page("login"));
    assert_eq!(told(&store).await, 1);
    fixture.apply(&ada(|_| {}), 3);
    let none = browser.get(&authorize(&[("prompt", "none")])).await;
    assert_eq!(none.redirected("error").as_deref(), Some("login_required"), "what is over stays over");
}

#[tokio::test]
async fn the_session_of_a_deleted_person_ends_once_every_pod_can_know_of_the_deletion() {
    let (fixture, store) = listening();
    let (mut browser, _) = logged_in(&fixture).await;
    fixture.apply(&withdrawn(&ada(|_| {})), 2);
    assert!(browser.open(&authorize(&[])).await.is_page("login"));
    assert_eq!(told(&store).await, 0, "to this pod the account may be new");
    fixture.advance(61);
    assert!(browser.open(&authorize(&[])).await.is_page("login"));
    assert_eq!(told(&store).await, 1);
}

#[tokio::test]
async fn a_logout_ends_the_session_of_whoever_is_gone() {
    for disabled in [true, false] {
        let (fixture, store) = listening();
        let (mut browser, hint) = logged_in(&fixture).await;
        let gone = if disabled { ada(|ada| ada.disabled = true) } else { withdrawn(&ada(|_| {})) };
        fixture.apply(&gone, 2);
        let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", "https://shop.example/")];
        let answer = browser.get(&format!("{}/oauth/logout?{}", issuer("acme"), form(&fields))).await;
        assert_eq!(answer.header("location"), Some("https://shop.example/"));
        assert_eq!(told(&store).await, 1, "{disabled}");
        fixture.apply(&ada(|_| {}), 3);
        let none = browser.get(&authorize(&[("prompt", "none")])).await;
        assert_eq!(none.redirected("error").as_deref(), Some("login_required"));
    }
}

/// Its page stays open all day and comes to the provider by its refresh tokens alone.
#[tokio::test]
async fn who_works_in_an_application_stays_logged_in_until_the_session_ends() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let code = browser.code(&authorize(&[("scope", "openid")])).await;
    let mut token = redeem(&fixture, &code).await.json()["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..50 {
        fixture.advance(600);
        let answer = refresh(&fixture, &token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    }
    assert!(browser.get(&authorize(&[("prompt", "none")])).await.redirected("code").is_some());
    // Nobody comes for longer than the idle time.
    fixture.advance(7_200);
    assert_eq!(refresh(&fixture, &token).await.status, 400);
}
