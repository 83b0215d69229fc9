use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_crds::published::{BackchannelLogoutDocument, ClientDocument, FrontchannelLogoutDocument};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::browser::{Browser, form};
use crate::code_flow::*;
use crate::fixture::*;

/// Where the application wants people to go on.
pub(crate) const AFTER: (&str, &str) = ("post_logout_redirect_uri", "https://shop.example/");

pub(crate) fn logout(fields: &[(&str, &str)]) -> String {
    format!("{}/oauth/logout?{}", issuer("acme"), form(fields))
}

/// A browser in which Ada is logged in, and the ID token that the application has of it.
pub(crate) async fn logged_in(fixture: &Fixture) -> (Browser<'_>, String) {
    let mut browser = Browser::new(fixture);
    let code = browser.code(&authorize(&[])).await;
    let tokens = redeem(fixture, &code).await.json();
    let id_token = tokens["id_token"].as_str().unwrap().to_owned();
    (browser, id_token)
}

pub(crate) async fn is_logged_in(browser: &mut Browser<'_>) -> bool {
    browser.get(&authorize(&[("prompt", "none")])).await.redirected("code").is_some()
}

#[tokio::test]
async fn an_application_that_proves_it_is_not_asked_about() {
    let fixture = shop(|_| {});
    for post in [false, true] {
        let (mut browser, hint) = logged_in(&fixture).await;
        let fields = [("id_token_hint", hint.as_str()), AFTER, ("state", "a&b")];
        let answer = if post {
            let url = format!("{}/oauth/logout", issuer("acme"));
            // A POST from another site brings no cookies.
            let cookies = std::mem::take(&mut browser.cookies);
            let answer = browser.post_from("https://shop.example", &url, &fields).await;
            browser.cookies = cookies;
            assert_eq!(answer.status, 303);
            browser.follow(answer).await
        } else {
            browser.get(&logout(&fields)).await
        };
        assert_eq!(answer.header("location"), Some("https://shop.example/?state=a%26b"), "{post}");
        assert!(!is_logged_in(&mut browser).await);
        let again = browser.get(&logout(&fields)).await;
        assert_eq!(again.header("location"), Some("https://shop.example/?state=a%26b"), "it is over already");
    }
}

#[tokio::test]
async fn a_hint_may_be_expired_and_its_key_out_of_use() {
    let fixture = shop(|_| {});
    let (mut browser, hint) = logged_in(&fixture).await;
    fixture.advance(3_601);
    let answer = browser.get(&logout(&[("id_token_hint", &hint), AFTER])).await;
    assert_eq!(answer.header("location"), Some("https://shop.example/"));
    assert!(!is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn a_hint_of_another_session_is_asked_about() {
    let fixture = shop(|_| {});
    let (_, others) = logged_in(&fixture).await;
    let (mut browser, _) = logged_in(&fixture).await;
    let page = browser.get(&logout(&[("id_token_hint", &others), AFTER])).await;
    assert!(page.is_page("logout-confirm"), "{}", page.text());
    assert!(is_logged_in(&mut browser).await);
    let answer = browser.press(&page, "decision", "yes").await;
    assert_eq!(answer.header("location"), Some("https://shop.example/"));
    assert!(!is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn a_session_whose_cookie_does_not_come_is_asked_about_and_ended_as_well() {
    let fixture = shop(|_| {});
    let (mut at_home, hint) = logged_in(&fixture).await;
    let fields = [("id_token_hint", hint.as_str()), AFTER];
    let mut fresh = Browser::new(&fixture);
    let page = fresh.get(&logout(&fields)).await;
    assert!(page.is_page("logout-confirm") && !page.text().contains("ada"), "{}", page.text());
    assert!(is_logged_in(&mut at_home).await);
    fresh.press(&page, "decision", "no").await;
    assert!(is_logged_in(&mut at_home).await);
    let answer = fresh.press(&page, "decision", "yes").await;
    assert_eq!(answer.header("location"), Some("https://shop.example/"));
    assert!(!is_logged_in(&mut at_home).await);
    let answer = fresh.get(&logout(&fields)).await;
    assert_eq!(answer.header("location"), Some("https://shop.example/"), "it is over: there is nothing to ask");
    let (mut at_home, hint) = logged_in(&fixture).await;
    fixture.advance(3_600);
    let answer = fresh.get(&logout(&[("id_token_hint", hint.as_str()), AFTER])).await;
    assert_eq!(answer.header("location"), Some("https://shop.example/"), "an old one says nothing");
    assert!(is_logged_in(&mut at_home).await);
}

#[tokio::test]
async fn who_logs_in_while_another_is_asked_is_asked_himself() {
    let fixture = shop(|_| {});
    let (mut browser, _) = logged_in(&fixture).await;
    let page = browser.get(&logout(&[])).await;
    let login = browser.open(&authorize(&[("prompt", "login")])).await;
    browser.log_in(&login, "bob", "bobs password").await;
    let again = browser.press(&page, "decision", "yes").await;
    assert!(again.is_page("logout-confirm") && again.text().contains("bob"), "{}", again.text());
    assert!(is_logged_in(&mut browser).await);
    assert!(browser.press(&again, "decision", "yes").await.is_page("logged-out"));
    assert!(!is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn a_logout_hint_of_somebody_else_is_asked_about() {
    let fixture = shop(|_| {});
    let longest = "x".repeat(512);
    for (meant, asked) in [("grace", true), (&longest, true), ("", false), ("ada", false)] {
        for post in [false, true] {
            let (mut browser, hint) = logged_in(&fixture).await;
            let fields = [("id_token_hint", hint.as_str()), AFTER, ("logout_hint", meant)];
            let answer = if post {
                let answer = browser.post(&format!("{}/oauth/logout", issuer("acme")), &fields).await;
                browser.follow(answer).await
            } else {
                browser.get(&logout(&fields)).await
            };
            assert_eq!(answer.is_page("logout-confirm"), asked, "{meant} {post}: {}", answer.text());
            assert_eq!(is_logged_in(&mut browser).await, asked, "{meant} {post}");
        }
    }
    let (mut browser, hint) = logged_in(&fixture).await;
    let claims = part(&hint, 1);
    // It proves nothing: by itself it ends nothing.
    let page = browser.get(&logout(&[("logout_hint", "ada"), ("client_id", "shop.app"), AFTER])).await;
    assert!(page.is_page("logout-confirm") && is_logged_in(&mut browser).await);
    let long = format!("{longest}x");
    let answer = browser.get(&logout(&[("id_token_hint", &hint), ("logout_hint", &long)])).await;
    assert_eq!(answer.shown(), (400, "invalid_request".to_owned()));
    for claim in ["sub", "sid"] {
        let (mut browser, hint) = logged_in(&fixture).await;
        let meant = part(&hint, 1)[claim].as_str().unwrap().to_owned();
        let answer = browser.get(&logout(&[("id_token_hint", &hint), AFTER, ("logout_hint", &meant)])).await;
        assert_eq!(answer.header("location"), Some("https://shop.example/"), "{claim}");
        assert_eq!(claims[claim] == meant.as_str(), claim == "sub", "each login has a session of its own");
    }
}

#[tokio::test]
async fn without_a_hint_the_person_is_asked() {
    let fixture = shop(|_| {});
    let (mut browser, _) = logged_in(&fixture).await;
    let page = browser.get(&logout(&[])).await;
    assert!(page.is_page("logout-confirm") && page.text().contains("ada"), "{}", page.text());
    let stayed = browser.press(&page, "decision", "no").await;
    assert!(stayed.is_page("stayed") && stayed.header("location").is_none());
    assert!(is_logged_in(&mut browser).await);
    let unclear = browser.press(&page, "decision", "perhaps").await;
    assert_eq!(unclear.shown(), (400, "invalid_request".to_owned()));
    let flow = page.hidden("flow");
    let fields = [("flow", flow.as_str()), ("decision", "yes")];
    let foreign = browser.post_from("https://evil.example", &page.action(), &fields).await;
    assert_eq!(foreign.shown(), (403, "foreign_origin".to_owned()));
    assert!(is_logged_in(&mut browser).await);
    let out = browser.press(&page, "decision", "yes").await;
    assert!(out.is_page("logged-out") && !out.text().contains("id=\"continue\""), "{}", out.text());
    assert!(!is_logged_in(&mut browser).await);
    let (mut browser, _) = logged_in(&fixture).await;
    let page = browser.get(&logout(&[("client_id", "shop.app"), AFTER, ("state", "s")])).await;
    assert!(page.is_page("logout-confirm"));
    let answer = browser.press(&page, "decision", "yes").await;
    assert_eq!(answer.header("location"), Some("https://shop.example/?state=s"));
}

#[tokio::test]
async fn what_is_wrong_leads_nowhere_and_logs_nobody_out() {
    let fixture = shop(|_| {});
    fixture.apply(&app("acme", "other.app", |_| {}), 1);
    let (mut browser, hint) = logged_in(&fixture).await;
    let tokens = tokens(&fixture, &[]).await;
    let access_token = tokens["access_token"].as_str().unwrap();
    let evil = ("post_logout_redirect_uri", "https://evil.example/");
    let hint = ("id_token_hint", hint.as_str());
    let table: [&[(&str, &str)]; 8] = [
        &[hint, evil],
        &[hint, ("post_logout_redirect_uri", "https://shop.example")],
        &[hint, ("client_id", "other.app")],
        &[("client_id", "nobody"), AFTER],
        &[("client_id", "shop.app"), evil],
        &[AFTER],
        &[("id_token_hint", "nonsense"), AFTER],
        &[("id_token_hint", access_token), AFTER],
    ];
    for fields in table {
        let answer = browser.get(&logout(fields)).await;
        assert_eq!(answer.shown(), (400, "invalid_request".to_owned()), "{fields:?}");
        assert!(answer.header("location").is_none());
        let posted = browser.post(&format!("{}/oauth/logout", issuer("acme")), fields).await;
        assert_eq!(posted.status, 400, "{fields:?}");
    }
    assert!(is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn whether_there_is_such_an_application_is_not_told() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let mut shown = async |fields: &[(&str, &str)]| {
        let page = browser.get(&logout(fields)).await;
        assert_eq!(page.header("location"), None);
        (page.status.as_u16(), page.text().split("id=\"request-id\"").next().unwrap().to_owned())
    };
    let evil = ("post_logout_redirect_uri", "https://evil.example/");
    assert_eq!(shown(&[("client_id", "nobody.app"), evil]).await, shown(&[("client_id", "shop.app"), evil]).await);
    assert_eq!(shown(&[("client_id", "nobody.app")]).await.0, 200, "it only asks");
}

#[tokio::test]
async fn where_to_go_on_is_looked_up_again_when_the_person_has_answered() {
    let fixture = shop(|_| {});
    let (mut browser, _) = logged_in(&fixture).await;
    let page = browser.get(&logout(&[("client_id", "shop.app"), AFTER])).await;
    fixture.apply(&app("acme", "shop.app", |shop| shop.post_logout_redirect_uris.clear()), 3);
    let refused = browser.press(&page, "decision", "yes").await;
    assert_eq!(refused.shown(), (400, "invalid_request".to_owned()));
    assert!(is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn who_only_looks_logs_nobody_out() {
    let fixture = shop(|_| {});
    let (mut browser, hint) = logged_in(&fixture).await;
    let head = browser.head(&logout(&[("id_token_hint", &hint), AFTER])).await;
    assert_eq!((head.status.as_u16(), head.header("allow")), (405, Some("GET, POST, OPTIONS")));
    assert!(is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn a_long_form_needs_no_store_and_a_parameter_of_the_applications_own_means_nothing() {
    let fixture = shop(|_| {});
    let (mut browser, hint) = logged_in(&fixture).await;
    let url = format!("{}/oauth/logout?resume=x", issuer("acme"));
    let fields = [("id_token_hint", &*hint), AFTER, ("state", "s"), ("resume", "x"), ("x", &"x".repeat(50_000))];
    let answer = browser.post_from("https://shop.example", &url, &fields).await;
    let to = answer.header("location").unwrap().to_owned();
    assert!(to.len() < 1000, "{to}");
    assert_eq!(browser.get(&to).await.header("location"), Some("https://shop.example/?state=s"));
    assert!(!is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn pages_of_the_applications_are_loaded_before_it_goes_on() {
    let uri = "https://shop.example/out?x=1".to_owned();
    let fixture =
        shop(|shop| shop.frontchannel_logout = Some(FrontchannelLogoutDocument { uri, session_required: true }));
    let (mut browser, hint) = logged_in(&fixture).await;
    let page = browser.get(&logout(&[("id_token_hint", &hint), AFTER])).await;
    let sid = part(&hint, 1)["sid"].as_str().unwrap().to_owned();
    assert!(page.is_page("logged-out"));
    let text = page.text().replace("&#38;", "&").replace("&amp;", "&");
    let iss = url::form_urlencoded::byte_serialize(issuer("acme").as_bytes()).collect::<String>();
    assert!(text.contains(&format!("<iframe src=\"https://shop.example/out?x=1&iss={iss}&sid={sid}\"")), "{text}");
    assert!(text.contains("href=\"https://shop.example/\""), "{text}");
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-src https://shop.example"), "{policy}");
    assert!(!is_logged_in(&mut browser).await);
}

/// Answers logout tokens with `statuses`, one after another, and keeps what it hears.
pub(crate) async fn receiver(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://127.0.0.1:{}/logout", listener.local_addr().unwrap().port());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    tokio::spawn(async move {
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            // Whoever waits for an answer has said everything.
            while let Ok(count) = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut buffer)).await {
                request.extend(&buffer[..count.unwrap()]);
            }
            hearing.lock().unwrap().push(String::from_utf8(request).unwrap());
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (uri, heard)
}

/// What a receiver that answers with `statuses` hears after a logout, the clock going on between.
async fn told(statuses: &'static [u16], rounds: usize) -> (Fixture, String, Vec<String>) {
    let (uri, heard) = receiver(statuses).await;
    let tell = |shop: &mut ClientDocument| {
        shop.backchannel_logout = Some(BackchannelLogoutDocument { uri, session_required: true });
    };
    let fixture = shop(tell);
    let (mut browser, hint) = logged_in(&fixture).await;
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(Arc::clone(&fixture.provider).work(shutdown.clone()));
    browser.get(&logout(&[("id_token_hint", &hint), AFTER])).await;
    for round in 1..=rounds {
        for _ in 0..150 {
            if heard.lock().unwrap().len() >= round.min(statuses.len()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Its outcome is written after the answer.
        tokio::time::sleep(Duration::from_millis(200)).await;
        fixture.advance(70);
    }
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    shutdown.cancel();
    work.await.unwrap();
    let heard = heard.lock().unwrap().clone();
    (fixture, hint, heard)
}

fn logout_token(request: &str) -> &str {
    assert!(request.starts_with("POST /logout HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{request}");
    request.split("logout_token=").nth(1).unwrap().trim()
}

#[tokio::test]
async fn a_logout_token_is_delivered_again_until_it_is_taken() {
    let (fixture, hint, heard) = told(&[500, 200, 200], 2).await;
    assert_eq!(heard.len(), 2, "{heard:?}");
    let (first, second) = (logout_token(&heard[0]), logout_token(&heard[1]));
    assert_ne!(first, second, "signed anew");
    let jwks = fixture.get(&path("acme", "/.well-known/jwks.json")).await.body;
    let id_token = part(&hint, 1);
    let claims = [first, second].map(|token| Value::Object(verify(token, &jwks, &issuer("acme"), "shop.app").unwrap()));
    for (token, claims) in [first, second].into_iter().zip(&claims) {
        assert_eq!(part(token, 0)["typ"], "logout+jwt");
        assert_eq!((&claims["sub"], &claims["sid"]), (&id_token["sub"], &id_token["sid"]));
        assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
        assert_eq!(claims.get("nonce"), None);
    }
    assert_eq!(claims[0]["jti"], claims[1]["jti"]);
}

/// The token may be good, and the session store behind the receiver away for a moment (Back-Channel Logout 1.0 §2.8).
#[tokio::test]
async fn a_logout_token_that_is_refused_is_sent_again() {
    let (fixture, _, heard) = told(&[400, 200, 200], 2).await;
    assert_eq!(heard.len(), 2, "{heard:?}");
    let jti = |request: &String| part(logout_token(request), 1)["jti"].clone();
    assert_eq!(jti(&heard[0]), jti(&heard[1]), "it is the same logout");
    let metrics = fixture.metrics();
    for outcome in ["retried", "delivered"] {
        let line = format!("claviger_provider_logout_deliveries_total{{outcome=\"{outcome}\"}} 1");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[tokio::test]
async fn a_pod_that_starts_leaves_what_is_due_until_it_knows_everybody() {
    let uri = "https://shop.example/out".to_owned();
    let fixture = shop(|shop| {
        shop.backchannel_logout = Some(BackchannelLogoutDocument { uri, session_required: true });
    });
    let (mut browser, hint) = logged_in(&fixture).await;
    browser.get(&logout(&[("id_token_hint", &hint), AFTER])).await;
    let starting = Fixture::loading_in(Arc::clone(&fixture.store));
    let work = async || {
        let shutdown = CancellationToken::new();
        let work = tokio::spawn(Arc::clone(&starting.provider).work(shutdown.clone()));
        tokio::time::sleep(Duration::from_millis(500)).await;
        shutdown.cancel();
        work.await.unwrap();
    };
    work().await;
    // It has loaded all, and another pod knows of a tenant that is newer.
    starting.provider.loaded();
    work().await;
    let at = |seconds| Timestamp::from_second(NOW + seconds).unwrap();
    let due = fixture.store.claim_logouts(at(120), at(180), 9).await.unwrap();
    assert_eq!(due.iter().map(|due| due.attempts).collect::<Vec<_>>(), [1]);
}
