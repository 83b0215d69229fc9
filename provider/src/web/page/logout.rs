//! Whether to log out: asked where nothing proves that the application may say so (OpenID Connect
//! RP-Initiated Logout 1.0 §2).

use askama::Template;

use super::{LOGOUT_CONFIRM, Page, Site};

/// The question.
#[derive(Debug, Template)]
#[template(path = "logout.html")]
pub(crate) struct LogoutConfirm<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
    /// The sealed handle of the logout request.
    pub(crate) flow: &'a str,
    /// Who is logged in.
    pub(crate) username: Option<&'a str>,
    /// Whether he has said yes before.
    pub(crate) asking: Asking,
}

/// Which time it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// The first.
    First,
    /// Again: the answer came too late, and nobody was logged out.
    TooLate,
}

impl Page for LogoutConfirm<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }
}

/// The answer was no.
#[derive(Debug, Template)]
#[template(path = "stayed.html")]
pub(crate) struct StayedLoggedIn<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
}

impl Page for StayedLoggedIn<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }
}
