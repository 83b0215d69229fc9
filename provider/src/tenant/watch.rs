//! Published Secrets to the provider: list, then watch.
//!
//! [`Listing`] is pure: it turns a watch's events into what the provider has to do, and holds no
//! more than the Secrets' names. `run` calls [`follow`]. Nothing that happens here takes away what
//! is served: a document that is unreadable or gone is the provider's to judge.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use claviger_crds::names::LABEL_DOCUMENT;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::Event;

use crate::provider::Provider;
use crate::secrets::Secrets;

/// Tells `provider` of every published Secret and every change of one, for ever.
pub(crate) async fn follow(secrets: Secrets, provider: Arc<Provider>) {
    let mut listing = Listing::default();
    let mut events = pin!(secrets.labelled(LABEL_DOCUMENT));
    while let Some(event) = events.next().await {
        take(listing.step(event), &provider);
        // A page of a list is there at once: requests are served between its documents.
        tokio::task::coop::consume_budget().await;
    }
}

fn take(step: Step, provider: &Provider) {
    match step {
        Step::Apply(secret) => {
            // A bad document costs only itself, even one that meets a fault of ours.
            if catch_unwind(AssertUnwindSafe(|| provider.apply_secret(&secret))).is_err() {
                let name = secret.metadata.name.as_deref().unwrap_or_default();
                tracing::error!(secret = name, "a fault while the document was read; the last good one is served");
            }
        }
        Step::Deleted(names) => names.iter().for_each(|name| provider.secret_deleted(name)),
        Step::Listed { gone } => {
            gone.iter().for_each(|name| provider.secret_deleted(name));
            provider.loaded();
        }
        Step::Nothing => {}
    }
}

/// What an event means to the provider.
#[derive(Debug, PartialEq)]
enum Step {
    /// It may be new.
    Apply(Box<Secret>),
    /// They were deleted.
    Deleted(Vec<String>),
    /// A list is complete, and these that were there before are not in it.
    Listed { gone: Vec<String> },
    /// Nothing yet.
    Nothing,
}

/// Which Secrets are there.
#[derive(Debug, Default)]
struct Listing {
    /// In the list of which round each was last seen.
    known: HashMap<Box<str>, u64>,
    /// Grows with each list that begins. One that breaks off tells nothing of what is gone.
    round: u64,
}

impl Listing {
    fn step(&mut self, event: Event<Secret>) -> Step {
        match event {
            Event::Init => {
                self.round += 1;
                Step::Nothing
            }
            Event::InitApply(secret) | Event::Apply(secret) => self.apply(secret),
            Event::Delete(secret) => match secret.metadata.name {
                Some(name) => {
                    self.known.remove(name.as_str());
                    Step::Deleted(vec![name])
                }
                None => Step::Nothing,
            },
            Event::InitDone => Step::Listed { gone: self.forget_unseen() },
        }
    }

    fn apply(&mut self, secret: Secret) -> Step {
        let Some(name) = secret.metadata.name.as_deref() else { return Step::Nothing };
        match self.known.get_mut(name) {
            Some(seen) => *seen = self.round,
            None => {
                self.known.insert(name.into(), self.round);
            }
        }
        Step::Apply(Box::new(secret))
    }

    fn forget_unseen(&mut self) -> Vec<String> {
        let round = self.round;
        self.known.extract_if(|_, seen| *seen != round).map(|(name, _)| name.into()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str) -> Secret {
        let mut secret = Secret::default();
        secret.metadata.name = Some(name.to_owned());
        secret
    }

    fn applies(name: &str) -> Step {
        Step::Apply(Box::new(secret(name)))
    }

    fn listed(listing: &mut Listing, names: &[&str]) -> Step {
        assert_eq!(listing.step(Event::Init), Step::Nothing);
        for name in names {
            assert_eq!(listing.step(Event::InitApply(secret(name))), applies(name));
        }
        listing.step(Event::InitDone)
    }

    #[test]
    fn everything_is_applied_before_the_list_is_complete_and_changes_after_it() {
        let mut listing = Listing::default();
        assert_eq!(listed(&mut listing, &["a", "b"]), Step::Listed { gone: vec![] });
        assert_eq!(listing.step(Event::Apply(secret("c"))), applies("c"));
        assert_eq!(listing.step(Event::Delete(secret("a"))), Step::Deleted(vec!["a".to_owned()]));
    }

    #[test]
    fn what_is_missing_from_a_later_list_is_gone_once() {
        let mut listing = Listing::default();
        listed(&mut listing, &["a", "b"]);
        listing.step(Event::Apply(secret("c")));
        let Step::Listed { mut gone } = listed(&mut listing, &["b"]) else { panic!("the list is not complete") };
        gone.sort();
        assert_eq!(gone, ["a", "c"]);
        assert_eq!(listed(&mut listing, &["b"]), Step::Listed { gone: vec![] });
    }

    #[test]
    fn what_was_deleted_before_a_list_is_not_gone_again() {
        let mut listing = Listing::default();
        listed(&mut listing, &["a", "b"]);
        listing.step(Event::Delete(secret("a")));
        assert_eq!(listed(&mut listing, &["b"]), Step::Listed { gone: vec![] });
    }

    #[test]
    fn a_list_that_breaks_off_makes_nothing_gone() {
        let mut listing = Listing::default();
        listed(&mut listing, &["a", "b"]);
        listing.step(Event::Init);
        listing.step(Event::InitApply(secret("a")));
        assert_eq!(listed(&mut listing, &["a", "b"]), Step::Listed { gone: vec![] });
    }
}
