//! `claviger lint`.

use crate::support::{Folder, quickstart, run, stderr, stdout};

fn lint(folder: &Folder) -> (Option<i32>, String) {
    let output = run(&["lint", &folder.yaml().to_string_lossy()]);
    (output.status.code(), stdout(&output))
}

#[test]
fn the_quick_start_has_no_faults() {
    let output = run(&["lint", &quickstart().to_string_lossy()]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""), "{}", stderr(&output));
    assert!(stderr(&output).contains("no faults"), "{}", stderr(&output));
}

/// Changes the quick start so, with one more namespace that the tenant lets in, and expects that line.
fn expect(file: &str, from: &str, to: &str, expected: &str) {
    let folder = Folder::quickstart();
    folder.write(
        "01-billing.yaml",
        "apiVersion: v1
kind: Namespace
metadata: {name: billing, labels: {identity.acme.example/tenant: acme}}
",
    );
    folder.edit(file, from, to);
    let (code, printed) = lint(&folder);
    assert_eq!(code, Some(1), "{to}: {printed}");
    let line = printed.lines().find(|line| line.contains(expected));
    // In the file of the object that suffers, which is not always the one that was edited.
    let place = if file == "00-namespaces.yaml" { "30-shop.yaml:" } else { file };
    assert!(line.is_some_and(|line| line.contains(place)), "{expected}\n{printed}");
}

#[test]
fn every_fault_is_one_line_with_file_line_object_and_field() {
    for (file, from, to, expected) in [
        // Schema.
        ("10-tenant.yaml", "displayName:", "displyName:", "10-tenant.yaml:10: Tenant identity/acme: spec.displyName: "),
        ("10-tenant.yaml", "algorithm: RS256", "algorithm: HS256", "SigningKey identity/acme-rs256: spec.algorithm: "),
        // CEL.
        ("10-tenant.yaml", "interval: 2160h", "interval: 1h", "SigningKey identity/acme-rs256: spec.rotation"),
        // Between objects.
        (
            "10-tenant.yaml",
            "interval: 2160h # 90 days",
            "interval: 70s\n    publishAhead: 60s\n    cacheLifetime: 20s",
            "10-tenant.yaml:34: SigningKey identity/acme-rs256: spec.rotation.interval: LifetimesDoNotFit: ",
        ),
        (
            "30-shop.yaml",
            "name: acme\n    namespace: identity\n  displayName: Nightly",
            "name: acne\n    namespace: identity\n  displayName: Nightly",
            "OAuthClient shop/reports: spec.tenantRef: TenantNotFound",
        ),
        (
            "00-namespaces.yaml",
            "tenant: acme",
            "tenant: other",
            "30-shop.yaml:57: OAuthClient shop/shop: spec.tenantRef: NotAllowedByTenant",
        ),
        (
            // The API is in the folder, and lets in its own namespace only.
            "30-shop.yaml",
            "name: reports\n  namespace: shop",
            "name: reports\n  namespace: billing",
            "OAuthClient billing/reports: spec.audiences: AudienceNotGranted",
        ),
        // The text.
        ("20-user.yaml", "  username: ada", "  username: [ada", "20-user.yaml:"),
    ] {
        expect(file, from, to, expected);
    }
}

#[test]
fn what_a_client_is_not_granted_is_told_at_the_field_that_asks_for_it() {
    for (file, from, to, expected) in [
        (
            "30-shop.yaml",
            "scopes: [\"orders:read\"]",
            "scopes: [\"orders:reed\"]",
            "OAuthClient shop/reports: spec.scopes: ScopeNotGranted",
        ),
        (
            "30-shop.yaml",
            "scopes: [\"orders:read\"]",
            "scopes: [\"orders:read\"]\n  tokenExchange: [{subjectTokens: [AccessToken]}]",
            "OAuthClient shop/reports: spec.tokenExchange: ExchangeNotGranted",
        ),
        (
            "30-shop.yaml",
            "scopes: [\"orders:read\"]",
            "scopes: [\"orders:read\"]\n  tokenExchange: [{subjectTokens: [TrustedIssuer], trustedIssuers: ['https://ci.example']}]",
            "OAuthClient shop/reports: spec.tokenExchange: IssuerNotTrusted",
        ),
    ] {
        expect(file, from, to, expected);
    }
}

#[test]
fn one_mistake_is_one_fault_though_others_refer_to_what_it_spoils() {
    for (from, to) in [("accessToken: 10m", "accessToken: 48h"), ("displayName: Acme", "displayName: [Acme")] {
        let folder = Folder::quickstart();
        folder.edit("10-tenant.yaml", from, to);
        let (code, printed) = lint(&folder);
        assert_eq!((code, printed.lines().count()), (Some(1), 1), "{printed}");
    }
}

#[test]
fn a_file_is_no_folder() {
    let folder = Folder::quickstart();
    let output = run(&["lint", &folder.yaml().join("10-tenant.yaml").to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("name the folder that holds it"), "{}", stderr(&output));
}

#[test]
fn an_object_declared_twice_is_a_fault_that_names_both_places() {
    let folder = Folder::quickstart();
    folder.write("40-again.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n");
    let (code, printed) = lint(&folder);
    assert_eq!(code, Some(1));
    assert!(printed.contains("40-again.yaml:1: Namespace shop: is declared twice, also at "), "{printed}");
    assert!(printed.contains("00-namespaces.yaml:"), "{printed}");
}

#[test]
fn what_may_be_in_the_cluster_is_no_fault() {
    let folder = Folder::new();
    folder.write(
        "client.yaml",
        "apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: reports, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {secret: {name: reports-oidc}}
",
    );
    assert_eq!(lint(&folder), (Some(0), String::new()));
}

/// What standard error says of it.
fn unjudged(folder: &Folder) -> Vec<String> {
    let output = run(&["lint", &folder.yaml().to_string_lossy()]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""), "{}", stderr(&output));
    let told = stderr(&output);
    told.lines().filter(|line| line.contains("not judged")).map(str::to_owned).collect()
}

#[test]
fn what_only_a_cluster_can_judge_is_said() {
    assert_eq!(unjudged(&Folder::quickstart()), Vec::<String>::new());

    let folder = Folder::quickstart();
    for file in ["00-namespaces.yaml", "10-tenant.yaml"] {
        std::fs::remove_file(folder.yaml().join(file)).expect("a file");
    }
    let told = unjudged(&folder);
    let tenant = "OAuthClient shop/shop: spec.tenantRef: not judged: Tenant identity/acme is not in this folder";
    assert!(told.iter().any(|line| line.contains("30-shop.yaml:") && line.contains(tenant)), "{told:#?}");
    assert!(told.last().is_some_and(|line| line.ends_with("no faults, 4 not judged")), "{told:#?}");

    let folder = Folder::quickstart();
    std::fs::remove_file(folder.yaml().join("00-namespaces.yaml")).expect("a file");
    let told = unjudged(&folder).join("\n");
    assert!(
        told.contains("OAuthClient shop/shop: spec.tenantRef: not judged: Namespace shop, whose labels decide"),
        "{told}"
    );

    let folder = Folder::quickstart();
    let audiences = "audiences: [\"https://orders.shop.example\"";
    folder.edit("30-shop.yaml", &format!("{audiences}]"), &format!("{audiences}, \"https://other.example\"]"));
    let told = unjudged(&folder).join("\n");
    assert!(told.contains("spec.audiences: not judged: an API that is asked for is not in this folder"), "{told}");

    let folder = Folder::quickstart();
    folder.edit("20-user.yaml", "kind: Secret", "kind: ConfigMap");
    let told = unjudged(&folder).join("\n");
    assert!(
        told.contains("User identity/ada: spec.passwordSecretRef: not judged: it is not in this folder: "),
        "{told}"
    );
}

#[test]
fn an_api_of_another_repository_is_no_fault() {
    let folder = Folder::quickstart();
    let path = folder.yaml().join("30-shop.yaml");
    let text = std::fs::read_to_string(&path).expect("a file");
    let others = text.split("\n---\n").filter(|document| !document.contains("name: orders\n"));
    std::fs::write(&path, others.collect::<Vec<_>>().join("\n---\n")).expect("a file");
    assert_eq!(lint(&folder), (Some(0), String::new()));

    // Nor is one more beside those of the folder.
    let folder = Folder::quickstart();
    let audiences = "audiences: [\"https://orders.shop.example\"";
    folder.edit("30-shop.yaml", &format!("{audiences}]"), &format!("{audiences}, \"https://other.example\"]"));
    assert_eq!(lint(&folder), (Some(0), String::new()));
}

#[test]
fn a_tenant_of_a_namespace_that_the_folder_does_not_declare_is_no_fault() {
    let folder = Folder::quickstart();
    folder.write(
        "40-elsewhere.yaml",
        "apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: elsewhere, namespace: shop}
spec:
  tenantRef: {name: other, namespace: elsewhere}
  grantTypes: [client_credentials]
  authentication: {secret: {}}
",
    );
    assert_eq!(lint(&folder), (Some(0), String::new()));
}

#[test]
fn a_second_key_that_does_not_sign_yet_is_no_fault() {
    let folder = Folder::quickstart();
    folder.write(
        "40-second.yaml",
        "apiVersion: claviger.dev/v1alpha1
kind: SigningKey
metadata: {name: acme-es384, namespace: identity}
spec: {tenantRef: {name: acme}, algorithm: ES384}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: older, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  idTokenSignedResponseAlg: RS256
  authentication: {secret: {}}
---
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: newer, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  idTokenSignedResponseAlg: ES384
  authentication: {secret: {}}
",
    );
    assert_eq!(unjudged(&folder), Vec::<String>::new());
}

#[test]
fn a_folder_that_is_missing_is_a_one_line_error() {
    let output = run(&["lint", "/does/not/exist"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
}

#[test]
fn the_secret_of_an_imported_key_is_judged_where_the_folder_has_it() {
    let folder = Folder::quickstart();
    folder.edit("10-tenant.yaml", "  algorithm: RS256", "  existingSecretRef: {name: elsewhere}\n  algorithm: RS256");
    let told = unjudged(&folder).join("\n");
    let place = "SigningKey identity/acme-rs256: spec.existingSecretRef: ";
    assert!(told.contains(&format!("{place}not judged: it is not in this folder: Secret elsewhere")), "{told}");
    let key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n    AAAA\n    -----END ENCRYPTED PRIVATE KEY-----";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: elsewhere, namespace: identity}\n";
    folder.write("15-key.yaml", &format!("{secret}stringData:\n  tls.key: |\n    {key}\n"));
    let (code, told) = lint(&folder);
    assert_eq!(code, Some(1));
    assert!(told.contains(&format!("{place}KeyEncrypted: Secret elsewhere: tls.key: ")), "{told}");
}

const WORKER: &str = "apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: worker, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  authentication: {serviceAccounts: [{name: night, namespace: batch}, {name: worker}]}
";

fn account(namespace: &str, name: &str, allows: &str) -> String {
    format!(
        "apiVersion: v1
kind: ServiceAccount
metadata: {{name: {name}, namespace: {namespace}, annotations: {{claviger.dev/allow-clients: '{allows}'}}}}
"
    )
}

#[test]
fn the_service_accounts_that_a_client_names_are_judged_where_the_folder_has_them() {
    let folder = Folder::quickstart();
    folder.write("40-worker.yaml", WORKER);
    assert_eq!(lint(&folder), (Some(0), String::new()), "they may be in the cluster");
    let place = "spec.authentication.serviceAccounts: not judged: a ServiceAccount that it names is not in this folder";
    assert!(unjudged(&folder).iter().any(|line| line.contains(place)), "{:?}", unjudged(&folder));
    folder.write("41-worker.yaml", &account("shop", "worker", ""));
    folder.write("42-night.yaml", &account("batch", "night", "crm/*"));
    let (code, printed) = lint(&folder);
    assert_eq!(code, Some(1), "{printed}");
    let refused = "OAuthClient shop/worker: spec.authentication.serviceAccounts: ServiceAccountNotAllowed";
    assert!(printed.contains(refused) && printed.contains("batch/night"), "{printed}");
    folder.write("42-night.yaml", &account("batch", "night", "crm/*, shop/worker"));
    assert_eq!(lint(&folder), (Some(0), String::new()));
    assert!(!unjudged(&folder).iter().any(|line| line.contains("worker")), "{:?}", unjudged(&folder));
}
