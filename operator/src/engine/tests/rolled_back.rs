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

/// The SigningKey, giving up what pods serve up to `revision`.
fn accepting(revision: &str) -> String {
    let annotation = format!("annotations: {{claviger.dev/accept-stored-ring: \"{revision}\"}}");
    signing_key("").replacen("metadata: {", &format!("metadata: {{{annotation}, "), 1)
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
    let (mut harness, [active, _]) = set_back().await;
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
    let less = (revision.parse::<u64>().unwrap() - 1).to_string();
    harness.apply::<SigningKey>(&accepting(&less)).await;
    assert_eq!(blocked(&harness).0, "True/RingRolledBack", "another time was meant, not this one");
    assert!(served(&harness).iter().any(|key| key.kid.to_string() == active));

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
        let mut secrets = harness.world.objects().secrets.clone();
        secrets.retain(|name, _| *name != ring_secret() && (published || name.namespace == OPERATOR));
        restore(&mut harness, secrets).await;
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
