//! More people at once than passwords can be checked, and some who do not wait for the answer.

use std::time::{Duration, Instant};

use claviger_crds::published::{Content, SecretText, UserDocument};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::json;

use crate::browser::{ADAS_PASSWORD, Browser};
use crate::capture::Capture;
use crate::code_flow::*;
use crate::fixture::*;

/// Takes as long as a hash may. Nobody has its password.
const SLOW: &str = "$argon2id$v=19$m=65536,t=10,p=1$c29tZXNhbHRzb21lc2FsdA$dBCzQ0dSPoSwTBPbFuZyqmCYM3ALGIyBPBmHpIPGUS4";

fn slow(name: &str) -> claviger_crds::published::Document {
    let document = UserDocument {
        subject: format!("usr_{name}"),
        username: name.to_owned(),
        claims: std::collections::BTreeMap::new(),
        groups: Vec::new(),
        password_hash: Some(SecretText::new(SLOW)),
        password_source: None,
        disabled: false,
        sessions_not_before: None,
    };
    serving("acme", name, Content::User(document))
}

async fn tries(fixture: &Fixture, name: &str) -> u16 {
    let mut browser = Browser::new(fixture);
    let page = browser.open(&authorize(&[])).await;
    browser.log_in(&page, name, "wrong").await.status.as_u16()
}

/// So often as it takes for a lockout, and once more.
async fn ada(fixture: &Fixture) {
    let mut browser = Browser::new(fixture);
    let page = browser.open(&authorize(&[])).await;
    for _ in 0..7 {
        let answer = browser.log_in(&page, "ada", ADAS_PASSWORD).await;
        assert_eq!(answer.status, 503, "not 429: nobody has tried anything");
        assert!(answer.is_page("login") && answer.text().contains("value=\"ada\""), "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
    }
    browser.accept = "application/json";
    let body = json!({"flow": page.hidden("flow"), "username": "ada", "password": ADAS_PASSWORD});
    let answer = browser.post_json(&format!("{}/oauth/login", issuer("acme")), &body).await;
    assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()));
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn who_finds_no_place_has_not_failed_and_may_come_again() {
    let fixture = shop(|_| {});
    // Each core computes one, and thirty-two wait for it.
    let places = std::thread::available_parallelism().unwrap().get() * 33;
    let names: Vec<String> = (0..places + 1).map(|number| format!("slow-{number}")).collect();
    names.iter().for_each(|name| fixture.apply(&slow(name), 1));
    let mut crowd: FuturesUnordered<_> = names.iter().map(|name| tries(&fixture, name)).collect();
    assert_eq!(crowd.next().await, Some(503), "one more than there are places");
    tokio::select! {
        () = ada(&fixture) => {}
        Some(status) = crowd.next() => panic!("a slow one was faster: {status}"),
    }
}

/// How often a failed try was counted, for accounts and for addresses.
fn counts(fixture: &Fixture) -> u64 {
    let line = "claviger_provider_store_calls_total{operation=\"login_tried\",outcome=\"ok\"} ";
    let metrics = fixture.metrics();
    metrics.lines().find_map(|found| found.strip_prefix(line)).unwrap().parse().unwrap()
}

async fn counted(fixture: &Fixture, count: u64) {
    let began = Instant::now();
    while counts(fixture) < count {
        assert!(began.elapsed() < Duration::from_secs(60), "{} of {count}", counts(fixture));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_guess_counts_though_its_client_hangs_up_during_the_hash() {
    let fixture = shop(|_| {});
    fixture.apply(&slow("slow"), 1);
    for number in 0..19 {
        assert_eq!(tries(&fixture, &format!("x{number}")).await, 200);
    }
    let capture = Capture::begin();
    let before = counts(&fixture);
    assert_eq!(before, 38, "each for its account and for the address");
    tokio::select! {
        () = counted(&fixture, before + 1) => {}
        status = tries(&fixture, "slow") => panic!("it was faster: {status}"),
    }
    counted(&fixture, before + 2).await;
    let told = capture.take_audit();
    let told: Vec<_> = told.iter().map(|line| (&line["event"], &line["client"], &line["outcome"])).collect();
    assert_eq!(told, [(&json!("login"), &json!("shop.app"), &json!("refused"))]);
    assert_eq!(tries(&fixture, "y").await, 429, "the address has had its twenty");
}
