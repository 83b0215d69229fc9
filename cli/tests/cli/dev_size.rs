//! `claviger dev` in the large, and at rest in the small.

use crate::support::{Dev, Folder, eventually};

/// So many that reconciles get in each other's way.
const CLIENTS: usize = 100;

#[test]
fn a_folder_of_many_clients_is_served_without_a_warning() {
    let folder = Folder::quickstart();
    let client = |number: usize| {
        format!(
            "apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {{name: c{number}, namespace: shop}}
spec:
  tenantRef: {{name: acme, namespace: identity}}
  grantTypes: [client_credentials]
  authentication: {{secret: {{}}}}
"
        )
    };
    folder.write("40-many.yaml", &(0..CLIENTS).map(client).collect::<Vec<_>>().join("---\n"));
    let dev = Dev::start(&folder);
    // In the table, or after it where the machine is too busy to judge them all by then.
    let served = |line: &&str| {
        line.starts_with("shop/c") && line.contains("  yes  ") || line.starts_with("ready      OAuthClient shop/c")
    };
    eventually("every client is served", || match dev.printed().lines().filter(served).count() {
        CLIENTS => Ok(()),
        _ => Err(dev.printed()),
    });
    // Two reconciles that get in each other's way are no news.
    assert!(!dev.printed().contains("WARN"), "{}", dev.printed());
}

/// The memory of the process that is no file's, in MiB.
#[cfg(target_os = "linux")]
fn anonymous(dev: &Dev) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", dev.pid())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("Linux says so");
    line.split_whitespace().nth(1).and_then(|kibibytes| kibibytes.parse::<u64>().ok()).expect("a number") / 1024
}

/// What was worked with is given back: the 19 MiB of a password's hash, and what huge pages round up.
#[cfg(target_os = "linux")]
#[test]
fn it_rests_in_little_memory() {
    use std::time::{Duration, Instant};
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let end = Instant::now() + Duration::from_secs(6);
    while anonymous(&dev) > 14 {
        assert!(Instant::now() < end, "{} MiB", anonymous(&dev));
        std::thread::sleep(Duration::from_millis(100));
    }
}
