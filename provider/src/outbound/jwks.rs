//! The key sets of clients, by `jwks_uri`: fetched when they are needed, and kept for a while.
//!
//! Whoever knows a client's identifier makes us look for its keys, before anything is proven. So what
//! they can cause is bounded: one fetch at a time and URI, one a minute for keys that are not there,
//! one in ten seconds from a server that fails, and so many sets of such a size in memory. A key set
//! is the same for whoever asks, so tenants share it.

mod entry;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use self::entry::{Entries, Entry, Want};
use super::caller::{Fetched, Outbound};
use super::error::{OutboundError, Refusal};
use super::policy::URL_LENGTH;

/// Key sets in memory; who comes on top takes the place of the one that was used longest ago.
const ENTRIES: usize = 1000;
/// Bytes of a key set.
const SIZE: usize = 64 * 1024;
/// Keys of a key set: each may be tried.
const KEYS: usize = 100;

/// Where key sets come from.
pub trait Source: Send + Sync + 'static {
    /// The body at `url`, at most `limit` bytes.
    fn fetch<'a>(&'a self, url: &'a str, limit: usize) -> BoxFuture<'a, Result<Fetched, OutboundError>>;
}

/// Reads a JWK set; the text says what is wrong with it, without quoting it.
pub type Parse<T> = fn(&[u8]) -> Result<T, String>;

/// Why there is no key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// It was not fetched.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The answer is no JWK set (RFC 7517), or none that we can use.
    #[error("the key set is unusable: {0}")]
    Unusable(String),
    /// More keys than anybody needs.
    #[error("the key set has more than {KEYS} keys")]
    TooManyKeys,
}

/// The cache. `T` is a parsed key set.
pub struct KeySets<T> {
    source: Arc<dyn Source>,
    parse: Parse<T>,
    entries: Entries<T>,
}

impl Source for Outbound {
    fn fetch<'a>(&'a self, url: &'a str, limit: usize) -> BoxFuture<'a, Result<Fetched, OutboundError>> {
        Self::fetch(self, url, limit).boxed()
    }
}

impl<T: Send + Sync + 'static> KeySets<T> {
    /// An empty cache of what `source` has, read by `parse`.
    pub fn new(source: Arc<dyn Source>, parse: Parse<T>) -> Self {
        Self { source, parse, entries: Entries::new(ENTRIES) }
    }

    /// What `look` finds in the key set at `uri`. If it finds nothing, the client may have rotated its
    /// keys: the set is fetched anew, at most once a minute, and looked at again.
    pub async fn find<K>(&self, uri: &str, look: impl Fn(&T) -> Option<K>) -> Result<Option<K>, JwksError> {
        // Not to be remembered, even as a failure.
        if uri.len() > URL_LENGTH {
            return Err(OutboundError::from(Refusal::TooLong).into());
        }
        let begun = Instant::now();
        let entry = self.entries.entry(uri, begun);
        let set = self.set(&entry, Want::Set).await?;
        if let Some(found) = look(&set) {
            return Ok(Some(found));
        }
        let newer = self.set(&entry, Want::Newer { begun }).await?;
        Ok(if Arc::ptr_eq(&set, &newer) { None } else { look(&newer) })
    }

    /// What `want` asks for. One fetches for all who wait.
    async fn set(&self, entry: &Arc<Entry<T>>, want: Want) -> Result<Arc<T>, JwksError> {
        if let Some(result) = entry.next(want, Instant::now()).result() {
            return result;
        }
        let flight = Arc::clone(entry.flight()).lock_owned().await;
        // Who had it before may have fetched.
        if let Some(result) = entry.next(want, Instant::now()).result() {
            return result;
        }
        entry.begin(want, Instant::now());
        self.fetch(entry, flight).await;
        // There is one, unless the process hung in between.
        entry.next(want, Instant::now()).result().unwrap_or(Err(OutboundError::Timeout.into()))
    }

    /// A fetch goes on when those who wait leave: or who comes and leaves at once could cause any
    /// number, and none would ever be remembered.
    async fn fetch(&self, entry: &Arc<Entry<T>>, flight: OwnedMutexGuard<()>) {
        let (source, parse, fetching) = (Arc::clone(&self.source), self.parse, Arc::clone(entry));
        let fetch = tokio::spawn(async move {
            let _flight = flight;
            let fetched = source.fetch(fetching.uri(), SIZE).await.map_err(JwksError::from);
            let read = fetched.and_then(|fetched| Ok((read(parse, &fetched.body)?, fetched.max_age)));
            if let Err(error) = &read {
                // Once a fetch, however many wait for it or come while the failure is remembered.
                tracing::warn!(uri = fetching.uri(), %error, "a key set could not be had");
            }
            fetching.end(read, Instant::now());
        });
        if fetch.await.is_err() {
            // The parser panicked, or the process ends.
            entry.end(Err(OutboundError::Broken.into()), Instant::now());
        }
    }
}

fn read<T>(parse: Parse<T>, body: &[u8]) -> Result<T, JwksError> {
    #[derive(Deserialize)]
    struct Counted {
        keys: Vec<IgnoredAny>,
    }
    // Not serde's words: they may quote what was sent.
    let counted: Counted =
        serde_json::from_slice(body).map_err(|_| JwksError::Unusable("it is no JWK set".to_owned()))?;
    if counted.keys.len() > KEYS {
        return Err(JwksError::TooManyKeys);
    }
    parse(body).map_err(JwksError::Unusable)
}
