//! What keeps a person from going on, and how it is said: on a page, or as JSON where that is asked for.

use std::borrow::Cow;

use axum::response::Response;
use http::StatusCode;

use super::told;
use super::way_back::WayBack;
use crate::authorize::refusal::PageError;
use crate::flow::cookie::NotThisBrowser;
use crate::handle::NoHandle;
use crate::store::StoreError;
use crate::tenant::snapshot::NoSealingKey;
use crate::web::error::{self, OAuthError, ValidationError};
use crate::web::exchange::Exchange;
use crate::web::page;
use crate::web::page::destination::Destination;
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
    NoFlow,
    /// The flow took too long.
    Over(Option<WayBack>),
    /// The flow was finished in this browser before.
    Finished(Option<WayBack>),
    /// The browser sent cookies, and not that of the flow.
    OtherBrowser,
    /// The browser keeps no cookies.
    NoCookies,
    /// Another site's page sent this.
    Foreign(Foreign),
    /// The client with this ID was withdrawn meanwhile, or its redirect URI.
    ClientGone(String),
    /// A logout request is wrong.
    Logout(&'static str),
    /// What was finished was used before.
    Used,
    /// This field is nothing that was sealed here, or not for this.
    NotOurs(&'static str),
    /// What this field is was good a while ago.
    Late(&'static str, Option<WayBack>),
    /// The account of who has logged in at the tenant's own UI is gone, or disabled.
    AccountGone,
    /// There is no key to seal with.
    NoKey(NoSealingKey),
    /// The store is away.
    Unavailable,
}

impl Failure {
    /// The answer.
    pub(crate) fn into_response(self, exchange: &Exchange<'_>) -> Response {
        told::tell(exchange, &self);
        if exchange.wants_json() { self.json() } else { self.page(exchange) }
    }

    fn page(&self, exchange: &Exchange<'_>) -> Response {
        let site = exchange.site(&[]);
        let detail = match self {
            Self::Request(error) => Some(error.description()),
            Self::Body(error) => Some(error.description().to_owned().into()),
            Self::Logout(_) | Self::Missing(_) | Self::NotOurs(_) => Some(self.words()),
            _ => None,
        };
        let page = ErrorPage {
            site,
            fault: self.fault(),
            code: self.code(),
            detail: detail.as_deref(),
            request_id: exchange.request_id.to_str().unwrap_or_default(),
            start_again: self.way_back(),
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
            Self::NoKey(none) => error::unavailable(&none.to_string()),
            Self::Unavailable => error::unavailable("the store is not available"),
            other => error::public(status, other.code().unwrap_or("invalid_request"), &other.words()),
        }
    }

    /// Of which kind it is.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Request(PageError::NotRegistered { .. }) => Fault::UnknownClient,
            Self::Request(_) | Self::Body(_) | Self::Missing(_) | Self::NotOurs(_) => Fault::BadRequest,
            Self::NoFlow | Self::Over(_) | Self::Late(..) | Self::ClientGone(_) => Fault::Expired,
            Self::AccountGone => Fault::AccountGone,
            Self::OtherBrowser => Fault::OtherBrowser,
            Self::NoCookies => Fault::CookiesOff,
            Self::Foreign(_) => Fault::Foreign,
            Self::Logout(_) => Fault::Logout,
            Self::Used | Self::Finished(_) => Fault::Used,
            Self::NoKey(_) | Self::Unavailable => Fault::Unavailable,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Request(error) => error.status(),
            Self::Body(error) => error.status(),
            other => other.fault().status(),
        }
    }

    /// For logs alone.
    pub(crate) fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Request(error) => error.detail(),
            Self::Body(error) => error.description().to_owned().into(),
            other => other.words(),
        }
    }

    /// For programs.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Request(error) => Some(error.code()),
            Self::Body(_) | Self::Missing(_) | Self::Logout(_) | Self::NotOurs(_) => Some("invalid_request"),
            Self::NoFlow | Self::Over(_) | Self::Late(..) | Self::ClientGone(_) => Some("flow_expired"),
            Self::AccountGone => Some("account_gone"),
            Self::OtherBrowser | Self::NoCookies => Some("flow_cookie_missing"),
            Self::Foreign(_) => Some("foreign_origin"),
            Self::Used | Self::Finished(_) => Some("already_used"),
            Self::NoKey(_) | Self::Unavailable => Some("temporarily_unavailable"),
        }
    }

    /// Where the person goes on, if it is known.
    fn way_back(&self) -> Option<StartAgain<'_>> {
        let (Self::Over(way) | Self::Late(_, way) | Self::Finished(way)) = self else { return None };
        let WayBack { client, at } = way.as_ref()?;
        Some(StartAgain { client, at: Destination::parse(at)? })
    }

    fn words(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Missing(field) => return format!("{field} is missing").into(),
            Self::NotOurs(field) => return format!("there is no such {field} of this login").into(),
            Self::Late(field, _) => return format!("{field} is too old: begin again at the application").into(),
            Self::AccountGone => "the account was removed or disabled meanwhile",
            Self::Logout(reason) => reason,
            Self::OtherBrowser => "this flow began in another browser, or its cookie is gone",
            Self::NoCookies => "the browser sent no cookies",
            Self::Finished(_) => "this login is finished: begin again at the application",
            Self::Foreign(_) => "another site's page sent this",
            Self::NoKey(_) => "the tenant has no sealing key yet",
            Self::Unavailable => "the store is not available",
            Self::Used => "it was used before",
            Self::ClientGone(_) => "the application, or its redirect_uri, was withdrawn: begin again there",
            _ => "there is no such flow, or it took too long: begin again at the application",
        })
    }
}

impl From<StoreError> for Failure {
    fn from(_: StoreError) -> Self {
        Self::Unavailable
    }
}

impl From<NoSealingKey> for Failure {
    fn from(none: NoSealingKey) -> Self {
        Self::NoKey(none)
    }
}

impl From<NoHandle> for Failure {
    fn from(none: NoHandle) -> Self {
        match none {
            NoHandle::Unknown => Self::NoFlow,
            NoHandle::NoKey(none) => Self::NoKey(none),
            NoHandle::Store(_) => Self::Unavailable,
        }
    }
}

impl From<NotThisBrowser> for Failure {
    fn from(not: NotThisBrowser) -> Self {
        match not {
            NotThisBrowser::Finished => Self::Finished(None),
            NotThisBrowser::Elsewhere => Self::OtherBrowser,
            NotThisBrowser::NoCookies => Self::NoCookies,
        }
    }
}

impl From<Foreign> for Failure {
    fn from(foreign: Foreign) -> Self {
        Self::Foreign(foreign)
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        Self::Request(error)
    }
}
