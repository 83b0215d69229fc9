//! `claviger crds`.

use std::fs;
use std::path::Path;

use crate::support::{Folder, run, stdout};

#[test]
fn the_definitions_are_printed_the_same_every_time() {
    let first = stdout(&run(&["crds"]));
    assert_eq!(first, stdout(&run(&["crds"])));
    for name in ["tenants", "oauthclients", "signingkeys", "identityproviders", "users"] {
        assert!(first.contains(&format!("name: {name}.claviger.dev\n")), "{name}");
    }
    assert_eq!(first.split("---\n").count(), 5);
}

#[test]
fn the_chart_bears_the_definitions_of_this_program() {
    let folder = Folder::new();
    let out = folder.path().join("crds");
    assert!(run(&["crds", "--out", &out.to_string_lossy()]).status.success());
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/claviger/files/crds");
    let read = |dir: &Path| {
        let list = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        let mut files: Vec<_> = list
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.file_name().expect("a name").to_owned(), fs::read_to_string(&path).expect("a file")))
            .collect();
        files.sort();
        files
    };
    assert_eq!(read(&chart), read(&out), "run: claviger crds --out charts/claviger/files/crds");
}
