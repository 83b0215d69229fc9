//! Which provider pods there are: a list that was given, or the EndpointSlices of a Service and
//! the Pods behind them. Reads only; [`super::acknowledge`] dials what is seen here.

mod slices;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use claviger_crds::names::ObjectName;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::watcher;
use kube::{Api, Client};
use tokio::sync::watch;

use self::slices::targets;
use super::watch::{config, follow};
use crate::engine::Seen;
use crate::settings::Providers;

/// One address on which a provider may be dialed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// What a person knows it by.
    pub(crate) name: String,
    /// `host:port`
    pub(crate) address: String,
    /// Requests may be sent to it, also while it ends.
    pub(crate) serving: bool,
}

/// All that is seen at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// By what tells one from another: the Pod's UID where there is one.
    pub(crate) targets: BTreeMap<String, Target>,
    /// UIDs of the Pods that exist, whether or not a Service names them.
    pub(crate) pods: BTreeSet<String>,
}

/// What is seen; `None` until everything has been listed once.
pub(crate) type Seeing = watch::Sender<Option<Sight>>;

/// Looks for providers for ever.
pub(crate) async fn run(client: Client, providers: Providers, seeing: &Seeing) {
    match providers {
        Providers::Static(addresses) => {
            seeing.send_replace(Some(fixed(addresses)));
            std::future::pending().await
        }
        Providers::Service { namespace, name } => follow_service(client, &namespace, &name, seeing).await,
    }
}

/// A provider that is listed is always expected to serve.
fn fixed(addresses: Vec<String>) -> Sight {
    let target = |address: String| (address.clone(), Target { name: address.clone(), address, serving: true });
    Sight { targets: addresses.into_iter().map(target).collect(), pods: BTreeSet::new() }
}

async fn follow_service(client: Client, namespace: &str, name: &str, seeing: &Seeing) {
    let view = Arc::new(Mutex::new(View::default()));
    let update = |change: &dyn Fn(&mut View)| {
        let mut view = view.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut view);
        let sight = view.sight();
        seeing.send_if_modified(|before| {
            let differs = *before != sight;
            *before = sight;
            differs
        });
    };
    let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), namespace);
    let of_service = config().labels(&format!("kubernetes.io/service-name={name}"));
    let pods: Api<PartialObjectMeta<Pod>> = Api::namespaced(client, namespace);
    tokio::join!(
        follow(
            "EndpointSlice",
            || watcher(slices.clone(), of_service.clone()).boxed(),
            Ok,
            |seen| update(&|view| view.slice(seen.clone())),
            || update(&|view| view.slices_listed = true),
        ),
        follow(
            "Pod",
            || watcher(pods.clone(), config()).boxed(),
            Ok,
            |seen: Seen<PartialObjectMeta<Pod>>| update(&|view| view.pod(&seen)),
            || update(&|view| view.pods_listed = true),
        ),
    );
}

/// What the two watches have told.
#[derive(Debug, Default)]
struct View {
    slices: BTreeMap<ObjectName, EndpointSlice>,
    slices_listed: bool,
    /// UIDs by name: a Pod made anew under its name is another.
    pods: BTreeMap<ObjectName, String>,
    pods_listed: bool,
}

impl View {
    fn slice(&mut self, seen: Seen<EndpointSlice>) {
        match seen {
            Seen::Applied(slice) => {
                let metadata = &slice.metadata;
                let name = ObjectName::new(
                    metadata.namespace.clone().unwrap_or_default(),
                    metadata.name.clone().unwrap_or_default(),
                );
                self.slices.insert(name, *slice);
            }
            Seen::Deleted(name) => drop(self.slices.remove(&name)),
        }
    }

    fn pod(&mut self, seen: &Seen<PartialObjectMeta<Pod>>) {
        match seen {
            Seen::Applied(pod) => {
                let metadata = &pod.metadata;
                let name = ObjectName::new(
                    metadata.namespace.clone().unwrap_or_default(),
                    metadata.name.clone().unwrap_or_default(),
                );
                self.pods.insert(name, metadata.uid.clone().unwrap_or_default());
            }
            Seen::Deleted(name) => drop(self.pods.remove(name)),
        }
    }

    fn sight(&self) -> Option<Sight> {
        let listed = self.slices_listed && self.pods_listed;
        listed.then(|| Sight { targets: targets(self.slices.values()), pods: self.pods.values().cloned().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_seen_before_both_watches_have_listed() {
        let mut view = View { slices_listed: true, ..View::default() };
        assert_eq!(view.sight(), None);
        view.pods_listed = true;
        assert_eq!(view.sight(), Some(Sight::default()));
    }

    #[test]
    fn a_pod_made_anew_under_its_name_is_another() {
        let mut view = View { slices_listed: true, pods_listed: true, ..View::default() };
        for uid in ["u1", "u2"] {
            let mut pod = PartialObjectMeta::<Pod>::default();
            pod.metadata.name = Some("provider-0".to_owned());
            pod.metadata.uid = Some(uid.to_owned());
            view.pod(&Seen::Applied(Box::new(pod)));
        }
        assert_eq!(view.sight().unwrap().pods, BTreeSet::from(["u2".to_owned()]));
        view.pod(&Seen::Deleted(ObjectName::new("", "provider-0")));
        assert!(view.sight().unwrap().pods.is_empty());
    }
}
