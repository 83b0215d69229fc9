//! What a person is told while `claviger dev` runs: what changed in the folder, what is wrong, and
//! which objects became ready or stopped being so. Says nothing twice.

use std::collections::BTreeMap;

use claviger_crds::names::ObjectName;
use claviger_operator::cluster::{Event, Kind};
use jiff::Timestamp;
use serde_json::Value;

use super::folder::{Admitted, Change, Key, Reading, Refused};
use crate::embedded::{Standing, standing};
use crate::manifests::{Note, Sort, title};
use crate::output::{Output, Style};

/// At most this many fields of a change are shown.
const FIELDS: usize = 3;

/// What was said.
pub(super) struct Report {
    output: Output,
    said: BTreeMap<(Kind, ObjectName), Standing>,
}

impl Report {
    /// A report to which nothing was said yet.
    pub(super) fn new(output: Output) -> Self {
        Self { output, said: BTreeMap::new() }
    }

    /// Tells what a reading of the folder brought. The first brings everything, which the table
    /// shows better.
    pub(super) fn reading(&self, reading: &Reading, first: bool) {
        let (kept, lost): (Vec<_>, Vec<_>) = reading.faults.iter().partition(|refused| refused.kept);
        self.refused(&kept, if first { None } else { Some("what was served before goes on being served") });
        self.refused(&lost, Some("nothing of that is served until it is mended"));
        for fault in &reading.mended {
            self.line(Style::Good, "mended", &fault.to_string());
        }
        for Note { place, message } in &reading.notes {
            self.line(Style::Dim, "left out", &format!("{place}: {message}"));
        }
        if first {
            return;
        }
        for change in &reading.changes {
            match change {
                Change::Created(key, admitted) => self.line(Style::Bold, "added", &named(key, admitted)),
                Change::Deleted(key) => self.line(Style::Bold, "removed", &title(key.0, &key.1)),
                Change::Changed(key, admitted, fields) => {
                    let mut shown: Vec<String> = Vec::new();
                    for field in fields.iter().take(FIELDS) {
                        shown.push(match &field.values {
                            None => field.path.clone(),
                            Some((before, after)) => format!("{}: {before} -> {after}", field.path),
                        });
                    }
                    if fields.len() > FIELDS {
                        shown.push(format!("and {} more", fields.len() - FIELDS));
                    }
                    self.line(Style::Bold, "changed", &format!("{}  {}", named(key, admitted), shown.join("; ")));
                }
            }
        }
    }

    fn refused(&self, faults: &[&Refused], cost: Option<&str>) {
        for refused in faults {
            let word = self.output.paint(Style::Bad, &pad("refused"));
            self.output.problem(&format!("{word} {}", refused.fault));
        }
        if let Some(cost) = cost.filter(|_| !faults.is_empty()) {
            self.output.problem(&format!("{} {cost}", pad("")));
        }
    }

    /// The folder cannot be read at all.
    pub(super) fn unreadable(&self, error: &std::io::Error) {
        self.line(Style::Bad, "unreadable", &format!("the folder: {error}; what was served before goes on"));
    }

    /// Tells which objects became ready, or stopped being so. `quietly`: the table has said so.
    pub(super) fn standings(
        &mut self,
        objects: &[(Kind, ObjectName, Value)],
        admitted: &BTreeMap<Key, Admitted>,
        quietly: bool,
    ) {
        self.said.retain(|(kind, name), _| objects.iter().any(|(k, n, _)| k == kind && n == name));
        for (kind, name, object) in objects {
            let key = (*kind, name.clone());
            let Some(now) = standing(object) else { continue };
            if self.said.get(&key) == Some(&now) {
                continue;
            }
            let before = self.said.get(&key);
            let sort = Sort::Resource(*kind);
            let place = admitted.get(&(sort, name.clone())).map(|found| format!(" ({})", found.place));
            let title = format!("{}{}", title(sort, name), place.unwrap_or_default());
            match (now.ready, before.is_some_and(|before| before.ready)) {
                (true, true) => {}
                (true, false) if quietly => {}
                (true, false) => self.line(Style::Good, "ready", &title),
                (false, _) => self.line(Style::Bad, "not ready", &format!("{title} {}", now.why)),
            }
            match (&now.blocked, before.and_then(|before| before.blocked.as_ref())) {
                (Some(why), earlier) if earlier != Some(why) => {
                    self.line(Style::Bad, "blocked", &format!("{title} {why}"));
                }
                (None, Some(_)) => self.line(Style::Good, "unblocked", &title),
                _ => {}
            }
            self.said.insert(key, now);
        }
    }

    /// Tells what happened to a key or a client's secret; `at` where the clock is not everybody's. That a rotation is blocked
    /// the standings say.
    pub(super) fn happened(&self, event: &Event, at: Option<Timestamp>) {
        let (style, word) = match event.reason {
            "RingCreated" | "RingRestored" | "RingJoined" | "RingWithdrawn" => (Style::Bold, "ring"),
            "KeyPublished" => (Style::Bold, "published"),
            "KeyPromoted" => (Style::Good, "promoted"),
            "KeyPromotedEarly" => (Style::Bad, "promoted"),
            "KeyUnpublished" => (Style::Bold, "retired"),
            "KeyDiscarded" => (Style::Dim, "discarded"),
            "KeyGone" => (Style::Dim, "gone"),
            "SecretRotated" => (Style::Good, "rotated"),
            "SecretExpired" => (Style::Dim, "gone"),
            "KeyRevoked" | "SecretRevoked" => (Style::Bad, "revoked"),
            _ => return,
        };
        let at = at.map(|at| format!("{at} ")).unwrap_or_default();
        self.line(style, word, &format!("{at}{}: {}", title(Sort::Resource(event.kind), &event.name), event.note));
    }

    fn line(&self, style: Style, word: &str, text: &str) {
        self.output.print(&format!("{} {text}", self.output.paint(style, &pad(word))));
    }
}

fn pad(word: &str) -> String {
    format!("{word:<10}")
}

fn named(key: &Key, admitted: &Admitted) -> String {
    format!("{} ({})", title(key.0, &key.1), admitted.place)
}
