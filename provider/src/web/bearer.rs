//! The bearer token of a request (RFC 6750 §2), and the answer to one without a good one (§3).

use std::borrow::Cow;
use std::fmt;

use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::error::no_store;
use crate::tenant::snapshot;

/// A token that somebody presents, unverified.
#[derive(PartialEq, Eq)]
pub(crate) enum Bearer<'a> {
    /// Nobody presents one.
    Missing,
    /// This one.
    Token(Cow<'a, str>),
    /// In a way that is none (§3.1, `invalid_request`).
    Malformed(&'static str),
}

/// Why a request with a bearer token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BearerError {
    /// It has none: no error is named (§3.1).
    Missing,
    /// `invalid_request`
    Malformed(&'static str),
    /// `invalid_token`: forged, expired, revoked, another tenant's, or its account is gone.
    Invalid,
    /// `insufficient_scope`: this one is missing.
    Scope(&'static str),
}

/// Without the token.
impl fmt::Debug for Bearer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::Token(_) => f.write_str("Token(…)"),
            Self::Malformed(reason) => f.debug_tuple("Malformed").field(reason).finish(),
        }
    }
}

impl<'a> Bearer<'a> {
    /// From the `Authorization` header, or `access_token` of a form; from both is refused.
    pub(crate) fn read(headers: &'a HeaderMap, form: Option<&'a str>) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (header, more) = (values.next(), values.next());
        match (header, more, form) {
            (None, _, None) => Self::Missing,
            (None, _, Some(token)) => Self::Token(Cow::Borrowed(token)),
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Self::Malformed("the token came in two ways"),
            (Some(header), None, None) => Self::of_header(header),
        }
    }

    fn of_header(header: &'a HeaderValue) -> Self {
        let Ok(text) = header.to_str() else { return Self::Malformed("the Authorization header is unreadable") };
        match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
                Self::Token(Cow::Borrowed(token.trim()))
            }
            // Of another scheme: this endpoint asks for a bearer token.
            _ => Self::Missing,
        }
    }
}

impl BearerError {
    /// The answer: empty, for the header says it all.
    pub(crate) fn into_response(self, issuer: &str) -> Response {
        let (status, error) = match self {
            Self::Missing => (StatusCode::UNAUTHORIZED, String::new()),
            Self::Malformed(description) => {
                let error = format!(", error=\"invalid_request\", error_description=\"{description}\"");
                (StatusCode::BAD_REQUEST, error)
            }
            Self::Invalid => {
                let description = "the token is expired, revoked or not this issuer's";
                let error = format!(", error=\"invalid_token\", error_description=\"{description}\"");
                (StatusCode::UNAUTHORIZED, error)
            }
            Self::Scope(scope) => (StatusCode::FORBIDDEN, format!(", error=\"insufficient_scope\", scope=\"{scope}\"")),
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        no_store(response.headers_mut());
        let realm = snapshot::realm(issuer);
        if let Ok(challenge) = HeaderValue::try_from(format!("Bearer realm=\"{realm}\"{error}")) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// JSON that must not be kept.
pub(crate) fn private_json(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    no_store(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_token_comes_in_the_header_or_the_form_and_not_in_both() {
        assert_eq!(Bearer::read(&headers(&["Bearer abc"]), None), Bearer::Token("abc".into()));
        assert_eq!(Bearer::read(&headers(&["bEaReR  abc "]), None), Bearer::Token("abc".into()));
        assert_eq!(Bearer::read(&headers(&[]), Some("abc")), Bearer::Token("abc".into()));
        for (values, form) in [(&["Bearer abc"][..], Some("abc")), (&["Bearer abc", "Bearer abc"], None)] {
            assert!(matches!(Bearer::read(&headers(values), form), Bearer::Malformed(_)));
        }
    }

    #[test]
    fn another_scheme_is_no_bearer_token() {
        for value in ["Basic abc", "Bearer", "Bearer ", "Bearerabc"] {
            assert_eq!(Bearer::read(&headers(&[value]), None), Bearer::Missing, "{value}");
        }
    }

    #[test]
    fn without_a_token_no_error_is_named() {
        let response = BearerError::Missing.into_response("https://login.example");
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer realm=\"https://login.example\"");
    }
}
