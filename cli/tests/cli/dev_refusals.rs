//! What `claviger dev` refuses to begin with: one line, exit code 1.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::support::{Dev, Folder, claviger, stderr};

/// Runs `claviger dev` to its end, which must be a one-line refusal, and returns that line.
fn refusal(dir: &Path, state: &Path, listen: &str) -> String {
    let output = claviger()
        .arg("dev")
        .arg(dir)
        .args(["--listen", listen, "--state"])
        .arg(state)
        .output()
        .expect("the program runs");
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
fn a_state_folder_in_use_or_of_somebody_else_or_in_the_served_folder() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let state = folder.path().join("state");
    assert!(refusal(&folder.yaml(), &state, "127.0.0.1:0").contains("in use by another"));
    drop(dev);

    let home = folder.path().join("home");
    fs::create_dir(&home).expect("a folder");
    fs::write(home.join("letter"), "dear").expect("a file");
    assert!(refusal(&folder.yaml(), &home, "127.0.0.1:0").contains("holds other files"));
    assert!(refusal(&folder.yaml(), &folder.yaml().join("state"), "127.0.0.1:0").contains("inside"));
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
