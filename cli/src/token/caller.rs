//! The calls: to one issuer, over TLS (but for loopback), with bounds, and nowhere else.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response, redirect};
use tokio::time::timeout;
use url::Url;

use super::answer::Answer;
use crate::ca_bundle::CaBundle;

/// Resolving, connecting and the TLS handshake.
const CONNECT: Duration = Duration::from_secs(5);
/// A whole call.
const TOTAL: Duration = Duration::from_secs(15);
/// Larger than any discovery document and any token.
const LARGEST: usize = 256 * 1024;
const USER_AGENT: &str = concat!("claviger/", env!("CARGO_PKG_VERSION"));

/// Calls the issuer.
pub(super) struct Caller(Client);

impl Caller {
    /// Trusts the system's CAs (`SSL_CERT_FILE` and `SSL_CERT_DIR` move them) and those of `bundle`.
    ///
    /// # Errors
    /// When there are neither.
    pub(super) fn new(bundle: &CaBundle) -> anyhow::Result<Self> {
        let extra: Result<Vec<_>, _> = bundle.certificates.iter().map(|der| Certificate::from_der(der)).collect();
        let extra = extra.context("--ca-bundle")?;
        let made = builder().tls_certs_merge(extra.clone()).build();
        // An image may have no CAs of the system's, and need none.
        let made = made.or_else(|_| builder().tls_certs_only(extra).build());
        Ok(Self(made.context("cannot set up calls")?))
    }

    /// The body at `url`.
    ///
    /// # Errors
    /// Where and why it cannot be had.
    pub(super) async fn get(&self, url: &Url) -> anyhow::Result<Vec<u8>> {
        let answer = call(url, self.0.get(url.clone())).await?;
        match answer.status {
            200 => Ok(answer.body),
            404 => bail!("{url} is not there (404): is --issuer right, and the Tenant Ready?"),
            status => bail!("{url} answered {status}"),
        }
    }

    /// What the server at `url` answers to a form.
    ///
    /// # Errors
    /// Where and why there is no answer.
    pub(super) async fn post(&self, url: &Url, form: &[(&str, &str)]) -> anyhow::Result<Answer> {
        call(url, self.0.post(url.clone()).form(form)).await
    }
}

/// No proxy, whatever the environment says, and no redirects: the token goes to the issuer and to nobody
/// else.
fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT)
        // The next call is minutes away.
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(Duration::from_secs(5))
}

async fn call(url: &Url, request: RequestBuilder) -> anyhow::Result<Answer> {
    let exchange = async {
        let response = request.header("accept", "application/json").send().await.map_err(|error| why(url, error))?;
        let status = response.status();
        if status.is_redirection() {
            bail!("{url} redirects ({status}), which is not followed: is --issuer right?");
        }
        Ok(Answer { status: status.as_u16(), body: body(url, response).await? })
    };
    match timeout(TOTAL, exchange).await {
        Ok(answer) => answer,
        Err(_) => bail!("{url} did not answer within {TOTAL:?}"),
    }
}

/// Reads no further than the bound, whatever length was announced.
async fn body(url: &Url, mut response: Response) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| why(url, error))? {
        if body.len() + chunk.len() > LARGEST {
            bail!("{url} answered with more than {LARGEST} bytes");
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The cause, which reqwest has three layers down, and what may help.
fn why(url: &Url, error: reqwest::Error) -> anyhow::Error {
    let error = anyhow::Error::new(error.without_url());
    let cause = super::answer::shown(&error.root_cause().to_string());
    let advice = if cause.contains("certificate") { " (a CA of one's own: --ca-bundle)" } else { "" };
    anyhow::anyhow!("no connection to {url}: {cause}{advice}")
}
