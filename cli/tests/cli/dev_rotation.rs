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
    let mut browser = Browser::new(&dev.address, &dev.address);
    for secret in [&before, &after] {
        let form = format!("grant_type=client_credentials&client_id=shop.second&client_secret={secret}");
        let answer = browser.post("/api/v1/auth/tenants/acme/oauth/token", &form);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}
