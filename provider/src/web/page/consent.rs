//! What an application asks for, and whether it gets it.

use askama::Template;

use super::destination::WebAddress;
use super::{CONSENT, Page, Site};

/// The question.
#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub(crate) struct Consent<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
    /// The sealed handle of the authorization request.
    pub(crate) flow: &'a str,
    /// The application that asks.
    pub(crate) client: &'a str,
    /// Who is asked.
    pub(crate) username: &'a str,
    /// Where the answer goes.
    pub(crate) return_to: ReturnTo<'a>,
    /// What is asked for.
    pub(crate) scopes: &'a [Scope<'a>],
}

/// Where the browser goes with the answer. A client chooses its own name; this it has to own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReturnTo<'a> {
    /// To a site, or to a server on the person's device that has proved which client it is; by its host.
    Site(&'a str),
    /// To a program on the person's device, which anyone may have put there: it is confirmed each
    /// time (RFC 8252 §8.6), in words of its own.
    Device,
}

/// A scope as a person is shown it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    /// Its name in the request.
    pub(crate) name: &'a str,
    /// What the tenant or the API says of it. Standard scopes have our own words and keep them.
    pub(crate) description: Option<&'a str>,
    /// Whether it is no scope but an API by its audience, none of whose scopes is asked for.
    pub(crate) is_api: bool,
}

impl<'a> ReturnTo<'a> {
    /// Of a client's redirect URI. One that authenticates at the token endpoint is no program that anyone may
    /// have put there, wherever it listens.
    pub(crate) fn of(redirect_uri: &'a str, is_public: bool) -> Self {
        match WebAddress::parse(redirect_uri) {
            Some(address) if !is_public || redirect_uri.starts_with("https://") => Self::Site(address.host()),
            Some(_) | None => Self::Device,
        }
    }
}

impl Scope<'_> {
    fn standard(&self, site: &Site<'_>) -> Option<&'static str> {
        site.text.scopes.describe(self.name)
    }
}

impl Page for Consent<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }
}
