//! The answer to an authorization request by `response_mode=form_post` (OAuth 2.0 Form Post Response
//! Mode §2): a form that sends itself.

use askama::Template;
use http::HeaderValue;

use super::assets::Script;
use super::destination::WebAddress;
use super::{Page, Site};

/// The form. What is in it is secret: the page is never stored.
#[derive(Template)]
#[template(path = "form_post.html")]
pub(crate) struct FormPost<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
    /// The application that gets the answer.
    pub(crate) client: &'a str,
    /// Its redirect URI.
    pub(crate) to: WebAddress<'a>,
    /// What it gets: `code` or `error`, `state`, `iss`.
    pub(crate) parameters: &'a [(&'a str, &'a str)],
}

impl Page for FormPost<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }

    fn script(&self) -> Option<Script> {
        Some(Script::FormPost)
    }

    fn referrer_policy(&self) -> HeaderValue {
        // The application may ask who posts: it is told our origin, not `null`, and no path.
        HeaderValue::from_static("strict-origin")
    }
}
