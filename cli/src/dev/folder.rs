//! The folder as it is served: what it declares now, or declared before it was broken.
//!
//! A file that does not parse, or that is suddenly empty, keeps the objects it had; an object that
//! is refused keeps the form in which it was last admitted. So a slip of the pen takes nothing away.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use claviger_crds::names::ObjectName;
use serde_json::Value;

use super::difference::{Difference, differences};
use crate::admission;
use crate::manifests::{self, Fault, File, Listing, Manifest, Note, Place, Sort, title};

/// What names an object.
pub(super) type Key = (Sort, ObjectName);

/// An object as it was last admitted.
#[derive(Clone, Debug)]
pub(super) struct Admitted {
    /// Where it stood.
    pub(super) place: Place,
    /// All of it, with the schema's defaults.
    pub(super) value: Value,
}

/// What became of one object.
#[derive(Debug)]
pub(super) enum Change {
    /// It is new.
    Created(Key, Admitted),
    /// It is another than before, in these fields.
    Changed(Key, Admitted, Vec<Difference>),
    /// It is gone.
    Deleted(Key),
}

/// What a reading brought.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// In the order in which they are to be taken in.
    pub(super) changes: Vec<Change>,
    /// Faults that were not there at the reading before, or whose file was written again since.
    pub(super) faults: Vec<Refused>,
    /// Faults that were there and are no more.
    pub(super) mended: Vec<Fault>,
    /// Notes that were not there before.
    pub(super) notes: Vec<Note>,
}

/// A fault, and what it costs.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// What is wrong.
    pub(super) fault: Fault,
    /// Whether an earlier form of what it is about goes on being served.
    pub(super) kept: bool,
}

/// The folder.
pub(super) struct Folder {
    dir: PathBuf,
    admitted: BTreeMap<Key, Admitted>,
    /// What tells one text of a file from another, by the file.
    marks: BTreeMap<PathBuf, u64>,
    faults: Vec<Fault>,
    notes: Vec<Note>,
}

impl Folder {
    /// A folder that was not read yet.
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, admitted: BTreeMap::new(), marks: BTreeMap::new(), faults: Vec::new(), notes: Vec::new() }
    }

    /// Where it is.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is served.
    pub(super) fn admitted(&self) -> &BTreeMap<Key, Admitted> {
        &self.admitted
    }

    /// Whether it has no file of manifests at all.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        manifests::is_empty(&self.dir)
    }

    /// Reads the folder anew.
    ///
    /// # Errors
    /// When the folder itself cannot be listed; then nothing changes.
    pub(super) fn read(&mut self) -> io::Result<Reading> {
        let listing = manifests::read(&self.dir)?;
        Ok(self.take(listing))
    }

    fn take(&mut self, listing: Listing) -> Reading {
        let mut faults = Vec::new();
        let mut notes = Vec::new();
        let mut next: BTreeMap<Key, Admitted> = BTreeMap::new();
        let mut declared: BTreeMap<Key, Manifest> = BTreeMap::new();
        let mut broken: Vec<PathBuf> = Vec::new();
        let marks: BTreeMap<_, _> = listing.files.iter().map(|file| (file.path.clone(), file.mark)).collect();
        for mut file in listing.files {
            file.faults.extend(self.emptied(&file));
            if !file.faults.is_empty() {
                broken.push(file.path);
            }
            faults.extend(file.faults);
            notes.extend(file.notes);
            for manifest in file.manifests.into_iter().flatten() {
                self.claim(&mut declared, manifest, &mut faults);
            }
        }
        for (key, manifest) in &declared {
            let before = self.admitted.get(key);
            if let Some(same) = before.filter(|before| before.value == manifest.value) {
                // It was judged when it came, and a large folder is slow to judge.
                next.insert(key.clone(), Admitted { place: manifest.place.clone(), value: same.value.clone() });
                continue;
            }
            match admission::judge(manifest, before.map(|admitted| &admitted.value)) {
                Ok(value) => {
                    next.insert(key.clone(), Admitted { place: manifest.place.clone(), value });
                }
                Err(refused) => {
                    faults.extend(refused);
                    next.extend(before.map(|admitted| (key.clone(), admitted.clone())));
                }
            }
        }
        // What a broken file held is kept, unless it has moved elsewhere.
        for (key, admitted) in &self.admitted {
            if broken.contains(&admitted.place.file) && !declared.contains_key(key) {
                next.insert(key.clone(), admitted.clone());
            }
        }
        faults.sort();
        notes.sort();
        let changes = changes(&self.admitted, &next);
        self.admitted = next;
        // Who saves a file again wants to know that it is still refused.
        let rewritten = |fault: &Fault| self.marks.get(&fault.place.file) != marks.get(&fault.place.file);
        let new = faults.iter().filter(|fault| !self.faults.contains(fault) || rewritten(fault));
        let new: Vec<Refused> = new.map(|fault| Refused { fault: fault.clone(), kept: self.keeps(fault) }).collect();
        // A fault that gave way to another of the same field is not mended.
        let mut mended = without(&self.faults, &faults);
        mended.retain(|old| !new.iter().any(|new| new.fault.is_about_what(old)));
        let new_notes = without(&notes, &self.notes);
        self.faults = faults;
        self.notes = notes;
        self.marks = marks;
        Reading { changes, faults: new, mended, notes: new_notes }
    }

    /// An editor that empties a file before it writes it, or a disk that was full, is not somebody
    /// who wants everything in it gone.
    fn emptied(&self, file: &File) -> Option<Fault> {
        let held = self.admitted.values().any(|admitted| admitted.place.file == file.path);
        (file.blank && held).then(|| Fault {
            place: Place { file: file.path.clone(), line: None },
            object: None,
            path: String::new(),
            message: "is empty now; to remove what it declared, delete the file".to_owned(),
        })
    }

    /// Whether what the fault is about is served in an earlier form.
    fn keeps(&self, fault: &Fault) -> bool {
        self.admitted.iter().any(|(key, admitted)| match &fault.object {
            Some(object) => *object == title(key.0, &key.1),
            None => admitted.place.file == fault.place.file,
        })
    }

    /// Two objects of one name are a fault. The one that was served before stays, else the first.
    fn claim(&self, declared: &mut BTreeMap<Key, Manifest>, manifest: Manifest, faults: &mut Vec<Fault>) {
        let key = (manifest.sort, manifest.name.clone());
        let Some(first) = declared.get(&key) else {
            declared.insert(key, manifest);
            return;
        };
        let served = self.admitted.get(&key).map(|admitted| &admitted.place.file);
        let later_stays = served == Some(&manifest.place.file) && served != Some(&first.place.file);
        let (stays, other) = if later_stays { (&manifest, first) } else { (first, &manifest) };
        faults.push(other.fault("", format!("is declared twice, also at {}, which is used", stays.place)));
        if later_stays {
            declared.insert(key, manifest);
        }
    }
}

fn without<T: Clone + PartialEq>(all: &[T], others: &[T]) -> Vec<T> {
    all.iter().filter(|one| !others.contains(one)).cloned().collect()
}

fn changes(before: &BTreeMap<Key, Admitted>, after: &BTreeMap<Key, Admitted>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, admitted) in after {
        match before.get(key) {
            None => changes.push(Change::Created(key.clone(), admitted.clone())),
            Some(earlier) if earlier.value != admitted.value => {
                // Nothing of a Secret is shown but which fields changed.
                let shown = key.0 != Sort::Secret;
                let fields = differences(&earlier.value, &admitted.value, shown);
                changes.push(Change::Changed(key.clone(), admitted.clone(), fields));
            }
            Some(_) => {}
        }
    }
    // What names others goes before what it names.
    let gone = before.iter().rev().filter(|(key, _)| !after.contains_key(key));
    changes.extend(gone.map(|(key, _)| Change::Deleted(key.clone())));
    changes
}

#[cfg(test)]
mod tests;
