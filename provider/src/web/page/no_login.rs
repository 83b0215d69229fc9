//! What stands in place of the login form where a tenant has no way to log in.

use askama::Template;

use super::{Page, Site};

/// Says so, and lets the person go back.
#[derive(Debug, Template)]
#[template(path = "no_login.html")]
pub(crate) struct NoLogin<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
    /// The sealed handle of the authorization request.
    pub(crate) flow: &'a str,
}

impl Page for NoLogin<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }
}
