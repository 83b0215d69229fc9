//! `claviger lint`: every rule that needs no cluster, for a pipeline.
//!
//! First what each object proves about itself (schema, CEL, the kind's parser), then what spans
//! objects: those rules are the operator's, so the operator's engine judges them in [`rehearsal`].

mod outside;
mod rehearsal;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use claviger_crds::names::ObjectName;
use serde_json::Value;

use crate::admission;
use crate::args::LintArgs;
use crate::manifests::{self, Fault, Manifest, Note, Sort};
use crate::output::Output;

/// Objects that were admitted, by what names them.
type Admitted = BTreeMap<(Sort, ObjectName), (Manifest, Value)>;

/// What the folder holds that cannot be judged. A reference to it is no fault of its own: one mistake
/// is told once.
#[derive(Default)]
struct Unseen {
    /// Objects that were refused.
    refused: BTreeSet<(Sort, ObjectName)>,
    /// There are files whose objects are not known.
    unreadable: bool,
}

impl Unseen {
    /// Whether every object of the folder is known.
    fn is_empty(&self) -> bool {
        !self.unreadable && self.refused.is_empty()
    }

    /// Whether the object may be there.
    fn may_hold(&self, sort: Sort, name: &ObjectName) -> bool {
        self.unreadable || self.refused.contains(&(sort, name.clone()))
    }

    /// Whether an object of this sort may be there.
    fn may_hold_any(&self, sort: Sort) -> bool {
        self.unreadable || self.refused.iter().any(|(other, _)| *other == sort)
    }
}

/// Prints each fault on a line of its own, to standard output: they are what was asked for.
pub(crate) fn run(args: &LintArgs, output: &Output) -> anyhow::Result<ExitCode> {
    let shown = args.dir.display();
    ensure!(!args.dir.is_file(), "{shown} is a file: name the folder that holds it");
    let listing = manifests::read(&args.dir).with_context(|| format!("cannot read {shown}"))?;
    ensure!(!listing.files.is_empty(), "{shown} holds no YAML (*.yaml, *.yml, *.json)");
    let files = listing.files.len();
    let (admitted, unseen, mut faults, notes) = each(listing);
    let rehearsal::Verdicts { faults: between, unjudged } = rehearsal::run(&admitted, &unseen)?;
    faults.extend(between);
    faults.sort();
    faults.dedup();
    for Note { place, message } in notes {
        output.problem(&format!("{place}: {message}"));
    }
    for fault in &faults {
        output.print(&fault.to_string());
    }
    // Beside the faults: who wants to know what this verdict is worth reads it, a pipeline does not.
    for question in &unjudged {
        output.problem(&question.to_string());
    }
    if faults.is_empty() {
        let left = if unjudged.is_empty() { String::new() } else { format!(", {} not judged", unjudged.len()) };
        output.problem(&format!("{} in {}: no faults{left}", count(admitted.len(), "object"), count(files, "file")));
        return Ok(ExitCode::SUCCESS);
    }
    output.problem(&format!("{} in {}", count(faults.len(), "fault"), count(files, "file")));
    Ok(ExitCode::FAILURE)
}

/// Judges each object on its own.
fn each(listing: manifests::Listing) -> (Admitted, Unseen, Vec<Fault>, Vec<Note>) {
    let (mut admitted, mut unseen) = (Admitted::new(), Unseen::default());
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    for file in listing.files {
        unseen.unreadable |= !file.faults.is_empty();
        faults.extend(file.faults);
        notes.extend(file.notes);
        for manifest in file.manifests.into_iter().flatten() {
            let key = (manifest.sort, manifest.name.clone());
            if let Some((first, _)) = admitted.get(&key) {
                faults.push(manifest.fault("", format!("is declared twice, also at {}", first.place)));
                continue;
            }
            match admission::judge(&manifest, None) {
                Ok(value) => {
                    admitted.insert(key, (manifest, value));
                }
                Err(found) => {
                    unseen.refused.insert(key);
                    faults.extend(found);
                }
            }
        }
    }
    (admitted, unseen, faults, notes)
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
