//! `claviger dev` while somebody edits the folder.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{Dev, Folder, eventually, parts};

fn lifetime(dev: &Dev) -> i64 {
    let (_, claims) = parts(&dev.token());
    claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat")
}

#[test]
fn an_edit_is_printed_and_live_within_a_second() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    assert_eq!(lifetime(&dev), 600);

    let began = Instant::now();
    folder.edit("10-tenant.yaml", "accessToken: 10m", "accessToken: 5m");
    eventually("the new lifetime", || match lifetime(&dev) {
        300 => Ok(()),
        other => Err(other.to_string()),
    });
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let line = dev.wait_for("changed");
    for part in ["Tenant identity/acme", "10-tenant.yaml:2", "spec.lifetimes.accessToken: 10m -> 5m"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn a_file_that_does_not_parse_is_told_with_its_line_and_takes_nothing_away() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let token = dev.token();

    let good = fs::read_to_string(folder.yaml().join("30-shop.yaml")).expect("a file");
    folder.write("30-shop.yaml", &good.replacen("  displayName: Orders API", "  displayName: [Orders API", 1));
    let line = dev.wait_for("30-shop.yaml:");
    assert!(line.starts_with("refused"), "{line}");
    dev.wait_for("goes on being served");
    assert_eq!(parts(&dev.token()).0["kid"], parts(&token).0["kid"]);
    assert!(!dev.printed().contains("removed"), "{}", dev.printed());

    folder.write("30-shop.yaml", &good);
    dev.wait_for("mended");
}

#[test]
fn an_object_that_is_refused_is_told_with_file_line_object_and_reason_and_stays_as_it_was() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    folder.edit("10-tenant.yaml", "accessToken: 10m", "accessToken: 90h");
    let line = dev.wait_for("Tenant identity/acme: spec.lifetimes.accessToken: ");
    assert!(line.contains("10-tenant.yaml:18: "), "{line}");
    assert_eq!(lifetime(&dev), 600);

    let seen = dev.seen();
    folder.edit("10-tenant.yaml", "accessToken: 90h", "accesToken: 5m");
    let line = dev.wait_after(seen, "refused");
    assert!(line.contains("spec.lifetimes.accesToken: is an unknown field"), "{line}");
    assert_eq!(lifetime(&dev), 600);

    let seen = dev.seen();
    folder.edit("10-tenant.yaml", "accesToken: 5m", "accessToken: soon");
    dev.wait_after(seen, "refused");
    let seen = dev.seen();
    folder.edit("10-tenant.yaml", "accessToken: soon", "accessToken: 80h");
    let line = dev.wait_after(seen, "spec.lifetimes.accessToken");
    assert!(line.starts_with("refused"), "one fault after another is not mended: {line}");
    folder.edit("10-tenant.yaml", "accessToken: 80h", "accesToken: 5m");

    let seen = dev.seen();
    folder.edit("10-tenant.yaml", "accesToken: 5m", "accessToken: 10m\n  slug: other");
    let line = dev.wait_after(seen, "refused");
    assert!(line.contains("slug is immutable"), "{line}");
    assert_eq!(lifetime(&dev), 600);
}

#[test]
fn an_edit_that_cannot_take_effect_is_told_to_be_blocked() {
    let folder = Folder::quickstart();
    let ring = "apiVersion: claviger.dev/v1alpha1
kind: SigningKey
metadata: {name: second, namespace: identity}
spec: {tenantRef: {name: acme}, algorithm: ES256}
";
    let client = "apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: pins, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [authorization_code]
  redirectUris: ['https://pins.example/callback']
  scopes: [openid]
  idTokenSignedResponseAlg: ES256
  authentication: {secret: {}}
";
    folder.write("40-ring.yaml", ring);
    folder.write("41-client.yaml", client);
    let dev = Dev::start(&folder);
    folder.edit("40-ring.yaml", "ES256", "EdDSA");
    let line = dev.wait_for("blocked    SigningKey identity/second");
    assert!(line.contains("40-ring.yaml:1") && line.contains("shop/pins"), "{line}");
    folder.edit("40-ring.yaml", "EdDSA", "ES256");
    dev.wait_for("unblocked  SigningKey identity/second");
}

#[test]
fn what_was_never_served_is_not_said_to_be_served() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let broken = "apiVersion: claviger.dev/v1alpha1\nkind: Tenant\nmetadata: {name: second, namespace: identity}\nspec: {slug: A_B}\n";
    folder.write("40-second.yaml", broken);
    let line = dev.wait_for("40-second.yaml:");
    assert!(line.starts_with("refused"), "{line}");
    dev.wait_for("nothing of that is served until it is mended");
    assert!(!dev.printed().contains("goes on being served"), "{}", dev.printed());
}

#[test]
fn a_client_that_comes_and_goes_is_served_and_then_not() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    let second = "apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: second, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {secret: {name: second-oidc}}
";
    folder.write("40-second.yaml", second);
    dev.wait_for("ready      OAuthClient shop/second");
    let line = dev.token_line().replace("reports", "second");
    assert_eq!(crate::support::paste(&line).split('.').count(), 3);

    fs::remove_file(folder.yaml().join("40-second.yaml")).expect("it is there");
    dev.wait_for("removed    OAuthClient shop/second");
    eventually("it is refused", || match crate::support::paste(&line).as_str() {
        "" => Ok(()),
        token => Err(token.to_owned()),
    });
}

#[test]
fn a_client_whose_namespace_loses_its_label_stops_being_served() {
    let folder = Folder::quickstart();
    let dev = Dev::start(&folder);
    assert!(!dev.token().is_empty());
    folder.edit("00-namespaces.yaml", "identity.acme.example/tenant: acme", "identity.acme.example/tenant: other");
    let line = dev.wait_for("not ready  OAuthClient shop/reports");
    assert!(line.contains("30-shop.yaml:") && line.contains("NotAllowedByTenant"), "{line}");
    eventually("it is refused", || match dev.token().as_str() {
        "" => Ok(()),
        token => Err(token.to_owned()),
    });
}

#[test]
fn a_secret_that_an_object_names_is_live_within_a_second_of_its_edit() {
    let folder = Folder::quickstart();
    let secret = |value: &str| {
        format!(
            "apiVersion: v1
kind: Secret
metadata: {{name: outside, namespace: shop}}
stringData: {{client_secret: {value}}}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {{name: outside, namespace: shop}}
spec:
  tenantRef: {{name: acme, namespace: identity}}
  grantTypes: [client_credentials]
  authentication: {{secret: {{existingSecretRef: {{name: outside}}}}}}
"
        )
    };
    let (first, second) = ("first-0123456789-0123456789-0123456789", "second-0123456789-0123456789-0123456789");
    folder.write("40-outside.yaml", &secret(first));
    let dev = Dev::start(&folder);
    let token = |value: &str| {
        let line = dev.token_line();
        let (from, to) = (line.find('"').expect("credentials"), line.find(" -d ").expect("a form"));
        crate::support::paste(&format!("{}\"shop.outside:{value}\"{}", &line[..from], &line[to..]))
    };
    assert_eq!(token(first).split('.').count(), 3);
    assert_eq!(token(second), "");

    let began = Instant::now();
    folder.write("40-outside.yaml", &secret(second));
    eventually("the new secret", || match token(second).split('.').count() {
        3 => Ok(()),
        _ => Err(dev.printed()),
    });
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let line = dev.wait_for("changed    Secret shop/outside");
    assert!(line.contains("stringData.client_secret") && !line.contains("0123456789"), "{line}");
}
