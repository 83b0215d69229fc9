//! Why an authorization request is not served. Two types, because what they may do differs: a
//! [`PageError`] never redirects, a [`RedirectError`] holds a redirect URI that was found registered.
//!
//! Checks after the redirect URI's return an [`AuthorizationError`], which alone can do neither.

use std::borrow::Cow;

use http::StatusCode;

use super::parameters::Source;
use super::response::{AuthorizationResponse, Destination};
use crate::web::error::{ErrorCode, Fault, OAuthError};

/// Why a request is not served, and how that may be said.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// On a page, or as JSON where asked for.
    Page(PageError),
    /// By a redirect.
    Redirect(RedirectError),
}

/// The client or its redirect URI is not to be trusted: the person is told, not the URI
/// (RFC 6749 §4.1.2.1, RFC 9700 §4.11).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PageError {
    /// Without these required fields: 422 with the contract's body.
    Missing {
        /// Where they would stand.
        source: Source,
        /// All of them.
        fields: Vec<&'static str>,
    },
    /// The request cannot be read: 400.
    Unusable(&'static str),
    /// There is no such client, or it has no such redirect URI: 400. Which of the two, only logs
    /// say: which clients exist is not to be learnt.
    NotRegistered {
        /// For logs alone.
        detail: &'static str,
        /// That was asked for; for logs alone, as the next.
        client_id: String,
        /// That was asked for. The page must not say it: whoever sees that has followed a link that anybody may have
        /// made.
        redirect_uri: String,
    },
}

/// An error that the client is told.
#[derive(Debug)]
pub(crate) struct RedirectError {
    /// Where to.
    pub(crate) destination: Destination,
    /// What.
    pub(crate) error: AuthorizationError,
}

/// What stands in `error` and `error_description`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AuthorizationError {
    /// For programs.
    pub(crate) code: AuthorizationErrorCode,
    /// For people; within RFC 6749's characters.
    pub(crate) description: Cow<'static, str>,
}

/// The values of `error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationErrorCode {
    /// RFC 6749 §4.1.2.1.
    InvalidRequest,
    /// RFC 6749 §4.1.2.1.
    UnauthorizedClient,
    /// RFC 6749 §4.1.2.1.
    AccessDenied,
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749 §4.1.2.1.
    InvalidScope,
    /// RFC 6749 §4.1.2.1.
    ServerError,
    /// RFC 6749 §4.1.2.1.
    TemporarilyUnavailable,
    /// RFC 8707 §2.
    InvalidTarget,
    /// OpenID Connect Core 1.0 §3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core 1.0 §3.1.2.6.
    AccountSelectionRequired,
    /// OpenID Connect Core 1.0 §3.1.2.6.
    ConsentRequired,
    /// OpenID Connect Core 1.0 §3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core 1.0 §3.1.2.6.
    RequestUriNotSupported,
    /// OpenID Connect Core 1.0 §3.1.2.6.
    RegistrationNotSupported,
    /// OpenID Connect Core Error Code unmet_authentication_requirements 1.0 §2.
    UnmetAuthenticationRequirements,
}

// === impl PageError ===

impl PageError {
    /// 400 or 422.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Missing { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unusable(_) | Self::NotRegistered { .. } => StatusCode::BAD_REQUEST,
        }
    }

    /// What stands in `error` where JSON was asked for.
    pub(crate) fn code(&self) -> &'static str {
        AuthorizationErrorCode::InvalidRequest.as_str()
    }

    /// What the requester is told.
    pub(crate) fn description(&self) -> Cow<'static, str> {
        match self {
            Self::Missing { fields, .. } => format!("missing: {}", fields.join(", ")).into(),
            Self::Unusable(description) => Cow::Borrowed(description),
            Self::NotRegistered { .. } => {
                Cow::Borrowed("there is no such application here, or it does not use this redirect_uri")
            }
        }
    }

    /// For logs alone.
    pub(crate) fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Missing { .. } | Self::Unusable(_) => self.description(),
            Self::NotRegistered { detail, .. } => Cow::Borrowed(detail),
        }
    }

    /// `HTTPValidationError.detail`: every field that is missing.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let Self::Missing { source, fields } = self else { return Vec::new() };
        fields.iter().map(|field| Fault::missing(source.as_str(), field)).collect()
    }
}

// === impl RedirectError ===

impl RedirectError {
    /// The answer.
    pub(crate) fn into_response(self) -> AuthorizationResponse {
        self.destination.error(self.error)
    }
}

// === impl AuthorizationError ===

impl AuthorizationError {
    /// An error with this description.
    pub(crate) fn new(code: AuthorizationErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into() }
    }

    /// The request itself is wrong.
    pub(crate) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AuthorizationErrorCode::InvalidRequest, description)
    }
}

/// What scopes and audiences are refused with is the same at the token endpoint.
impl From<OAuthError> for AuthorizationError {
    fn from(error: OAuthError) -> Self {
        let code = match error.code {
            ErrorCode::InvalidScope => AuthorizationErrorCode::InvalidScope,
            ErrorCode::InvalidTarget => AuthorizationErrorCode::InvalidTarget,
            ErrorCode::UnauthorizedClient => AuthorizationErrorCode::UnauthorizedClient,
            ErrorCode::TemporarilyUnavailable => AuthorizationErrorCode::TemporarilyUnavailable,
            ErrorCode::ServerError => AuthorizationErrorCode::ServerError,
            _ => AuthorizationErrorCode::InvalidRequest,
        };
        Self::new(code, error.into_description())
    }
}

// === impl AuthorizationErrorCode ===

impl AuthorizationErrorCode {
    /// What stands in `error`, and in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        }
    }
}
