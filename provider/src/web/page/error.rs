//! What is shown where a way ends: to people, in their words, and with what an operator needs to
//! find the reason.

use std::time::Duration;

use askama::Template;
use http::StatusCode;

use super::destination::Destination;
use super::text::{FaultText, Faults};
use super::{Page, Site};

/// The end of a way.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
    /// What happened.
    pub(crate) fault: Fault,
    /// An error code of OAuth, for who operates the application.
    pub(crate) code: Option<&'a str>,
    /// What the application did wrong, for who operates it. In English, and never what a request
    /// brought.
    pub(crate) detail: Option<&'a str>,
    /// By which logs tell more.
    pub(crate) request_id: &'a str,
    /// Where to begin again, if it is known.
    pub(crate) start_again: Option<StartAgain<'a>>,
}

/// The application that the person came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartAgain<'a> {
    /// Its name.
    pub(crate) client: &'a str,
    /// A page of it from which a login starts.
    pub(crate) at: Destination<'a>,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No cookie came at all.
    CookiesOff,
    /// The flow's cookie did not come, and others did.
    OtherBrowser,
    /// The flow is too old.
    Expired,
    /// The flow was finished before: a second click, the back button, another tab.
    Used,
    /// The account of who has logged in elsewhere is gone, or disabled.
    AccountGone,
    /// A form came from another site's page (cross-site request forgery).
    Foreign,
    /// The authorization request is malformed, and nobody may be sent back with it.
    BadRequest,
    /// There is no such client.
    UnknownClient,
    /// The logout request is not valid: no logout.
    Logout,
    /// The store, or something else that is needed, does not answer.
    Unavailable,
}

impl Fault {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 10] = [
        Self::CookiesOff,
        Self::OtherBrowser,
        Self::Expired,
        Self::Used,
        Self::AccountGone,
        Self::Foreign,
        Self::BadRequest,
        Self::UnknownClient,
        Self::Logout,
        Self::Unavailable,
    ];

    /// What the answer's status is.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Foreign => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::CookiesOff
            | Self::OtherBrowser
            | Self::Expired
            | Self::Used
            | Self::AccountGone
            | Self::BadRequest
            | Self::UnknownClient
            | Self::Logout => StatusCode::BAD_REQUEST,
        }
    }

    fn text(self, faults: &Faults) -> FaultText {
        match self {
            Self::CookiesOff => faults.cookies_off,
            Self::OtherBrowser => faults.other_browser,
            Self::Expired => faults.expired,
            Self::Used => faults.used,
            Self::AccountGone => faults.account_gone,
            Self::Foreign => faults.foreign,
            Self::BadRequest => faults.bad_request,
            Self::UnknownClient => faults.unknown_client,
            Self::Logout => faults.logout,
            Self::Unavailable => faults.unavailable,
        }
    }

    /// Whether a new login is the way out.
    fn ends_a_login(self) -> bool {
        match self {
            Self::CookiesOff | Self::OtherBrowser | Self::Expired | Self::Used | Self::AccountGone | Self::Foreign => {
                true
            }
            Self::BadRequest | Self::UnknownClient | Self::Logout | Self::Unavailable => false,
        }
    }
}

impl ErrorPage<'_> {
    fn words(&self) -> FaultText {
        self.fault.text(&self.site.text.faults)
    }
}

impl Page for ErrorPage<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }

    fn retry_after(&self) -> Option<Duration> {
        match self.fault {
            Fault::Unavailable => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}
