//! A logout that was asked for, or asked about, a while ago: nobody is logged out by it unasked, and nobody walks away in
//! the belief that he is.

use crate::browser::Browser;
use crate::code_flow::*;
use crate::fixture::*;
use crate::logout::{AFTER, is_logged_in, logged_in, logout};

#[tokio::test]
async fn a_request_that_is_followed_late_is_asked_about() {
    let fixture = shop(|_| {});
    let (mut browser, hint) = logged_in(&fixture).await;
    let fields = [("id_token_hint", &*hint), AFTER, ("state", "s")];
    let posted = browser.post(&format!("{}/oauth/logout", issuer("acme")), &fields).await;
    let to = posted.header("location").unwrap().to_owned();
    fixture.advance(60);
    let page = browser.get(&to).await;
    assert!(page.is_page("logout-confirm") && page.text().contains("ada"), "{}", page.text());
    assert!(is_logged_in(&mut browser).await, "a tab that is opened again logs nobody out");
    let answer = browser.press(&page, "decision", "yes").await;
    assert_eq!(answer.header("location"), Some("https://shop.example/?state=s"));
    assert!(!is_logged_in(&mut browser).await);
    let nonsense = browser.get(&format!("{}/oauth/logout/resume?flow=x", issuer("acme"))).await;
    assert_eq!(nonsense.shown(), (400, "invalid_request".to_owned()));
    assert!(nonsense.text().contains("You are not signed out"), "{}", nonsense.text());
}

#[tokio::test]
async fn who_says_yes_late_is_told_that_he_is_not_logged_out_and_asked_again() {
    let fixture = shop(|_| {});
    let (mut browser, _) = logged_in(&fixture).await;
    let page = browser.get(&logout(&[("client_id", "shop.app"), AFTER, ("state", "s")])).await;
    fixture.advance(1_800);
    let again = browser.press(&page, "decision", "yes").await;
    assert!(again.is_page("logout-confirm") && again.text().contains("ada"), "{}", again.text());
    assert!(again.text().contains("you are not signed out yet"), "{}", again.text());
    assert!(is_logged_in(&mut browser).await);
    assert!(browser.press(&page, "decision", "no").await.is_page("stayed"), "which is true at any time");
    let answer = browser.press(&again, "decision", "yes").await;
    assert_eq!(answer.header("location"), Some("https://shop.example/?state=s"));
    assert!(!is_logged_in(&mut browser).await);
    let over = browser.press(&page, "decision", "yes").await;
    assert_eq!(over.header("location"), Some("https://shop.example/?state=s"), "nothing is left to ask about");
}

#[tokio::test]
async fn a_late_yes_to_the_end_of_a_session_elsewhere_is_asked_again_too() {
    let fixture = shop(|_| {});
    let (mut at_home, hint) = logged_in(&fixture).await;
    let mut fresh = Browser::new(&fixture);
    let page = fresh.get(&logout(&[("id_token_hint", hint.as_str()), AFTER])).await;
    fixture.advance(1_800);
    let again = fresh.press(&page, "decision", "yes").await;
    assert!(again.is_page("logout-confirm") && again.text().contains("not signed out yet"), "{}", again.text());
    assert!(is_logged_in(&mut at_home).await);
    fresh.press(&again, "decision", "yes").await;
    assert!(!is_logged_in(&mut at_home).await);
}
