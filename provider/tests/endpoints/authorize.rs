use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_crds::published::{ApplicationType, ClientAuthentication, ConsentPolicy};
use serde_json::json;

use crate::browser::Browser;
use crate::code_flow::*;
use crate::fixture::*;

const CALLBACK: &str = "https://shop.example/callback";

fn location(answer: &Answer) -> &str {
    answer.header("location").unwrap()
}

#[tokio::test]
async fn nothing_is_sent_to_a_uri_that_is_not_the_clients() {
    let fixture = shop(|_| {});
    for more in [
        [("client_id", "nobody")],
        [("redirect_uri", "https://evil.example/")],
        [("redirect_uri", "https://shop.example/callback/")],
        [("redirect_uri", "https://shop.example/callback?a=b")],
        [("redirect_uri", "HTTPS://shop.example/callback")],
    ] {
        let mut browser = Browser::new(&fixture);
        let answer = browser.get(&authorize(&more)).await;
        assert_eq!(answer.shown(), (400, "invalid_request".to_owned()), "{more:?}");
        assert!(answer.is_page("error-page") && answer.header("location").is_none());
        browser.accept = "application/json";
        assert_eq!(browser.get(&authorize(&more)).await.error(), (400, "invalid_request".to_owned()));
    }
    let repeated = format!("{}&client_id=shop.app", authorize(&[]));
    assert_eq!(Browser::new(&fixture).get(&repeated).await.status, 400);
}

#[tokio::test]
async fn what_is_missing_before_anybody_is_known_is_named() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let url = authorize(&[("client_id", ""), ("scope", "")]);
    assert_eq!(browser.get(&url).await.shown(), (422, "invalid_request".to_owned()));
    browser.accept = "application/json";
    let answer = browser.get(&url).await;
    let missing = |name| json!({"loc": ["query", name], "msg": "Field required", "type": "missing"});
    assert_eq!(answer.json()["detail"], json!([missing("client_id"), missing("scope")]));
    assert_eq!(answer.json()["error_description"], "missing: client_id, scope");
    let posted = browser.post(&format!("{}/oauth/authorize", issuer("acme")), &[("client_id", "shop.app")]).await;
    assert_eq!((posted.status.as_u16(), &posted.json()["detail"][0]["loc"][0]), (422, &json!("body")));
}

#[tokio::test]
async fn every_other_fault_is_told_to_the_client() {
    let fixture = shop(|_| {});
    let table: [(&[(&str, &str)], &str); 21] = [
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "x")], "invalid_request"),
        (&[("scope", "")], "invalid_request"),
        (&[("scope", "nothing")], "invalid_scope"),
        (&[("scope", "openid \"")], "invalid_scope"),
        (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "create")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("claims", "no JSON")], "invalid_request"),
        (&[("nonce", "a\nb")], "invalid_request"),
        (&[("request", "x")], "request_not_supported"),
        (&[("request_uri", "https://x.example")], "request_uri_not_supported"),
        (&[("registration", "{}")], "registration_not_supported"),
        (&[("resource", "https://api.example")], "invalid_target"),
    ];
    for (more, error) in table {
        let answer = Browser::new(&fixture).get(&authorize(more)).await;
        assert_eq!(answer.status, 303, "{more:?}");
        assert!(location(&answer).starts_with("https://shop.example/callback?error="), "{more:?}");
        assert_eq!(answer.redirected("error").as_deref(), Some(error), "{more:?}");
        assert_eq!(answer.redirected("state").as_deref(), Some("s-1"));
        assert_eq!(answer.redirected("iss"), Some(issuer("acme")));
        assert_eq!(answer.redirected("code"), None);
    }
    let repeated = format!("{}&nonce=n-1", authorize(&[]));
    let answer = Browser::new(&fixture).get(&repeated).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn what_no_grant_could_hold_is_told_before_anybody_logs_in() {
    let fixture = shop(|_| {});
    let (claims, nonce) =
        (|bytes| json!({"userinfo": {"email": {"value": "x".repeat(bytes)}}}).to_string(), "n".repeat(1000));
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[("nonce", &nonce), ("claims", &claims(2000))])).await;
    assert!(browser.log_in(&page, "ada", "correct horse").await.redirected("code").is_some());
    let answer = browser.get(&authorize(&[("nonce", &nonce), ("claims", &claims(3300))])).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn whoever_asks_for_json_is_told_every_fault_by_the_same_redirect() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    browser.accept = "application/json";
    for (more, error) in [(("max_age", "x"), "invalid_request"), (("prompt", "none"), "login_required")] {
        let answer = browser.get(&authorize(&[more])).await;
        assert_eq!(answer.redirected("error").as_deref(), Some(error));
        let url = format!("{}/oauth/authorize", issuer("acme"));
        let posted = browser.post(&url, &request(&[more])).await;
        assert_eq!(browser.follow(posted).await.redirected("error").as_deref(), Some(error));
    }
    assert_eq!(browser.get(&authorize(&[])).await.json()["step"], "login");
}

#[tokio::test]
async fn a_client_without_the_grant_type_gets_no_codes() {
    let fixture = shop(|shop| shop.grant_types = vec!["client_credentials".to_owned()]);
    let answer = Browser::new(&fixture).get(&authorize(&[])).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("unauthorized_client"));
}

#[tokio::test]
async fn a_post_from_another_site_finds_the_session_by_a_get() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    // `SameSite=Lax`: the POST brings no cookies, the GET that follows does.
    let session = std::mem::take(&mut browser.cookies);
    let url = format!("{}/oauth/authorize", issuer("acme"));
    let answer = browser.post_from("https://shop.example", &url, &request(&[("prompt", "none")])).await;
    assert_eq!(answer.status, 303);
    assert!(location(&answer).starts_with(&url), "{}", location(&answer));
    assert_eq!(browser.cookies.len(), 1, "the flow's");
    browser.cookies.extend(session);
    assert!(browser.follow(answer).await.redirected("code").is_some());
}

/// A hidden frame of another site, whose requests bring no cookies and in which nobody reads a page.
#[tokio::test]
async fn who_asks_in_silence_by_a_post_is_told_by_a_redirect_that_no_cookies_came() {
    let fixture = shop(|_| {});
    let (mut browser, url) = (Browser::new(&fixture), format!("{}/oauth/authorize", issuer("acme")));
    browser.code(&authorize(&[])).await;
    let session = browser.cookies.clone();
    let mut resumed = async |prompt: &str, cookies: &std::collections::BTreeMap<String, String>| {
        let answer = browser.post_from("https://shop.example", &url, &request(&[("prompt", prompt)])).await;
        browser.cookies.clone_from(cookies);
        browser.follow(answer).await
    };
    // None at all, or those of before alone.
    for cookies in [Default::default(), session] {
        let answer = resumed("none", &cookies).await;
        assert_eq!(answer.redirected("error").as_deref(), Some("login_required"));
        assert_eq!(answer.redirected("state").as_deref(), Some("s-1"));
        assert_eq!(answer.redirected("code"), None);
        assert_eq!(resumed("login", &cookies).await.shown(), (400, "flow_cookie_missing".to_owned()));
    }
    let moved = |shop: &mut claviger_crds::published::ClientDocument| {
        shop.redirect_uris = vec!["https://new.example/callback".to_owned()];
    };
    let answer = browser.post_from("https://shop.example", &url, &request(&[("prompt", "none")])).await;
    fixture.apply(&app("acme", "shop.app", moved), 3);
    browser.cookies.clear();
    assert_eq!(browser.follow(answer).await.shown(), (400, "flow_cookie_missing".to_owned()), "it is not the client's");
}

#[tokio::test]
async fn a_parameter_of_the_clients_own_means_nothing_whatever_its_name() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    assert!(browser.open(&authorize(&[("flow", "signup"), ("resume", "x")])).await.is_page("login"));
    let url = format!("{}/oauth/authorize?flow=signup", issuer("acme"));
    let answer = browser.post(&url, &request(&[("flow", "signup")])).await;
    assert!(browser.follow(answer).await.is_page("login"));
}

#[tokio::test]
async fn a_form_posts_the_answer_where_that_is_asked_for() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.authorize(&authorize(&[("response_mode", "form_post"), ("state", "a\"<b>")])).await;
    assert!(page.is_page("form-post"), "{}", page.text());
    assert!(page.text().contains(&format!("action=\"{CALLBACK}\"")), "{}", page.text());
    assert!(!page.text().contains("<b>"), "a state is no markup");
    assert_eq!(page.hidden("iss"), issuer("acme"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(redeem(&fixture, &page.hidden("code")).await.status, 200);
    let error = browser.get(&authorize(&[("response_mode", "form_post"), ("max_age", "x")])).await;
    assert_eq!(error.hidden("error"), "invalid_request");
}

#[tokio::test]
async fn a_request_object_is_refused_on_the_way_that_it_names() {
    let fixture = shop(|_| {});
    let object = |payload: &str| format!("{}.{}.", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(payload));
    let asked = |object: &str, outside: &[(&str, &str)]| authorize(&[&[("request", object)], outside].concat());
    let nothing_outside = [("state", "")];
    let whole = object(r#"{"response_mode":"form_post","state":"s-2","redirect_uri":"https://evil.example/"}"#);
    let page = Browser::new(&fixture).get(&asked(&whole, &nothing_outside)).await;
    assert!(page.text().contains(&format!("action=\"{CALLBACK}\"")), "{}", page.text());
    assert_eq!((page.hidden("error"), page.hidden("state")), ("request_not_supported".to_owned(), "s-2".to_owned()));
    let outside = Browser::new(&fixture).get(&asked(&whole, &[("response_mode", "query")])).await;
    assert_eq!(outside.redirected("state").as_deref(), Some("s-1"));
    for other in ["x", "..", "a.b.c", &object("[]"), &object(r#"{"state":7}"#), &object(r#"{"response_mode":"jwt"}"#)] {
        let answer = Browser::new(&fixture).get(&asked(other, &nothing_outside)).await;
        assert_eq!(answer.redirected("error").as_deref(), Some("request_not_supported"), "{other}");
        assert_eq!(answer.redirected("state"), None, "{other}");
    }
}

#[tokio::test]
async fn a_fragment_bears_the_answer_where_that_is_asked_for() {
    let fixture = shop(|_| {});
    let answer = Browser::new(&fixture).authorize(&authorize(&[("response_mode", "fragment")])).await;
    let fragment = location(&answer).strip_prefix("https://shop.example/callback#").unwrap();
    let pairs: Vec<_> = url::form_urlencoded::parse(fragment.as_bytes()).collect();
    let names: Vec<&str> = pairs.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert_eq!(redeem(&fixture, &pairs[0].1).await.status, 200);
}

#[tokio::test]
async fn without_a_page_there_is_a_code_or_the_reason() {
    let fixture = shop(|shop| shop.consent = ConsentPolicy::Required);
    let mut browser = Browser::new(&fixture);
    let none = authorize(&[("prompt", "none")]);
    let error = |answer: Answer| answer.redirected("error");
    assert_eq!(error(browser.get(&none).await).as_deref(), Some("login_required"));
    let page = browser.open(&authorize(&[])).await;
    let page = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(error(browser.get(&none).await).as_deref(), Some("consent_required"));
    browser.press(&page, "decision", "allow").await;
    assert!(browser.get(&none).await.redirected("code").is_some());
    let old = authorize(&[("prompt", "none"), ("max_age", "0")]);
    assert_eq!(error(browser.get(&old).await).as_deref(), Some("login_required"));
}

#[tokio::test]
async fn max_age_asks_for_a_login_that_is_recent() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    browser.code(&authorize(&[])).await;
    fixture.advance(100);
    let code = browser.open(&authorize(&[("max_age", "100")])).await.redirected("code").unwrap();
    let first = part(redeem(&fixture, &code).await.json()["id_token"].as_str().unwrap(), 1);
    assert_eq!(first["auth_time"], NOW);
    for max_age in ["99", "0"] {
        let page = browser.open(&authorize(&[("max_age", max_age)])).await;
        assert!(page.is_page("login") && page.text().contains("readonly"), "{}", page.text());
        let code = browser.log_in(&page, "ada", "correct horse").await.redirected("code").unwrap();
        let second = part(redeem(&fixture, &code).await.json()["id_token"].as_str().unwrap(), 1);
        assert_eq!((&second["auth_time"], &second["sid"]), (&json!(NOW + 100), &first["sid"]));
    }
    let page = browser.open(&authorize(&[("prompt", "login")])).await;
    assert!(page.is_page("login"));
}

#[tokio::test]
async fn a_hint_means_one_person_and_nobody_else() {
    let fixture = shop(|_| {});
    let hint = tokens(&fixture, &[]).await["id_token"].as_str().unwrap().to_owned();
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    assert!(browser.log_in(&page, "bob", "bobs password").await.redirected("code").is_some());
    let none = browser.get(&authorize(&[("id_token_hint", &hint), ("prompt", "none")])).await;
    assert_eq!(none.redirected("error").as_deref(), Some("login_required"));
    let page = browser.open(&authorize(&[("id_token_hint", &hint)])).await;
    assert!(page.is_page("login") && !page.text().contains("ada"), "{}", page.text());
    let refused = browser.log_in(&page, "bob", "bobs password").await;
    assert_eq!(refused.redirected("error").as_deref(), Some("login_required"));
    let claims = r#"{"id_token":{"sub":{"value":"usr_ada"}}}"#;
    let none = browser.get(&authorize(&[("claims", claims), ("prompt", "none")])).await;
    assert_eq!(none.redirected("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn the_login_page_tells_nobody_which_accounts_there_are() {
    let fixture = shop(|_| {});
    let hint = tokens(&fixture, &[]).await["id_token"].as_str().unwrap().to_owned();
    let of = |sub: &str| json!({"id_token": {"sub": {"value": sub}}}).to_string();
    let page = async |name: &str, value: &str| {
        let page = Browser::new(&fixture).open(&authorize(&[(name, value)])).await;
        assert!(page.is_page("login"), "{}", page.text());
        page.text().replace(&page.hidden("flow"), "")
    };
    let nobodys = page("claims", &of("usr_nobody")).await;
    assert_eq!(page("claims", &of("usr_ada")).await, nobodys);
    assert_eq!(page("id_token_hint", &hint).await, nobodys);
}

#[tokio::test]
async fn an_essential_acr_is_reached_or_refused_before_anybody_types() {
    let fixture = shop(|_| {});
    let claims = |acr: &str| json!({"id_token": {"acr": {"essential": true, "values": [acr]}}}).to_string();
    let answer = Browser::new(&fixture).get(&authorize(&[("claims", &claims("gold"))])).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("unmet_authentication_requirements"));
    let tokens = tokens(&fixture, &[("claims", &claims("urn:claviger:acr:password"))]).await;
    assert_eq!(part(tokens["id_token"].as_str().unwrap(), 1)["acr"], "urn:claviger:acr:password");
}

#[tokio::test]
async fn a_native_application_takes_one_click_always() {
    let fixture = shop(|shop| {
        shop.authentication = ClientAuthentication::None;
        shop.application_type = ApplicationType::Native;
        shop.redirect_uris = vec!["http://127.0.0.1/callback".to_owned()];
        shop.consent = ConsentPolicy::Skip;
    });
    let mut browser = Browser::new(&fixture);
    let native = [("redirect_uri", "http://127.0.0.1:49152/callback")];
    browser.code(&authorize(&native)).await;
    assert!(browser.open(&authorize(&native)).await.is_page("consent"));
    let none = browser.get(&authorize(&[native[0], ("prompt", "none")])).await;
    assert_eq!(none.redirected("error").as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn a_flow_whose_redirect_uri_was_withdrawn_goes_nowhere() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let page = browser.open(&authorize(&[])).await;
    let elsewhere = |shop: &mut claviger_crds::published::ClientDocument| {
        shop.redirect_uris = vec!["https://new.example/callback".to_owned()];
    };
    fixture.apply(&app("acme", "shop.app", elsewhere), 3);
    let refused = browser.log_in(&page, "ada", "correct horse").await;
    assert_eq!(refused.shown(), (400, "flow_expired".to_owned()));
}

#[tokio::test]
async fn offline_access_is_for_clients_with_refresh_tokens() {
    let scope = [("scope", "openid offline_access")];
    let with = tokens(&shop(|_| {}), &scope).await;
    assert_eq!(with["scope"], "openid offline_access");
    assert!(with["refresh_token"].is_string());
    let without = shop(|shop| shop.grant_types = vec!["authorization_code".to_owned()]);
    let without = tokens(&without, &scope).await;
    assert_eq!((&without["scope"], without.get("refresh_token")), (&json!("openid"), None));
}
