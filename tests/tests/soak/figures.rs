//! What a soak counts.

use std::fmt;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What happened to the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    PodRestarted,
    PodGone,
    PodAdded,
    WatchHeld,
    OperatorKilled,
    LeaseStolen,
    ApiServerRestarted,
    SignerSwitched,
}

const BLOWS: [(Blow, &str); 8] = [
    (Blow::PodRestarted, "pods killed and restarted"),
    (Blow::PodGone, "pods killed for good"),
    (Blow::PodAdded, "pods added"),
    (Blow::WatchHeld, "watches of pods cut off"),
    (Blow::OperatorKilled, "operators killed"),
    (Blow::LeaseStolen, "leases stolen"),
    (Blow::ApiServerRestarted, "API server restarts"),
    (Blow::SignerSwitched, "tenants told to sign with another ring"),
];

/// Shared by everything that counts.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) issued: AtomicUsize,
    /// Requests that a killed pod left without an answer.
    pub(crate) unanswered: AtomicUsize,
    blows: Mutex<Vec<Blow>>,
    faults: Mutex<Vec<String>>,
}

impl Figures {
    pub(crate) fn struck(&self, blow: Blow) {
        self.blows.lock().unwrap_or_else(PoisonError::into_inner).push(blow);
    }

    /// Whether each has happened once at least.
    pub(crate) fn struck_all(&self) -> bool {
        BLOWS.iter().all(|(blow, _)| self.count(*blow) > 0)
    }

    fn count(&self, wanted: Blow) -> usize {
        let blows = self.blows.lock().unwrap_or_else(PoisonError::into_inner);
        blows.iter().filter(|blow| **blow == wanted).count()
    }

    /// What must not happen, and no verifier sees.
    pub(crate) fn fault(&self, what: String) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens issued", self.issued.load(Ordering::Relaxed))?;
        write!(f, ", {} requests unanswered", self.unanswered.load(Ordering::Relaxed))?;
        BLOWS.iter().try_for_each(|(blow, text)| write!(f, ", {} {text}", self.count(*blow)))
    }
}

/// Past the test framework's capture, since somebody may be waiting for hours.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
