//! Folders that are gone when the test is, whatever ends it.

use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};

/// Removes the folder once its standard input closes, which the kernel does for us however the
/// test binary ends. What still writes into the folder is on its way out too, hence the repeats.
const REMOVER: &str = r#"
read -r _
n=0
until rm -rf -- "$1" || [ $n -ge 100 ]; do n=$((n + 1)); sleep 0.1; done 2>/dev/null
"#;

static MADE: AtomicU32 = AtomicU32::new(0);

/// A folder for this user alone, removed with everything in it on drop, at exit and on a kill.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
    remover: Child,
}

impl TempDir {
    /// Makes the folder; `name` shows in its path.
    ///
    /// # Errors
    /// When the system's temporary folder cannot be written, or there is no `sh`.
    pub fn new(name: &str) -> Result<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let leaf = format!("claviger-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(leaf);
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        let remover = Command::new("sh")
            .args(["-c", REMOVER, "remover"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // out of reach of a Ctrl-C meant for the tests
            .spawn()
            .context("cannot start sh")?;
        Ok(Self { path, remover })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file for this user alone, and returns its path.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        let _ = self.remover.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_folder_is_gone_with_its_content() -> Result<()> {
        let folder = TempDir::new("drop")?;
        let file = folder.write("secret", "x")?;
        assert!(file.exists());
        let path = folder.path().to_path_buf();
        drop(folder);
        assert!(!path.exists());
        Ok(())
    }
}
