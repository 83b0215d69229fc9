//! `claviger provider` as a process, over a real PostgreSQL: what one pod learns the others know, a
//! restart forgets nothing, and a server that is away costs only what needs it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod api;
#[path = "../cli/browser.rs"]
mod browser;
mod pod;
#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "the other tests use the rest of it")]
mod support;

use std::sync::OnceLock;

use claviger_tests::postgres::{Pooler, Server};
use serde_json::Value;

use self::browser::{Answer, Browser, code};
use self::pod::{Pod, Published, TENANT, published};
use self::support::eventually;

const PASSWORD: &str = "demo-only-change-me";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The one that the tests of this process share, each with a database of its own.
fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(|_| "").expect("PostgreSQL"))
}

fn database(server: &Server) -> String {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(server.database()).expect("a database")
}

/// Asks the token endpoint as the shop.
fn token(published: &Published, pod: &Pod, form: &str) -> Answer {
    let mut client = Browser::new(&published.host, &pod.address);
    let shop = published.credentials("shop-oidc");
    client.post(&format!("{TENANT}/oauth/token"), &format!("client_id=shop.shop&client_secret={shop}&{form}"))
}

fn redeem(published: &Published, pod: &Pod, code: &str) -> Answer {
    let redirect = "http%3A%2F%2F127.0.0.1%3A8081%2Fcallback";
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}&code_verifier={VERIFIER}");
    token(published, pod, &form)
}

fn refresh(published: &Published, pod: &Pod, tokens: &Value) -> Answer {
    let refresh_token = tokens["refresh_token"].as_str().expect("a refresh token");
    token(published, pod, &format!("grant_type=refresh_token&refresh_token={refresh_token}"))
}

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{} {}", answer.head, answer.body);
    serde_json::from_str(&answer.body).expect("JSON")
}

/// Whether the person is logged in, as `pod` sees it.
fn is_logged_in(published: &Published, pod: &Pod, browser: &mut Browser) -> bool {
    browser.address.clone_from(&pod.address);
    let answer = browser.get(&format!("{}&prompt=none", published.begin));
    let location = answer.header("location");
    assert!(location.contains("code=") || location.contains("error=login_required"), "{} {location}", answer.status);
    location.contains("code=")
}

/// A login from its beginning to its end, by turns at two pods, one of which is killed meanwhile.
fn a_life_at_two_pods(store: &str) {
    let published = published();
    let (mut one, other) = (Pod::start(published, store), Pod::start(published, store));
    let mut browser = Browser::new(&published.host, &one.address);
    let callback = browser.log_in(&published.begin, PASSWORD);
    let tokens = json(&redeem(published, &other, code(&callback)));
    assert!(is_logged_in(published, &other, &mut browser));
    assert!(!is_logged_in(published, &other, &mut Browser::new(&published.host, &other.address)));

    one.restart();
    assert!(is_logged_in(published, &one, &mut browser), "a restart forgets nothing");
    let next = json(&refresh(published, &one, &tokens));
    let again = json(&refresh(published, &other, &tokens));
    assert_eq!(next["refresh_token"], again["refresh_token"], "within the grace every pod gives the same");
    let bearer = format!("access_token={}", next["access_token"].as_str().expect("an access token"));
    let userinfo = browser.post(&format!("{TENANT}/oauth/userinfo"), &bearer);
    assert_eq!(json(&userinfo)["email"], "ada@acme.example");

    browser.address.clone_from(&other.address);
    let hint = next["id_token"].as_str().expect("an ID token");
    let left = browser.get(&format!("{TENANT}/oauth/logout?id_token_hint={hint}"));
    assert_eq!(left.status, 200, "{}", left.body);
    assert!(!is_logged_in(published, &one, &mut browser));
    assert_eq!(refresh(published, &one, &next).status, 400, "and its grant is over at every pod");

    // A second use of a code is noticed wherever it happens.
    let callback = browser.log_in(&format!("{}&prompt=login%20consent", published.begin), PASSWORD);
    let tokens = json(&redeem(published, &one, code(&callback)));
    assert_eq!(redeem(published, &other, code(&callback)).status, 400);
    assert_eq!(refresh(published, &one, &tokens).status, 400);
    for pod in [&one, &other] {
        let told = pod.told();
        assert!(told.contains("TRACE") && told.contains("\"target\":\"audit\""), "{told}");
        browser.expect_no_secret(&told);
        for tokens in [&tokens, &next] {
            for name in ["access_token", "refresh_token", "id_token"] {
                assert!(!told.contains(tokens[name].as_str().expect(name)), "{name} is in {told}");
            }
        }
    }
}

#[test]
fn a_login_is_known_to_every_pod_and_outlives_each() {
    a_life_at_two_pods(&shared().url(&database(shared())));
}

#[test]
fn the_same_by_way_of_a_pooler_that_gives_each_transaction_another_connection() {
    let pooler = Pooler::start(shared()).expect("PgBouncer");
    a_life_at_two_pods(&pooler.url(&database(shared())));
}

#[test]
fn while_postgresql_is_away_the_rest_goes_on_and_then_all_of_it_without_a_restart() {
    let published = published();
    let mut server = Server::start(|_| "").expect("PostgreSQL");
    let store = server.url(&database(&server));
    let pod = Pod::start(published, &store);
    let mut browser = Browser::new(&published.host, &pod.address);
    let callback = browser.log_in(&published.begin, PASSWORD);
    let tokens = json(&redeem(published, &pod, code(&callback)));
    assert!(pod.metrics().contains("claviger_provider_store_available 1\n"), "{}", pod.metrics());

    server.stop().expect("it stops");
    // One that begins now is ready too.
    let late = Pod::start(published, &store);
    for pod in [&pod, &late] {
        browser.address.clone_from(&pod.address);
        // Where nobody reads a page the application is told.
        let silent = browser.get(&format!("{}&prompt=none", published.begin));
        assert!(silent.header("location").contains("error=temporarily_unavailable"), "{}", silent.head);
        let login = browser.get(&published.begin);
        for refused in [login, refresh(published, pod, &tokens)] {
            let wait: u32 = refused.header("retry-after").parse().unwrap_or_default();
            assert_eq!((refused.status, wait >= 1), (503, true), "{}", refused.head);
        }
        let secret = published.credentials("reports-oidc");
        let form = format!("grant_type=client_credentials&client_id=shop.reports&client_secret={secret}");
        json(&browser.post(&format!("{TENANT}/oauth/token"), &form));
        for path in [".well-known/openid-configuration", ".well-known/jwks.json"] {
            assert_eq!(browser.get(&format!("{TENANT}/{path}")).status, 200, "{path}");
        }
        assert!(pod.is_ready());
        let metrics = pod.metrics();
        assert!(metrics.contains("claviger_provider_store_available 0\n"), "{metrics}");
        assert!(!metrics.contains("claviger_provider_store_failures_total 0\n"), "{metrics}");
    }

    server.resume().expect("it starts");
    for pod in [&pod, &late] {
        browser.address.clone_from(&pod.address);
        let callback = eventually("the store is used again", || {
            let answer = browser.get(&format!("{}&prompt=none", published.begin));
            let location = answer.header("location");
            if location.contains("code=") { Ok(location) } else { Err(answer.head) }
        });
        // Which is written to the store.
        json(&redeem(published, pod, code(&callback)));
        assert!(pod.metrics().contains("claviger_provider_store_available 1\n"), "{}", pod.metrics());
    }
    json(&refresh(published, &late, &tokens));
}

/// As in a rollout, which waits then and leaves the pods of the release before where they are.
#[test]
fn a_pod_that_may_not_make_its_tables_is_not_ready_until_it_may() {
    let database = database(shared());
    let role = format!("guest_{database}");
    run(&database, &format!("CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC"));
    let store = shared().url(&database).replace("//claviger@", &format!("//{role}@"));
    let pod = Pod::begin(published(), &store);
    pod.wait_until("the store's schema cannot be changed yet");
    assert!(!pod.is_ready());
    run(&database, &format!("GRANT CREATE ON SCHEMA public TO {role}"));
    pod.wait_until("ready");
}

fn run(database: &str, sql: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(shared().run(database, sql)).expect("SQL");
}
