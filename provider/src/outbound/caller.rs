//! The calls: what is sent, how long it may take and how much may come back.

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, HeaderValue};
use reqwest::{Client, RequestBuilder, Response};
use rustls::crypto::CryptoProvider;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::ca_file::CaFile;
use super::connect::{Encrypted, plain};
use super::error::OutboundError;
use super::lifetime::max_age;
use super::policy::{Allow, Policy};
use super::resolver::{Lookup, Resolver, system};

/// A whole call, waiting for its turn included.
const TOTAL: Duration = Duration::from_secs(5);
/// Fetches at once.
const FETCHES: usize = 64;
/// Deliveries at once; apart, so that a logout of thousands does not keep clients from
/// authenticating.
const DELIVERIES: usize = 32;
/// How often the CA bundle is looked at, where calls are made. A pod sees a change of its ConfigMap a minute later anyway.
const LOOK: Duration = Duration::from_secs(30);

/// Whom outbound calls trust and reach beside public https.
#[derive(Clone, Debug, Default)]
pub struct OutboundOptions {
    /// CAs that are trusted in addition to the system's. The file is looked at again while calls are made.
    pub ca_bundle: Option<CaFile>,
    /// Hosts and networks that are reached though they are not public, or not over https.
    pub allow: Vec<Allow>,
}

/// Why there can be no outbound calls.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is none, or it may not be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The CA bundle.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It holds no certificate, or one that is no CA's.
    #[error("the CA bundle {} is unusable: {reason}", path.display())]
    Bundle {
        /// The CA bundle.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The program has not said which cryptography it uses.
    #[error("no provider of cryptography is installed")]
    Cryptography,
    /// The HTTP client could not be built.
    #[error("outbound calls cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body, at most as long as was asked for.
    pub body: Vec<u8>,
    /// How long it may be kept, if the server said so.
    pub max_age: Option<Duration>,
}

/// Calls other people's servers, within [`Policy`]. Clones share connections and bounds.
#[derive(Clone, Debug)]
pub struct Outbound {
    policy: Arc<Policy>,
    encrypted: Arc<Encrypted>,
    plain: Client,
    fetches: Arc<Semaphore>,
    deliveries: Arc<Semaphore>,
}

impl Outbound {
    /// Calls as `options` say. The first call over https reads the system's certificates, from where
    /// OpenSSL has them (`/etc/ssl/certs` in our image; `SSL_CERT_FILE` and `SSL_CERT_DIR` move
    /// them). The CAs of web browsers are not compiled in: they would be as old as the program.
    /// Without any, every call over https fails, and nothing else does.
    pub fn new(options: OutboundOptions) -> Result<Self, SetupError> {
        Self::with(options, system, LOOK)
    }

    fn with(options: OutboundOptions, lookup: Lookup, look: Duration) -> Result<Self, SetupError> {
        // reqwest would panic.
        CryptoProvider::get_default().ok_or(SetupError::Cryptography)?;
        let policy = Arc::new(Policy::new(options.allow));
        let resolver = Resolver::new(Arc::clone(&policy), lookup);
        Ok(Self {
            policy,
            plain: plain(&resolver)?,
            encrypted: Arc::new(Encrypted::new(resolver, options.ca_bundle, look)),
            fetches: Arc::new(Semaphore::new(FETCHES)),
            deliveries: Arc::new(Semaphore::new(DELIVERIES)),
        })
    }

    /// The body at `url`, if the answer is 200 and at most `limit` bytes long. Whether it is JSON is
    /// seen when it is parsed: the content type is not asked, for many servers have it wrong.
    pub async fn fetch(&self, url: &str, limit: usize) -> Result<Fetched, OutboundError> {
        let get = |client: &Client, url| client.get(url).header(ACCEPT, HeaderValue::from_static("application/json"));
        let read = async |response: Response| match response.status() {
            StatusCode::OK => body(response, limit).await,
            status => Err(OutboundError::Status(status)),
        };
        self.call(url, &self.fetches, get, read).await
    }

    /// Posts `fields` as a form and gives the status of the answer, whose body is not read.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<StatusCode, OutboundError> {
        let post = |client: &Client, url| client.post(url).form(fields);
        self.call(url, &self.deliveries, post, async |response: Response| Ok(response.status())).await
    }

    /// The frame of every call: policy, turn, time, no redirects.
    async fn call<T>(
        &self,
        url: &str,
        turns: &Semaphore,
        request: impl FnOnce(&Client, url::Url) -> RequestBuilder,
        read: impl AsyncFnOnce(Response) -> Result<T, OutboundError>,
    ) -> Result<T, OutboundError> {
        let target = self.policy.check(url)?;
        let deadline = Instant::now() + TOTAL;
        let _turn = match timeout_at(deadline, turns.acquire()).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) | Err(_) => return Err(OutboundError::Busy),
        };
        let exchange = async {
            let client = if target.is_plain() { self.plain.clone() } else { self.encrypted.client().await? };
            let response = request(&client, target.into_url()).send().await?;
            match response.status() {
                status if status.is_redirection() => Err(OutboundError::Redirect(status)),
                _ => read(response).await,
            }
        };
        timeout_at(deadline, exchange).await.unwrap_or(Err(OutboundError::Timeout))
    }
}

/// Reads no further than `limit`, whatever length was announced.
async fn body(mut response: Response, limit: usize) -> Result<Fetched, OutboundError> {
    let max_age = max_age(response.headers());
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).is_ok_and(|announced| announced > limit) {
        return Err(OutboundError::TooLarge(limit));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(OutboundError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched { body, max_age })
}
