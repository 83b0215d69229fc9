//! A ring that was set back to an earlier state than pods serve: what is done then, and what ends it.

use std::collections::BTreeSet;

use claviger_crds::condition::ConditionType;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::published::KeyPhase;
use claviger_crds::signing_key::SigningKey;

use super::rotation::{MINUTE, kid, ring, rotating, signing_key, told};
use crate::testing::Harness;

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// A ring whose keys have changed twice since the backup that is restored; and the keys that pods serve of it,
/// the one that signs first.
async fn set_back() -> (Harness, [String; 2]) {
    let mut harness = rotating().await;
    let backup = harness.world.objects().secrets.clone();
    harness.pass(125 * MINUTE).await;
    let later = [kid(&harness, KeyPhase::Active), kid(&harness, KeyPhase::Published)];
    harness.world.objects().secrets = backup;
    harness.restart();
    harness.run().await;
    assert_eq!(blocked(&harness).0, "True/RingRolledBack");
    assert!(ring(&harness).keys.iter().all(|key| !later.contains(&key.kid.to_string())), "the later keys are unknown");
    (harness, later)
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
