//! `claviger dev` rotates clients' secrets as a cluster does: its provider acknowledges too.

use std::fs;

use claviger_provider::clock::{Clock as _, SystemClock};

use crate::browser::Browser;
use crate::support::{Dev, Folder, eventually};

const CLIENT: &str = "apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: second, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {secret: {name: second-oidc}}
";

fn held(folder: &Folder) -> String {
    let secret = fs::read_to_string(folder.path().join("state/secrets/shop/second-oidc.yaml")).expect("a Secret");
    let secret = secret.split("client_secret: \"").nth(1).and_then(|rest| rest.split('"').next());
    secret.expect("a secret").to_owned()
}

/// The status of the answer to a client that proves itself by `secret`.
fn answer_to(dev: &Dev, secret: &str) -> u16 {
    let form = format!("grant_type=client_credentials&client_id=shop.second&client_secret={secret}");
    Browser::new(&dev.address, &dev.address).post("/api/v1/auth/tenants/acme/oauth/token", &form).status
}

#[test]
fn a_clients_secret_is_rotated_by_annotation_and_the_one_before_still_works() {
    let folder = Folder::quickstart();
    folder.write("40-second.yaml", CLIENT);
    let dev = Dev::start(&folder);
    dev.wait_for("Following changes");
    let before = held(&folder);
    let annotation = format!("namespace: shop, annotations: {{claviger.dev/rotate-at: '{}'}}}}", SystemClock.now());
    folder.edit("40-second.yaml", "namespace: shop}", &annotation);
    let after = eventually("the Secret changes", || match held(&folder) {
        same if same == before => Err("it has not".to_owned()),
        other => Ok(other),
    });
    for secret in [&before, &after] {
        assert_eq!(answer_to(&dev, secret), 200);
    }
}

#[test]
fn at_the_speed_of_the_clock_a_secret_is_replaced_and_ends_and_no_request_is_refused() {
    let folder = Folder::quickstart();
    let rotating = CLIENT.replace("second-oidc}", "second-oidc, rotation: {interval: 40m, overlap: 20m}}");
    folder.write("40-second.yaml", &rotating);
    let dev = Dev::launch(&folder, &["--clock-speed", "400"]);
    dev.wait_for("Following changes");
    let first = held(&folder);
    let told = |word: &str| {
        let printed = dev.printed();
        let line = printed.lines().find(|line| line.starts_with(word) && line.contains("OAuthClient shop/second: "));
        line.map(str::to_owned).ok_or(printed.clone())
    };
    let rotated = eventually("it is replaced", || {
        assert_eq!(answer_to(&dev, &held(&folder)), 200);
        told("rotated")
    });
    assert!(rotated.contains("is accepted until"), "{rotated}");
    assert_ne!(held(&folder), first);
    assert_eq!(answer_to(&dev, &first), 200, "for the overlap");
    eventually("the one before ends", || {
        assert_eq!(answer_to(&dev, &held(&folder)), 200);
        told("gone")
    });
    assert_eq!(answer_to(&dev, &first), 401);
}
