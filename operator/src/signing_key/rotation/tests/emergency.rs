//! Keys that must not be trusted any more.

use super::*;

fn revoking(ring: &Ring, kids: &[&Kid]) -> Surroundings {
    let revocation = Revocation { reason: "laptop stolen".to_owned(), by: "alice".to_owned() };
    Surroundings {
        revoked: kids.iter().map(|kid| ((*kid).clone(), revocation.clone())).collect(),
        reached: ring.keys.iter().map(|key| (key.revision, Reached::Everywhere { since: at(1) })).collect(),
        ..Surroundings::default()
    }
}

fn after(ring: &Ring, around: &Surroundings, now: i64) -> (Vec<Action>, Ring) {
    let actions = decide(&Wish::Serve(purpose()), Some(ring), around, at(now)).actions;
    let changed = perform(ring.clone(), &actions, at(now));
    (actions, changed)
}

fn kid(ring: &Ring, phase: KeyPhase) -> Kid {
    ring.in_phase(phase).next().unwrap().kid.clone()
}

#[test]
fn a_revoked_key_leaves_everything_in_the_write_in_which_the_standby_takes_over() {
    let ring = ring();
    let (active, standby) = (kid(&ring, KeyPhase::Active), kid(&ring, KeyPhase::Published));
    let (_, changed) = after(&ring, &revoking(&ring, &[&active]), 50_000);
    holds(&changed);
    assert_eq!(changed.active().unwrap().kid, standby);
    assert_eq!(changed.active().unwrap().unknown_until, None, "every verifier knew it");
    let key = changed.key(&active).unwrap();
    assert_eq!((key.phase, key.private_key.as_ref()), (KeyPhase::Revoked, None));
    let revoked = key.revocation.as_ref().unwrap();
    assert_eq!((revoked.by.as_str(), revoked.reason.as_str()), ("alice", "laptop stolen"));
    assert_eq!(revoked.trusted_until, at(50_000 + 1_810).wall);
    assert!(changed.revoked.contains(&active));
    assert!(changed.document(&owner()).to_bytes().windows(7).any(|part| part == b"revoked"));
}

#[test]
fn it_stays_revoked_when_the_line_leaves_and_when_the_key_itself_is_gone() {
    let ring = ring();
    let active = kid(&ring, KeyPhase::Active);
    let (_, revoked) = after(&ring, &revoking(&ring, &[&active]), 50_000);
    let (actions, later) = after(&revoked, &revoking(&revoked, &[]), 50_001);
    assert_eq!(actions, []);
    assert_eq!(later.key(&active).unwrap().phase, KeyPhase::Revoked);
    let gone = perform(revoked, &[Action::Drop { kid: active.clone() }], at(900_000));
    assert!(gone.key(&active).is_none());
    assert!(gone.revoked.contains(&active));
}

#[test]
fn where_the_standby_is_revoked_too_a_new_key_signs_and_says_that_it_may_be_unknown() {
    let ring = ring();
    let (active, standby) = (kid(&ring, KeyPhase::Active), kid(&ring, KeyPhase::Published));
    let (_, changed) = after(&ring, &revoking(&ring, &[&active, &standby]), 50_000);
    holds(&changed);
    let signs = changed.active().unwrap();
    assert!(signs.kid != active && signs.kid != standby);
    assert_eq!(signs.unknown_until, Some(at(50_000 + 1_810).wall));
    let quiet = revoking(&changed, &[]);
    let blocked = decide(&Wish::Serve(purpose()), Some(&changed), &quiet, at(50_001)).blocked.unwrap();
    assert_eq!(blocked.0, Reason::StandbyTooYoung);
    assert_eq!(decide(&Wish::Serve(purpose()), Some(&changed), &quiet, at(60_000)).blocked, None, "it is over");
}

#[test]
fn a_standby_that_is_too_young_signs_all_the_same_and_says_until_when_it_may_be_unknown() {
    let ring = ring();
    let active = kid(&ring, KeyPhase::Active);
    let (_, changed) = after(&ring, &revoking(&ring, &[&active]), 11);
    assert_eq!(changed.active().unwrap().unknown_until, Some(at(1 + 1_810).wall));
}

#[test]
fn a_revoked_standby_is_replaced_and_the_key_that_signs_goes_on() {
    let ring = ring();
    let (active, standby) = (kid(&ring, KeyPhase::Active), kid(&ring, KeyPhase::Published));
    let (_, changed) = after(&ring, &revoking(&ring, &[&standby]), 50_000);
    holds(&changed);
    assert_eq!(changed.active().unwrap().kid, active);
    assert_ne!(changed.standby().unwrap().kid, standby);
}

#[test]
fn clocks_that_disagree_hold_up_no_revocation() {
    let ring = ring();
    let active = kid(&ring, KeyPhase::Active);
    let around = Surroundings { skewed: vec!["pod-b".to_owned()], ..revoking(&ring, &[&active]) };
    let (_, changed) = after(&ring, &around, 50_000);
    assert_eq!(changed.key(&active).unwrap().phase, KeyPhase::Revoked);
    holds(&changed);
}

#[test]
fn a_ring_that_was_set_back_is_changed_only_to_revoke_and_keeps_its_revision() {
    let ring = ring();
    let active = kid(&ring, KeyPhase::Active);
    let around = Surroundings { rolled_back: Some(7), ..revoking(&ring, &[&active]) };
    let decision = decide(&Wish::Serve(purpose()), Some(&ring), &around, at(50_000));
    assert_eq!(decision.blocked.unwrap().0, Reason::RingRolledBack);
    let changed = perform(ring.clone(), &decision.actions, at(50_000));
    assert_eq!(changed.revision, ring.revision, "pods that serve a later one must not take it");
    assert_eq!(changed.key(&active).unwrap().phase, KeyPhase::Revoked);
    let unknown_until = Some(at(50_000 + 1_810).wall);
    let early = Action::Promote { cause: Cause::Emergency, unknown_until };
    assert!(decision.actions.contains(&early), "pods have shown it some time, and it may be forgotten since");
    assert_eq!(changed.active().unwrap().unknown_until, unknown_until);
    assert_eq!(changed.standby().unwrap().published_at, at(50_000).wall);
    holds(&changed);
}

#[test]
fn a_ring_that_leaves_revokes_too() {
    let ring = leaving();
    let active = kid(&ring, KeyPhase::Active);
    let actions = decide(&Wish::Leave, Some(&ring), &revoking(&ring, &[&active]), at(50_000)).actions;
    let changed = perform(ring, &actions, at(50_000));
    assert_eq!(changed.key(&active).unwrap().phase, KeyPhase::Revoked);
    holds(&changed);
}

#[test]
fn a_ring_that_returns_signs_with_what_is_left_of_it() {
    let promote = Action::Promote { cause: Cause::Interval, unknown_until: None };
    let rotated = perform(leaving(), &[promote, Action::AddStandby], at(40));
    let (old, active) = (kid(&rotated, KeyPhase::Retiring), kid(&rotated, KeyPhase::Active));
    // One that still signs, and one of which both keys have stopped.
    for stopped in [[].as_slice(), &[Action::HandOver, Action::Retire], &[Action::Retire, Action::Withdraw]] {
        let ring = perform(rotated.clone(), stopped, at(50));
        let (_, changed) = after(&ring, &revoking(&ring, &[&active]), 50_000);
        holds(&changed);
        assert_eq!(changed.active().unwrap().kid, old, "every verifier knew it");
        let (_, changed) = after(&ring, &revoking(&ring, &[&old, &active]), 50_000);
        holds(&changed);
    }
}
