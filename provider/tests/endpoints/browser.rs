//! A browser as the provider sees it: it keeps cookies, follows redirects within the provider, and
//! fills in forms.

use std::collections::BTreeMap;

use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Request};

use crate::fixture::*;

/// One browser, with its cookies.
pub(crate) struct Browser<'a> {
    fixture: &'a Fixture,
    /// Where the tenant is.
    home: &'a str,
    /// The cookies' names, the oldest first: in that order they are sent (RFC 6265 §5.4).
    order: Vec<String>,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Sent with every request.
    pub(crate) accept: &'static str,
    /// Sent with every request.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(fixture: &'a Fixture) -> Self {
        Self::at(fixture, HOST)
    }

    /// For a tenant at `home`.
    pub(crate) fn at(fixture: &'a Fixture, home: &'a str) -> Self {
        let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
        Self { fixture, home, order: Vec::new(), cookies: BTreeMap::new(), accept, headers: Vec::new() }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        self.send(Request::get(self.local(url)), Body::empty()).await
    }

    pub(crate) async fn head(&mut self, url: &str) -> Answer {
        self.send(Request::head(self.local(url)), Body::empty()).await
    }

    /// A form from a page of `url`'s own origin.
    pub(crate) async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.home;
        self.post_from(origin, url, fields).await
    }

    pub(crate) async fn post_from(&mut self, origin: &str, url: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(self.local(url)).header(CONTENT_TYPE, FORM).header(ORIGIN, origin);
        self.send(request, form(fields).into()).await
    }

    pub(crate) async fn post_json(&mut self, url: &str, body: &serde_json::Value) -> Answer {
        let request = Request::post(self.local(url)).header(CONTENT_TYPE, "application/json");
        self.send(request, body.to_string().into()).await
    }

    async fn send(&mut self, mut request: http::request::Builder, body: Body) -> Answer {
        let cookies = self.sent();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let answer = self.fixture.send(request.header("accept", self.accept).body(body).unwrap()).await;
        self.keep(&answer.headers);
        answer
    }

    /// The `Cookie` header, pair by pair.
    pub(crate) fn sent(&self) -> Vec<String> {
        let age = |name: &String| self.order.iter().position(|other| other == name);
        let mut cookies: Vec<(&String, &String)> = self.cookies.iter().collect();
        cookies.sort_by_key(|(name, _)| age(name));
        cookies.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    /// As the router gets it: a URL at another host than [`HOST`] keeps it, as in HTTP/2.
    fn local(&self, url: &str) -> String {
        let path = url.strip_prefix(HOST).unwrap_or(url);
        let is_elsewhere = self.home != HOST && path.starts_with('/');
        if is_elsewhere { format!("{}{path}", self.home) } else { path.to_owned() }
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
                self.order.retain(|other| other != name);
            } else {
                if !self.order.iter().any(|other| other == name) {
                    self.order.push(name.to_owned());
                }
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Follows redirects for as long as they stay at the provider.
    pub(crate) async fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            match answer.header(LOCATION.as_str()) {
                Some(to) if to.starts_with(self.home) => answer = self.get(to).await,
                _ => return answer,
            }
        }
        panic!("too many redirects");
    }

    /// Logs in on the login page that `answer` is, and follows.
    pub(crate) async fn log_in(&mut self, answer: &Answer, username: &str, password: &str) -> Answer {
        let flow = answer.hidden("flow");
        let fields = [("flow", flow.as_str()), ("username", username), ("password", password)];
        let answer = self.post(&answer.action(), &fields).await;
        self.follow(answer).await
    }

    /// Opens `url` and follows.
    pub(crate) async fn open(&mut self, url: &str) -> Answer {
        let answer = self.get(url).await;
        self.follow(answer).await
    }

    /// Presses the button that sends `name` = `value` on the page that `answer` is, and follows.
    pub(crate) async fn press(&mut self, answer: &Answer, name: &str, value: &str) -> Answer {
        let mut fields = answer.hidden_fields();
        fields.insert(name.to_owned(), value.to_owned());
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.post(&answer.action(), &fields).await;
        self.follow(answer).await
    }

    /// Opens the authorization request `url`; Ada logs in and agrees where she is asked.
    pub(crate) async fn authorize(&mut self, url: &str) -> Answer {
        let mut answer = self.open(url).await;
        if answer.is_page("login") {
            answer = self.log_in(&answer, "ada", ADAS_PASSWORD).await;
        }
        if answer.is_page("consent") {
            answer = self.press(&answer, "decision", "allow").await;
        }
        answer
    }

    /// The code that comes of it.
    pub(crate) async fn code(&mut self, url: &str) -> String {
        self.authorize(url).await.redirected("code").unwrap()
    }
}

/// The password of the account `ada` in these tests.
pub(crate) const ADAS_PASSWORD: &str = "correct horse";

/// Where every tenant without a host of its own is.
pub(crate) const HOST: &str = "https://login.example";

/// Fields as a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(fields);
    text.finish()
}

impl Answer {
    /// The value of a hidden field of this page.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let page = self.text();
        let at = page.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
        let value = &page[at..].split("value=\"").nth(1).unwrap();
        value.split('"').next().unwrap().to_owned()
    }

    /// The hidden fields of this page's forms, each once.
    pub(crate) fn hidden_fields(&self) -> std::collections::BTreeMap<String, String> {
        let page = self.text();
        let fields = page.split("<input type=\"hidden\" name=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        fields.map(|name| (name.to_owned(), self.hidden(name))).collect()
    }

    /// Where the first form of this page goes.
    pub(crate) fn action(&self) -> String {
        let page = self.text();
        let action = page.split("action=\"").nth(1).unwrap_or_else(|| panic!("no form: {page}"));
        format!("{HOST}{}", action.split('"').next().unwrap())
    }

    /// Whether this is the page `id`.
    pub(crate) fn is_page(&self, id: &str) -> bool {
        self.status != 303 && self.text().contains(&format!("<main id=\"{id}\""))
    }

    /// The error code that this page shows.
    pub(crate) fn shown(&self) -> (u16, String) {
        let page = self.text();
        let code = page.split("id=\"code\">").nth(1).unwrap_or_else(|| panic!("no code: {page}"));
        (self.status.as_u16(), code.split('<').next().unwrap().to_owned())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// A parameter of the redirect that this is.
    pub(crate) fn redirected(&self, name: &str) -> Option<String> {
        let location = self.header(LOCATION.as_str()).unwrap_or_else(|| panic!("no redirect: {}", self.text()));
        let location = url::Url::parse(location).unwrap();
        location.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
    }
}
