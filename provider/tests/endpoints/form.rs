use axum::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::json;

use crate::fixture::*;

const GRANT: &str = "grant_type=client_credentials";

async fn post(fixture: &Fixture, media_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path("acme", "/oauth/token"))
        .header(AUTHORIZATION, basic("shop.app", SECRET));
    if let Some(media_type) = media_type {
        request = request.header(CONTENT_TYPE, media_type);
    }
    fixture.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_missing_grant_type_is_told_in_both_languages() {
    let fixture = Fixture::acme();
    for (media_type, form) in [
        (Some(FORM), ""),
        (None, ""),
        (Some(FORM), "scope=read"),
        (Some(FORM), "grant_type="),
        (Some(FORM), "grant_type"),
    ] {
        let answer = post(&fixture, media_type, form).await;
        assert_eq!(answer.status.as_u16(), 422, "{form}");
        assert_eq!(
            answer.json(),
            json!({
                "detail": [{"loc": ["body", "grant_type"], "msg": "Field required", "type": "missing"}],
                "error": "invalid_request",
                "error_description": "missing: grant_type",
            })
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn only_a_form_is_read() {
    let fixture = Fixture::acme();
    for (media_type, status) in [
        (Some(FORM), 200),
        (Some("APPLICATION/x-www-form-urlencoded; charset=UTF-8"), 200),
        (Some("application/x-www-form-urlencodedX"), 400),
        (Some("application/json"), 400),
        (Some("multipart/form-data; boundary=x"), 400),
        (Some("text/plain"), 400),
        (Some(""), 400),
        (None, 400),
    ] {
        let answer = post(&fixture, media_type, GRANT).await;
        assert_eq!(answer.status.as_u16(), status, "{media_type:?}");
        if status == 400 {
            let description = "the body has to be application/x-www-form-urlencoded";
            assert_eq!(answer.json(), json!({"error": "invalid_request", "error_description": description}));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_understood_in_one_way_is_refused() {
    let fixture = Fixture::acme();
    let many: String = (0..64).map(|number| format!("&x{number}=1")).collect();
    let odd = format!("{}=1&{}=1", "%22<", "%22<");
    for (form, description) in [
        (format!("{GRANT}&{GRANT}"), "grant_type is repeated"),
        (format!("{GRANT}&grant_type="), "grant_type is repeated"),
        (format!("{GRANT}&grant%5Ftype=password"), "grant_type is repeated"),
        (format!("{GRANT}&scope=a&scope=b"), "scope is repeated"),
        (format!("{GRANT}&unknown=1&unknown=1"), "unknown is repeated"),
        (format!("{GRANT}&{odd}"), "a parameter is repeated"),
        (format!("{GRANT}&scope=%"), "the body is not form-encoded UTF-8"),
        (format!("{GRANT}&scope=%zz"), "the body is not form-encoded UTF-8"),
        (format!("{GRANT}&scope=%ff"), "the body is not form-encoded UTF-8"),
        (format!("{GRANT}{many}"), "there are too many parameters"),
    ] {
        let answer = post(&fixture, Some(FORM), form.clone()).await;
        let body = json!({"error": "invalid_request", "error_description": description});
        assert_eq!((answer.status.as_u16(), answer.json()), (400, body), "{form}");
    }
    let raw = post(&fixture, Some(FORM), Bytes::from_static(b"grant_type=client_credentials&x=\xff")).await;
    assert_eq!(raw.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn unknown_and_empty_parameters_are_ignored() {
    let fixture = Fixture::acme();
    for form in [format!("{GRANT}&unknown=1&=&&scope="), format!("&{GRANT}&"), format!("{GRANT}&resource=&resource=")] {
        assert_eq!(post(&fixture, Some(FORM), form.clone()).await.status.as_u16(), 200, "{form}");
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_64_kib() {
    let fixture = Fixture::acme();
    let form = |length: usize| format!("{GRANT}&x={}", "a".repeat(length - GRANT.len() - 3));
    assert_eq!(post(&fixture, Some(FORM), form(65_536)).await.status.as_u16(), 200);
    let answer = post(&fixture, Some(FORM), form(65_537)).await;
    assert_eq!(answer.error(), (413, "invalid_request".to_owned()));

    // Neither an announced length nor its absence helps.
    let announced =
        Request::post(path("acme", "/oauth/token")).header(CONTENT_TYPE, FORM).header("content-length", "65537");
    assert_eq!(fixture.send(announced.body(Body::empty()).unwrap()).await.status.as_u16(), 413);
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'a'; 1024])));
    let answer = post(&fixture, Some(FORM), Body::from_stream(endless)).await;
    assert_eq!(answer.error(), (413, "invalid_request".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let fixture = Fixture::acme();
    let stuck = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    let began = tokio::time::Instant::now();
    let answer = post(&fixture, Some(FORM), Body::from_stream(stuck)).await;
    assert_eq!(answer.error(), (408, "invalid_request".to_owned()));
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let fixture = Fixture::acme();
    let broken = futures::stream::iter([Ok(Bytes::from_static(GRANT.as_bytes())), Err(std::io::Error::other("gone"))]);
    let answer = post(&fixture, Some(FORM), Body::from_stream(broken)).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
}
