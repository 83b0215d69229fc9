//! What keeps a person from going on, and how it is said: on a page, or as JSON where that is asked for.

use std::time::Duration;

use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use crate::authorize::refusal::PageError;
use crate::flow::cookie::NotThisBrowser;
use crate::flow::handle::NoFlow;
use crate::store::StoreError;
use crate::web::error::{self, OAuthError, ValidationError};
use crate::web::exchange::Exchange;
use crate::web::page;
use crate::web::page::error::{ErrorPage, Fault, StartAgain};
use crate::web::same_origin::Foreign;

/// Why a person cannot go on here. Never a redirect.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The authorization request is wrong in a way that its client must not be told.
    Request(PageError),
    /// The body is none that the endpoint takes.
    Body(OAuthError),
    /// What the body or the query has to name is missing.
    Missing(&'static str),
    /// There is no such flow.
    Flow(NoFlow),
    /// It began in another browser, or this one keeps no cookies.
    NotThisBrowser,
    /// Another site's page sent this.
    Foreign,
    /// The client was withdrawn meanwhile.
    ClientGone,
    /// A logout request is wrong.
    Logout(&'static str),
    /// Too many are logging in at once.
    Busy,
    /// What was finished was used before.
    Used,
    /// The store is away, or the tenant has no keys yet.
    Unavailable,
}

impl Failure {
    /// The answer.
    pub(crate) fn into_response(self, exchange: &Exchange<'_>) -> Response {
        let request_id = exchange.request_id;
        let detail = self.detail();
        tracing::debug!(?request_id, failure = ?self, detail, "a login does not go on");
        if exchange.wants_json() { self.json() } else { self.page(exchange) }
    }

    fn page(&self, exchange: &Exchange<'_>) -> Response {
        let site = exchange.site(&[]);
        let detail = match self {
            Self::Request(error) => Some(error.description()),
            Self::Body(error) => Some(error.description().to_owned().into()),
            Self::Logout(reason) => Some((*reason).into()),
            _ => None,
        };
        let page = ErrorPage {
            site,
            fault: self.fault(),
            code: self.code(),
            detail: detail.as_deref(),
            request_id: exchange.request_id.to_str().unwrap_or_default(),
            start_again: None::<StartAgain<'_>>,
        };
        page::respond(self.status(), &page)
    }

    /// The answer as JSON, whatever was asked for.
    pub(crate) fn json(&self) -> Response {
        let status = self.status();
        match self {
            Self::Request(error) => match error.faults() {
                faults if faults.is_empty() => error::public(status, error.code(), &error.description()),
                faults => ValidationError::new(faults).into_response(),
            },
            Self::Body(error) => error::public(status, error.code.as_str(), error.description()),
            Self::Missing(field) => error::public(status, "invalid_request", &format!("{field} is missing")),
            Self::Unavailable | Self::Flow(NoFlow::Store(_)) => error::unavailable("the store is not available"),
            Self::Busy => {
                let mut response = error::public(status, "temporarily_unavailable", "too many logins at once");
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            other => error::public(status, other.code().unwrap_or("invalid_request"), other.words()),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Request(PageError::NotRegistered { .. }) => Fault::UnknownClient,
            Self::Request(_) | Self::Body(_) | Self::Missing(_) => Fault::BadRequest,
            Self::Flow(NoFlow::Unknown | NoFlow::Over) | Self::ClientGone => Fault::Expired,
            Self::NotThisBrowser => Fault::CookiesOff,
            Self::Foreign => Fault::Foreign,
            Self::Logout(_) => Fault::Logout,
            Self::Used => Fault::Used,
            Self::Busy => Fault::Throttled(Duration::from_secs(1)),
            Self::Flow(NoFlow::Store(_)) | Self::Unavailable => Fault::Unavailable,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Request(error) => error.status(),
            Self::Body(error) => error.status(),
            // It is not this browser that is too fast.
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            other => other.fault().status(),
        }
    }

    /// For logs alone.
    fn detail(&self) -> &'static str {
        match self {
            Self::Request(error) => error.detail(),
            Self::Body(error) => error.detail,
            Self::Missing(field) => field,
            other => other.words(),
        }
    }

    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Request(error) => Some(error.code()),
            Self::Body(_) | Self::Missing(_) | Self::Logout(_) => Some("invalid_request"),
            Self::Flow(NoFlow::Unknown | NoFlow::Over) | Self::ClientGone => Some("flow_expired"),
            Self::NotThisBrowser => Some("flow_cookie_missing"),
            Self::Foreign => Some("foreign_origin"),
            Self::Used => Some("already_used"),
            Self::Busy | Self::Flow(NoFlow::Store(_)) | Self::Unavailable => Some("temporarily_unavailable"),
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Logout(reason) => reason,
            Self::NotThisBrowser => "this flow began in another browser, or cookies are off",
            Self::Foreign => "another site's page sent this",
            Self::Used => "it was used before",
            _ => "there is no such flow, or it took too long: begin again at the application",
        }
    }
}

impl From<StoreError> for Failure {
    fn from(_: StoreError) -> Self {
        Self::Unavailable
    }
}

impl From<NoFlow> for Failure {
    fn from(none: NoFlow) -> Self {
        Self::Flow(none)
    }
}

impl From<NotThisBrowser> for Failure {
    fn from(_: NotThisBrowser) -> Self {
        Self::NotThisBrowser
    }
}

impl From<Foreign> for Failure {
    fn from(_: Foreign) -> Self {
        Self::Foreign
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        Self::Request(error)
    }
}
