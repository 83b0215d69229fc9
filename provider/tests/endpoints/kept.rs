//! What is too long for a URL is kept in the store, and room there is bounded: strangers who fill theirs keep nobody
//! out who has begun.

use claviger_crds::published::ConsentPolicy;
use claviger_provider::store::{Id, KeptKind, KeptRoom, TenantKey};
use jiff::Timestamp;

use crate::browser::Browser;
use crate::code_flow::*;
use crate::database::Database;
use crate::fixture::*;

/// Proxies refuse long request lines.
const LONGEST: usize = 3072;

/// A request that is longer than a URL may be, and its `state`.
fn long() -> (String, String) {
    let (state, nonce) = ("s".repeat(2000), "n".repeat(1000));
    (authorize(&[("state", &state), ("nonce", &nonce)]), state)
}

/// As many long requests of strangers as are kept.
async fn fill(fixture: &Fixture) {
    let end = Timestamp::from_second(NOW + 1800).unwrap();
    let (tenant, room) = (TenantKey::new("ns-acme", "acme", "acme"), KeptRoom { kind: KeptKind::Flow, most: 1000 });
    for _ in 0..1000 {
        let _full = fixture.store.keep(&tenant, Id::random(), b"x", end, room).await;
    }
}

async fn is_full(fixture: &Fixture) -> bool {
    let answer = Browser::new(fixture).open(&long().0).await;
    answer.status == 503 && answer.shown().1 == "temporarily_unavailable"
}

/// Whoever sees `page` would rather be somebody else.
async fn another(browser: &mut Browser<'_>, page: &Answer) -> Answer {
    let flow = page.hidden("flow");
    let url = format!("{}/oauth/select-account", issuer("acme"));
    let answer = browser.post(&url, &[("flow", &flow), ("choice", "another")]).await;
    browser.follow(answer).await
}

#[tokio::test]
async fn what_is_too_long_for_a_url_is_kept_and_comes_back_whole() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let (url, state) = long();
    let page = browser.open(&url).await;
    let flow = page.hidden("flow");
    assert!(flow.starts_with("k."));
    let again = browser.open(&format!("{}/oauth/login?flow={flow}", issuer("acme"))).await;
    assert_eq!(again.hidden("flow"), flow, "who only looks has nothing kept");
    let answer = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(answer.redirected("state"), Some(state));
    let code = answer.redirected("code").unwrap();
    assert!(code.starts_with("k."));
    let tokens = redeem(&fixture, &code).await.json();
    assert_eq!(part(tokens["id_token"].as_str().unwrap(), 1)["nonce"], "n".repeat(1000));
}

#[tokio::test]
async fn nobody_fills_the_store_without_a_login_or_keeps_others_out() {
    let fixture = fixture(ConsentPolicy::Skip);
    let mut browser = Browser::new(&fixture);
    let early = browser.open(&long().0).await;
    fill(&fixture).await;
    assert!(is_full(&fixture).await);
    assert!(Browser::new(&fixture).open(&authorize(&[])).await.is_page("login"), "most requests need no room");
    let code = browser.log_in(&early, "ada", "correct horse").await.redirected("code").unwrap();
    assert!(code.starts_with("k."), "codes have room of their own");
    assert_eq!(redeem(&fixture, &code).await.status, 200);
}

/// Each step changes the flow.
#[tokio::test]
async fn whoever_has_begun_goes_on_though_strangers_have_taken_all_the_room() {
    let fixture = fixture(ConsentPolicy::Required);
    fixture.apply(&user("acme", "bob", "bobs password"), 1);
    let mut browser = Browser::new(&fixture);
    let login = browser.open(&long().0).await;
    fill(&fixture).await;
    assert!(is_full(&fixture).await);
    let consent = browser.log_in(&login, "ada", "correct horse").await;
    assert!(consent.is_page("consent"), "{}", consent.text());
    assert_eq!(consent.hidden("flow"), login.hidden("flow"), "in the same place");
    let login = another(&mut browser, &consent).await;
    let consent = browser.log_in(&login, "bob", "bobs password").await;
    assert!(consent.is_page("consent") && consent.text().contains("bob"), "{}", consent.text());
    let answer = browser.press(&consent, "decision", "allow").await;
    assert_eq!(answer.redirected("state"), Some(long().1));
    assert!(answer.redirected("code").is_some());
}

/// The steps of a login add to it what they have found out.
#[tokio::test]
async fn a_login_that_begins_in_a_url_ends_in_one() {
    let fixture = fixture(ConsentPolicy::Required);
    let nonce = "n".repeat(600);
    let mut longest = None;
    for length in 0..700 {
        let (mut browser, state) = (Browser::new(&fixture), "s".repeat(1000 + length));
        let more = [("state", state.as_str()), ("nonce", &nonce), ("prompt", "select_account login consent")];
        let page = browser.open(&authorize(&more)).await;
        if page.hidden("flow").starts_with("k.") {
            break;
        }
        longest = Some((browser, page));
    }
    let (mut browser, login) = longest.unwrap();
    fill(&fixture).await;
    assert!(is_full(&fixture).await);
    let login = another(&mut browser, &login).await;
    let consent = browser.log_in(&login, "ada", "correct horse").await;
    assert!(consent.is_page("consent"), "{}", consent.text());
    let grown = consent.hidden("flow").len();
    assert!(grown > login.hidden("flow").len() && (LONGEST - 256..=LONGEST).contains(&grown), "{grown}");
    assert!(browser.press(&consent, "decision", "allow").await.redirected("code").is_some());
}

#[tokio::test]
async fn a_login_is_one_though_the_store_fails_after_it() {
    let database = Database::new();
    let documents = [
        tenant_with_logins("acme"),
        ring("acme", "es256", "ES256"),
        web_app("shop.app", ConsentPolicy::Skip),
        user("acme", "ada", "correct horse"),
    ];
    let fixture = Fixture::remembering_in(database.store.clone(), &documents);
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&long().0).await;
    // As many codes as there may be; this login's is a long one.
    database.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO kept (tenant, id, kind, bytes, expires_at)
         SELECT (SELECT tenant FROM kept LIMIT 1), randomblob(16), 1, x'00', 9999999999 FROM n",
    );
    let failed = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(failed.shown(), (503, "temporarily_unavailable".to_owned()));
    let none = browser.get(&authorize(&[("prompt", "none")])).await;
    assert!(none.redirected("code").is_some(), "she is logged in");
    assert!(Browser::new(&fixture).open(&long().0).await.is_page("login"), "nor do codes keep logins out");
}
