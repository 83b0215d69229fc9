//! What `claviger dev` refuses to begin with: one line, exit code 1.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Dev, Folder, claviger, refused, stderr};

/// Runs `claviger dev` to its end, which must be a one-line refusal, and returns that line.
fn refusal(dir: &Path, state: &Path, listen: &str) -> String {
    let output = refused(claviger().arg("dev").arg(dir).args(["--listen", listen, "--state"]).arg(state));
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("claviger: "), "{text}");
    text
}

#[test]
fn a_port_in_use() {
    let folder = Folder::quickstart();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let line = refusal(&folder.yaml(), &folder.path().join("state"), &address);
    assert!(line.contains(&address) && line.contains("in use"), "{line}");
}

#[test]
fn a_folder_that_is_missing_or_holds_no_yaml() {
    let folder = Folder::new();
    let state = folder.path().join("state");
    let missing = folder.path().join("missing");
    assert!(refusal(&missing, &state, "127.0.0.1:0").contains("missing: No such file"));
    folder.write("README.md", "no YAML");
    folder.write(".hidden.yaml", "kind: A");
    assert!(refusal(&folder.yaml(), &state, "127.0.0.1:0").contains("holds no YAML"));
    let file = folder.yaml().join("README.md");
    assert!(refusal(&file, &state, "127.0.0.1:0").contains("Not a directory"));
    // What refuses leaves nothing behind.
    assert!(!state.exists());
}

#[test]
fn an_address_beyond_loopback() {
    let folder = Folder::quickstart();
    let line = refusal(&folder.yaml(), &folder.path().join("state"), "0.0.0.0:0");
    assert!(line.contains("loopback"), "{line}");
}

#[test]
fn a_state_folder_in_use_or_of_somebody_else_or_that_is_none() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let state = folder.path().join("state");
    assert!(refusal(&folder.yaml(), &state, "127.0.0.1:0").contains("in use by another"));
    drop(dev);

    let home = folder.path().join("home");
    fs::create_dir(&home).expect("a folder");
    // Many programs call a file so.
    fs::write(home.join("lock"), "").expect("a file");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("it is ours");
    assert!(refusal(&folder.yaml(), &home, "127.0.0.1:0").contains("holds other files"));
    assert_eq!(fs::metadata(&home).expect("it is there").permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_dir(&home).expect("it can be listed").count(), 1);

    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    let line = refusal(&folder.yaml(), &file, "127.0.0.1:0");
    assert!(line.contains(&format!("{} is not a folder", file.display())), "{line}");
}

#[test]
fn a_state_folder_in_the_served_folder_with_a_way_out() {
    let folder = Folder::quickstart();
    // The most natural line of all, in the folder itself.
    let output = refused(claviger().current_dir(folder.yaml()).args(["dev", ".", "--listen", "127.0.0.1:0"]));
    let line = stderr(&output);
    assert_eq!((output.status.code(), line.lines().count()), (Some(1), 1), "{line}");
    let beside = folder.path().canonicalize().expect("it is there").join(".claviger");
    assert!(line.contains("inside") && line.trim_end().ends_with(&format!("--state {}", beside.display())), "{line}");
    assert!(!folder.yaml().join(".claviger").exists());
    // Neither dots nor links hide it.
    std::os::unix::fs::symlink(folder.yaml(), folder.path().join("link")).expect("a link");
    for inside in ["yaml/state/deep", "home/../yaml/state", "link/state", "home/../link/state"] {
        let line = refusal(&folder.yaml(), &folder.path().join(inside), "127.0.0.1:0");
        assert!(line.contains("inside"), "{inside}: {line}");
    }
    let names = |dir: &Path| fs::read_dir(dir).expect("it can be listed").count();
    assert_eq!((names(folder.path()), names(&folder.yaml())), (2, 4));
}

#[test]
fn an_external_url_that_no_issuer_can_begin_with() {
    let folder = Folder::quickstart();
    let dir = folder.yaml().display().to_string();
    for command in [format!("dev {dir} --listen 127.0.0.1:0"), "operator --provider 127.0.0.1:1".to_owned()] {
        let arguments = command.split(' ').chain(["--external-url", "https://Login.example/auth/"]);
        let output = refused(claviger().current_dir(folder.path()).args(arguments));
        let line = stderr(&output);
        assert_eq!((output.status.code(), line.lines().count()), (Some(1), 1), "{line}");
        assert!(line.contains("--external-url: write https://login.example with no path"), "{line}");
    }
}

#[test]
fn a_damaged_state_rather_than_new_keys_in_its_place() {
    let folder = Folder::quickstart();
    drop(Dev::start(&folder));
    let rings = folder.path().join("state/secrets/claviger-system");
    let ring = fs::read_dir(&rings).expect("the rings").next().expect("a ring").expect("an entry").path();
    fs::write(&ring, "apiVersion: v1\nkind: Secret\nmetadata: [hunter2\n").expect("a file");
    let line = refusal(&folder.yaml(), &folder.path().join("state"), "127.0.0.1:0");
    assert!(line.contains("is damaged") && line.contains("ring-") && !line.contains("hunter2"), "{line}");
}
