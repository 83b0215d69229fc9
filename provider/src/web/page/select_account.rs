//! Whether to go on with the account that is logged in (`prompt=select_account`, OpenID Connect
//! Core 1.0 §3.1.2.1).

use askama::Template;

use super::{Page, SELECT_ACCOUNT, Site};

/// The choice.
#[derive(Debug, Template)]
#[template(path = "select_account.html")]
pub(crate) struct SelectAccount<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
    /// The sealed handle of the authorization request.
    pub(crate) flow: &'a str,
    /// The application that the person comes from.
    pub(crate) client: Option<&'a str>,
    /// Who is logged in.
    pub(crate) username: &'a str,
}

impl Page for SelectAccount<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }
}
