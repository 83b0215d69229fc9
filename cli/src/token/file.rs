//! Files with tokens: read within bounds, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::ensure;
use claviger_crds::published::SecretText;
use claviger_jose::random;

/// Larger than any token: it has to fit into a request.
const LARGEST: u64 = 64 * 1024;

/// The token in a file, without the white space around it.
///
/// # Errors
/// When the file cannot be read, or holds no token.
pub(super) fn token(path: &Path) -> anyhow::Result<SecretText> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    ensure!(text.len() as u64 <= LARGEST, "it is longer than {LARGEST} bytes");
    let token = text.trim();
    ensure!(!token.is_empty(), "it is empty");
    ensure!(token.bytes().all(|byte| byte.is_ascii_graphic()), "it has characters that no token has");
    Ok(SecretText::new(token))
}

/// Puts `bytes` in the place of what is at `path`, for this user alone. It is written beside its place
/// and renamed, so that whoever reads finds the old token or the new one, never a part of one. Nothing is
/// flushed: after a crash there is another token to be had, and not every folder can be flushed.
///
/// # Errors
/// Those of the file system; then what was there is there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    let temporary = folder.join(format!(".{}.{}", name.to_string_lossy(), random::hex128()));
    let written = write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // It may not be there, and a token must not be left.
        let _gone = fs::remove_file(&temporary);
    }
    written
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use claviger_tests::temp::TempDir;

    use super::*;

    #[test]
    fn a_token_is_read_without_the_line_end_that_an_editor_left() {
        let folder = TempDir::new("token").expect("a folder");
        let path = folder.write("t", " a.b.c\n").expect("a file");
        assert_eq!(token(&path).expect("a token").expose(), "a.b.c");
    }

    #[test]
    fn what_is_no_token_is_refused_with_the_reason() {
        let folder = TempDir::new("token").expect("a folder");
        for (content, reason) in
            [("\n".to_owned(), "empty"), ("two words".to_owned(), "characters"), ("x".repeat(70_000), "longer")]
        {
            let path = folder.write("t", content).expect("a file");
            let error = token(&path).expect_err(reason).to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert!(token(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_file_is_replaced_for_its_user_alone_and_nothing_else_is_left() {
        let folder = TempDir::new("token").expect("a folder");
        let path = folder.write("t", "old").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("its mode");
        replace(&path, b"new").expect("it is written");
        assert_eq!(fs::read(&path).expect("it is there"), b"new");
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn what_cannot_be_replaced_is_left_with_no_token_beside_it() {
        let folder = TempDir::new("token").expect("a folder");
        let path = folder.path().join("t");
        fs::create_dir(&path).expect("a folder in the way");
        assert!(replace(&path, b"new").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
