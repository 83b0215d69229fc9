use http::Request;
use http::header::{CONTENT_TYPE, COOKIE};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::code_flow::*;
use crate::fixture::*;

fn url() -> String {
    format!("{}/oauth/authorize/complete", issuer("acme"))
}

/// What completes the request of [`authorize`], after a login of Ada's in `browser`.
async fn finished(browser: &mut Browser<'_>, more: &[(&str, &str)]) -> Value {
    browser.accept = "application/json";
    let step = browser.get(&authorize(more)).await.json();
    let mut done = step.clone();
    if step["step"] == "login" {
        let login = json!({"flow": step["flow"], "username": "ada", "password": "correct horse"});
        done = browser.post_json(&format!("{}/oauth/login", issuer("acme")), &login).await.json();
    }
    assert_eq!(done["step"], "done", "{done}");
    json!({
        "session_id": done["session_id"], "client_id": "shop.app", "response_type": "code", "state": "s-1",
        "nonce": "n-1", "redirect_uri": "https://shop.example/callback", "scope": "openid profile email groups",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    })
}

fn with(request: &Value, name: &str, value: Value) -> Value {
    let mut request = request.clone();
    request[name] = value;
    request
}

#[tokio::test]
async fn every_parameter_is_bound_and_a_mismatch_uses_nothing_up() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let request = finished(&mut browser, &[]).await;
    for (name, values) in [
        ("client_id", vec![json!("other.app")]),
        ("redirect_uri", vec![json!("https://shop.example/callback/"), json!("https://evil.example")]),
        ("scope", vec![json!("openid"), json!("openid profile email groups offline_access"), json!("")]),
        ("response_type", vec![json!("token"), json!("")]),
        ("state", vec![json!("s-2"), json!(null), json!("")]),
        ("nonce", vec![json!("n-2"), json!(null), json!("")]),
        ("code_challenge", vec![json!("x"), json!(null)]),
        ("code_challenge_method", vec![json!("plain"), json!(null)]),
        ("session_id", vec![json!("x"), json!("")]),
    ] {
        for value in values {
            let answer = browser.post_json(&url(), &with(&request, name, value.clone())).await;
            assert_eq!(answer.status, 400, "{name} {value}: {}", answer.text());
            assert_eq!(answer.json().get("code"), None);
        }
    }
    let answer = browser.post_json(&url(), &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!((&body["state"], &body["iss"]), (&json!("s-1"), &json!(issuer("acme"))));
    let to = url::Url::parse(body["redirect_to"].as_str().unwrap()).unwrap();
    let code = to.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert_eq!(body["code"], code);
    assert_eq!(redeem(&fixture, &code).await.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let again = browser.post_json(&url(), &request).await;
    assert_eq!(again.status, 400, "once");
}

#[tokio::test]
async fn a_replay_within_the_same_browser_is_refused() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let request = finished(&mut browser, &[]).await;
    let cookies = browser.cookies.clone();
    assert_eq!(browser.post_json(&url(), &request).await.status, 200);
    browser.cookies = cookies;
    assert_eq!(browser.post_json(&url(), &request).await.error(), (400, "already_used".to_owned()));
}

#[tokio::test]
async fn what_is_absent_has_to_stay_absent() {
    let fixture = shop(|shop| shop.require_pkce = false);
    let mut browser = Browser::new(&fixture);
    let more = [("state", ""), ("nonce", ""), ("code_challenge", ""), ("code_challenge_method", "")];
    let request = finished(&mut browser, &more).await;
    assert_eq!(browser.post_json(&url(), &request).await.status, 400);
    let mut bare = request.clone();
    for (name, _) in more {
        assert_eq!(browser.post_json(&url(), &bare).await.status, 400);
        bare.as_object_mut().unwrap().remove(name);
    }
    let answer = browser.post_json(&url(), &bare).await;
    assert_eq!((answer.status.as_u16(), answer.json().get("state")), (200, None), "{}", answer.text());
}

#[tokio::test]
async fn it_lives_for_two_minutes() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let late = finished(&mut browser, &[]).await;
    fixture.advance(120);
    let answer = browser.post_json(&url(), &late).await;
    assert_eq!(answer.error(), (400, "flow_expired".to_owned()));
    assert_eq!(answer.json()["error_description"], "session_id is too old: begin again at the application");
    let unknown = browser.post_json(&url(), &with(&late, "session_id", json!("AQ"))).await;
    assert_eq!(unknown.error(), (400, "invalid_request".to_owned()));
    assert_eq!(unknown.json()["error_description"], "there is no such session_id of this login");
    let in_time = finished(&mut browser, &[]).await;
    fixture.advance(119);
    assert_eq!(browser.post_json(&url(), &in_time).await.status, 200);
}

#[tokio::test]
async fn nobody_elses_browser_and_no_foreign_page_completes() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let request = finished(&mut browser, &[]).await;
    let mut other = Browser::new(&fixture);
    assert_eq!(other.post_json(&url(), &request).await.error(), (400, "flow_cookie_missing".to_owned()));
    finished(&mut other, &[]).await;
    assert_eq!(other.post_json(&url(), &request).await.error(), (400, "flow_cookie_missing".to_owned()));
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        browser.headers = vec![(name, value)];
        assert_eq!(browser.post_json(&url(), &request).await.error(), (403, "foreign_origin".to_owned()));
    }
    browser.headers.clear();
    let answer = browser.post_json(&url(), &request).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, None));
}

#[tokio::test]
async fn a_client_that_was_withdrawn_meanwhile_gets_nothing() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let request = finished(&mut browser, &[]).await;
    let moved = |shop: &mut claviger_crds::published::ClientDocument| {
        shop.redirect_uris = vec!["https://new.example/callback".to_owned()];
    };
    fixture.apply(&app("acme", "shop.app", moved), 3);
    assert_eq!(browser.post_json(&url(), &request).await.error(), (400, "flow_expired".to_owned()));
    fixture.apply(&withdrawn(&app("acme", "shop.app", |_| {})), 4);
    assert_eq!(browser.post_json(&url(), &request).await.error(), (400, "flow_expired".to_owned()));
}

#[tokio::test]
async fn every_field_that_is_missing_or_no_text_is_named() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let answer = browser.post_json(&url(), &json!({"session_id": "x", "scope": null})).await;
    assert_eq!(answer.error(), (422, "invalid_request".to_owned()));
    let missing = |name| json!({"loc": ["body", name], "msg": "Field required", "type": "missing"});
    let fields = ["client_id", "redirect_uri", "scope", "response_type"];
    assert_eq!(answer.json()["detail"], json!(fields.map(missing)));
    let answer = browser.post_json(&url(), &json!({"session_id": 1, "client_id": ["a"], "scope": "openid"})).await;
    assert_eq!(answer.status, 422);
    let told = answer.json()["detail"].as_array().unwrap().iter().map(|it| json!([it["loc"][1], it["type"]])).collect();
    let expected = [
        json!(["client_id", "string_type"]),
        json!(["session_id", "string_type"]),
        json!(["redirect_uri", "missing"]),
        json!(["response_type", "missing"]),
    ];
    assert_eq!(Value::Array(told), json!(expected), "all at once, each once");
}

#[tokio::test]
async fn only_json_is_read() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let request = finished(&mut browser, &[]).await;
    let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let send = async |media_type: Option<&str>, body: String| {
        let mut post = Request::post(path("acme", "/oauth/authorize/complete")).header(COOKIE, cookies.join("; "));
        if let Some(media_type) = media_type {
            post = post.header(CONTENT_TYPE, media_type);
        }
        fixture.send(post.body(body.into()).unwrap()).await.status.as_u16()
    };
    for media_type in [Some(FORM), Some("text/plain"), Some("application/jsonx"), None] {
        assert_eq!(send(media_type, request.to_string()).await, 400, "{media_type:?}");
    }
    for body in ["", "[]", "\"x\"", "{"] {
        assert_eq!(send(Some("application/json"), body.to_owned()).await, 400, "{body}");
    }
    assert_eq!(send(Some("application/json; charset=utf-8"), request.to_string()).await, 200);
}

#[tokio::test]
async fn an_answer_for_a_form_says_so() {
    let fixture = shop(|_| {});
    let mut browser = Browser::new(&fixture);
    let request = finished(&mut browser, &[("response_mode", "form_post")]).await;
    let body = browser.post_json(&url(), &request).await.json();
    assert_eq!((&body["response_mode"], body.get("redirect_to")), (&json!("form_post"), None));
    assert_eq!(body["redirect_uri"], "https://shop.example/callback");
    assert_eq!(body["parameters"]["code"], body["code"]);
    assert_eq!((&body["parameters"]["state"], &body["parameters"]["iss"]), (&json!("s-1"), &json!(issuer("acme"))));
}
