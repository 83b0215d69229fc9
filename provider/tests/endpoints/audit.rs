//! The audit stream: who did what, for whoever must know later.

use claviger_crds::published::Document;
use claviger_crds::published::{BackchannelLogoutDocument, ClientDocument, ConsentPolicy};
use serde_json::{Value, json};

use crate::browser::{Browser, form};
use crate::capture::Capture;
use crate::code_flow::*;
use crate::fixture::*;

const MACHINE: (&str, &str) = ("machine.app", SECRET);

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// The one event since the last, which says this and nothing else beside when, where and in which request.
fn says(capture: &Capture, answer: &Answer, expected: Value) {
    let mut events = capture.take_audit();
    assert_eq!(events.len(), 1, "{events:?}");
    let mut event = events.remove(0);
    assert_eq!(event["request_id"].as_str(), answer.header("x-request-id"), "{event}");
    assert_eq!(event["tenant"], "acme", "{event}");
    let at: jiff::Timestamp = event["at"].as_str().unwrap().parse().unwrap();
    assert!(at.as_second() >= NOW, "by the provider's clock: {event}");
    let fields = event.as_object_mut().unwrap();
    for name in ["request_id", "tenant", "at", "timestamp", "level", "target"] {
        assert!(fields.remove(name).is_some(), "{name}");
    }
    assert_eq!(event, expected);
}

fn event(event: &str, subject: &str, outcome: &str) -> Value {
    json!({"event": event, "client": "shop.app", "subject": subject, "outcome": outcome})
}

fn token(grant: &str) -> Value {
    json!({"event": "token", "client": "shop.app", "subject": "usr_ada", "grant": grant, "outcome": "ok"})
}

#[tokio::test]
async fn who_does_not_prove_to_be_a_client_is_told_and_no_client_that_there_is_not() {
    let fixture = shop(|_| {});
    fixture.apply(&client("acme", MACHINE.0), 1);
    let capture = Capture::begin();
    let refused =
        |reason| json!({"event": "client_authentication", "client": MACHINE.0, "reason": reason, "outcome": "refused"});
    let form = "grant_type=client_credentials";
    let answer = fixture.token("acme", (MACHINE.0, "wrong"), form).await;
    says(&capture, &answer, refused("no such secret"));
    fixture.token("acme", ("nobody", "wrong"), form).await;
    assert_eq!(capture.take_audit(), [] as [Value; 0]);
    let named = token_request("acme").body(format!("{form}&client_id={}", MACHINE.0).into()).unwrap();
    let answer = fixture.send(named).await;
    says(&capture, &answer, refused("no such client, or it has to prove who it is"));
}

#[tokio::test]
async fn logins_tell_whose_account_it_is_and_no_name_that_is_nobodys() {
    let fixture = shop(|_| {});
    let capture = Capture::begin();
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let log_in = async |browser: &mut Browser<'_>, username: &str, password: &str| {
        let flow = page.hidden("flow");
        let fields = [("flow", flow.as_str()), ("username", username), ("password", password)];
        browser.post(&page.action(), &fields).await
    };
    // What was typed may be a password in the wrong field.
    for (username, subject) in [("ada", "usr_ada"), ("nobody", ""), ("correct horse", "")] {
        let answer = log_in(&mut browser, username, "wrong").await;
        says(&capture, &answer, event("login", subject, "refused"));
    }
    let answer = log_in(&mut browser, "ada", "correct horse").await;
    says(&capture, &answer, event("login", "usr_ada", "ok"));
    let page = browser.open(&authorize(&[("prompt", "login")])).await;
    for _ in 0..5 {
        browser.log_in(&page, "ada", "wrong").await;
    }
    assert!(capture.take_audit().iter().all(|event| event["outcome"] == "refused"));
    let flow = page.hidden("flow");
    let fields = [("flow", flow.as_str()), ("username", "ada"), ("password", "correct horse")];
    let answer = browser.post(&page.action(), &fields).await;
    assert_eq!(answer.status, 429);
    says(&capture, &answer, event("login", "usr_ada", "throttled"));
}

#[tokio::test]
async fn who_logs_in_over_anothers_session_ends_it_and_both_are_told() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    for (username, password, expected) in [
        ("ada", "correct horse", vec![("login", "usr_ada")]),
        ("bob", "bobs password", vec![("logout", "usr_ada"), ("login", "usr_bob")]),
    ] {
        let page = browser.open(&authorize(&[("prompt", "login")])).await;
        let capture = Capture::begin();
        browser.log_in(&page, username, password).await;
        let events = capture.take_audit();
        let told: Vec<_> = events.iter().map(|event| (text(event, "event"), text(event, "subject"))).collect();
        assert_eq!(told, expected);
        assert!(events.iter().all(|event| event["outcome"] == "ok"), "{events:?}");
    }
}

#[tokio::test]
async fn consent_is_told_given_or_denied() {
    let fixture = shop(|shop| shop.consent = ConsentPolicy::Required);
    let capture = Capture::begin();
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let page = browser.log_in(&page, "ada", "correct horse").await;
    capture.take_audit();
    let decide = async |browser: &mut Browser<'_>, page: &Answer, decision: &str| {
        let flow = page.hidden("flow");
        browser.post(&page.action(), &[("flow", &flow), ("username", "ada"), ("decision", decision)]).await
    };
    let answer = decide(&mut browser, &page, "deny").await;
    says(&capture, &answer, event("consent", "usr_ada", "refused"));
    let page = browser.open(&authorize(&[])).await;
    let answer = decide(&mut browser, &page, "allow").await;
    says(&capture, &answer, event("consent", "usr_ada", "ok"));
    let remembered = browser.open(&authorize(&[])).await;
    assert!(remembered.redirected("code").is_some());
    assert_eq!(capture.take_audit(), Vec::<Value>::new(), "nobody was asked");
}

#[tokio::test]
async fn tokens_are_told_by_their_grant_and_what_was_used_twice_as_well() {
    let fixture = shop(|_| {});
    fixture.apply(&client("acme", "machine.app"), 1);
    let mut browser = Browser::new(&fixture);
    let code = browser.code(&authorize(&[])).await;
    let capture = Capture::begin();
    let redeemed = redeem(&fixture, &code).await;
    says(&capture, &redeemed, token("authorization_code"));
    let first = redeemed.json()["refresh_token"].as_str().unwrap().to_owned();
    says(&capture, &refresh(&fixture, &first).await, token("refresh_token"));
    fixture.advance(11);
    says(&capture, &refresh(&fixture, &first).await, event("refresh_reuse", "usr_ada", "refused"));
    refresh(&fixture, &first).await;
    assert_eq!(capture.take_audit(), Vec::<Value>::new(), "it is over already");

    let code = browser.code(&authorize(&[])).await;
    says(&capture, &redeem(&fixture, &code).await, token("authorization_code"));
    says(&capture, &redeem(&fixture, &code).await, event("code_replay", "usr_ada", "refused"));

    let machines = fixture.token("acme", MACHINE, "grant_type=client_credentials").await;
    let about = json!({
        "event": "token", "client": "machine.app", "subject": "machine.app", "grant": "client_credentials",
        "outcome": "ok",
    });
    says(&capture, &machines, about);
}

#[tokio::test]
async fn tokens_that_are_given_back_are_told_and_others_are_not() {
    let fixture = shop(|_| {});
    fixture.apply(&client("acme", "machine.app"), 1);
    let tokens = tokens(&fixture, &[]).await;
    let machines = fixture.token("acme", MACHINE, "grant_type=client_credentials").await.json();
    let capture = Capture::begin();
    let revoke =
        async |client, token: &str| fixture.post_form("acme", "/oauth/revoke", client, &[("token", token)]).await;
    says(&capture, &revoke(SHOP, text(&tokens, "access_token")).await, event("revoke", "usr_ada", "ok"));
    says(&capture, &revoke(SHOP, text(&tokens, "refresh_token")).await, event("revoke", "usr_ada", "ok"));
    let about = json!({"event": "revoke", "client": "machine.app", "subject": "machine.app", "outcome": "ok"});
    says(&capture, &revoke(MACHINE, text(&machines, "access_token")).await, about);
    revoke(MACHINE, text(&tokens, "access_token")).await;
    revoke(SHOP, "nonsense").await;
    assert_eq!(capture.take_audit(), Vec::<Value>::new());
}

/// With a client that is to be told of logouts at `uri`.
fn told_at(uri: &str) -> Document {
    let uri = uri.to_owned();
    app("acme", "shop.app", |shop: &mut ClientDocument| {
        shop.backchannel_logout = Some(BackchannelLogoutDocument { uri, session_required: true });
    })
}

#[tokio::test]
async fn a_logout_is_told_and_so_is_each_try_to_tell_its_clients() {
    let fixture = shop(|_| {});
    // Nobody listens there.
    fixture.apply(&told_at("http://127.0.0.1:1/logout"), 3);
    let mut browser = Browser::new(&fixture);
    let code = browser.code(&authorize(&[])).await;
    let tokens = redeem(&fixture, &code).await.json();
    let hint = [("id_token_hint", text(&tokens, "id_token"))];
    let logout = format!("{}/oauth/logout?{}", issuer("acme"), form(&hint));
    let capture = Capture::begin();
    says(&capture, &browser.get(&logout).await, event("logout", "usr_ada", "ok"));
    browser.get(&logout).await;
    assert_eq!(capture.take_audit(), Vec::<Value>::new(), "nobody was logged in any more");

    let shutdown = tokio_util::sync::CancellationToken::new();
    let work = tokio::spawn(std::sync::Arc::clone(&fixture.provider).work(shutdown.clone()));
    for (number, outcome) in [(1, "retried"), (2, "refused")] {
        let mut event = wait_for_event(&capture).await;
        let fields = event.as_object_mut().unwrap();
        assert!(fields.remove("at").is_some() && fields.remove("timestamp").is_some());
        let expected = json!({
            "event": "backchannel_logout", "tenant": "acme", "client": "shop.app", "subject": "usr_ada",
            "attempt": number, "outcome": outcome, "target": "audit", "level": "INFO",
        });
        assert_eq!(event, expected);
        // The client wants to hear no more, and the next try comes due.
        fixture.apply(&app("acme", "shop.app", |_| {}), 4);
        fixture.advance(70);
    }
    shutdown.cancel();
    work.await.unwrap();
    let counted = fixture.metrics();
    for outcome in ["retried", "refused"] {
        let line = format!("claviger_provider_logout_deliveries_total{{outcome=\"{outcome}\"}} 1");
        assert!(counted.contains(&line), "{counted}");
    }
    // Without a hint nobody vouches for the application.
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    let page = browser.get(&format!("{}/oauth/logout", issuer("acme"))).await;
    capture.take_audit();
    let fields = [("flow", &*page.hidden("flow")), ("decision", "yes")];
    let answer = browser.post(&page.action(), &fields).await;
    let about = json!({"event": "logout", "client": "", "subject": "usr_ada", "outcome": "ok"});
    says(&capture, &answer, about);
}

#[tokio::test]
async fn a_logout_that_nobody_delivered_in_time_is_told_as_given_up() {
    let fixture = shop(|_| {});
    fixture.apply(&told_at("http://127.0.0.1:1/logout"), 3);
    let mut browser = Browser::new(&fixture);
    let code = browser.code(&authorize(&[])).await;
    let tokens = redeem(&fixture, &code).await.json();
    let hint = [("id_token_hint", text(&tokens, "id_token"))];
    browser.get(&format!("{}/oauth/logout?{}", issuer("acme"), form(&hint))).await;
    // Every pod was away for longer than it makes sense to tell.
    fixture.advance(7_200);
    let capture = Capture::begin();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let work = tokio::spawn(std::sync::Arc::clone(&fixture.provider).work(shutdown.clone()));
    let event = wait_for_event(&capture).await;
    shutdown.cancel();
    work.await.unwrap();
    let told = ["event", "tenant", "client", "subject", "outcome"].map(|name| text(&event, name));
    assert_eq!(told, ["backchannel_logout", "acme", "shop.app", "usr_ada", "given_up"]);
    assert_eq!(event["attempt"], 0);
    let counted = fixture.metrics();
    let line = "claviger_provider_logout_deliveries_total{outcome=\"given_up\"} 1";
    assert!(counted.contains(line), "{counted}");
}

async fn wait_for_event(capture: &Capture) -> Value {
    for _ in 0..400 {
        if let Some(event) = capture.take_audit().pop() {
            return event;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no event in twenty seconds")
}
