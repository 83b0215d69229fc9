//! A browser that begins many logins and ends none.

use claviger_crds::published::ConsentPolicy;

use crate::browser::Browser;
use crate::code_flow::*;

/// So many at once.
const MOST: usize = 8;

fn flows(browser: &Browser<'_>) -> usize {
    browser.cookies.keys().filter(|name| name.starts_with("__Host-claviger-flow-acme-")).count()
}

#[tokio::test]
async fn the_ninth_login_of_a_browser_takes_the_place_of_the_first() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let mut pages = Vec::new();
    for _ in 0..MOST {
        pages.push(browser.open(&authorize(&[])).await);
    }
    assert_eq!(flows(&browser), MOST);
    let ninth = browser.open(&authorize(&[])).await;
    assert_eq!(flows(&browser), MOST);
    let first = browser.log_in(&pages[0], "ada", "correct horse").await;
    assert_eq!(first.shown(), (400, "flow_cookie_missing".to_owned()));
    for page in pages[1..].iter().chain([&ninth]) {
        let answer = browser.log_in(page, "ada", "correct horse").await;
        assert!(answer.redirected("code").is_some());
    }
    assert_eq!(flows(&browser), 0, "what is finished leaves nothing");
}

#[tokio::test]
async fn a_login_that_goes_on_takes_nobodys_place() {
    let fixture = shop(|shop| shop.consent = ConsentPolicy::Required);
    let mut browser = Browser::new(&fixture);
    let mut pages = Vec::new();
    for _ in 0..MOST {
        pages.push(browser.open(&authorize(&[("prompt", "login")])).await);
    }
    let last = browser.log_in(&pages[MOST - 1], "ada", "correct horse").await;
    assert!(last.is_page("consent"), "{}", last.text());
    assert_eq!(flows(&browser), MOST);
    let first = browser.log_in(&pages[0], "ada", "correct horse").await;
    assert!(first.is_page("consent"), "{}", first.text());
    assert!(browser.press(&last, "decision", "allow").await.redirected("code").is_some());
}

#[tokio::test]
async fn however_many_begin_the_cookies_stay_few_and_short_and_the_session_stays() {
    let fixture = shop(|_| {});
    fixture.apply(&tenant_with_logins("acme-12345678"), 1);
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    // Of a tenant whose name begins as this one's cookies do.
    let others = (0..MOST).map(|number| format!("__Host-claviger-flow-acme-12345678-{number:08}"));
    let others: Vec<String> = others.collect();
    browser.cookies.extend(others.iter().map(|name| (name.clone(), "x".to_owned())));
    let first = browser.open(&authorize(&[("prompt", "login")])).await;
    assert!(browser.log_in(&first, "ada", "correct horse").await.redirected("code").is_some(), "nor do they count");
    let long = "s".repeat(2048);
    for number in 0..50 {
        let more = if number % 2 == 0 { vec![] } else { vec![("state", long.as_str())] };
        let more = [&more[..], &[("prompt", "login")]].concat();
        let answer = browser.get(&authorize(&more)).await;
        let set: usize = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.len()).sum();
        assert!(set < 512, "{number}: {set} bytes");
        assert!(flows(&browser) <= MOST + others.len(), "{number}");
    }
    assert!(others.iter().all(|name| browser.cookies.contains_key(name)), "another tenant's are not ours to end");
    browser.cookies.retain(|name, _| !others.contains(name));
    assert_eq!(flows(&browser), MOST);
    let sent = browser.sent().join("; ").len();
    assert!(sent < 2048, "proxies refuse long headers: {sent}");
    assert!(browser.get(&authorize(&[("prompt", "none")])).await.redirected("code").is_some());
}
