//! The pages for people: each is a model that a template renders. No HTTP types go in; what a page
//! answers with (status, headers, policy) is made in [`respond`] alone.
//!
//! Nothing that a tenant, a client or a person supplied is markup or script: templates escape all of
//! it, names stand in `<bdi>`, links are [`destination`] types, and the colour is numbers. Every page
//! works without JavaScript and without the stylesheet.
//!
//! Stable element IDs, for tests and for tools that fill forms in. `<main>` bears the page's own:
//!
//! | page | `<main>` | in it |
//! | --- | --- | --- |
//! | [`login`] | `#login` | `#username` `#password` `#submit` `#cancel`, `#error` after a failure, `#client`, `#use-another` |
//! | [`no_login`] | `#no-login` | `#cancel` |
//! | [`select_account`] | `#select-account` | `#account` `#continue` `#use-another` |
//! | [`consent`] | `#consent` | `#client` `#account` `#scopes` `#return-to` `#allow` `#deny` |
//! | [`logout`] | `#logout-confirm` | `#yes` `#no` |
//! | [`logged_out`] | `#logged-out` | `#continue` where it leads on |
//! | [`form_post`] | `#form-post` | `#continue` |
//! | [`error`] | `#error-page` | `#error`, `#code` `#detail` where there are any, `#request-id`, `#start-again` |
//!
//! On every page: `#tenant`, and `#logo` where there is one. What forms send: `flow` always,
//! `username` and `password`, `choice` = `continue` | `another`, `decision` = `allow` | `deny`; at the
//! login `cancel`, and at logout `yes` | `no`.

use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};

pub(crate) mod accent;
pub(crate) mod assets;
pub(crate) mod consent;
pub(crate) mod destination;
pub(crate) mod error;
pub(crate) mod form_post;
pub(crate) mod language;
pub(crate) mod logged_out;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod no_login;
mod policy;
pub(crate) mod select_account;
#[cfg(test)]
mod tests;
pub(crate) mod text;

use self::assets::Script;
use self::destination::WebAddress;
use self::language::Language;
use self::text::Text;
use super::error as surface;

/// Below the issuer: takes the login form.
pub(crate) const LOGIN: &str = "/oauth/login";
/// Below the issuer: takes what a login UI of the tenant's own states.
pub(crate) const LOGIN_STATEMENT: &str = "/oauth/login/statement";
/// Below the issuer: where the browser comes back from such a UI.
pub(crate) const LOGIN_RETURN: &str = "/oauth/login/return";
/// Below the issuer: takes the choice of an account.
pub(crate) const SELECT_ACCOUNT: &str = "/oauth/select-account";
/// Below the issuer: takes the consent.
pub(crate) const CONSENT: &str = "/oauth/consent";
/// Below the issuer: takes the answer to whether to log out.
pub(crate) const LOGOUT_CONFIRM: &str = "/oauth/logout/confirm";

/// Whose page it is and in which language: what every page needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    issuer: &'a str,
    name: &'a str,
    logo: Option<WebAddress<'a>>,
    language: Language,
    text: &'static Text,
}

/// A model that [`respond`] can answer with.
pub(crate) trait Page: Template {
    /// Whose page it is.
    fn site(&self) -> &Site<'_>;

    /// The one script that it runs.
    fn script(&self) -> Option<Script> {
        None
    }

    /// What it frames.
    fn frames(&self) -> &[WebAddress<'_>] {
        &[]
    }

    /// When to come again.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// What a form of it tells the receiver of its origin.
    fn referrer_policy(&self) -> HeaderValue {
        // Not `no-referrer`: with that a browser sends `Origin: null` with our own forms (Fetch
        // standard, "append a request Origin header"), and they could not be told from foreign ones.
        HeaderValue::from_static("same-origin")
    }
}

/// The answer that shows `page`.
pub(crate) fn respond(status: StatusCode, page: &impl Page) -> Response {
    let (Ok(html), Ok(policy)) = (page.render(), HeaderValue::from_str(&policy::of(page))) else {
        tracing::error!("a page could not be rendered");
        return surface::fault();
    };
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(page.site().language.tag()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    // For browsers that do not know `frame-ancestors`.
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, page.referrer_policy());
    if let Some(wait) = page.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
    }
    response
}

// === impl Site ===

impl<'a> Site<'a> {
    /// The tenant with this issuer and name. A logo that is not a plain https address is left out.
    pub(crate) fn new(issuer: &'a str, name: &'a str, logo: Option<&'a str>, language: Language) -> Self {
        let logo = logo.and_then(WebAddress::parse).filter(|logo| logo.as_str().starts_with("https://"));
        // One that the policy cannot name would be refused by the browser.
        let logo = logo.filter(|logo| logo.source().is_some());
        Self { issuer, name, logo, language, text: language.text() }
    }

    /// The issuer's path, without a slash at its end: what the pages' own links begin with.
    fn base(&self) -> &'a str {
        let rest = self.issuer.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..])
    }

    /// Stands where there is no logo.
    fn initial(&self) -> Option<String> {
        let initial = self.name.chars().find(|char| char.is_alphanumeric())?;
        Some(initial.to_uppercase().collect())
    }
}
