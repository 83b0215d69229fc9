//! The take-over of a standby, and what follows it.

use super::*;

/// Every pod has served everything since `since`.
fn heard(ring: &Ring, since: i64) -> Surroundings {
    let revisions = ring.keys.iter().flat_map(|key| [key.revision, key.retiring_revision]);
    let reached = revisions.map(|revision| (revision, Reached::Everywhere { since: at(since) })).collect();
    Surroundings { reached, ..Surroundings::default() }
}

fn behind(ring: &Ring) -> Surroundings {
    let pods = vec![("pod-b".to_owned(), at(3))];
    let reached = ring.keys.iter().map(|key| (key.revision, Reached::Behind { pods: pods.clone() })).collect();
    Surroundings { reached, ..Surroundings::default() }
}

fn decided(purpose: &Purpose, ring: &Ring, around: &Surroundings, now: i64) -> Decision {
    decide(&Wish::Serve(purpose.clone()), Some(ring), around, at(now))
}

fn take_over(cause: Cause) -> [Action; 2] {
    [Action::Promote { cause, unknown_until: None }, Action::AddStandby]
}

fn phases(ring: &Ring) -> Vec<KeyPhase> {
    ring.keys.iter().map(|key| key.phase).collect()
}

/// A ring whose key was replaced at `when`.
fn rotated(when: i64) -> Ring {
    perform(ring(), &take_over(Cause::Interval), at(when))
}

#[test]
fn a_key_signs_for_the_interval_less_a_tenth_by_chance() {
    let ring = ring();
    let around = heard(&ring, 1);
    assert_eq!(decided(&purpose(), &ring, &around, 90_000).actions, []);
    assert_eq!(decided(&purpose(), &ring, &around, 100_000).actions, take_over(Cause::Interval));
    let Some(again) = decided(&purpose(), &ring, &around, 1000).again else { panic!("nothing is planned") };
    assert!((90_000..=99_000).contains(&again.as_secs()), "{again:?}");
}

#[test]
fn after_a_take_over_there_is_one_that_signs_and_one_that_stands_by() {
    let ring = rotated(100_000);
    holds(&ring);
    assert_eq!(phases(&ring), [KeyPhase::Published, KeyPhase::Active, KeyPhase::Retiring]);
    let retiring = &ring.keys[2];
    assert_eq!((retiring.retiring_at, retiring.retiring_revision), (Some(at(100_000).wall), 2));
    assert_eq!(ring.keys[0].revision, 2);
    assert!(ring.document(&owner()).to_bytes().windows(10).any(|part| part == b"privateKey"));
}

#[test]
fn a_pod_that_has_not_acknowledged_the_standby_blocks_and_is_named() {
    let ring = ring();
    let Decision { actions, blocked, .. } = decided(&purpose(), &ring, &behind(&ring), 100_000);
    assert_eq!(actions, []);
    let (reason, message) = blocked.unwrap();
    assert_eq!(reason, Reason::WaitingForProviders);
    assert!(message.contains("pod-b (since 2027-01-15T08:00:03Z)"), "{message}");
    assert_eq!(decided(&purpose(), &ring, &behind(&ring), 50_000).blocked, None, "there is time");
    let mut nobody = behind(&ring);
    nobody.reached.values_mut().for_each(|reached| *reached = Reached::NoProviders { since: None });
    assert_eq!(decided(&purpose(), &ring, &nobody, 100_000).blocked.unwrap().0, Reason::WaitingForProviders);
}

#[test]
fn every_cache_must_know_the_standby_by_both_clocks() {
    let ring = ring();
    let late = heard(&ring, 100_000);
    let wait = 2 * 900 + 10;
    assert_eq!(decided(&purpose(), &ring, &late, 100_000 + wait - 1).actions, []);
    assert_eq!(decided(&purpose(), &ring, &late, 100_000 + wait).actions, take_over(Cause::Interval));
    let wall_set_ahead = Moment { monotonic: at(100_001).monotonic, ..at(500_000) };
    let wall_set_back = Moment { wall: at(100_001).wall, ..at(500_000) };
    for now in [wall_set_ahead, wall_set_back] {
        assert_eq!(decide(&Wish::Serve(purpose()), Some(&ring), &late, now).actions, []);
    }
}

#[test]
fn the_greatest_max_age_that_was_advertised_without_the_standby_counts() {
    let ring = Ring { max_cache_lifetime: 3_600, ..ring() };
    let actions = [Action::Discard { kid: standby(&ring) }, Action::AddStandby];
    let ring = perform(ring, &actions, at(150_000));
    let around = heard(&ring, 195_000);
    assert_eq!(decided(&purpose(), &ring, &around, 195_000 + 7_209).actions, []);
    assert_eq!(decided(&purpose(), &ring, &around, 195_000 + 7_210).actions, take_over(Cause::Interval));
}

fn standby(ring: &Ring) -> Kid {
    ring.standby().unwrap().kid.clone()
}

#[test]
fn a_rotation_that_is_asked_for_comes_once_and_no_earlier_than_publish_ahead() {
    let asked = Purpose { rotate_at: Some(at(20).wall), ..purpose() };
    let ring = ring();
    let around = heard(&ring, 1);
    assert_eq!(decided(&asked, &ring, &around, 9_999).actions, []);
    let cause = Cause::Asked(at(20).wall);
    assert_eq!(decided(&asked, &ring, &around, 10_000).actions, take_over(cause));
    let after = ring.changed(&take_over(cause), Some(&asked), keys(1), at(10_000).wall);
    assert_eq!(after.rotated_at, Some(at(20).wall));
    let around = heard(&after, 10_001);
    assert_eq!(
        decided(&asked, &after, &around, 90_000).actions,
        [Action::Unpublish { kid: after.keys[2].kid.clone() }]
    );
    let again = Purpose { rotate_at: Some(at(30).wall), ..purpose() };
    let taken = decided(&again, &after, &around, 20_000).actions;
    assert_eq!(taken[..2], take_over(Cause::Asked(at(30).wall)), "another value is another rotation");
}

#[test]
fn a_new_ring_is_not_rotated_for_a_time_that_is_over() {
    let asked = Purpose { rotate_at: Some(at(-20).wall), ..purpose() };
    let ring = Ring::empty(&asked, at(0).wall).changed(&[CREATE], Some(&asked), keys(2), at(0).wall);
    assert_eq!(decided(&asked, &ring, &heard(&ring, 1), 50_000).actions, []);
}

#[test]
fn another_algorithm_is_a_rotation_with_a_standby_of_its_own() {
    let other = Purpose { algorithm: Algorithm::EdDsa, ..purpose() };
    let ring = ring();
    let actions = decided(&other, &ring, &heard(&ring, 1), 10).actions;
    assert_eq!(actions, [Action::Adjust, Action::Discard { kid: standby(&ring) }, Action::AddStandby]);
    let ring = ring.changed(&actions, Some(&other), made(Algorithm::EdDsa), at(10).wall);
    holds(&ring);
    let around = heard(&ring, 11);
    assert_eq!(decided(&other, &ring, &around, 10_009).actions, []);
    assert_eq!(decided(&other, &ring, &around, 10_010).actions, take_over(Cause::Algorithm));
    assert_eq!(decided(&purpose(), &ring, &around, 20).actions.len(), 3, "and back, before it happened");
}

fn made(algorithm: Algorithm) -> NewKeys {
    let public_key = PrivateKey::generate(algorithm).unwrap().public_jwk();
    let private_key = claviger_crds::published::SecretText::new("private");
    NewKeys { made: vec![NewKey { kid: public_key.kid().clone(), public_key, private_key }], imported: None }
}

#[test]
fn a_key_stays_in_the_jwk_set_while_a_token_lives_that_any_pod_signed_with_it() {
    let ring = rotated(1_000);
    let kid = ring.keys[2].kid.clone();
    let around = heard(&ring, 1_500);
    assert_eq!(decided(&purpose(), &ring, &around, 1_500 + 3_659).actions, []);
    assert_eq!(decided(&purpose(), &ring, &behind(&ring), 90_000).actions, [], "a pod may still sign with it");
    let actions = decided(&purpose(), &ring, &around, 1_500 + 3_660).actions;
    assert_eq!(actions, [Action::Unpublish { kid: kid.clone() }]);
    let ring = perform(ring, &actions, at(5_160));
    let key = ring.key(&kid).unwrap();
    assert_eq!((key.phase, key.private_key.as_ref()), (KeyPhase::VerifyOnly, None));
    let gone = 5_160 + 43_200 + 7 * 86_400;
    let last = |now| decided(&purpose(), &ring, &heard(&ring, 1_500), now).actions.pop();
    assert!(!matches!(last(gone - 1), Some(Action::Drop { .. })));
    assert_eq!(last(gone), Some(Action::Drop { kid }));
}

#[test]
fn keys_that_still_have_tokens_are_bounded_and_the_bound_says_what_to_do() {
    let mut ring = ring();
    for when in 0..32 {
        ring = perform(ring, &take_over(Cause::Interval), at(when));
    }
    let around = heard(&ring, 2_000);
    let Decision { blocked, .. } = decided(&purpose(), &ring, &around, 200_000 - 195_500);
    assert_eq!(blocked, None);
    let asked = Purpose { rotate_at: Some(at(1).wall), token_lifetime: 3_600_000, ..purpose() };
    let ring = perform(Ring { max_token_lifetime: 3_600_000, ..ring }, &[], at(40));
    let (reason, message) = decided(&asked, &ring, &around, 100_000).blocked.unwrap();
    assert_eq!(reason, Reason::LifetimesDoNotFit);
    assert!(message.contains("spec.rotation.interval"), "{message}");
}

#[test]
fn a_ring_beside_others_signs_once_verifiers_know_it() {
    let around = Surroundings { another_signs: true, max_cache_lifetime: 3_600, ..Surroundings::default() };
    let create = decide(&Wish::Serve(purpose()), None, &around, at(0)).actions;
    assert_eq!(create, [Action::Create { joining: true, max_age: 3_600, import: false }]);
    let ring = perform(Ring::empty(&purpose(), at(0).wall), &create, at(0));
    assert!(ring.joining);
    let around = Surroundings { another_signs: true, ..heard(&ring, 100) };
    assert_eq!(decided(&purpose(), &ring, &around, 100 + 7_209).actions, []);
    assert_eq!(decided(&purpose(), &ring, &around, 100 + 7_210).actions, [Action::Join]);
    let pods = vec![("pod-b".to_owned(), at(0))];
    let reached = ring.keys.iter().map(|key| (key.revision, Reached::Behind { pods: pods.clone() })).collect();
    let behind = Surroundings { reached, patience: Duration::from_secs(5), ..around.clone() };
    assert_eq!(decided(&purpose(), &ring, &behind, 4).blocked, None, "it was published a moment ago");
    assert_eq!(decided(&purpose(), &ring, &behind.clone().at_pace(1_000), 4_999).blocked, None, "in fast motion, too");
    let (reason, message) = decided(&purpose(), &ring, &behind, 5).blocked.unwrap();
    assert_eq!(reason, Reason::WaitingForProviders);
    let since = format!("pod-b (since {})", at(0).wall);
    assert!(message.contains(ring.active().unwrap().kid.as_str()) && message.contains(&since), "{message}");
    let alone = Surroundings { another_signs: false, ..around };
    assert_eq!(decided(&purpose(), &ring, &alone, 101).actions, [Action::Join], "nobody else can sign");
    assert!(!perform(ring, &[Action::Join], at(8_000)).joining);
}

#[test]
fn lifetimes_that_will_not_fit_are_told_at_once() {
    let interval =
        |interval| Purpose { rotation: Rotation { interval, publish_ahead: 30, cache_lifetime: 10 }, ..purpose() };
    // 3660 s are 32 times 114.4 s, and a tenth of what is beyond 30 s may be left out by chance.
    for (seconds, fits) in [(31, false), (60, false), (123, false), (124, true), (3_600, true)] {
        let reason = check_lifetimes(&interval(seconds)).map_err(|(reason, _)| reason);
        assert_eq!(reason, if fits { Ok(()) } else { Err(Reason::LifetimesDoNotFit) }, "{seconds}");
    }
    let (_, message) = check_lifetimes(&interval(60)).unwrap_err();
    assert!(message.contains("which live 3600 s"), "{message}");
}

#[test]
fn where_the_wall_clock_is_fast_the_monotonic_one_holds_nothing_up() {
    let ring = ring();
    // Every second that passes, the wall clock shows a thousand.
    let real = |seconds: i64| Moment { wall: at(seconds * 1_000).wall, ..at(seconds) };
    let around = Surroundings {
        reached: ring.keys.iter().map(|key| (key.revision, Reached::Everywhere { since: real(0) })).collect(),
        ..Surroundings::default()
    };
    // The cache's two quarters of an hour are over by the wall clock alone.
    let asked = Purpose { rotate_at: Some(at(1).wall), ..purpose() };
    let promoted =
        |around: &Surroundings, now| super::decide(&Wish::Serve(asked.clone()), Some(&ring), around, now).actions;
    assert_eq!(promoted(&around, real(11)), []);
    let fast = around.clone().at_pace(1_000);
    assert_eq!(promoted(&fast, real(11).at_pace(1_000)).len(), 2);
    assert_eq!(promoted(&fast, real(9).at_pace(1_000)), [], "publishAhead is not over");
}
