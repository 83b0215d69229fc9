//! A page that ends a way promises that its application's operator can find out why: by the request ID, in the log, at
//! the level that is on by default.

use http::header::LOCATION;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::capture::Capture;
use crate::code_flow::*;
use crate::fixture::*;

/// Said of one kind, at one tenant, in a minute.
const MOST: usize = 10;

fn lines(capture: &Capture) -> Vec<Value> {
    let text = capture.text();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["message"] == "a login or logout does not go on").collect()
}

/// What the log says of the request that had `answer`.
fn said(capture: &Capture, answer: &Answer) -> Value {
    let id = answer.header("x-request-id").unwrap();
    let line = lines(capture).into_iter().find(|line| line["request_id"].as_str().unwrap().contains(id));
    let line = line.unwrap_or_else(|| panic!("nothing of {id}: {}", answer.text()));
    assert_eq!((&line["level"], &line["tenant"]), (&json!("INFO"), &json!("acme")), "{line}");
    line
}

#[tokio::test]
async fn an_application_that_is_not_known_is_told_with_what_it_asked_for() {
    let fixture = shop(|_| {});
    let (capture, mut browser) = (Capture::begin(), Browser::new(&fixture));
    let answer = browser.get(&authorize(&[("client_id", "nobody"), ("state", "hush")])).await;
    let line = said(&capture, &answer);
    let told = ["code", "reason", "client", "redirect_uri", "path"].map(|name| line[name].as_str().unwrap().to_owned());
    let authorize_path = path("acme", "/oauth/authorize");
    let expected =
        ["invalid_request", "there is no such client", "nobody", "https://shop.example/callback", &authorize_path];
    assert_eq!(told, expected);
    let long = format!("https://evil.example/\"{}", "x".repeat(500));
    let answer = browser.get(&authorize(&[("redirect_uri", &long)])).await;
    let line = said(&capture, &answer);
    assert_eq!((&line["reason"], &line["client"]), (&json!("the redirect URI is not registered"), &json!("shop.app")));
    assert_eq!(line["redirect_uri"], long[..200], "its beginning");
    let answer = browser.get(&authorize(&[("client_id", "")])).await;
    assert_eq!(said(&capture, &answer)["reason"], "missing: client_id");
    assert!(!capture.text().contains("hush"), "{}", capture.text());
}

#[tokio::test]
async fn what_keeps_a_login_from_going_on_is_told() {
    let fixture = shop(|_| {});
    let (capture, mut browser) = (Capture::begin(), Browser::new(&fixture));
    let page = browser.open(&authorize(&[])).await;
    let foreign = browser.post_from("https://evil.example", &page.action(), &[("flow", "x")]).await;
    let line = said(&capture, &foreign);
    assert_eq!((&line["code"], &line["origin"]), (&json!("foreign_origin"), &json!("https://evil.example")));
    let unknown = browser.get(&format!("{}/oauth/login?flow=x", issuer("acme"))).await;
    assert_eq!(said(&capture, &unknown)["code"], "flow_expired");
    let other = Browser::new(&fixture).log_in(&page, "ada", "correct horse").await;
    assert_eq!(said(&capture, &other)["reason"], "the browser sent no cookies");
    let body = json!({"session_id": "x", "client_id": "a", "redirect_uri": "b", "scope": "c", "response_type": "code"});
    let completed = browser.post_json(&format!("{}/oauth/authorize/complete", issuer("acme")), &body).await;
    assert_eq!(said(&capture, &completed)["reason"], "there is no such session_id of this login");
    fixture.apply(&withdrawn(&app("acme", "shop.app", |_| {})), 3);
    let gone = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(gone.header(LOCATION.as_str()), None);
    assert_eq!(said(&capture, &gone)["client"], "shop.app");
}

#[tokio::test]
async fn whoever_has_many_such_pages_made_does_not_fill_the_log_and_hides_nobody_elses() {
    let fixture = shop(|_| {});
    let (capture, mut browser) = (Capture::begin(), Browser::new(&fixture));
    for _ in 0..5 * MOST {
        browser.get(&authorize(&[("client_id", "nobody")])).await;
    }
    let levels = lines(&capture).into_iter().map(|line| line["level"].as_str().unwrap().to_owned());
    let levels: Vec<String> = levels.collect();
    assert_eq!(levels.iter().filter(|level| *level == "INFO").count(), MOST, "{levels:?}");
    assert_eq!(levels.iter().filter(|level| *level == "DEBUG").count(), 4 * MOST, "who looks closely sees all");
    let other = browser.get(&format!("{}/oauth/login?flow=x", issuer("acme"))).await;
    assert_eq!(said(&capture, &other)["unsaid"], 0);
}
