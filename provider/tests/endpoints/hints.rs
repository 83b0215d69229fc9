//! `id_token_hint` of an authorization request that names nobody.

use crate::browser::Browser;
use crate::code_flow::*;

#[tokio::test]
async fn a_hint_that_is_no_token_is_told_to_the_client() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    for more in [vec![], vec![("prompt", "none")]] {
        let fields = [&[("id_token_hint", "nonsense")][..], &more].concat();
        let answer = browser.get(&authorize(&fields)).await;
        assert_eq!(answer.redirected("error").as_deref(), Some("invalid_request"));
        assert_eq!(answer.redirected("state").as_deref(), Some("s-1"));
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_verified_names_nobody_and_locks_nobody_out() {
    let fixture = shop(|_| {});
    let id_token = tokens(&fixture, &[]).await["id_token"].as_str().unwrap().to_owned();
    let access_token = tokens(&fixture, &[]).await["access_token"].as_str().unwrap().to_owned();
    let forged = format!("{}AAAA", &id_token[..id_token.len() - 4]);
    for hint in [forged.as_str(), access_token.as_str(), "eyJhbGciOiJub25lIn0.e30.AA"] {
        let mut browser = Browser::new(&fixture);
        let none = browser.get(&authorize(&[("id_token_hint", hint), ("prompt", "none")])).await;
        assert_eq!(none.redirected("error").as_deref(), Some("login_required"), "{hint}");
        let page = browser.open(&authorize(&[("id_token_hint", hint)])).await;
        assert!(page.is_page("login") && !page.text().contains("value=\"ada\""), "{hint}");
        assert!(browser.log_in(&page, "bob", "bobs password").await.redirected("code").is_some(), "{hint}");
    }
}
