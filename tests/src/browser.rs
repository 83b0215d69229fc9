//! What the tests in a browser need beside the browser: packages of npm, and the example applications.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;

use crate::process::Launch;
use crate::repository::{located_by, root, setting};

/// The folder of the tests in JavaScript, once what they and the examples need is installed.
///
/// # Errors
/// When something cannot be installed.
pub async fn installed() -> Result<PathBuf> {
    located_by("browser", &[]).await
}

/// Part of the names of the tests to run: `BROWSER_ONLY`; none for all.
#[must_use]
pub fn only() -> Option<OsString> {
    setting("BROWSER_ONLY")
}

/// A launch of an example application, by the command that its README names.
#[must_use]
pub fn example(name: &str) -> Launch {
    let launch = Launch::new(name, root().join("examples").join(name).join("run"));
    // Go looks for its cache there.
    ["HOME", "XDG_CACHE_HOME", "GOCACHE", "GOPATH", "GOMODCACHE"]
        .into_iter()
        .filter_map(|name| Some((name, setting(name)?)))
        .fold(launch, |launch, (name, value)| launch.env(name, value))
}
