//! Where a state folder may be: in one of its own, outside what is served.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

/// What a state folder is called where nobody says.
const USUAL: &str = ".claviger";
/// The file that tells a state folder from others, and whose lock keeps a second process out.
pub(super) const LOCK: &str = "lock";
/// The first line of that file. Its name alone tells nothing: many programs call a file so.
pub(super) const MARK: &str = "claviger state\n";

/// Checks that `dir` may be a state folder while `served` is served, and touches nothing. Returns
/// its canonical path; it need not be there yet.
///
/// # Errors
/// When it is inside `served`, no folder, or a folder with anything else in it.
pub(super) fn check(dir: &Path, served: &Path) -> anyhow::Result<PathBuf> {
    let shown = dir.display();
    let place = canonical(dir).with_context(|| format!("cannot open the state folder {shown}"))?;
    if let Ok(served) = served.canonicalize()
        && place.starts_with(&served)
    {
        let beside =
            served.parent().map_or_else(|| "DIR".to_owned(), |parent| parent.join(USUAL).display().to_string());
        bail!(
            "the state folder {shown} is inside the folder that is served, and whoever applies that would apply its \
             private keys; put it elsewhere: --state {beside}"
        );
    }
    if !place.exists() {
        return Ok(place);
    }
    ensure!(place.is_dir(), "the state folder {shown} is not a folder; choose another with --state");
    let mut entries = fs::read_dir(&place).with_context(|| format!("cannot read the state folder {shown}"))?;
    // We are about to restrict who may open it: not somebody's home.
    let ours = entries.next().is_none() || is_marked(&place.join(LOCK));
    ensure!(ours, "{shown} is not a state folder: it holds other files; choose another with --state");
    Ok(place)
}

/// The path without links and dots. What of it is not there yet has no links, so there `a/..` is
/// nothing; where that leads is looked at anew.
fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let there = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    let mut found = there.canonicalize()?;
    let mut climbed = false;
    for part in path.strip_prefix(there).unwrap_or(Path::new("")).components() {
        if part == Component::ParentDir {
            found.pop();
            climbed = true;
        } else {
            found.push(part);
        }
    }
    if climbed { canonical(&found) } else { Ok(found) }
}

fn is_marked(lock: &Path) -> bool {
    // A named pipe of that name would keep us waiting for ever.
    if !lock.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut begin = Vec::new();
    let read = fs::File::open(lock).and_then(|file| file.take(MARK.len() as u64).read_to_end(&mut begin));
    read.is_ok() && begin == MARK.as_bytes()
}
