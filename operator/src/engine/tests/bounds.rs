//! What Kubernetes allows in a label, a list or a status, however much is asked for.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{ClientAuthentication, Content, SecretHash};

use crate::testing::{Harness, fixtures, secret};
use crate::work::Kind;

fn status(harness: &Harness, name: &str) -> claviger_crds::oauth_client::OAuthClientStatus {
    harness.world.objects().clients[&ObjectName::new("shop", name)].status.clone().unwrap()
}

#[tokio::test]
async fn a_client_with_a_long_name_gets_its_credentials_too() {
    let mut harness = Harness::furnished().await;
    for length in [63, 64, 136] {
        let name = "c".repeat(length);
        let client = fixtures::CLIENT.replace("name: shop,", &format!("name: {name},"));
        harness.apply::<OAuthClient>(&client).await;
        harness.pass(Duration::from_secs(3)).await;
        assert_eq!(harness.ready::<OAuthClient>("shop", &name), "True/Ready", "{length}");
        let at = ObjectName::new("shop", format!("{name}-oidc"));
        let credentials = harness.world.secret(&at).unwrap();
        let (labels, annotations) = (credentials.metadata.labels.unwrap(), credentials.metadata.annotations.unwrap());
        let named = labels[names::LABEL_OAUTH_CLIENT] == name;
        let annotated = annotations.get(names::ANNOTATION_OWNER) == Some(&format!("shop/{name}"));
        assert_eq!((named, annotated), (length <= 63, length > 63));
        assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
        // It is known as ours by that label.
        harness.delete::<OAuthClient>("shop", &name).await;
        harness.pass(Duration::from_secs(170 * 3600)).await;
        assert_eq!(harness.world.secret(&at), None, "{length}");
    }
}

#[tokio::test]
async fn a_secret_that_changes_often_leaves_room_in_the_status() {
    let mut harness = Harness::furnished().await;
    let given = |at: usize| secret("shop", "given", &[("password", &format!("{at:032}"))]);
    harness.world.put_secret(given(0));
    let client = fixtures::API
        .replace("name: api", "name: sealed")
        .replace("  resourceServer:", "  #")
        .replace("secret: {}", "secret: {existingSecretRef: {name: given, key: password}}");
    harness.apply::<OAuthClient>(&client).await;
    for at in 1..=20 {
        harness.world.put_secret(given(at));
        harness.engine.resync();
        harness.pass(Duration::from_secs(2)).await;
    }
    assert_eq!(harness.ready::<OAuthClient>("shop", "sealed"), "True/Ready");
    let Content::OAuthClient(client) = harness.document(Kind::OAuthClient, "shop", "sealed").unwrap().content else {
        panic!()
    };
    let ClientAuthentication::Secret { hashes } = client.authentication else { panic!() };
    assert_eq!(hashes.len(), 9, "the current one, and the newest of those before");
    let status = status(&harness, "sealed");
    assert_eq!(status.secrets.len(), 9);
    let unsalted = SecretHash { salt: None, ..hashes[0].clone() }.fingerprint();
    assert_ne!(status.secrets[0].fingerprint, Some(unsalted), "anybody could try guesses");
    assert_eq!(status.secrets[0].fingerprint, Some(hashes[0].fingerprint()));
}

#[tokio::test]
async fn a_scope_of_many_apis_is_listed_once() {
    let mut harness = Harness::furnished().await;
    let scopes: Vec<String> = (0..20).map(|at| format!("{{name: 'thing:{at}', description: Do}}")).collect();
    let mut audiences = Vec::new();
    for at in 0..20 {
        let audience = format!("https://api-{at}.shop.example");
        let api = fixtures::API
            .replace("name: api", &format!("name: api-{at}"))
            .replace("https://api.shop.example", &audience)
            .replace("{name: 'orders:read', description: Read orders}", &scopes.join(", "));
        harness.apply::<OAuthClient>(&api).await;
        audiences.push(format!("'{audience}'"));
    }
    let asked: Vec<String> = (0..20).map(|at| format!("'thing:{at}'")).collect();
    let client = fixtures::CLIENT
        .replace("'orders:read'", &asked.join(", "))
        .replace("'https://api.shop.example'", &audiences.join(", "));
    harness.apply::<OAuthClient>(&client).await;
    harness.pass(Duration::from_secs(2)).await;
    let resolved = harness.condition::<OAuthClient>("shop", "shop", ConditionType::ReferencesResolved).0;
    assert_eq!(resolved, "True/Resolved");
    let status = status(&harness, "shop");
    assert_eq!((status.granted_scopes.len(), status.granted_audiences.len()), (22, 20));
}

#[test]
fn what_a_client_may_ask_for_fits_into_its_status() {
    let crd = claviger_crds::all_crds().into_iter().find(|crd| crd.spec.names.kind == "OAuthClient").unwrap();
    let schema = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
    let most = |path: &str| {
        let at = format!("/openAPIV3Schema/properties/{path}/maxItems");
        schema.pointer(&at).and_then(serde_json::Value::as_u64).unwrap()
    };
    assert!(most("spec/properties/scopes") <= most("status/properties/grantedScopes"));
    assert!(most("spec/properties/audiences") <= most("status/properties/grantedAudiences"));
}
