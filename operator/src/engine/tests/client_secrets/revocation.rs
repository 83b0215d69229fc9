//! Clients' secrets that are revoked, and stay so.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};

use super::*;

#[tokio::test]
async fn a_secret_that_was_revoked_is_refused_at_once_and_for_good() {
    let mut harness = rotatable().await;
    harness.join("pod-b");
    harness.run().await;
    harness.wedge("pod-b", true);
    let (leaked, fingerprint) = (held(&harness), fingerprints(&harness, "shop").remove(0));
    harness.apply::<OAuthClient>(&revoked(&[&fingerprint])).await;
    let after = held(&harness);
    assert_ne!(after, leaked, "it waits for no pod");
    harness.wedge("pod-b", false);
    harness.run().await;
    assert!(!accepted(&harness, &leaked) && accepted(&harness, &after));
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(phases(&harness, "shop"), ["Current"]);
    assert_eq!(ready(&harness, "shop").0, "True/CredentialsReady");
    let event = harness.world.objects().events.iter().find(|event| event.reason == "SecretRevoked").cloned().unwrap();
    assert!(event.warning && event.note.contains("by ada: in a log") && event.note.contains(&fingerprint), "{event:?}");

    // The line leaves, the operator begins anew, and somebody restores the Secret from a backup.
    harness.apply::<OAuthClient>(fixtures::CLIENT).await;
    harness.restart();
    let mut restored = harness.world.secret(&ObjectName::new("shop", "shop-oidc")).unwrap();
    restored.data.as_mut().unwrap().insert("client_secret".to_owned(), k8s_openapi::ByteString(leaked.clone().into()));
    harness.world.put_secret(restored);
    harness.engine.resync();
    harness.pass(Duration::from_secs(10)).await;
    assert!(!accepted(&harness, &leaked));
    assert_ne!(held(&harness), leaked);
    nobody_refuses_what_the_secret_holds(&harness);
}

const LEAKED: &str = "1111111111111111111111111111111111111111";

fn nobody_accepts_the_leaked_one(harness: &Harness) {
    for (pod, document) in harness.served(Kind::OAuthClient, "shop", "shop") {
        assert!(!accepts(harness, document, LEAKED), "{pod}");
    }
}

#[tokio::test]
async fn a_secret_stays_revoked_where_its_document_was_lost_or_comes_from_a_backup() {
    let document = ObjectName::new(PUBLISHED, names::published_secret("OAuthClient", &ObjectName::new("shop", "shop")));
    for is_lost in [true, false] {
        let mut harness = rotatable().await;
        harness.world.put_secret(given(LEAKED));
        harness.apply::<OAuthClient>(&existing(EXISTING)).await;
        harness.pass(Duration::from_secs(5)).await;
        let backup = harness.world.secret(&document).unwrap();
        let fingerprint = fingerprints(&harness, "shop").remove(0);
        let line = format!("given}}, revoked: [{{fingerprint: {fingerprint}, reason: in a log}}]");
        harness.apply::<OAuthClient>(&existing(&EXISTING.replace("given}", &line))).await;
        harness.pass(Duration::from_secs(5)).await;
        assert!(!accepted(&harness, LEAKED));
        // While no operator runs, the line leaves too.
        harness.world.remove_secret(&document);
        if !is_lost {
            harness.world.put_secret(backup);
        }
        harness.world.apply(parse::<OAuthClient>(&existing(EXISTING)));
        // The next one hears of the pod late, and of a new pod that remembers nothing at once.
        harness.wedge("pod-a", true);
        harness.restart();
        // What was restored such a pod serves for a moment.
        harness.watchman = is_lost.then_some(nobody_accepts_the_leaked_one);
        harness.run().await;
        harness.join("pod-b");
        harness.run().await;
        harness.wedge("pod-a", false);
        harness.run().await;
        nobody_accepts_the_leaked_one(&harness);
        harness.pass(Duration::from_secs(30)).await;
        assert_eq!(ready(&harness, "shop").0, "False/SecretRevoked", "{is_lost}");
        harness.world.put_secret(given(&"2".repeat(40)));
        harness.engine.resync();
        harness.pass(Duration::from_secs(5)).await;
        assert!(accepted(&harness, &"2".repeat(40)));
    }
}

#[tokio::test]
async fn who_revoked_a_secret_is_told_though_the_object_does_not_say() {
    let mut harness = rotatable().await;
    let fingerprint = fingerprints(&harness, "shop").remove(0);
    let mut object = parse::<OAuthClient>(&revoked(&[&fingerprint]).replace(", by: ada", ""));
    let revoked = serde_json::json!({format!("k:{{\"fingerprint\":\"{fingerprint}\"}}"): {}});
    let fields = serde_json::json!({"f:spec": {"f:authentication": {"f:secret": {"f:revoked": revoked}}}});
    object.metadata.managed_fields = Some(vec![ManagedFieldsEntry {
        manager: Some("argocd-controller".to_owned()),
        fields_v1: Some(FieldsV1(fields)),
        ..ManagedFieldsEntry::default()
    }]);
    harness.world.apply(object);
    harness.run().await;
    let event = harness.world.objects().events.iter().find(|event| event.reason == "SecretRevoked").cloned().unwrap();
    assert!(event.note.contains("by argocd-controller: in a log"), "{event:?}");
}

#[tokio::test]
async fn an_overlap_can_be_ended_by_revoking_the_one_before() {
    let mut harness = rotatable().await;
    let before = held(&harness);
    ask_for_rotation(&harness);
    harness.run().await;
    harness.pass(Duration::from_secs(5)).await;
    let (after, old) = (held(&harness), fingerprints(&harness, "shop").pop().unwrap());
    assert!(accepted(&harness, &before));
    harness.apply::<OAuthClient>(&revoked(&[&old, "0000-0000-0000"])).await;
    assert!(!accepted(&harness, &before) && accepted(&harness, &after));
    assert_eq!(held(&harness), after);
    harness.pass(Duration::from_secs(5)).await;
    assert_eq!(phases(&harness, "shop"), ["Current"]);
}

fn given(value: &str) -> k8s_openapi::api::core::v1::Secret {
    secret("shop", "given", &[("client_secret", value)])
}

const EXISTING: &str = "    secret: {existingSecretRef: {name: given}}";

fn existing(authentication: &str) -> String {
    let at = fixtures::CLIENT.find("    secret:").unwrap();
    format!("{}{authentication}\n", &fixtures::CLIENT[..at])
}

#[tokio::test]
async fn a_secret_that_somebody_else_changes_is_rotated_and_can_be_revoked() {
    let [first, second, third] = ["1", "2", "3"].map(|digit| digit.repeat(40));
    let mut harness = Harness::furnished().await;
    harness.world.put_secret(given(&first));
    harness.apply::<OAuthClient>(&existing(EXISTING)).await;
    harness.pass(Duration::from_secs(5)).await;
    harness.world.put_secret(given(&second));
    harness.engine.resync();
    harness.pass(Duration::from_secs(5)).await;
    assert!(accepted(&harness, &first) && accepted(&harness, &second));
    assert_eq!(phases(&harness, "shop")[..2], ["Current", "Old"]);
    let current = fingerprints(&harness, "shop").remove(0);
    let line = format!("revoked: [{{fingerprint: {current}, reason: in a log}}]}}");
    let revoking = EXISTING.replace("given}}", &format!("given}}, {line}"));
    harness.apply::<OAuthClient>(&existing(&revoking)).await;
    harness.pass(Duration::from_secs(5)).await;
    assert!(accepted(&harness, &first) && !accepted(&harness, &second), "the one before has its overlap still");
    let (reason, message) = ready(&harness, "shop");
    assert_eq!(reason, "False/SecretRevoked");
    assert!(message.contains("given"), "{message}");
    harness.apply::<OAuthClient>(&existing(EXISTING)).await;
    assert!(!accepted(&harness, &second), "nor without the line");
    harness.world.put_secret(given(&third));
    harness.engine.resync();
    harness.pass(Duration::from_secs(5)).await;
    assert!(accepted(&harness, &third));
    assert_eq!(ready(&harness, "shop").0, "True/CredentialsReady");
}

#[tokio::test]
async fn the_only_secret_of_a_client_is_refused_though_nothing_follows() {
    let mut harness = Harness::start().await;
    harness.furnish().await;
    harness.world.put_secret(given(&"1".repeat(40)));
    let api = fixtures::API.replace("name: api", "name: sealed").replace("  resourceServer:", "  #");
    let api = api.replace("  authentication: {secret: {}}", &format!("  authentication:\n{EXISTING}"));
    harness.apply::<OAuthClient>(&api).await;
    harness.pass(Duration::from_secs(5)).await;
    let only = fingerprints(&harness, "sealed").remove(0);
    let line = format!("given}}, revoked: [{{fingerprint: {only}, reason: in a log}}]");
    harness.apply::<OAuthClient>(&api.replace("given}", &line)).await;
    harness.pass(Duration::from_secs(5)).await;
    let served = harness.served(Kind::OAuthClient, "shop", "sealed");
    assert!(!served.is_empty() && served.iter().all(|(_, document)| hashes(document).is_empty()));
    assert_eq!(ready(&harness, "sealed").0, "False/SecretRevoked");
}
