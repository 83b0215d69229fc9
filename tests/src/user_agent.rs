//! A person at a browser without scripts: keeps cookies, follows redirects, logs in, consents and
//! confirms on the provider's pages by what stands in their HTML, as its reader would.

mod cookies;
mod html;

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use http::header::{ACCEPT, COOKIE, LOCATION, ORIGIN};
use url::Url;

use self::cookies::Cookies;
pub use self::html::unescape;

/// More steps than any way through the pages has.
const STEPS: usize = 30;

/// One browser, with its cookies, and who sits at it.
#[derive(Debug)]
pub struct UserAgent {
    http: reqwest::Client,
    cookies: Cookies,
    username: String,
    password: String,
}

/// Where a way ended.
#[derive(Debug)]
pub struct Arrival {
    /// The address bar.
    pub url: Url,
    /// The page there; nothing where the way ended before it was asked for.
    pub body: String,
    /// The provider's pages on the way, by their IDs: `login`, `consent`, ….
    pub pages: Vec<String>,
}

impl Arrival {
    /// A parameter in the address bar.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// What is asked of a server next.
enum Step {
    Get(Url),
    Post(Url, Vec<(String, String)>),
}

impl UserAgent {
    /// A new browser that trusts `ca` too, of someone who knows this name and password.
    ///
    /// # Errors
    /// When the CA cannot be read.
    pub fn new(ca: &Path, username: &str, password: &str) -> Result<Self> {
        crate::cluster::install_crypto();
        let ca = std::fs::read(ca).with_context(|| ca.display().to_string())?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .add_root_certificate(reqwest::Certificate::from_pem(&ca)?)
            .build()?;
        Ok(Self::with(http, username, password))
    }

    /// A new browser without TLS, each of whose requests has a connection of its own, so that each may
    /// meet another pod.
    ///
    /// # Errors
    /// When there is no HTTP client.
    pub fn scattered(username: &str, password: &str) -> Result<Self> {
        crate::cluster::install_crypto();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self::with(http, username, password))
    }

    fn with(http: reqwest::Client, username: &str, password: &str) -> Self {
        Self { http, cookies: Cookies::default(), username: username.to_owned(), password: password.to_owned() }
    }

    /// Opens `url` and goes on until an application shows a page.
    ///
    /// # Errors
    /// When a server does not answer, or the provider shows an error.
    pub async fn open(&mut self, url: &str) -> Result<Arrival> {
        self.travel(url, None).await
    }

    /// As [`UserAgent::open`], but the way ends at an address that begins with `home`, before anybody
    /// is asked for it: an application that needs no server to be tested.
    ///
    /// # Errors
    /// As [`UserAgent::open`], and when the way ends elsewhere.
    pub async fn open_until(&mut self, url: &str, home: &str) -> Result<Arrival> {
        let arrival = self.travel(url, Some(home)).await?;
        ensure!(arrival.url.as_str().starts_with(home), "ended at {}: {}", arrival.url, arrival.body);
        Ok(arrival)
    }

    async fn travel(&mut self, url: &str, home: Option<&str>) -> Result<Arrival> {
        let mut pages = Vec::new();
        let mut step = Step::Get(Url::parse(url)?);
        for _ in 0..STEPS {
            if let (Step::Get(url), Some(home)) = (&step, home)
                && url.as_str().starts_with(home)
            {
                return Ok(Arrival { url: url.clone(), body: String::new(), pages });
            }
            let (url, next, body) = self.take(step).await?;
            step = match next {
                Some(next) => Step::Get(next),
                None => match html::page(&body) {
                    Some(page) => {
                        pages.push(page.to_owned());
                        self.act(page, &url, &body)?
                    }
                    None => return Ok(Arrival { url, body, pages }),
                },
            };
        }
        bail!("no end after {STEPS} steps: {pages:?}")
    }

    /// Takes one step: where it led, where it is redirected to, and the page.
    async fn take(&mut self, step: Step) -> Result<(Url, Option<Url>, String)> {
        let (url, request) = match step {
            Step::Get(url) => (url.clone(), self.http.get(url)),
            Step::Post(url, fields) => {
                let request = self.http.post(url.clone()).header(ORIGIN, url.origin().ascii_serialization());
                (url, request.form(&fields))
            }
        };
        let request = request.header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8");
        let request = match self.cookies.header(&url) {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        };
        let response = request.send().await.with_context(|| url.to_string())?;
        self.cookies.keep(&url, response.headers());
        let status = response.status();
        let next = match response.headers().get(LOCATION).filter(|_| status.is_redirection()) {
            Some(to) => Some(url.join(to.to_str()?)?),
            None => None,
        };
        let body = response.text().await?;
        ensure!(!status.is_client_error() && !status.is_server_error(), "{status} at {url}: {body}");
        Ok((url, next, body))
    }

    /// What a person does on one of the provider's pages.
    fn act(&self, page: &str, url: &Url, body: &str) -> Result<Step> {
        let typed: &[(&str, &str)] = match page {
            "login" => &[("username", &self.username), ("password", &self.password)],
            "consent" => &[("decision", "allow")],
            "logout-confirm" => &[("decision", "yes")],
            "logged-out" => {
                let link = html::link(body, "continue").context("the page leads nowhere")?;
                return Ok(Step::Get(url.join(&link)?));
            }
            _ => bail!("the page {page} at {url}: {body}"),
        };
        let form = html::form(body).with_context(|| format!("no form on the page {page}: {body}"))?;
        let mut fields = form.hidden;
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ok(Step::Post(url.join(&form.action)?, fields))
    }
}
