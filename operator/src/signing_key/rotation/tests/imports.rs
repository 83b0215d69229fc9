//! A key that somebody else makes and that is to sign.

use super::*;

fn heard(ring: &Ring) -> Surroundings {
    let revisions = ring.keys.iter().flat_map(|key| [key.revision, key.retiring_revision]);
    let reached = revisions.map(|revision| (revision, Reached::Everywhere { since: at(1) })).collect();
    Surroundings { reached, ..Surroundings::default() }
}

fn decided(purpose: &Purpose, ring: &Ring, now: i64) -> Vec<Action> {
    decide(&Wish::Serve(purpose.clone()), Some(ring), &heard(ring), at(now)).actions
}

fn importing() -> (Purpose, NewKeys) {
    let mut made = keys(3);
    let imported = made.made.pop();
    (Purpose { imported: imported.as_ref().map(|key| key.kid.clone()), ..purpose() }, NewKeys { imported, ..made })
}

/// A ring whose Active key was imported.
fn imported() -> (Purpose, Ring) {
    let (purpose, keys) = importing();
    let actions = decide(&Wish::Serve(purpose.clone()), None, &Surroundings::default(), at(0)).actions;
    let ring = Ring::empty(&purpose, at(0).wall).changed(&actions, Some(&purpose), keys, at(0).wall);
    (purpose, ring)
}

#[test]
fn a_new_ring_begins_with_it_and_with_a_standby_of_its_own() {
    let (purpose, ring) = imported();
    holds(&ring);
    assert_eq!(ring.active().map(|key| &key.kid), purpose.imported.as_ref());
    assert!(ring.active().unwrap().imported && !ring.standby().unwrap().imported);
}

#[test]
fn it_is_the_next_of_a_ring_that_serves_and_takes_over_when_verifiers_know_it() {
    let (purpose, keys) = importing();
    let ring = ring();
    let standby = ring.standby().unwrap().kid.clone();
    let actions = decided(&purpose, &ring, 10);
    assert_eq!(actions, [Action::Discard { kid: standby }, Action::Import]);
    let ring = ring.changed(&actions, Some(&purpose), keys, at(10).wall);
    holds(&ring);
    assert_eq!(decided(&purpose, &ring, 10_009), []);
    let takes_over = [Action::Promote { cause: Cause::Algorithm, unknown_until: None }, Action::AddStandby];
    assert_eq!(decided(&purpose, &ring, 10_010), takes_over);
}

#[test]
fn neither_the_interval_nor_an_annotation_replaces_it() {
    let (purpose, ring) = imported();
    let asked = Purpose { rotate_at: Some(at(20).wall), ..purpose.clone() };
    assert_eq!(decided(&asked, &ring, 1_000_000), []);
    let released = Purpose { imported: None, ..purpose };
    assert!(
        !decided(&released, &ring, 1_000_000).is_empty(),
        "once it is not asked for any more, it is a key like others"
    );
}

#[test]
fn its_standby_signs_when_it_is_revoked() {
    let (purpose, ring) = imported();
    let revocation = Revocation { reason: "stolen".to_owned(), by: "alice".to_owned() };
    let kid = purpose.imported.clone().unwrap();
    let around = Surroundings { revoked: [(kid.clone(), revocation)].into(), ..heard(&ring) };
    let actions = decide(&Wish::Serve(Purpose { imported: None, ..purpose }), Some(&ring), &around, at(50_000)).actions;
    let changed = perform(ring, &actions, at(50_000));
    holds(&changed);
    assert_eq!(changed.key(&kid).unwrap().phase, KeyPhase::Revoked);
}
