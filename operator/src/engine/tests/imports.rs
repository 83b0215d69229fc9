//! The key that signs is somebody else's, through the whole engine.

use std::time::Duration;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::ObjectName;
use claviger_crds::published::KeyPhase;
use claviger_crds::signing_key::SigningKey;
use claviger_jose::{Algorithm, PrivateKey};

use super::rotation::{MINUTE, kid, ring, rotating, signing_key, status, told};
use crate::testing::{Harness, secret};
use crate::work::Kind;

const IMPORTS: &str = "  existingSecretRef: {name: elsewhere}";

/// A key of another maker's, and its kid.
fn key() -> (String, String) {
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let kid = PrivateKey::import(Algorithm::Es256, pem.as_bytes()).unwrap().public_jwk().kid().to_string();
    (pem, kid)
}

fn put(harness: &Harness, text: &str) {
    harness.world.put_secret(secret("identity", "elsewhere", &[("tls.key", text)]));
}

fn resolved(harness: &Harness) -> (String, String) {
    harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::ReferencesResolved)
}

/// A ring that began with an imported key, and the kid of that.
async fn imported() -> (Harness, String) {
    let mut harness = Harness::start().await;
    let (pem, kid) = key();
    put(&harness, &pem);
    harness.furnish_with(&signing_key(IMPORTS)).await;
    harness.pass(Duration::from_secs(2)).await;
    (harness, kid)
}

/// Another key is put into the Secret, and that is seen.
async fn change(harness: &mut Harness) -> String {
    let (pem, kid) = key();
    put(harness, &pem);
    harness.pass(2 * MINUTE).await;
    kid
}

#[tokio::test]
async fn a_new_ring_waits_for_its_key_begins_with_it_and_keeps_it() {
    let mut harness = Harness::start().await;
    harness.furnish_with(&signing_key(IMPORTS)).await;
    harness.pass(2 * MINUTE).await;
    let (reason, message) = resolved(&harness);
    assert_eq!(reason, "False/SecretNotFound");
    assert!(message.contains("elsewhere"), "{message}");
    assert!(harness.document(Kind::SigningKey, "identity", "acme-es256").is_none(), "no ring is made of another key");
    let first = change(&mut harness).await;
    assert_eq!(resolved(&harness).0, "True/Resolved");
    assert_eq!(kid(&harness, KeyPhase::Active), first);
    let shown: Vec<bool> = status(&harness).keys.iter().map(|key| key.imported).collect();
    assert_eq!(shown, [false, true], "the standby is ours");
    assert!(told(&harness, "RingCreated")[0].contains("imported"));
    harness.pass(180 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), first, "the interval does not replace it");
    assert_eq!(status(&harness).next_change, None);
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
}

#[tokio::test]
async fn in_a_ring_that_serves_it_stands_by_first_and_a_changed_secret_is_a_rotation() {
    let mut harness = rotating().await;
    let made = kid(&harness, KeyPhase::Active);
    let (pem, first) = key();
    put(&harness, &pem);
    harness.apply::<SigningKey>(&signing_key(IMPORTS)).await;
    assert_eq!((kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Published)), (made, first.clone()));
    assert!(told(&harness, "KeyPublished").iter().any(|note| note.contains(&first) && note.contains("was imported")));
    harness.pass(9 * MINUTE).await;
    assert_ne!(kid(&harness, KeyPhase::Active), first, "verifiers may not know it yet");
    harness.pass(2 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), first);

    let second = change(&mut harness).await;
    assert_eq!((kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Published)), (first.clone(), second.clone()));
    harness.pass(11 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), second);
    assert!(ring(&harness).keys.iter().any(|key| key.kid.to_string() == first && key.phase == KeyPhase::Retiring));

    put(&harness, &pem);
    harness.pass(30 * MINUTE).await;
    assert_eq!(resolved(&harness).0, "False/KeyUsedBefore");
    assert_eq!(kid(&harness, KeyPhase::Active), second, "a key has one life");
}

#[tokio::test]
async fn a_secret_that_is_changed_back_in_time_rotates_nothing() {
    let mut harness = Harness::start().await;
    let (pem, first) = key();
    put(&harness, &pem);
    harness.furnish_with(&signing_key(IMPORTS)).await;
    let second = change(&mut harness).await;
    assert_eq!(kid(&harness, KeyPhase::Published), second);
    put(&harness, &pem);
    harness.pass(30 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), first);
    assert!(ring(&harness).keys.iter().all(|key| key.kid.to_string() != second));
}

#[tokio::test]
async fn a_secret_of_no_use_says_why_and_the_ring_serves_on() {
    let (mut harness, first) = imported().await;
    let standby = kid(&harness, KeyPhase::Published);
    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nhunter2\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (text, expected) in [
        (encrypted, "False/KeyEncrypted"),
        (other.as_str(), "False/KeyOfAnotherAlgorithm"),
        ("hunter2", "False/SecretInvalid"),
        ("", "False/SecretInvalid"),
    ] {
        put(&harness, text);
        harness.pass(90 * MINUTE).await;
        let (reason, message) = resolved(&harness);
        assert_eq!(reason, expected, "{message}");
        assert!(message.contains("elsewhere") && message.contains("tls.key"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    harness.world.put_secret(secret("identity", "elsewhere", &[("key", "x")]));
    harness.pass(2 * MINUTE).await;
    assert_eq!(resolved(&harness).0, "False/SecretInvalid");
    harness.world.remove_secret(&ObjectName::new("identity", "elsewhere"));
    harness.pass(90 * MINUTE).await;
    assert_eq!(resolved(&harness).0, "False/SecretNotFound");
    let programmed = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::Programmed).0;
    assert_eq!(programmed, "True/Programmed");
    assert_eq!((kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Published)), (first, standby));
}

#[tokio::test]
async fn a_key_that_stands_by_takes_over_though_its_secret_is_gone() {
    let (mut harness, first) = imported().await;
    let second = change(&mut harness).await;
    harness.world.remove_secret(&ObjectName::new("identity", "elsewhere"));
    harness.pass(30 * MINUTE).await;
    assert_ne!(first, second);
    assert_eq!(kid(&harness, KeyPhase::Active), second);
}

#[tokio::test]
async fn a_revoked_key_is_replaced_by_our_standby_and_never_imported_again() {
    let (mut harness, first) = imported().await;
    let standby = kid(&harness, KeyPhase::Published);
    let revokes = format!("{IMPORTS}\n  revoked: [{{kid: {first}, reason: stolen}}]");
    harness.apply::<SigningKey>(&signing_key(&revokes)).await;
    assert_eq!((kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Revoked)), (standby, first.clone()));
    harness.pass(2 * MINUTE).await;
    assert_eq!(resolved(&harness).0, "False/KeyRevoked");
    harness.apply::<SigningKey>(&signing_key(IMPORTS)).await;
    harness.restart();
    harness.run().await;
    // Beyond the time for which the ring keeps the key itself.
    harness.pass(Duration::from_secs(20 * 24 * 3600)).await;
    assert!(ring(&harness).keys.iter().all(|key| key.kid.to_string() != first));
    assert_eq!(resolved(&harness).0, "False/KeyRevoked");
    let second = change(&mut harness).await;
    harness.pass(11 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), second);
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
}

#[tokio::test]
async fn a_key_that_is_revoked_before_it_is_imported_is_not() {
    let mut harness = rotating().await;
    let (pem, kid_of) = key();
    put(&harness, &pem);
    let revokes = format!("{IMPORTS}\n  revoked: [{{kid: {kid_of}, reason: stolen}}]");
    harness.apply::<SigningKey>(&signing_key(&revokes)).await;
    harness.pass(30 * MINUTE).await;
    assert_eq!(resolved(&harness).0, "False/KeyRevoked");
    assert!(ring(&harness).keys.iter().all(|key| key.kid.to_string() != kid_of));
}

#[tokio::test]
async fn a_rotation_that_is_asked_for_waits_for_another_key_in_the_secret() {
    let (mut harness, first) = imported().await;
    let annotation = "metadata: {annotations: {claviger.dev/rotate-at: \"2026-03-01T12:00:00Z\"}, ";
    harness.apply::<SigningKey>(&signing_key(IMPORTS).replace("metadata: {", annotation)).await;
    harness.pass(30 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), first);
    let (blocked, message) = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked);
    assert_eq!(blocked, "True/KeyImported");
    assert!(message.contains("elsewhere"), "{message}");
    let second = change(&mut harness).await;
    harness.pass(11 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), second);
    assert_eq!(status(&harness).observed_rotate_at.as_deref(), Some("2026-03-01T12:00:00Z"));
    let blocked = harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked).0;
    assert_eq!(blocked, "False/NotBlocked");
}

#[tokio::test]
async fn without_the_field_the_interval_replaces_it_by_a_key_of_ours() {
    let (mut harness, first) = imported().await;
    let standby = kid(&harness, KeyPhase::Published);
    harness.pass(90 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), first);
    harness.apply::<SigningKey>(&signing_key("")).await;
    harness.pass(2 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Active), standby);
}

#[tokio::test]
async fn two_rings_cannot_share_a_key() {
    let (mut harness, first) = imported().await;
    let rival = signing_key(IMPORTS).replace("acme-es256", "rival");
    harness.apply::<SigningKey>(&rival).await;
    harness.pass(2 * MINUTE).await;
    let (reason, message) = harness.condition::<SigningKey>("identity", "rival", ConditionType::ReferencesResolved);
    assert_eq!(reason, "False/KeyOfAnotherRing");
    assert!(message.contains("acme-es256") && message.contains(&first), "{message}");
    assert!(harness.document(Kind::SigningKey, "identity", "rival").is_none());
    assert_eq!(kid(&harness, KeyPhase::Active), first);
}

#[tokio::test]
async fn a_new_leader_and_a_signing_key_that_comes_back_know_the_key() {
    let (mut harness, first) = imported().await;
    harness.restart();
    harness.run().await;
    harness.pass(2 * MINUTE).await;
    assert_eq!((kid(&harness, KeyPhase::Active), resolved(&harness).0), (first.clone(), "True/Resolved".to_owned()));
    harness.delete::<SigningKey>("identity", "acme-es256").await;
    harness.pass(2 * MINUTE).await;
    harness.apply::<SigningKey>(&signing_key(IMPORTS)).await;
    harness.pass(2 * MINUTE).await;
    assert_eq!((kid(&harness, KeyPhase::Active), resolved(&harness).0), (first, "True/Resolved".to_owned()));
    assert_eq!(told(&harness, "ReferencesNotResolved"), Vec::<String>::new());
}

#[tokio::test]
async fn a_ring_that_had_handed_over_comes_back_with_its_imported_key() {
    let (mut harness, first) = imported().await;
    harness.apply::<SigningKey>(&signing_key("").replace("acme-es256", "another")).await;
    harness.pass(2 * MINUTE).await;
    harness.delete::<SigningKey>("identity", "acme-es256").await;
    harness.pass(10 * MINUTE).await;
    assert_eq!(kid(&harness, KeyPhase::Retiring), first, "the other ring signs");
    harness.apply::<SigningKey>(&signing_key(IMPORTS)).await;
    harness.pass(2 * MINUTE).await;
    assert_eq!((kid(&harness, KeyPhase::Active), resolved(&harness).0), (first, "True/Resolved".to_owned()));
    assert_eq!(told(&harness, "ReferencesNotResolved"), Vec::<String>::new());
}

#[tokio::test]
async fn no_text_that_leaves_the_operator_shows_the_key() {
    let (harness, _) = imported().await;
    let objects = harness.world.objects();
    let pem = &objects.secrets[&ObjectName::new("identity", "elsewhere")].data.as_ref().unwrap()["tls.key"].0;
    let line = String::from_utf8_lossy(pem).lines().nth(1).unwrap().to_owned();
    let notes: Vec<&String> = objects.events.iter().map(|event| &event.note).collect();
    let told = format!("{:?} {notes:?}", objects.signing_keys);
    assert!(!notes.is_empty(), "there is something to look at");
    assert!(!told.contains(&line));
}
