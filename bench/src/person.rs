//! People who log in for the application of the fixture, as a browser does: requests for the load, and
//! what has to be done before it.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{ACCEPT, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::fixture::{CALLBACK, ORIGIN, PASSWORD, Tenant};
use crate::generator::{Request, refresh_body};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Requests at a time while codes are collected.
const AT_A_TIME: usize = 8;

/// A provider, and the tenant whose people log in there.
pub(crate) struct Place<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) tenant: &'a Tenant,
    agent: reqwest::Client,
}

/// Somebody who is logged in: the session's cookie.
pub(crate) struct LoggedIn(String);

impl<'a> Place<'a> {
    pub(crate) fn new(address: SocketAddr, tenant: &'a Tenant) -> Result<Self> {
        let agent = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { address, tenant, agent })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.address, self.tenant.path)
    }

    fn authorize(&self) -> RequestBuilder {
        self.agent.get(self.url("/oauth/authorize")).query(&[
            ("response_type", "code"),
            ("client_id", &self.tenant.application),
            ("redirect_uri", CALLBACK),
            ("scope", "openid profile email groups"),
            ("state", "af0ifjsldkj"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
    }

    /// A login form that `username` sends, filled in rightly.
    ///
    /// # Errors
    /// When the provider shows no login page.
    pub(crate) async fn login(&self, username: &str) -> Result<Request> {
        let answer = self.authorize().header(ACCEPT, "application/json").send().await?;
        let cookies = cookies(answer.headers());
        let page: Value = json(answer).await?;
        let flow = page["flow"].as_str().with_context(|| format!("no login page: {page}"))?;
        let head = self.head("POST", "/oauth/login", &[("Origin", ORIGIN), ("Cookie", &cookies)]);
        Ok(Request { head, body: format!("flow={flow}&username={username}&password={PASSWORD}") })
    }

    /// Logs `username` in.
    ///
    /// # Errors
    /// When the provider refuses.
    pub(crate) async fn log_in(&self, username: &str) -> Result<LoggedIn> {
        let answer = self.authorize().header(ACCEPT, "application/json").send().await?;
        let flow_cookie = cookies(answer.headers());
        let page: Value = json(answer).await?;
        let fields = serde_json::json!({"flow": page["flow"], "username": username, "password": PASSWORD});
        let request = self.agent.post(self.url("/oauth/login")).header(COOKIE, flow_cookie);
        let answer = request.header(ACCEPT, "application/json").json(&fields).send().await?;
        let session = cookies(answer.headers());
        let done: Value = json(answer).await?;
        ensure!(done["step"] == "done", "not logged in: {done}");
        Ok(LoggedIn(session))
    }

    /// Token requests that redeem so many new codes of somebody's.
    ///
    /// # Errors
    /// When the provider asks for a login.
    pub(crate) async fn redemptions(&self, person: &LoggedIn, number: usize) -> Result<Vec<Request>> {
        let codes = futures::stream::iter(0..number).map(|_| self.code(person)).buffer_unordered(AT_A_TIME);
        let requests = codes.map_ok(|code| {
            let body =
                format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}");
            Request { head: self.head("POST", "/oauth/token", &self.credentials()), body }
        });
        requests.try_collect().await
    }

    async fn code(&self, person: &LoggedIn) -> Result<String> {
        let answer = self.authorize().header(COOKIE, &person.0).send().await?;
        let location = answer.headers().get(LOCATION).context("no redirect")?.to_str()?;
        let query = location.split_once('?').context("no answer")?.1;
        let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
        Ok(code.with_context(|| format!("no code: {location}"))?.to_owned())
    }

    /// A token request without a person.
    pub(crate) fn client_credentials(&self) -> Request {
        let head = self.head("POST", "/oauth/token", &self.credentials());
        Request { head, body: "grant_type=client_credentials".to_owned() }
    }

    /// A refresh.
    pub(crate) fn refresh(&self, token: &str) -> Request {
        Request { head: self.head("POST", "/oauth/token", &self.credentials()), body: refresh_body(token) }
    }

    /// What a resource server asks.
    pub(crate) fn introspection(&self, access_token: &str) -> Request {
        let head = self.head("POST", "/oauth/introspect", &self.credentials());
        Request { head, body: format!("token={access_token}") }
    }

    /// What the application asks of the person.
    pub(crate) fn userinfo(&self, access_token: &str) -> Request {
        let bearer = format!("Bearer {access_token}");
        Request { head: self.head("GET", "/oauth/userinfo", &[("Authorization", bearer)]), body: String::new() }
    }

    fn credentials(&self) -> [(&'static str, String); 1] {
        let pair = format!("{}:{}", self.tenant.application, self.tenant.client_secret);
        [("Authorization", format!("Basic {}", STANDARD.encode(pair)))]
    }

    fn head(&self, method: &str, path: &str, headers: &[(&str, impl AsRef<str>)]) -> String {
        let mut head = format!("{method} {}{path} HTTP/1.1\r\nHost: login.example\r\n", self.tenant.path);
        if method == "POST" {
            head += "Content-Type: application/x-www-form-urlencoded\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {}\r\n", value.as_ref());
        }
        head
    }
}

/// As they are sent back.
fn cookies(headers: &HeaderMap) -> String {
    let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = set.filter(|cookie| !cookie.contains("Max-Age=0")).filter_map(|cookie| cookie.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

async fn json(answer: Response) -> Result<Value> {
    let status = answer.status();
    let text = answer.text().await?;
    serde_json::from_str(&text).with_context(|| format!("{status}: {text}"))
}
