//! What `claviger dev` keeps.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Dev, Folder, parts};

/// The generated credentials but for the issuer, whose port differs from start to start.
fn secret(folder: &Folder) -> String {
    let path = folder.path().join("state/secrets/shop/reports-oidc.yaml");
    let text = fs::read_to_string(path).expect("the credentials");
    text.lines().filter(|line| !line.starts_with("  issuer:")).map(|line| format!("{line}\n")).collect()
}

/// The Secret with the tenant's sealing keys, whole.
fn sealing_keys(folder: &Folder) -> String {
    let entries = fs::read_dir(folder.path().join("state/secrets/claviger-system")).expect("a folder");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    let ours =
        |path: &std::path::PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sealing-"));
    fs::read_to_string(paths.find(ours).expect("sealing keys")).expect("a file")
}

#[test]
fn keys_and_secrets_survive_a_restart_and_a_kill() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let (kid, before) = (parts(&dev.token()).0["kid"].clone(), secret(&folder));
    let sealing = sealing_keys(&folder);
    assert!(before.contains("\n  client_secret: \""), "{before}");
    assert_eq!(dev.terminate(), 0);

    let dev = Dev::start(&folder);
    assert_eq!(parts(&dev.token()).0["kid"], kid);
    assert_eq!(secret(&folder), before);
    drop(dev); // SIGKILL

    let dev = Dev::start(&folder);
    assert_eq!(parts(&dev.token()).0["kid"], kid);
    assert_eq!(secret(&folder), before);
    assert_eq!(sealing_keys(&folder), sealing);
    assert!(!dev.printed().contains("not ready"), "{}", dev.printed());
}

#[test]
fn a_default_ring_survives_a_restart() {
    let folder = Folder::quickstart();
    folder.edit("10-tenant.yaml", "  signing:\n    default: acme-rs256 # this ring signs access tokens\n", "");
    let path = folder.yaml().join("10-tenant.yaml");
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(&path, text.split("\n---\n").next().expect("the tenant")).expect("a file");
    let dev = Dev::start(&folder);
    let kid = parts(&dev.token()).0["kid"].clone();
    assert_eq!(dev.terminate(), 0);
    let dev = Dev::start(&folder);
    assert_eq!(parts(&dev.token()).0["kid"], kid);
}

#[test]
fn everything_kept_is_for_this_user_alone() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let mut files = 0;
    check(&folder.path().join("state"), &mut files);
    assert!(files > 8, "{files} files");
    assert_eq!(fs::read_to_string(folder.path().join("state/.gitignore")).expect("a file"), "*\n");
    drop(dev);
}

fn check(dir: &Path, files: &mut usize) {
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(dir), 0o700, "{}", dir.display());
    for entry in fs::read_dir(dir).expect("it can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            check(&path, files);
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            *files += 1;
        }
    }
}

#[test]
fn no_private_key_and_no_secret_is_ever_printed() {
    let folder = Folder::quickstart();
    let dev = Dev::launch(&folder, &["--log", "trace,hyper=info"]);
    dev.wait_for("Following changes");
    assert!(!dev.token().is_empty());
    let secret = secret(&folder);
    let secret = secret.split("client_secret: \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a secret");
    let printed = dev.printed();
    for hidden in [secret, "demo-only-change-me", "$argon2id", "MIIEv"] {
        assert!(!printed.contains(hidden), "{hidden} was printed");
    }
}
