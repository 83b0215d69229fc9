//! A ring that was set back to an earlier state than pods serve: what is done then, and what ends it.

use std::collections::{BTreeMap, BTreeSet};

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::{Content, KeyDocument, KeyPhase};
use claviger_crds::signing_key::SigningKey;
use k8s_openapi::api::core::v1::Secret;

use super::rotation::{MINUTE, kid, ring, rotating, signing_key, told};
use crate::testing::{Harness, OPERATOR};
use crate::work::Kind;

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// A ring whose keys have changed twice since the backup that is restored; and the keys that pods serve of it,
/// the one that signs first.
async fn set_back() -> (Harness, [String; 2]) {
    let mut harness = rotating().await;
    let backup = harness.world.objects().secrets.clone();
    harness.pass(125 * MINUTE).await;
    let later = [kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Published)];
    restore(&mut harness, backup).await;
    assert_eq!(blocked(&harness).0, "True/RingRolledBack");
    assert!(ring(&harness).keys.iter().all(|key| !later.contains(&key.kid.to_string())), "the later keys are unknown");
    (harness, later)
}

async fn restore(harness: &mut Harness, backup: BTreeMap<ObjectName, Secret>) {
    harness.world.objects().secrets = backup;
    harness.restart();
    harness.run().await;
}

fn ring_secret() -> ObjectName {
    ObjectName::new(OPERATOR, names::ring_secret(&ObjectName::new("identity", "acme-es256")))
}

/// The SigningKey, giving up what pods serve at `revision`.
fn accepting(revision: &str) -> String {
    accepted(&signing_key(""), revision)
}

fn accepted(signing_key: &str, revision: &str) -> String {
    let annotation = format!("annotations: {{claviger.dev/accept-stored-ring: \"{revision}\"}}");
    signing_key.replacen("metadata: {", &format!("metadata: {{{annotation}, "), 1)
}

/// The value of the annotation that the condition names.
fn named(harness: &Harness) -> String {
    let (_, message) = blocked(harness);
    let (_, rest) = message.split_once("claviger.dev/accept-stored-ring: \"").unwrap_or_else(|| panic!("{message}"));
    rest.split('"').next().unwrap().to_owned()
}

/// The keys of the ring that running pods serve.
fn served(harness: &Harness) -> Vec<KeyDocument> {
    let documents = harness.served(Kind::SigningKey, "identity", "acme-es256");
    let Content::SigningKey(ring) = documents[0].1.content.clone() else { panic!() };
    ring.keys
}

fn blocked(harness: &Harness) -> (String, String) {
    harness.condition::<SigningKey>("identity", "acme-es256", ConditionType::RotationBlocked)
}

fn revoking(kids: &[&String]) -> String {
    let entries: Vec<String> = kids.iter().map(|kid| format!("{{kid: {kid}, reason: stolen}}")).collect();
    signing_key(&format!("  revoked: [{}]", entries.join(", ")))
}

/// A ring whose Secret is lost, and which of its documents with it.
async fn lost(published: bool) -> Harness {
    let mut harness = rotating().await;
    lose(&mut harness, published).await;
    harness
}

async fn lose(harness: &mut Harness, published: bool) {
    let mut secrets = harness.world.objects().secrets.clone();
    secrets.retain(|name, _| *name != ring_secret() && (published || name.namespace == OPERATOR));
    restore(harness, secrets).await;
    harness.pass(SECOND).await;
    assert_eq!(blocked(harness).0, "True/RingRolledBack");
}

/// The keys of the ring that is published by their phases: the one that signs, and the next.
fn published(harness: &Harness) -> [String; 2] {
    [kid(harness, KeyPhase::Active), kid(harness, KeyPhase::Published)]
}

/// The keys that running pods say they never trust again.
fn known_to_pods(harness: &Harness) -> BTreeSet<String> {
    let document = names::published_secret("SigningKey", &ObjectName::new("identity", "acme-es256"));
    let revoked = harness.engine.context().with(|state| state.acknowledgements.revoked(&document));
    revoked.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_key_of_which_the_stored_ring_knows_nothing_is_revoked_on_the_pods_that_serve_it() {
    let (mut harness, [active, standby]) = set_back().await;
    let stored = kid(&harness, KeyPhase::Active);
    harness.apply::<SigningKey>(&revoking(&[&active])).await;
    assert_eq!(known_to_pods(&harness), [active.clone()].into(), "at once");
    assert_eq!(kid(&harness, KeyPhase::Active), stored, "pods that begin now go on with what there is");
    assert_eq!(blocked(&harness).0, "True/RingRolledBack", "nothing else is changed");
    let notes = told(&harness, "KeyRevoked");
    assert!(notes.len() == 1 && notes[0].contains(&active) && notes[0].contains("stolen"), "{notes:?}");

    harness.apply::<SigningKey>(&revoking(&[&active, &standby, &stored])).await;
    assert_eq!(known_to_pods(&harness), [active, standby, stored.clone()].into());
    assert_eq!(kid(&harness, KeyPhase::Revoked), stored);
    assert_ne!(kid(&harness, KeyPhase::Active), stored, "there is a key for pods that have none left");
    assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_revocation_reaches_the_pods_though_the_operator_crashes_before_it_tells_them() {
    let (harness, [active, _]) = set_back().await;
    is_told_after_a_crash(harness, active).await;
}

/// The operator writes the ring and dies; the next one tells the pods.
async fn is_told_after_a_crash(mut harness: Harness, active: String) {
    harness.world.objects().writes_left = Some(1);
    harness.apply::<SigningKey>(&revoking(&[&active])).await;
    assert_eq!(known_to_pods(&harness), BTreeSet::new(), "the ring was written, and its document was not");
    harness.restart();
    harness.run().await;
    harness.pass(SECOND).await;
    assert_eq!(known_to_pods(&harness), [active].into());
    assert_eq!(blocked(&harness).0, "True/RingRolledBack");
}

#[tokio::test]
async fn a_later_backup_of_the_ring_alone_ends_it_and_no_key_is_lost() {
    let mut harness = rotating().await;
    let backup = harness.world.objects().secrets.clone();
    harness.pass(125 * MINUTE).await;
    let (later, keys) = (harness.world.secret(&ring_secret()).unwrap(), served(&harness));
    restore(&mut harness, backup).await;
    assert_eq!(blocked(&harness).0, "True/RingRolledBack");
    harness.world.put_secret(later);
    harness.run().await;
    harness.pass(SECOND).await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked");
    assert_eq!((served(&harness), ring(&harness).keys), (keys.clone(), keys));
    assert_eq!(harness.ready::<SigningKey>("identity", "acme-es256"), "True/Ready");
}

#[tokio::test]
async fn who_gives_up_what_pods_serve_gets_the_stored_ring_everywhere_and_rotation_goes_on() {
    let (mut harness, [active, _]) = set_back().await;
    let (stored, revision) = (kid(&harness, KeyPhase::Active), named(&harness));
    for other in [-1, 1, 1000] {
        let other = (revision.parse::<i64>().unwrap() + other).to_string();
        harness.apply::<SigningKey>(&accepting(&other)).await;
        assert_eq!(blocked(&harness).0, "True/RingRolledBack", "another time was meant, not this one");
        assert!(served(&harness).iter().any(|key| key.kid.to_string() == active));
    }

    harness.apply::<SigningKey>(&accepting(&revision)).await;
    assert_eq!((kid(&harness, KeyPhase::Active), served(&harness)), (stored.clone(), ring(&harness).keys));
    let notes = told(&harness, "RingAccepted");
    assert!(notes.len() == 1 && notes[0].contains(&revision), "{notes:?}");
    let (why, message) = blocked(&harness);
    assert!(why == "True/StandbyTooYoung" && message.contains(&stored), "{why}: {message}");
    harness.pass(3 * MINUTE).await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked");
    // It signed for long enough, but the next one is shown anew.
    assert_eq!(kid(&harness, KeyPhase::Active), stored);
    harness.pass(9 * MINUTE).await;
    assert_ne!(kid(&harness, KeyPhase::Active), stored);
    assert_eq!(told(&harness, "RingAccepted").len(), 1, "once for each value");
}

#[tokio::test]
async fn a_key_that_pods_know_to_be_revoked_is_not_accepted_with_the_ring() {
    let (mut harness, [active, _]) = set_back().await;
    let stored = kid(&harness, KeyPhase::Active);
    harness.apply::<SigningKey>(&revoking(&[&active, &stored])).await;
    let revision = named(&harness);
    harness.apply::<SigningKey>(&accepting(&revision)).await;
    assert_ne!(kid(&harness, KeyPhase::Active), stored);
    assert_eq!(kid(&harness, KeyPhase::Revoked), stored);
    assert_eq!(known_to_pods(&harness), [active, stored].into());
}

#[tokio::test]
async fn a_ring_that_was_lost_is_made_anew_only_when_somebody_gives_up_what_pods_serve() {
    for published in [true, false] {
        let mut harness = rotating().await;
        let keys = served(&harness);
        lose(&mut harness, published).await;
        harness.pass(MINUTE).await;
        assert_eq!(blocked(&harness).0, "True/RingRolledBack");
        assert_eq!(served(&harness), keys);
        let revision = named(&harness);
        harness.apply::<SigningKey>(&accepting(&revision)).await;
        harness.pass(SECOND).await;
        let signs = ring(&harness);
        assert_eq!(served(&harness), signs.keys);
        assert!(signs.keys.iter().all(|key| keys.iter().all(|old| old.kid != key.kid)), "the old ones are nowhere");
        assert_eq!(blocked(&harness).0, "True/StandbyTooYoung", "no verifier knows them");
    }
}

#[tokio::test]
async fn a_key_of_a_ring_that_was_lost_is_revoked_on_the_pods_that_serve_it() {
    for is_published in [true, false] {
        let mut harness = rotating().await;
        let [active, standby] = published(&harness);
        lose(&mut harness, is_published).await;
        let keys = served(&harness);
        harness.apply::<SigningKey>(&revoking(&[&active])).await;
        assert_eq!(known_to_pods(&harness), [active.clone()].into(), "at once");
        assert_eq!(served(&harness), keys, "pods take nothing else");
        let (why, message) = blocked(&harness);
        assert!(why == "True/RingRolledBack" && message.contains("revoked ones are out"), "{why}: {message}");
        let notes = told(&harness, "KeyRevoked");
        assert!(notes.len() == 1 && notes[0].contains(&active) && notes[0].contains("stolen"), "{notes:?}");
        assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());

        // Without any key pods take the ring that was made, and it says what it is.
        harness.apply::<SigningKey>(&revoking(&[&active, &standby])).await;
        assert_eq!(known_to_pods(&harness), [active, standby].into());
        assert_eq!(served(&harness), ring(&harness).keys);
        assert_eq!(blocked(&harness).0, "True/StandbyTooYoung");
        harness.pass(3 * MINUTE).await;
        assert_eq!(blocked(&harness).0, "False/NotBlocked");
        // The ring lives on like any other.
        let before = kid(&harness, KeyPhase::Active);
        harness.pass(61 * MINUTE).await;
        assert_ne!(kid(&harness, KeyPhase::Active), before);
    }
}

#[tokio::test]
async fn what_had_been_revoked_before_a_ring_was_lost_is_no_reason_to_make_another() {
    for is_published in [true, false] {
        let mut harness = rotating().await;
        let [active, _] = published(&harness);
        harness.apply::<SigningKey>(&revoking(&[&active])).await;
        harness.pass(SECOND).await;
        lose(&mut harness, is_published).await;
        assert!(harness.world.secret(&ring_secret()).is_none());
        assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());
        let revision = named(&harness);
        harness.apply::<SigningKey>(&accepted(&revoking(&[&active]), &revision)).await;
        assert!(ring(&harness).revoked.iter().any(|kid| kid.to_string() == active), "it is remembered all the same");
    }
}

#[tokio::test]
async fn a_revocation_in_a_lost_ring_reaches_the_pods_though_the_operator_crashes_before_it_tells_them() {
    let harness = lost(true).await;
    let [active, _] = published(&harness);
    is_told_after_a_crash(harness, active).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_with_the_acceptance_is_told_and_remembered() {
    for is_lost in [true, false] {
        let (mut harness, active) = if is_lost {
            let harness = lost(true).await;
            let [active, _] = published(&harness);
            (harness, active)
        } else {
            let (harness, [active, _]) = set_back().await;
            (harness, active)
        };
        let revision = named(&harness);
        harness.apply::<SigningKey>(&accepted(&revoking(&[&active]), &revision)).await;
        assert_eq!(blocked(&harness).0, "True/StandbyTooYoung");
        assert!(ring(&harness).revoked.iter().any(|kid| kid.to_string() == active));
        let notes = told(&harness, "KeyRevoked");
        assert!(notes.len() == 1 && notes[0].contains(&active) && notes[0].contains("stolen"), "{notes:?}");
    }
}

#[tokio::test]
async fn pods_that_are_left_without_a_key_take_the_stored_ring_and_it_says_that_verifiers_may_not_know_it() {
    let (mut harness, [active, standby]) = set_back().await;
    let stored = kid(&harness, KeyPhase::Active);
    harness.apply::<SigningKey>(&revoking(&[&active, &standby])).await;
    assert_eq!(served(&harness), ring(&harness).keys);
    assert_eq!(kid(&harness, KeyPhase::Active), stored);
    let (why, message) = blocked(&harness);
    assert!(why == "True/StandbyTooYoung" && message.contains(&stored), "{why}: {message}");
    harness.pass(3 * MINUTE).await;
    assert_eq!(blocked(&harness).0, "False/NotBlocked");
    assert_eq!(kid(&harness, KeyPhase::Active), stored, "the next one is shown anew, for as long as any other");
}

#[tokio::test]
async fn a_lost_ring_whose_next_key_is_missing_is_not_given_up_and_revokes_all_the_same() {
    let imports = "  existingSecretRef: {name: elsewhere}";
    let mut harness = lost(true).await;
    let ([active, _], keys, revision) = (published(&harness), served(&harness), named(&harness));
    harness.apply::<SigningKey>(&accepted(&signing_key(imports), &revision)).await;
    harness.pass(SECOND).await;
    assert_eq!(blocked(&harness).0, "True/RingRolledBack", "pods serve the lost ring");
    assert_eq!(served(&harness), keys);
    let revoked = format!("{imports}\n  revoked: [{{kid: {active}, reason: stolen}}]");
    harness.apply::<SigningKey>(&signing_key(&revoked)).await;
    assert_eq!(known_to_pods(&harness), [active].into());
    assert_eq!(blocked(&harness).0, "True/RingRolledBack");
}

#[tokio::test]
async fn where_the_ring_was_set_back_alone_pods_that_start_after_a_revocation_serve_what_the_others_serve() {
    for is_lost in [true, false] {
        let mut harness = rotating().await;
        let before = harness.world.secret(&ring_secret()).unwrap();
        harness.pass(125 * MINUTE).await;
        let [active, standby] = published(&harness);
        let mut secrets = harness.world.objects().secrets.clone();
        let later = if is_lost { secrets.remove(&ring_secret()) } else { secrets.insert(ring_secret(), before) };
        restore(&mut harness, secrets).await;
        assert_eq!(blocked(&harness).0, "True/RingRolledBack");
        harness.apply::<SigningKey>(&revoking(&[&active])).await;
        assert_eq!(known_to_pods(&harness), [active.clone()].into(), "at once");
        assert_eq!(kid(&harness, KeyPhase::Active), standby, "which running pods sign with");
        assert_eq!(kid(&harness, KeyPhase::Revoked), active);
        harness.join("pod-b");
        harness.run().await;
        assert_eq!(blocked(&harness).0, "True/RingRolledBack");
        assert_eq!(harness.writes_of_resync().await, Vec::<String>::new());

        // A later backup of the ring ends it as ever.
        let current = harness.world.secret(&ring_secret()).unwrap();
        let later = Secret { metadata: current.metadata, ..later.unwrap() };
        harness.world.put_secret(later);
        harness.run().await;
        harness.pass(3 * MINUTE).await;
        assert_eq!(blocked(&harness).0, "False/NotBlocked");
        assert_eq!((kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Revoked)), (standby.clone(), active));
        assert!(harness.served(Kind::SigningKey, "identity", "acme-es256").len() == 2);
        assert_eq!(served(&harness), ring(&harness).keys);
    }
}
