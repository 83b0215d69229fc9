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

use crate::tenant::snapshot::NoSealingKey;

/// Seconds after which to come again.
const SOON: HeaderValue = HeaderValue::from_static("1");
/// The type of a fault, and what is said of it.
const MISSING: &str = "missing";
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
    InvalidGrant,
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
    pub(crate) const ALL: [Self; 12] = [
        Self::InvalidRequest,
        Self::TooLarge,
        Self::TooSlow,
        Self::Validation,
        Self::InvalidClient,
        Self::InvalidGrant,
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
            Self::InvalidGrant => "invalid_grant",
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
            | Self::InvalidGrant
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

    /// The same, and in logs also this.
    pub(crate) fn with_detail(self, detail: &'static str) -> Self {
        Self { detail, ..self }
    }

    /// The same by another code.
    pub(crate) fn with_code(self, code: ErrorCode) -> Self {
        Self { code, ..self }
    }

    /// Whatever is wrong with a client, it is told the same: which clients exist is not to be
    /// learnt. `detail` says in logs what it was.
    pub(crate) fn invalid_client(detail: &'static str) -> Self {
        Self { code: ErrorCode::InvalidClient, description: Cow::Borrowed("client authentication failed"), detail }
    }

    /// Whatever is wrong with a code or a refresh token, the client is told the same. `detail` says in
    /// logs what it was.
    pub(crate) fn invalid_grant(detail: &'static str) -> Self {
        let description = Cow::Borrowed("the code or token is not valid, or not any more");
        Self { code: ErrorCode::InvalidGrant, description, detail }
    }

    /// What has to be looked up or remembered cannot be now.
    pub(crate) fn store_away() -> Self {
        Self::new(ErrorCode::TemporarilyUnavailable, "the store is not available")
    }

    /// The answer's.
    pub(crate) fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// What the requester is told.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// What the requester is told, for another error surface.
    pub(crate) fn into_description(self) -> Cow<'static, str> {
        self.description
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

impl From<NoSealingKey> for OAuthError {
    fn from(none: NoSealingKey) -> Self {
        Self::new(ErrorCode::TemporarilyUnavailable, none.to_string())
    }
}

/// A required field is missing or of the wrong type: the contract's `HTTPValidationError`, which names
/// every fault, and what OAuth libraries understand beside it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ValidationError {
    faults: Vec<Fault>,
}

/// One entry of `HTTPValidationError.detail`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// `["body", "grant_type"]`
    loc: [String; 2],
    /// For people.
    msg: &'static str,
    /// For programs.
    r#type: &'static str,
}

impl Fault {
    /// Where it is: place and field.
    pub(crate) fn loc(&self) -> [&str; 2] {
        [&self.loc[0], &self.loc[1]]
    }

    /// The field `name` is missing in `place`.
    pub(crate) fn missing(place: &str, name: &str) -> Self {
        Self { loc: [place.to_owned(), name.to_owned()], msg: "Field required", r#type: MISSING }
    }

    /// The field `name` in `place` is not text.
    pub(crate) fn not_text(place: &str, name: &str) -> Self {
        // A name is the sender's own: not all of it has to come back.
        let name = name.chars().take(64).collect();
        Self { loc: [place.to_owned(), name], msg: "Input should be a valid string", r#type: "string_type" }
    }
}

impl ValidationError {
    /// These fields of the body are missing.
    pub(crate) fn missing(missing: Vec<&'static str>) -> Self {
        Self { faults: missing.into_iter().map(|name| Fault::missing("body", name)).collect() }
    }

    /// With these faults.
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self { faults }
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct HttpValidationError {
            detail: Vec<Fault>,
            error: &'static str,
            error_description: String,
        }
        let names: Vec<&str> = self.faults.iter().map(|fault| fault.loc()[1]).collect();
        let are_missing = self.faults.iter().all(|fault| fault.r#type == MISSING);
        let what = if are_missing { MISSING } else { "missing or of the wrong type" };
        let error_description = format!("{what}: {}", names.join(", "));
        let error = ErrorCode::Validation.as_str();
        let body = HttpValidationError { detail: self.faults, error, error_description };
        let mut response = json(ErrorCode::Validation.status(), &body);
        no_store(response.headers_mut());
        response
    }
}

/// Why an endpoint that clients call with a form refuses: the same ways at all of them.
#[derive(Debug)]
pub(crate) enum TokenError {
    /// A required field is missing.
    Validation(ValidationError),
    /// An error of OAuth.
    OAuth(OAuthError),
}

impl TokenError {
    /// For metrics and logs.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Validation(_) => ErrorCode::Validation,
            Self::OAuth(error) => error.code,
        }
    }

    /// The answer. `challenge` is the issuer's.
    pub(crate) fn into_response(self, challenge: &HeaderValue) -> Response {
        match self {
            Self::Validation(error) => error.into_response(),
            Self::OAuth(error) => error.into_response(challenge),
        }
    }
}

impl From<ValidationError> for TokenError {
    fn from(error: ValidationError) -> Self {
        Self::Validation(error)
    }
}

impl From<OAuthError> for TokenError {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

/// What is not served at this address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// No such path.
    Path,
    /// No such tenant, or not here.
    Tenant,
    /// An endpoint of the contract that this release does not serve yet.
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

/// An error as JSON, with these words.
pub(crate) fn public(status: StatusCode, error: &str, description: &str) -> Response {
    uncached(status, &PublicError { error, error_description: description })
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
