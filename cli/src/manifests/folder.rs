//! The files of a folder: which there are, what they hold, and whether they changed.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::manifest::Found;
use super::text;
use super::{Fault, Manifest, Note, Place};

/// A file larger than this is no manifest. The bound of what an API server takes is far below it.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What a folder holds, file by file in the order of their paths.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The files, by path.
    pub(crate) files: Vec<File>,
}

/// What one file holds.
#[derive(Debug)]
pub(crate) struct File {
    /// The path, as the user would open it.
    pub(crate) path: PathBuf,
    /// Its objects; `None` where it could not be read as YAML.
    pub(crate) manifests: Option<Vec<Manifest>>,
    /// What is wrong with it.
    pub(crate) faults: Vec<Fault>,
    /// What a person should know.
    pub(crate) notes: Vec<Note>,
    /// Whether there is nothing in it, not even a comment.
    pub(crate) blank: bool,
    /// Tells one text of it from another; 0 where it cannot be read.
    pub(crate) mark: u64,
}

/// What tells that a folder changed, without reading its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(Vec<(PathBuf, Option<SystemTime>, u64)>);

/// Reads every manifest below `dir`.
///
/// # Errors
/// When the folder itself cannot be listed. A file that cannot be read is a fault of that file.
pub(crate) fn read(dir: &Path) -> io::Result<Listing> {
    Ok(Listing { files: paths(dir)?.into_iter().map(file).collect() })
}

/// Whether there is no manifest below `dir`.
///
/// # Errors
/// When the folder itself cannot be listed.
pub(crate) fn is_empty(dir: &Path) -> io::Result<bool> {
    Ok(paths(dir)?.is_empty())
}

/// The stamp of every file below `dir`.
///
/// # Errors
/// When the folder itself cannot be listed.
pub(crate) fn stamp(dir: &Path) -> io::Result<Stamp> {
    let of = |path: PathBuf| {
        let metadata = fs::metadata(&path).ok();
        let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
        (path, modified, metadata.map_or(0, |metadata| metadata.len()))
    };
    Ok(Stamp(paths(dir)?.into_iter().map(of).collect()))
}

fn file(path: PathBuf) -> File {
    let broken = |line, message, mark| {
        let fault = Fault { place: Place { file: path.clone(), line }, object: None, path: String::new(), message };
        File { path: path.clone(), manifests: None, faults: vec![fault], notes: Vec::new(), blank: false, mark }
    };
    let text = match text_of(&path) {
        Ok(text) => text,
        Err(error) => return broken(None, format!("cannot be read: {error}"), 0),
    };
    let mark = mark(&text);
    match text::documents(&text) {
        Err(fault) => broken(fault.line, fault.message, mark),
        Ok(documents) => {
            let mut found = Found::default();
            for document in documents {
                found.take(&path, document);
            }
            let Found { manifests, faults, notes } = found;
            File { path, manifests: Some(manifests), faults, notes, blank: text.trim().is_empty(), mark }
        }
    }
}

fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn text_of(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    // A named pipe would keep us waiting for ever.
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(io::Error::other("not a file of a manifest's size"));
    }
    fs::read_to_string(path)
}

/// The paths of every manifest below `dir`, sorted.
fn paths(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    // A folder that links lead to more than once, or in a loop, is read once. Links come last, so
    // that what stands in a folder of its own is known by that.
    let mut visited = BTreeSet::new();
    let mut folders = VecDeque::from([dir.to_owned()]);
    while let Some(folder) = folders.pop_front() {
        if !visited.insert(folder.canonicalize()?) {
            continue;
        }
        // A sub-folder that cannot be listed must not look empty: its objects would be gone.
        let mut entries: Vec<fs::DirEntry> = fs::read_dir(&folder)?.collect::<io::Result<_>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        let visible = entries.into_iter().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
        for entry in visible {
            let path = entry.path();
            if !path.is_dir() {
                paths.extend(is_manifest(&path).then_some(path));
            } else if entry.file_type()?.is_symlink() {
                folders.push_back(path);
            } else {
                folders.push_front(path);
            }
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}
