use claviger_crds::published::{ConsentPolicy, Content, Document};
use serde_json::json;

use crate::browser::Browser;
use crate::code_flow::*;
use crate::fixture::*;

fn login() -> String {
    format!("{}/oauth/login", issuer("acme"))
}

fn disabled(document: Document) -> Document {
    let Content::User(mut user) = document.content.clone() else { panic!("no user") };
    user.disabled = true;
    serving("acme", &document.owner.name, Content::User(user))
}

#[tokio::test]
async fn a_flow_belongs_to_the_browser_in_which_it_began() {
    let fixture = shop(|_| {});
    let mut own = Browser::new(&fixture);
    let page = own.open(&authorize(&[])).await;
    let flow = page.hidden("flow");
    let mut other = Browser::new(&fixture);
    let cookies_off = (400, "flow_cookie_missing".to_owned());
    assert_eq!(other.get(&format!("{}?flow={flow}", login())).await.shown(), cookies_off);
    assert_eq!(other.log_in(&page, "ada", "correct horse").await.shown(), cookies_off);
    // Nor does the cookie of another flow help, whatever its name is.
    other.open(&authorize(&[])).await;
    assert_eq!(other.log_in(&page, "ada", "correct horse").await.shown(), cookies_off);
    let value = other.cookies.values().next().unwrap().clone();
    other.cookies.insert(own.cookies.keys().next().unwrap().clone(), value);
    assert_eq!(other.log_in(&page, "ada", "correct horse").await.shown(), cookies_off);
    assert!(own.log_in(&page, "ada", "correct horse").await.redirected("code").is_some());
}

#[tokio::test]
async fn another_sites_page_logs_nobody_in() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let flow = page.hidden("flow");
    let fields = [("flow", flow.as_str()), ("username", "ada"), ("password", "correct horse")];
    for origin in ["https://evil.example", "null", "https://login.example.evil", "http://login.example"] {
        let answer = browser.post_from(origin, &login(), &fields).await;
        assert_eq!(answer.shown(), (403, "foreign_origin".to_owned()), "{origin}");
    }
    for site in ["cross-site", "same-site"] {
        browser.headers = vec![("sec-fetch-site", site)];
        assert_eq!(browser.post(&login(), &fields).await.shown(), (403, "foreign_origin".to_owned()), "{site}");
    }
    browser.headers = vec![("sec-fetch-site", "same-origin")];
    assert!(browser.post(&login(), &fields).await.redirected("code").is_some());
}

#[tokio::test]
async fn half_an_hour_is_long_enough() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    fixture.advance(1799);
    assert_eq!(browser.log_in(&page, "ada", "wrong").await.status, 200);
    fixture.advance(1);
    assert_eq!(browser.log_in(&page, "ada", "correct horse").await.shown(), (400, "flow_expired".to_owned()));
    let nonsense = browser.get(&format!("{}?flow=nonsense", login())).await;
    assert_eq!(nonsense.shown(), (400, "flow_expired".to_owned()));
    assert_eq!(browser.get(&login()).await.shown(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_login_in_one_tab_is_one_in_the_other() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let first = browser.open(&authorize(&[("state", "one")])).await;
    let second = browser.open(&authorize(&[("state", "two")])).await;
    let answer = browser.log_in(&first, "ada", "correct horse").await;
    assert_eq!(answer.redirected("state").as_deref(), Some("one"));
    let reload = browser.get(&format!("{}?flow={}", login(), second.hidden("flow"))).await;
    assert_eq!(reload.redirected("state").as_deref(), Some("two"));
    assert!(reload.redirected("code").is_some());
}

#[tokio::test]
async fn what_one_person_did_in_a_flow_does_not_count_for_another() {
    let fixture = shop(|shop| shop.consent = ConsentPolicy::Required);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[("prompt", "login")])).await;
    let adas = browser.log_in(&page, "ada", "correct horse").await;
    assert!(adas.is_page("consent"));
    let page = browser.open(&authorize(&[("prompt", "login")])).await;
    assert!(browser.log_in(&page, "bob", "bobs password").await.is_page("consent"));
    let consent = format!("{}/oauth/consent?flow={}", issuer("acme"), adas.hidden("flow"));
    assert!(browser.open(&consent).await.is_page("login"), "bob has not logged in here");
}

#[tokio::test]
async fn the_back_button_leads_where_the_login_is() {
    let fixture = shop(|shop| shop.consent = ConsentPolicy::Required);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let back = format!("{}?flow={}", login(), page.hidden("flow"));
    let consent = browser.log_in(&page, "ada", "correct horse").await;
    assert!(consent.is_page("consent"));
    assert!(browser.open(&back).await.is_page("consent"));
    browser.press(&consent, "decision", "allow").await;
    assert_eq!(browser.open(&back).await.shown(), (400, "already_used".to_owned()));
}

#[tokio::test]
async fn a_second_click_spoils_nothing() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let before = browser.cookies.clone();
    let first = browser.log_in(&page, "ada", "correct horse").await.redirected("code").unwrap();
    browser.cookies = before;
    let second = browser.log_in(&page, "ada", "correct horse").await.redirected("code").unwrap();
    assert_ne!(first, second);
    assert_eq!(redeem(&fixture, &second).await.status, 200);
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    let ada = user("acme", "ada", "correct horse");
    fixture.apply(&disabled(ada.clone()), 2);
    let none = browser.get(&authorize(&[("prompt", "none")])).await;
    assert_eq!(none.redirected("error").as_deref(), Some("login_required"));
    let page = browser.open(&authorize(&[])).await;
    let refused = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(refused.status, 200);
    assert!(refused.is_page("login"));
    fixture.apply(&ada, 3);
    assert!(browser.log_in(&page, "ada", "correct horse").await.redirected("code").is_some());
}

#[tokio::test]
async fn who_guesses_has_to_wait_longer_and_longer() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    for _ in 0..5 {
        assert_eq!(browser.log_in(&page, "ada", "wrong").await.status, 200);
    }
    let throttled = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(throttled.status, 429, "the right one is not looked at either");
    assert!(throttled.is_page("login"));
    assert!(throttled.header("retry-after").is_some_and(|wait| wait.parse::<u32>().unwrap() >= 1));
    browser.accept = "application/json";
    let body = json!({"flow": page.hidden("flow"), "username": "ada", "password": "wrong"});
    let answer = browser.post_json(&login(), &body).await;
    assert_eq!(answer.error(), (429, "slow_down".to_owned()));
    assert!(answer.header("retry-after").is_some());
    browser.accept = "text/html";
    assert!(browser.log_in(&page, "bob", "bobs password").await.redirected("code").is_some(), "others may");
    fixture.advance(2);
    let page = browser.open(&authorize(&[("prompt", "login")])).await;
    assert!(browser.log_in(&page, "ada", "correct horse").await.redirected("code").is_some());
}

#[tokio::test]
async fn of_many_guesses_at_once_no_more_are_looked_at_than_one_after_another() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let guess = async || {
        let mut own = Browser::new(&fixture);
        own.cookies.clone_from(&browser.cookies);
        own.log_in(&page, "ada", "wrong").await.status.as_u16()
    };
    let answers = futures::future::join_all((0..50).map(|_| guess())).await;
    let looked_at = answers.iter().filter(|status| **status == 200).count();
    assert_eq!(looked_at, 5, "{answers:?}");
    assert!(answers.iter().all(|status| [200, 429, 503].contains(status)), "{answers:?}");
    // What was not looked at has not made the wait longer.
    assert_eq!(browser.log_in(&page, "ada", "correct horse").await.status, 429);
    fixture.advance(1);
    assert!(browser.log_in(&page, "ada", "correct horse").await.redirected("code").is_some());
}

#[tokio::test]
async fn of_an_address_that_has_to_wait_one_guess_is_looked_at_at_a_time() {
    let fixture = shop(|_| {});
    let guess = async |account: String| {
        let mut browser = Browser::new(&fixture);
        let page = browser.open(&authorize(&[])).await;
        browser.log_in(&page, &account, "wrong").await.status.as_u16()
    };
    for number in 0..20 {
        assert_eq!(guess(format!("x{number}")).await, 200);
    }
    assert_eq!(guess("y".to_owned()).await, 429);
    fixture.advance(60);
    let answers = futures::future::join_all((0..10).map(|number| guess(format!("z{number}")))).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn the_spaces_around_a_name_are_not_of_it() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    for name in ["ada ", " ada", "\u{a0}Ada\t", "ada", "ada  "] {
        let refused = browser.log_in(&page, name, "wrong").await;
        assert!(refused.is_page("login"), "{}", refused.text());
        assert!(refused.text().contains(&format!("value=\"{}\"", name.trim())), "{}", refused.text());
    }
    assert_eq!(browser.log_in(&page, " ada ", "correct horse").await.status, 429, "all of them count for one name");
    fixture.advance(60);
    let page = browser.open(&authorize(&[])).await;
    assert!(browser.log_in(&page, "ada ", "correct horse").await.redirected("code").is_some());
    browser.accept = "application/json";
    let step = browser.get(&authorize(&[("prompt", "login")])).await.json();
    let body = json!({"flow": step["flow"], "username": " bob ", "password": "bobs password"});
    assert_eq!(browser.post_json(&login(), &body).await.json()["step"], "done");
}

#[tokio::test]
async fn a_person_chooses_the_account() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    let url = authorize(&[("prompt", "select_account")]);
    let page = browser.open(&url).await;
    assert!(page.is_page("select-account"), "{}", page.text());
    assert!(browser.press(&page, "choice", "continue").await.redirected("code").is_some());
    let page = browser.open(&url).await;
    let page = browser.press(&page, "choice", "another").await;
    assert!(page.is_page("login") && !page.text().contains("readonly"), "{}", page.text());
    let code = browser.log_in(&page, "bob", "bobs password").await.redirected("code").unwrap();
    let id_token = redeem(&fixture, &code).await.json()["id_token"].as_str().unwrap().to_owned();
    assert_eq!(part(&id_token, 1)["sub"], "usr_bob");
    let page = browser.open(&url).await;
    assert_eq!(browser.press(&page, "choice", "x").await.shown(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_login_gives_the_session_another_handle() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    let before = browser.cookies.clone();
    let page = browser.open(&authorize(&[("prompt", "login")])).await;
    let flow = page.hidden("flow");
    let fields = [("flow", flow.as_str()), ("username", "ada"), ("password", "correct horse")];
    let answer = browser.post(&login(), &fields).await;
    let session = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let session: Vec<&str> = session.filter(|cookie| cookie.contains("claviger-session")).collect();
    assert_eq!(session.len(), 1);
    assert!(session[0].starts_with("__Host-claviger-session-acme="), "{session:?}");
    assert!(session[0].ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{session:?}");
    let none = authorize(&[("prompt", "none")]);
    assert!(browser.get(&none).await.redirected("code").is_some());
    browser.cookies = before;
    assert_eq!(browser.get(&none).await.redirected("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_wrong_password_by_json_is_a_401_with_a_challenge() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    browser.accept = "application/json";
    let step = browser.get(&authorize(&[])).await.json();
    let login = json!({"flow": step["flow"], "username": "ada", "password": "wrong"});
    let answer = browser.post_json(&format!("{}/oauth/login", issuer("acme")), &login).await;
    assert_eq!(answer.error(), (401, "login_failed".to_owned()));
    assert_eq!(answer.header("www-authenticate"), Some(format!("Form realm=\"{}\"", issuer("acme")).as_str()));
}
