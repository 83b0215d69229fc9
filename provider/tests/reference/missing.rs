//! What is answered where something is missing that the reference requires, and where it is of the
//! wrong type.

use axum::body::Body;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Map, Value, json};

use crate::browser::form;
use crate::exceptions::{Instead, NOT_422, instead};
use crate::fixture::*;
use crate::instance::differences;
use crate::live::documents;
use crate::reference::{self, Field, Operation, Reference};

const JSON: &str = "application/json";

/// What a request bears of each kind.
fn value(name: &str) -> String {
    match name {
        "tenant_slug" => "acme",
        "response_type" => "code",
        "client_id" => "shop.app",
        "redirect_uri" => "https://shop.example/callback",
        "scope" => "openid",
        "grant_type" => "client_credentials",
        "authorization" => "Bearer x",
        "session_id" | "token" | "logout_token" => "x",
        other => panic!("a required field that this test does not know: {other}"),
    }
    .to_owned()
}

/// The request of `operation` with whatever is required but `without`.
fn request(operation: &Operation, reference: &Reference, without: &str) -> Request<Body> {
    let required = |fields: &[Field], place: &str| -> Vec<(String, String)> {
        let fields = fields.iter().filter(|field| field.required && field.place == place && field.name != without);
        fields.map(|field| (field.name.clone(), value(&field.name))).collect()
    };
    let slug = if without == "tenant_slug" { String::new() } else { value("tenant_slug") };
    let query = encoded(&required(&operation.parameters, "query"));
    let uri = format!("{}?{query}", operation.path.replace("{tenant_slug}", &slug));
    let mut request = Request::builder().method(operation.method.as_str()).uri(uri).header(ACCEPT, JSON);
    for (name, value) in required(&operation.parameters, "header") {
        request = request.header(name, value);
    }
    if operation.parameters.iter().any(|field| field.name == "authorization" && !field.required) {
        request = request.header(AUTHORIZATION, basic(SHOP.0, SHOP.1));
    }
    let Some((media_type, schema)) = &operation.body else { return request.body(Body::empty()).unwrap() };
    let fields = required(&reference.schemas[schema], "");
    let body = match media_type.as_str() {
        JSON => fields.into_iter().map(|(name, value)| (name, value.into())).collect::<Map<String, Value>>(),
        FORM => return request.header(CONTENT_TYPE, FORM).body(encoded(&fields).into()).unwrap(),
        other => panic!("a media type that this test does not know: {other}"),
    };
    request.header(CONTENT_TYPE, JSON).body(Value::from(body).to_string().into()).unwrap()
}

fn encoded(fields: &[(String, String)]) -> String {
    form(&fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
}

/// Everything that `operation` requires, with its place as `loc` has it.
fn requirements<'a>(operation: &'a Operation, reference: &'a Reference) -> Vec<(&'a str, &'a str)> {
    let parameters = operation.parameters.iter().map(|field| (field, field.place.as_str()));
    let schema = operation.body.iter().flat_map(|(_, schema)| &reference.schemas[schema]);
    let all = parameters.chain(schema.map(|field| (field, "body")));
    all.filter(|(field, _)| field.required).map(|(field, place)| (place, field.name.as_str())).collect()
}

#[tokio::test]
async fn what_is_required_and_missing_is_named() {
    let (fixture, reference) = (Fixture::serving(documents()), reference::read());
    let mut wrong = Vec::new();
    for operation in &reference.operations {
        for (place, name) in requirements(operation, &reference) {
            let answer = fixture.send(request(operation, &reference, name)).await;
            let problem = match instead(&operation.name(), name) {
                None => not_named(&answer, (place, name), &reference),
                Some(instead) => not_instead(&answer, instead),
            };
            wrong.extend(problem.map(|problem| format!("{} without {name}: {problem}", operation.name())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Why `answer` is not the 422 that names one field.
fn not_named(answer: &Answer, (place, name): (&str, &str), reference: &Reference) -> Option<String> {
    if answer.status != 422 {
        return Some(format!("{} {:?}", answer.status, answer.body));
    }
    let body = answer.json();
    let mut wrong = differences(&body, "HTTPValidationError", reference);
    if body["detail"].as_array().map(Vec::len) != Some(1) || body["detail"][0]["loc"] != json!([place, name]) {
        wrong.push(format!("detail {}", body["detail"]));
    }
    // Ours, for OAuth libraries.
    if body["error"] != "invalid_request" || !body["error_description"].is_string() {
        wrong.push(format!("error {}", body["error"]));
    }
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

fn not_instead(answer: &Answer, instead: Instead) -> Option<String> {
    let is_so = match instead {
        Instead::Status(status) => answer.status == status,
        Instead::Redirect(error) => {
            answer.status == 303
                && answer.header("location").is_some_and(|to| to.starts_with("https://shop.example/callback?"))
                && answer.redirected("error").as_deref() == Some(error)
        }
    };
    (!is_so).then(|| format!("{} {:?} {:?}", answer.status, answer.headers, answer.body))
}

#[tokio::test]
async fn whoever_leaves_out_what_is_not_required_is_not_told_that_something_is_missing() {
    let (fixture, reference) = (Fixture::serving(documents()), reference::read());
    for operation in &reference.operations {
        let answer = fixture.send(request(operation, &reference, "nothing")).await;
        assert_ne!(answer.status, 422, "{} {:?}", operation.name(), answer.body);
        let wrong = answer.header("location").is_some_and(|to| to.contains("error=invalid_request"));
        // Without PKCE, which the client has to use, /authorize tells so.
        assert!(!wrong || operation.name().ends_with("/oauth/authorize"), "{}", operation.name());
    }
}

#[test]
fn every_exception_is_of_something_that_is_required() {
    let reference = reference::read();
    for (operation, name, ..) in NOT_422 {
        let (method, path) = operation.split_once(' ').unwrap_or_default();
        let found = reference.operations.iter().any(|it| {
            let is_it = operation.is_empty() || (it.method == method && it.path.ends_with(path));
            is_it && requirements(it, &reference).iter().any(|(_, other)| other == name)
        });
        assert!(found, "{operation} {name}");
    }
}

#[tokio::test]
async fn everything_that_is_missing_is_named_at_once() {
    let fixture = Fixture::serving(documents());
    let json = Request::post(path("acme", "/oauth/authorize/complete")).header(CONTENT_TYPE, JSON);
    let authorize = Request::get(path("acme", "/oauth/authorize")).header(ACCEPT, JSON);
    for (request, place, names) in [
        (json.body("{}".into()), "body", vec!["session_id", "client_id", "redirect_uri", "scope", "response_type"]),
        (authorize.body(Body::empty()), "query", vec!["response_type", "client_id", "redirect_uri", "scope"]),
    ] {
        let answer = fixture.send(request.unwrap()).await;
        assert_eq!(answer.status, 422);
        let body = answer.json();
        let locs: Vec<&Value> = body["detail"].as_array().unwrap().iter().map(|fault| &fault["loc"]).collect();
        assert_eq!(
            locs,
            names.into_iter().map(|name| json!([place, name])).collect::<Vec<_>>().iter().collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named() {
    let (fixture, reference) = (Fixture::serving(documents()), reference::read());
    for field in &reference.schemas["AuthorizeCompleteRequest"] {
        for wrong in [json!(5), json!(true), json!(["x"]), json!({"x": 1})] {
            let mut body = json!({"session_id": "x", "client_id": "shop.app", "redirect_uri": "x", "scope": "openid", "response_type": "code"});
            body[&field.name] = wrong.clone();
            let request = Request::post(path("acme", "/oauth/authorize/complete")).header(CONTENT_TYPE, JSON);
            let answer = fixture.send(request.body(body.to_string().into()).unwrap()).await;
            let problem = not_named(&answer, ("body", &field.name), &reference);
            assert_eq!(problem, None, "{} {wrong}", field.name);
        }
    }
}

#[tokio::test]
async fn null_is_as_good_as_nothing() {
    let (fixture, reference) = (Fixture::serving(documents()), reference::read());
    for field in &reference.schemas["AuthorizeCompleteRequest"] {
        let mut body = json!({
            "session_id": "x", "client_id": "shop.app", "redirect_uri": "x", "scope": "openid", "response_type": "code",
        });
        body[&field.name] = Value::Null;
        let request = Request::post(path("acme", "/oauth/authorize/complete")).header(CONTENT_TYPE, JSON);
        let answer = fixture.send(request.body(body.to_string().into()).unwrap()).await;
        match field.required {
            true => assert_eq!(not_named(&answer, ("body", &field.name), &reference), None, "{}", field.name),
            // The session is none: that is told, and nothing of the field.
            false => assert_eq!(answer.error(), (400, "invalid_request".to_owned()), "{}", field.name),
        }
    }
}
