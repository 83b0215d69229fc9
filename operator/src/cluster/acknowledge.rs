//! Listening to the provider pods: each that discovery sees is dialed, and what it says goes on to
//! the engine, in order and from one place.
//!
//! A pod counts from the moment that its Service sends it requests. It counts no longer once it is
//! out of service and either silent or gone; one that is out of service and still speaks serves
//! requests on connections that it had, and is waited for. Runs in the leader alone.

mod dial;
mod lines;
mod stream;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use claviger_crds::published::acknowledgement::Frame;
use rustls::ClientConfig;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::dial::{Said, dial};
use super::discover::Sight;

/// So many frames wait for the engine; then pods wait.
const WAITING: usize = 64;

/// What is heard of the pods, by what tells one from another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// Requests may be sent to the pod from now on.
    Found {
        /// What tells it from others.
        key: String,
        /// What a person knows it by.
        name: String,
    },
    /// It said something.
    Said {
        /// Of [`News::Found`].
        key: String,
        /// What it said.
        frame: Frame,
    },
    /// Its stream ended.
    Lost {
        /// Of [`News::Found`].
        key: String,
    },
    /// It serves nobody any more.
    Gone {
        /// Of [`News::Found`].
        key: String,
    },
    /// Every pod that there is has been named.
    Listed,
}

/// Where news go.
pub(crate) type Ear = Box<dyn Fn(News) + Send>;

/// How pods are dialed; `None` while there is no certificate.
pub(crate) type Configs = watch::Receiver<Option<Arc<ClientConfig>>>;

/// Listens to all that `sights` show, until they end or a dialing task does, which none does by
/// itself.
pub(crate) async fn run(mut sights: watch::Receiver<Option<Sight>>, configs: Configs, ear: Ear) {
    let (said, mut heard) = mpsc::channel(WAITING);
    let mut pods = Pods { configs, said, ear, dialed: HashMap::new(), tasks: JoinSet::new(), next: 0 };
    let mut listed = false;
    loop {
        let sight = sights.borrow_and_update().clone();
        if let Some(sight) = sight {
            pods.follow(&sight);
            if !listed {
                listed = true;
                (pods.ear)(News::Listed);
            }
        }
        tokio::select! {
            changed = sights.changed() => if changed.is_err() { return },
            Some((id, said)) = heard.recv() => pods.hear(id, said),
            Some(ended) = pods.tasks.join_next() => if !ended.is_err_and(|error| error.is_cancelled()) { return },
        }
    }
}

/// The pods that count.
struct Pods {
    configs: Configs,
    said: mpsc::Sender<(u64, Said)>,
    ear: Ear,
    dialed: HashMap<String, Dialed>,
    tasks: JoinSet<()>,
    /// What the next dialing task is known by. What a task said that was ended since is not heard.
    next: u64,
}

struct Dialed {
    id: u64,
    address: watch::Sender<String>,
    connected: bool,
    task: tokio::task::AbortHandle,
}

impl Pods {
    /// Dials those that have come, lets go of those that went.
    fn follow(&mut self, sight: &Sight) {
        let gone = self.dialed.iter().filter(|(key, pod)| !counts(sight, key, pod.connected));
        let gone: Vec<String> = gone.map(|(key, _)| key.clone()).collect();
        for key in gone {
            if let Some(pod) = self.dialed.remove(&key) {
                pod.task.abort();
            }
            (self.ear)(News::Gone { key });
        }
        for (key, target) in &sight.targets {
            match self.dialed.get(key) {
                // A stream that is open stays as it is.
                Some(pod) => drop(pod.address.send_if_modified(|before| {
                    let differs = *before != target.address;
                    before.clone_from(&target.address);
                    differs
                })),
                None if target.serving => {
                    (self.ear)(News::Found { key: key.clone(), name: target.name.clone() });
                    let dialed = self.begin(&target.name, &target.address);
                    self.dialed.insert(key.clone(), dialed);
                }
                None => {}
            }
        }
    }

    fn begin(&mut self, name: &str, address: &str) -> Dialed {
        let id = self.next;
        self.next += 1;
        let (address, addresses) = watch::channel(address.to_owned());
        let task = self.tasks.spawn(dial(id, name.to_owned(), addresses, self.configs.clone(), self.said.clone()));
        Dialed { id, address, connected: false, task }
    }

    fn hear(&mut self, id: u64, said: Said) {
        let Some((key, pod)) = self.dialed.iter_mut().find(|(_, pod)| pod.id == id) else { return };
        let key = key.clone();
        pod.connected = matches!(said, Said::Frame(_));
        (self.ear)(match said {
            Said::Frame(frame) => News::Said { key, frame },
            Said::Lost => News::Lost { key },
        });
    }
}

/// Whether a pod that has been found still counts.
fn counts(sight: &Sight, key: &str, connected: bool) -> bool {
    let serving = sight.targets.get(key).is_some_and(|target| target.serving);
    serving || (connected && sight.pods.contains(key))
}
