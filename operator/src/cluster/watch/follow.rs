//! One watch for ever: errors are waited out, a list that hangs is begun anew.

use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::ResourceExt;
use kube::runtime::watcher::{self, Event};

use super::known::{Known, Meaning};
use crate::cluster::backoff::Backoff;
use crate::engine::Seen;

/// A list that says nothing for this long hangs: the library has no limit of its own.
const LISTING: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Why an object could not be read; fit to be logged.
pub(crate) struct Unread(pub(crate) String);

/// Follows the streams that `make` makes: `tell` learns what is there and what is gone, `listed`
/// is called each time that everything has been told. Never ends.
pub(crate) async fn follow<S, O, K>(
    what: &str,
    make: impl Fn() -> S,
    read: impl Fn(O) -> Result<K, Unread>,
    tell: impl Fn(Seen<K>),
    listed: impl FnMut(),
) where
    S: Stream<Item = watcher::Result<Event<O>>> + Unpin,
    O: ResourceExt,
{
    follow_within(LISTING, what, make, read, tell, listed).await;
}

async fn follow_within<S, O, K>(
    limit: Duration,
    what: &str,
    make: impl Fn() -> S,
    read: impl Fn(O) -> Result<K, Unread>,
    tell: impl Fn(Seen<K>),
    mut listed: impl FnMut(),
) where
    S: Stream<Item = watcher::Result<Event<O>>> + Unpin,
    O: ResourceExt,
{
    let mut known = Known::default();
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut stream = make();
    loop {
        match next(&mut stream, known.listing().then_some(limit)).await {
            Some(Ok(event)) => match known.take(event) {
                // A list begins anew after each failed one: that is no success yet.
                Meaning::Begins => {}
                Meaning::There(name, object) => {
                    backoff.reset();
                    match read(object) {
                        Ok(object) => tell(Seen::Applied(Box::new(object))),
                        Err(Unread(reason)) => {
                            tracing::warn!(%name, reason, "a {what} cannot be read and is left as it was")
                        }
                    }
                }
                Meaning::Gone(name) => tell(Seen::Deleted(name)),
                Meaning::Listed(gone) => {
                    backoff.reset();
                    gone.into_iter().for_each(|name| tell(Seen::Deleted(name)));
                    listed();
                }
            },
            Some(Err(error)) => {
                let wait = backoff.next();
                tracing::warn!(%error, ?wait, "the watch of every {what} is interrupted");
                tokio::time::sleep(wait).await;
            }
            None => {
                let wait = backoff.next();
                tracing::warn!(?wait, "the watch of every {what} hangs or ended; begun anew");
                tokio::time::sleep(wait).await;
                stream = make();
            }
        }
    }
}

async fn next<S: Stream + Unpin>(stream: &mut S, limit: Option<Duration>) -> Option<S::Item> {
    match limit {
        None => stream.next().await,
        Some(limit) => tokio::time::timeout(limit, stream.next()).await.unwrap_or(None),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use futures::stream;
    use k8s_openapi::api::core::v1::Secret;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    type Item = watcher::Result<Event<Secret>>;

    fn secret(name: &str) -> Secret {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        Secret { metadata, ..Secret::default() }
    }

    /// Follows the streams one after the other, the last for ever, until `lists` lists are complete.
    async fn told(streams: Vec<Vec<Item>>, lists: usize) -> Vec<String> {
        let (told, done) = (RefCell::new(Vec::new()), Cell::new(0));
        let left = RefCell::new(streams.into_iter());
        let make = || stream::iter(left.borrow_mut().next().unwrap_or_default()).chain(stream::pending()).boxed_local();
        let read = |secret: Secret| match secret.name_any().as_str() {
            "broken" => Err(Unread("broken".to_owned())),
            _ => Ok(secret),
        };
        let tell = |seen| {
            told.borrow_mut().push(match seen {
                Seen::Applied(secret) => format!("+{}", Secret::name_any(&secret)),
                Seen::Deleted(name) => format!("-{}", name.name),
            });
        };
        let all = async {
            while done.get() < lists {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = follow_within(Duration::from_millis(50), "Secret", make, read, tell, || done.set(done.get() + 1)) => {}
            () = all => {}
            () = tokio::time::sleep(Duration::from_secs(10)) => panic!("{} of {lists} lists", done.get()),
        }
        told.into_inner()
    }

    #[tokio::test]
    async fn a_list_that_hangs_is_begun_anew_and_takes_nothing_away() {
        let hangs = vec![Ok(Event::Init), Ok(Event::InitApply(secret("a"))), Ok(Event::InitApply(secret("b")))];
        let whole = vec![Ok(Event::Init), Ok(Event::InitApply(secret("b"))), Ok(Event::InitDone)];
        assert_eq!(told(vec![hangs, whole], 1).await, ["+a", "+b", "+b", "-a"]);
    }

    #[tokio::test]
    async fn an_error_is_waited_out() {
        let broken = || Err(watcher::Error::NoResourceVersion);
        let items = vec![broken(), Ok(Event::Init), broken(), Ok(Event::Init), Ok(Event::InitDone)];
        assert!(told(vec![items], 1).await.is_empty());
    }

    #[tokio::test]
    async fn an_object_that_cannot_be_read_is_neither_there_nor_gone() {
        let items = vec![
            Ok(Event::Init),
            Ok(Event::InitApply(secret("broken"))),
            Ok(Event::InitApply(secret("a"))),
            Ok(Event::InitDone),
            Ok(Event::Init),
            Ok(Event::InitApply(secret("broken"))),
            Ok(Event::InitDone),
        ];
        assert_eq!(told(vec![items], 2).await, ["+a", "-a"]);
    }
}
