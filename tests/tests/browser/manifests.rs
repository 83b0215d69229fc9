//! A copy of a folder of manifests, which a test may change.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::temp::TempDir;

/// Copies `tests/../{folder}`, with each of `edits` (from, to) made wherever it fits.
///
/// # Errors
/// When one of them fits nowhere: it would silently test something else.
pub(crate) fn copy(folder: &str, edits: &[(&str, &str)]) -> Result<TempDir> {
    let copy = TempDir::new("manifests")?;
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut made = vec![false; edits.len()];
    for entry in fs::read_dir(&from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let mut text = fs::read_to_string(&path)?;
        for ((from, to), made) in edits.iter().zip(&mut made) {
            *made |= text.contains(from);
            text = text.replace(from, to);
        }
        let name = path.file_name().and_then(|name| name.to_str()).context("a file name in UTF-8")?;
        copy.write(name, text)?;
    }
    for ((from, _), made) in edits.iter().zip(made) {
        ensure!(made, "{folder} has no {from:?}");
    }
    Ok(copy)
}
