//! The keys that sign the tokens of the cluster's ServiceAccounts, read from the API server: at the
//! beginning of a term, every few minutes, and when a pod meets a key that it does not know. Reads only.
//!
//! The address is always the API server's own, whatever the cluster calls its issuer: so clusters whose
//! issuer is somebody else's URL work, and nobody is asked whom the operator does not trust already.
//! What was read stays until something else is read.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kube::Client;
use kube::client::Body;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::engine::Engine;
use crate::service_account_issuer::{self, ServiceAccountIssuer};

/// OpenID Connect Discovery 1.0 §4, as the API server serves it.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Its keys, whatever the discovery document calls their address.
const KEYS: &str = "/openid/v1/jwks";
/// Both answers together come within this.
const LIMIT: Duration = Duration::from_secs(5);
/// Neither is longer.
const LONGEST: usize = 64 * 1024;
/// How often it reads, and how often after a failure; each a fifth more or less.
const EVERY: Duration = Duration::from_secs(300);
const AGAIN: Duration = Duration::from_secs(30);
/// However often pods tell of unknown keys: anybody can name one.
const LEAST: Duration = Duration::from_secs(10);

/// See the module.
pub(crate) struct ServiceAccountKeys {
    client: Client,
    engine: Arc<Engine>,
    /// What the last reading told, so that each change is told once.
    failing: Option<String>,
    last: Instant,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("the API server does not answer {0} in time")]
    Late(&'static str),
    #[error("the API server answers {0} with {1}{hint}", hint = hint(*.1))]
    Status(&'static str, StatusCode),
    #[error("the API server's answer to {0} is broken off, or longer than {LONGEST} bytes")]
    Body(&'static str),
    #[error("the API server cannot be asked for {0}: {1}")]
    Call(&'static str, String),
    #[error(transparent)]
    Content(#[from] service_account_issuer::Unreadable),
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => ": the operator's ClusterRole lacks this path (nonResourceURLs)",
        StatusCode::NOT_FOUND => ": its --service-account-issuer is no https URL",
        _ => "",
    }
}

impl ServiceAccountKeys {
    pub(crate) fn new(client: Client, engine: Arc<Engine>) -> Self {
        Self { client, engine, failing: None, last: Instant::now() }
    }

    /// Reads again and again, for ever.
    pub(crate) async fn run(&mut self) {
        loop {
            let wait = jittered(if self.failing.is_some() { AGAIN } else { EVERY });
            tokio::select! {
                () = sleep(wait) => {}
                () = self.engine.service_account_key_wanted() => sleep_until(self.last + LEAST).await,
            }
            self.read().await;
        }
    }

    /// Reads once, and tells the engine.
    pub(crate) async fn read(&mut self) {
        let read = fetch(&self.client).await;
        self.last = Instant::now();
        match read {
            Ok(issuer) => {
                if self.failing.take().is_some() {
                    tracing::info!(issuer = issuer.issuer, "the keys of the cluster's ServiceAccounts are read again");
                }
                self.engine.service_account_keys_read(issuer);
            }
            Err(error) => {
                self.engine.service_account_keys_unread();
                let reason = error.to_string();
                if self.failing.as_ref() != Some(&reason) {
                    tracing::warn!(
                        reason,
                        "the keys of the cluster's ServiceAccounts cannot be read: what is known of them stays"
                    );
                }
                self.failing = Some(reason);
            }
        }
    }
}

fn jittered(wait: Duration) -> Duration {
    let [jitter]: [u8; 1] = claviger_jose::random::bytes();
    wait * 4 / 5 + wait * 2 / 5 * u32::from(jitter) / 255
}

async fn fetch(client: &Client) -> Result<ServiceAccountIssuer, Unread> {
    let both = async {
        let (discovery, keys) = tokio::join!(get(client, DISCOVERY), get(client, KEYS));
        Ok((discovery?, keys?))
    };
    let (discovery, keys) = timeout(LIMIT, both).await.unwrap_or(Err(Unread::Late(KEYS)))?;
    Ok(service_account_issuer::read(&discovery, &keys)?)
}

async fn get(client: &Client, path: &'static str) -> Result<Vec<u8>, Unread> {
    let request = Request::get(path).body(Body::empty()).map_err(|error| Unread::Call(path, error.to_string()))?;
    let response = client.send(request).await.map_err(|error| Unread::Call(path, error.to_string()))?;
    if response.status() != StatusCode::OK {
        return Err(Unread::Status(path, response.status()));
    }
    let body = Limited::new(response.into_body(), LONGEST).collect().await.map_err(|_| Unread::Body(path))?;
    Ok(body.to_bytes().to_vec())
}

#[cfg(test)]
mod tests;
