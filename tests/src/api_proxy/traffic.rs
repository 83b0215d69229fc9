//! What passed the proxy, and when the proxy cuts.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, Uri};
use tokio::sync::watch;

/// What a write is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// An object that means something to the product.
    Object,
    /// Leader election's heartbeat.
    Lease,
    /// A note for people.
    Event,
    /// A question in the form of a write, which changes nothing: token and access reviews, token
    /// requests, dry runs.
    Question,
}

/// One request that was neither GET nor HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// POST, PUT, PATCH, DELETE.
    pub method: Method,
    /// Its path, without the query.
    pub path: String,
    /// What it is about.
    pub category: Category,
    /// The API server's answer; absent while there is none, or when the cut came before.
    pub status: Option<u16>,
}

impl Write {
    pub(crate) fn of(method: &Method, uri: &Uri) -> Option<Self> {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return None;
        }
        let dry_run = uri.query().is_some_and(|query| query.contains("dryRun="));
        Some(Self {
            method: method.clone(),
            path: uri.path().to_owned(),
            category: if dry_run { Category::Question } else { category(uri.path()) },
            status: None,
        })
    }
}

/// By API group and resource: `/apis/<group>/<version>/…` or `/api/v1/…`, then maybe a namespace.
fn category(path: &str) -> Category {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["apis", group, _version, rest @ ..] => (*group, rest),
        ["api", _version, rest @ ..] => ("", rest),
        _ => return Category::Object,
    };
    let rest = match rest {
        ["namespaces", _namespace, inner @ ..] if !inner.is_empty() => inner,
        all => all,
    };
    match (group, rest) {
        ("coordination.k8s.io", ["leases", ..]) => Category::Lease,
        ("" | "events.k8s.io", ["events", ..]) => Category::Event,
        ("authentication.k8s.io" | "authorization.k8s.io", _) | ("", ["serviceaccounts", _, "token"]) => {
            Category::Question
        }
        _ => Category::Object,
    }
}

/// On which side of the fatal write the connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The API server never sees the write.
    Before,
    /// The API server has carried it out; the caller never learns.
    After,
}

struct Fate {
    moment: Moment,
    fatal: Box<dyn FnMut(&Write) -> bool + Send>,
}

/// What the proxy does with a request that it was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    CutBefore,
    CutAfter,
}

#[derive(Default)]
struct State {
    writes: Vec<Write>,
    fate: Option<Fate>,
    /// The fatal write has come; nothing may follow it, also while its answer is awaited.
    over: bool,
}

/// The ledger and the switch, shared by all connections.
pub(crate) struct Traffic {
    state: Mutex<State>,
    cut: watch::Sender<bool>,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), cut: watch::Sender::new(false) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn writes(&self) -> Vec<Write> {
        self.state().writes.clone()
    }

    /// Notes the write, and says what becomes of it. `None` when the cut has come: what was on its
    /// way at that moment neither passes nor counts.
    pub(crate) fn begin(&self, write: Write) -> Option<(usize, Verdict)> {
        let mut state = self.state();
        if state.over || *self.cut.borrow() {
            return None;
        }
        let fatal = state.fate.as_mut().and_then(|fate| (fate.fatal)(&write).then_some(fate.moment));
        state.writes.push(write);
        let number = state.writes.len() - 1;
        let verdict = match fatal {
            None => Verdict::Pass,
            Some(Moment::After) => Verdict::CutAfter,
            Some(Moment::Before) => {
                self.cut.send_replace(true);
                Verdict::CutBefore
            }
        };
        state.over = fatal.is_some();
        Some((number, verdict))
    }

    pub(crate) fn answered(&self, number: usize, status: u16) {
        if let Some(write) = self.state().writes.get_mut(number) {
            write.status = Some(status);
        }
    }

    pub(crate) fn decide(&self, moment: Moment, fatal: Box<dyn FnMut(&Write) -> bool + Send>) {
        self.state().fate = Some(Fate { moment, fatal });
    }

    pub(crate) fn forget(&self) {
        *self.state() = State::default();
    }

    pub(crate) fn set_cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }

    pub(crate) fn watch_cut(&self) -> watch::Receiver<bool> {
        self.cut.subscribe()
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traffic").field("cut", &self.cut).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(method: Method, uri: &'static str) -> Option<Write> {
        Write::of(&method, &Uri::from_static(uri))
    }

    #[test]
    fn reading_and_watching_are_no_writes() {
        assert_eq!(write(Method::GET, "/api/v1/secrets?watch=true"), None);
    }

    #[test]
    fn heartbeats_notes_and_questions_are_told_from_objects() {
        let cases = [
            ("/api/v1/namespaces/a/secrets", Category::Object),
            ("/api/v1/namespaces/leases", Category::Object),
            ("/api/v1/namespaces/events/secrets/events", Category::Object),
            ("/apis/coordination.k8s.io/v1/namespaces/a/leases/b", Category::Lease),
            ("/api/v1/namespaces/a/events", Category::Event),
            ("/apis/events.k8s.io/v1/namespaces/a/events/e", Category::Event),
            ("/apis/authentication.k8s.io/v1/tokenreviews", Category::Question),
            ("/api/v1/namespaces/a/serviceaccounts/b/token", Category::Question),
            ("/api/v1/namespaces/a/serviceaccounts/b", Category::Object),
            ("/api/v1/namespaces/a/secrets/b?dryRun=All", Category::Question),
        ];
        for (uri, expected) in cases {
            assert_eq!(write(Method::PATCH, uri).map(|w| w.category), Some(expected), "{uri}");
        }
    }

    #[test]
    fn nothing_follows_the_fatal_write_on_either_side_of_the_cut() {
        for (moment, verdict) in [(Moment::Before, Verdict::CutBefore), (Moment::After, Verdict::CutAfter)] {
            let traffic = Traffic::new();
            traffic.decide(moment, Box::new(|_| true));
            let put = || write(Method::PUT, "/api/v1/namespaces/a/secrets/b").unwrap();
            assert_eq!(traffic.begin(put()), Some((0, verdict)));
            assert_eq!(traffic.begin(put()), None);
            assert_eq!(traffic.writes().len(), 1);
        }
    }
}
