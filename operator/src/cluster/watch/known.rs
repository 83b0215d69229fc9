//! Which objects a watch knows of, so that what vanished while nobody looked is seen to be gone.
//! Pure state over the events of a list-then-watch.

use std::collections::HashSet;

use claviger_crds::names::ObjectName;
use kube::ResourceExt;
use kube::runtime::watcher::Event;

/// Names of what the watch told of.
#[derive(Debug, Default)]
pub(super) struct Known {
    names: HashSet<ObjectName>,
    /// Names that the list under way has told of so far.
    listing: Option<HashSet<ObjectName>>,
}

/// What an event means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<O> {
    /// A list begins.
    Begins,
    /// The object is there.
    There(ObjectName, O),
    /// It is gone.
    Gone(ObjectName),
    /// The list is complete: these are gone.
    Listed(Vec<ObjectName>),
}

impl Known {
    pub(super) fn take<O: ResourceExt>(&mut self, event: Event<O>) -> Meaning<O> {
        match event {
            Event::Init => {
                self.listing = Some(HashSet::new());
                Meaning::Begins
            }
            Event::InitApply(object) => {
                let name = name(&object);
                if let Some(listing) = &mut self.listing {
                    listing.insert(name.clone());
                }
                self.names.insert(name.clone());
                Meaning::There(name, object)
            }
            Event::Apply(object) => {
                let name = name(&object);
                self.names.insert(name.clone());
                Meaning::There(name, object)
            }
            Event::Delete(object) => {
                let name = name(&object);
                self.names.remove(&name);
                Meaning::Gone(name)
            }
            Event::InitDone => {
                let Some(listing) = self.listing.take() else { return Meaning::Listed(Vec::new()) };
                let before = std::mem::replace(&mut self.names, listing);
                let mut gone: Vec<ObjectName> = before.into_iter().filter(|name| !self.names.contains(name)).collect();
                gone.sort_unstable();
                Meaning::Listed(gone)
            }
        }
    }

    /// Whether a list is under way.
    pub(super) fn listing(&self) -> bool {
        self.listing.is_some()
    }
}

fn name(object: &impl ResourceExt) -> ObjectName {
    ObjectName::new(object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    fn secret(name: &str) -> Secret {
        let metadata =
            ObjectMeta { name: Some(name.to_owned()), namespace: Some("ns".to_owned()), ..ObjectMeta::default() };
        Secret { metadata, ..Secret::default() }
    }

    fn named(name: &str) -> ObjectName {
        ObjectName::new("ns", name)
    }

    fn list(known: &mut Known, names: &[&str]) -> Meaning<Secret> {
        assert_eq!(known.take::<Secret>(Event::Init), Meaning::Begins);
        for name in names {
            assert!(matches!(known.take(Event::InitApply(secret(name))), Meaning::There(..)));
        }
        known.take(Event::InitDone)
    }

    #[test]
    fn what_vanished_while_nobody_looked_is_gone_after_the_next_list() {
        let mut known = Known::default();
        assert_eq!(list(&mut known, &["a", "b", "c"]), Meaning::Listed(vec![]));
        known.take(Event::Apply(secret("d")));
        known.take(Event::Delete(secret("a")));
        assert_eq!(list(&mut known, &["b", "e"]), Meaning::Listed(vec![named("c"), named("d")]));
        assert_eq!(list(&mut known, &["b", "e"]), Meaning::Listed(vec![]));
    }

    #[test]
    fn a_list_that_broke_off_takes_nothing_away() {
        let mut known = Known::default();
        list(&mut known, &["a", "b"]);
        known.take::<Secret>(Event::Init);
        known.take(Event::InitApply(secret("a")));
        assert_eq!(list(&mut known, &["a", "b"]), Meaning::Listed(vec![]));
    }
}
