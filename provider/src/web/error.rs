//! The error surfaces, each a type: the errors of OAuth, a request that lacks what the contract
//! requires, and what is not there at all.
//!
//! What the requester may know and what only logs say are different fields.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

/// Seconds after which to come again.
const SOON: HeaderValue = HeaderValue::from_static("1");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a token was not issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// RFC 6749 §5.2.
    InvalidRequest,
    /// RFC 6749 §5.2, with the status of RFC 9110 §15.5.14.
    TooLarge,
    /// RFC 6749 §5.2, with the status of RFC 9110 §15.5.9.
    TooSlow,
    /// A required field is missing: 422 with the contract's body.
    Validation,
    /// RFC 6749 §5.2.
    InvalidClient,
    /// RFC 6749 §5.2.
    InvalidScope,
    /// RFC 8707 §2.
    InvalidTarget,
    /// RFC 6749 §5.2.
    UnauthorizedClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §4.1.2.1, for want of one at the token endpoint.
    TemporarilyUnavailable,
    /// RFC 6749 §4.1.2.1, for want of one at the token endpoint.
    ServerError,
}

impl ErrorCode {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 11] = [
        Self::InvalidRequest,
        Self::TooLarge,
        Self::TooSlow,
        Self::Validation,
        Self::InvalidClient,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::TemporarilyUnavailable,
        Self::ServerError,
    ];

    /// What stands in `error`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest | Self::TooLarge | Self::TooSlow | Self::Validation => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// What stands in metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Validation => "validation",
            other => other.as_str(),
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::Validation => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::InvalidRequest
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType => StatusCode::BAD_REQUEST,
        }
    }
}

/// An error of OAuth (RFC 6749 §5.2): JSON, whatever `Accept` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OAuthError {
    /// What went wrong, for programs.
    pub(crate) code: ErrorCode,
    /// The same for people; within RFC 6749's characters.
    description: Cow<'static, str>,
    /// For logs alone.
    pub(crate) detail: &'static str,
}

impl OAuthError {
    /// An error of which logs say no more than the requester is told.
    pub(crate) fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into(), detail: "" }
    }

    /// Whatever is wrong with a client, it is told the same: which clients exist is not to be
    /// learnt. `detail` says in logs what it was.
    pub(crate) fn invalid_client(detail: &'static str) -> Self {
        Self { code: ErrorCode::InvalidClient, description: Cow::Borrowed("client authentication failed"), detail }
    }

    /// The answer. `challenge` is the issuer's.
    pub(crate) fn into_response(self, challenge: &HeaderValue) -> Response {
        let body = PublicError { error: self.code.as_str(), error_description: &self.description };
        let mut response = json(self.code.status(), &body);
        no_store(response.headers_mut());
        if self.code == ErrorCode::InvalidClient {
            // RFC 9110 §15.5.2 asks for it whichever way the client tried.
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge.clone());
        }
        if self.code == ErrorCode::TemporarilyUnavailable {
            response.headers_mut().insert(RETRY_AFTER, SOON);
        }
        response
    }
}

/// Required fields that are missing: the contract's `HTTPValidationError`, which names them all,
/// and what OAuth libraries understand beside it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ValidationError {
    missing: Vec<&'static str>,
}

impl ValidationError {
    /// These fields of the body are missing.
    pub(crate) fn missing(missing: Vec<&'static str>) -> Self {
        Self { missing }
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Fault {
            loc: [&'static str; 2],
            msg: &'static str,
            r#type: &'static str,
        }
        #[derive(Serialize)]
        struct HttpValidationError {
            detail: Vec<Fault>,
            error: &'static str,
            error_description: String,
        }
        let error_description = format!("missing: {}", self.missing.join(", "));
        let fault = |field| Fault { loc: ["body", field], msg: "Field required", r#type: "missing" };
        let detail = self.missing.into_iter().map(fault).collect();
        let error = ErrorCode::Validation.as_str();
        let body = HttpValidationError { detail, error, error_description };
        let mut response = json(ErrorCode::Validation.status(), &body);
        no_store(response.headers_mut());
        response
    }
}

/// What is not served at this address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// No such path.
    Path,
    /// No such tenant, or not here.
    Tenant,
    /// An endpoint that discovery has to name and that this release does not serve.
    NotServed,
}

impl NotFound {
    /// The answer.
    pub(crate) fn into_response(self) -> Response {
        let error_description = match self {
            Self::Path => "there is no such endpoint",
            Self::Tenant => "there is no such tenant at this address",
            Self::NotServed => "this endpoint is not served by this release",
        };
        uncached(StatusCode::NOT_FOUND, &PublicError { error: "not_found", error_description })
    }
}

/// The method is not one of `allowed` (RFC 9110 §15.5.6).
pub(crate) fn method_not_allowed(allowed: &HeaderValue) -> Response {
    let body = PublicError { error: "method_not_allowed", error_description: "see the Allow header" };
    let mut response = uncached(StatusCode::METHOD_NOT_ALLOWED, &body);
    response.headers_mut().insert(ALLOW, allowed.clone());
    response
}

/// Nothing can be said yet: what is published has not been loaded, or a tenant has no key.
pub(crate) fn unavailable(description: &str) -> Response {
    let body = PublicError { error: ErrorCode::TemporarilyUnavailable.as_str(), error_description: description };
    let mut response = uncached(StatusCode::SERVICE_UNAVAILABLE, &body);
    response.headers_mut().insert(RETRY_AFTER, SOON);
    response
}

/// A fault of the provider's own.
pub(crate) fn fault() -> Response {
    let body = PublicError { error: ErrorCode::ServerError.as_str(), error_description: "an internal error" };
    uncached(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// What must not be kept by anyone (RFC 6749 §5.1).
pub(crate) fn no_store(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
}

#[derive(Serialize)]
struct PublicError<'a> {
    error: &'a str,
    error_description: &'a str,
}

fn uncached(status: StatusCode, body: &PublicError<'_>) -> Response {
    let mut response = json(status, body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    // Structs of text always serialise.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}
