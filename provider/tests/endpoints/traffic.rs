//! What passes between a test and the provider, and which of it nobody else may ever see.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::middleware::{Next, from_fn};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::matrix::PLAIN;

/// The secrets among it. What is not known to be plain is one.
#[derive(Default)]
pub(crate) struct Traffic(Mutex<BTreeSet<String>>);

/// Of answers, beside what requests have: for programs or for people, and no secret.
const TOLD: [&str; 21] = [
    "active",
    "aud",
    "email",
    "error",
    "error_description",
    "exp",
    "expires_in",
    "groups",
    "iat",
    "iss",
    "jti",
    "loc",
    "msg",
    "name",
    "preferred_username",
    "redirect_to",
    "step",
    "sub",
    "tenant_id",
    "token_type",
    "type",
];
/// Found by chance in any text, if it were looked for.
const SHORTEST: usize = 6;

impl Traffic {
    /// All that was found so far.
    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().clone()
    }

    fn put(&self, name: &str, value: &str) {
        // The one parameter that is plain in the matrix, for it proves nothing alone.
        let is_plain = (PLAIN.contains(&name) && name != "code_verifier") || TOLD.contains(&name);
        if !is_plain && value.len() >= SHORTEST {
            self.0.lock().unwrap().insert(value.to_owned());
        }
    }

    /// `router`, with its traffic kept.
    pub(crate) fn around(self: Arc<Self>, router: Router) -> Router {
        router.layer(from_fn(move |request: Request<Body>, next: Next| {
            let traffic = Arc::clone(&self);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                traffic.asked(&parts, &body);
                let answer = next.run(Request::from_parts(parts, body.into())).await;
                let (parts, body) = answer.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                traffic.answered(&parts.headers, &body);
                Response::from_parts(parts, Body::from(body))
            }
        }))
    }

    fn asked(&self, parts: &Parts, body: &[u8]) {
        self.pairs(parts.uri.query().unwrap_or_default().as_bytes());
        self.authorization(&parts.headers);
        for cookies in parts.headers.get_all(COOKIE) {
            let pairs = cookies.to_str().unwrap().split("; ").filter_map(|pair| pair.split_once('='));
            pairs.for_each(|(name, value)| self.put(name, value));
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(json) => self.json("", &json),
            Err(_) => self.pairs(body),
        }
    }

    fn answered(&self, headers: &HeaderMap, body: &[u8]) {
        for cookie in headers.get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.put(name, rest.split(';').next().unwrap());
        }
        if let Some((_, query)) =
            headers.get(LOCATION).map(|to| to.to_str().unwrap()).and_then(|to| to.split_once(['?', '#']))
        {
            self.pairs(query.as_bytes());
        }
        if let Ok(json) = serde_json::from_slice::<Value>(body) {
            let is_document = json.get("issuer").is_some() || json.get("keys").is_some();
            if !is_document {
                self.json("", &json);
            }
        } else if let Ok(page) = std::str::from_utf8(body) {
            for input in page.split("<input type=\"hidden\" name=\"").skip(1) {
                let mut quoted = input.split('"');
                self.put(quoted.next().unwrap(), quoted.nth(1).unwrap_or_default());
            }
        }
    }

    fn authorization(&self, headers: &HeaderMap) {
        for value in headers.get_all(AUTHORIZATION) {
            let (_, credentials) = value.to_str().unwrap().split_once(' ').unwrap_or_default();
            self.put("credentials", credentials);
            let pair = STANDARD.decode(credentials).ok().and_then(|pair| String::from_utf8(pair).ok());
            if let Some((_, secret)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
                self.put("secret", secret);
            }
        }
    }

    fn pairs(&self, form: &[u8]) {
        url::form_urlencoded::parse(form).for_each(|(name, value)| self.put(&name, &value));
    }

    fn json(&self, name: &str, value: &Value) {
        match value {
            Value::String(text) => self.put(name, text),
            Value::Array(values) => values.iter().for_each(|value| self.json(name, value)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| self.json(name, value)),
            _ => {}
        }
    }
}
