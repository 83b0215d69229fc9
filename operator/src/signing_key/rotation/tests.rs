//! The decision, case by case.

mod emergency;
mod imports;
mod model;
mod promotion;

use claviger_crds::published::KeyPhase;
use claviger_crds::signing_key::Rotation;
use claviger_jose::{Algorithm, PrivateKey};

use super::*;
use crate::signing_key::change::{NewKey, NewKeys};

fn owner() -> claviger_crds::names::ObjectName {
    claviger_crds::names::ObjectName::new("identity", "acme")
}

fn at(seconds: i64) -> Moment {
    Moment {
        wall: Timestamp::from_second(1_800_000_000 + seconds).unwrap(),
        monotonic: Duration::from_secs(u64::try_from(1_000 + seconds).unwrap()),
    }
}

fn purpose() -> Purpose {
    Purpose {
        tenant: "acme".to_owned(),
        tenant_name: "acme".to_owned(),
        algorithm: Algorithm::Es256,
        rotation: Rotation { interval: 100_000, publish_ahead: 10_000, cache_lifetime: 900 },
        rotate_at: None,
        gives_up: None,
        imported: None,
        token_lifetime: 3600,
        session_lifetime: 43_200,
    }
}

fn keys(count: usize) -> NewKeys {
    let made = (0..count)
        .map(|_| {
            let public_key = PrivateKey::generate(Algorithm::Es256).unwrap().public_jwk();
            let private_key = claviger_crds::published::SecretText::new("private");
            NewKey { kid: public_key.kid().clone(), public_key, private_key }
        })
        .collect();
    NewKeys { made, imported: None }
}

const CREATE: Action = Action::Create { joining: false, max_age: 0, import: false };

fn perform(ring: Ring, actions: &[Action], now: Moment) -> Ring {
    let count = actions.iter().map(Action::keys).sum();
    ring.changed(actions, Some(&purpose()), keys(count), now.wall)
}

fn ring() -> Ring {
    perform(Ring::empty(&purpose(), at(0).wall), &[CREATE], at(0))
}

fn leaving() -> Ring {
    Ring { leaving_since: Some(at(0).wall), ..ring() }
}

fn serve(ring: &Ring, around: &Surroundings) -> Vec<Action> {
    decide(&Wish::Serve(purpose()), Some(ring), around, at(0)).actions
}

/// What every revision of a ring that serves must hold.
fn holds(ring: &Ring) {
    assert_eq!(ring.keys.iter().filter(|key| key.phase == KeyPhase::Active).count(), 1);
    assert_eq!(ring.keys.iter().filter(|key| key.phase == KeyPhase::Published).count(), 1);
}

#[test]
fn a_ring_begins_with_a_key_that_signs_and_one_that_stands_by() {
    let decision = decide(&Wish::Serve(purpose()), None, &Surroundings::default(), at(0));
    assert_eq!(decision.actions, [CREATE]);
    holds(&ring());
    assert_eq!(ring().revision, 1);
    assert_eq!(serve(&ring(), &Surroundings::default()), []);
}

#[test]
fn a_missing_standby_is_made() {
    let mut ring = ring();
    ring.keys.retain(|key| key.phase == KeyPhase::Active);
    let actions = serve(&ring, &Surroundings::default());
    assert_eq!(actions, [Action::AddStandby]);
    holds(&perform(ring, &actions, at(1)));
}

#[test]
fn a_ring_without_any_usable_key_gets_them_in_one_revision() {
    let mut empty = ring();
    empty.keys.clear();
    let actions = serve(&empty, &Surroundings::default());
    holds(&perform(empty, &actions, at(1)));
    let mut standby = ring();
    standby.keys.retain(|key| key.phase == KeyPhase::Published);
    let actions = serve(&standby, &Surroundings::default());
    holds(&perform(standby, &actions, at(1)));
}

#[test]
fn the_greatest_lifetimes_grow_with_the_tenants_and_never_shrink() {
    let short = Ring { max_token_lifetime: 600, ..ring() };
    let actions = serve(&short, &Surroundings::default());
    assert_eq!(actions, [Action::Adjust]);
    assert_eq!(perform(short, &actions, at(1)).max_token_lifetime, 3600);
    let long = Ring { max_token_lifetime: 86_400, max_cache_lifetime: 3600, ..ring() };
    assert_eq!(serve(&long, &Surroundings::default()), []);
}

#[test]
fn a_ring_that_was_rolled_back_is_not_touched() {
    let around = Surroundings { rolled_back: Some(7), ..Surroundings::default() };
    for (wish, ring) in [(Wish::Serve(purpose()), None), (Wish::Leave, Some(leaving())), (Wish::Withdraw, Some(ring()))]
    {
        let decision = decide(&wish, ring.as_ref(), &around, at(100_000));
        assert_eq!(decision.actions, []);
        assert_eq!(decision.blocked.unwrap().0, Reason::RingRolledBack);
    }
}

#[test]
fn a_leaving_ring_signs_until_verifiers_know_another() {
    let alone = Surroundings::default();
    assert_eq!(decide(&Wish::Leave, Some(&leaving()), &alone, at(1_000_000)), Decision::default());
    // Every pod has served the other since second 100; the greatest max-age anywhere is 1800.
    let around = Surroundings { successor_since: Some(at(100)), max_cache_lifetime: 1800, ..Surroundings::default() };
    let decide = |now| decide(&Wish::Leave, Some(&leaving()), &around, now);
    assert_eq!(decide(at(100 + 3609)).again, Some(Duration::from_secs(1)));
    assert_eq!(decide(at(100 + 3610)).actions, [Action::HandOver]);
    let wall_set_ahead = Moment { monotonic: at(200).monotonic, ..at(100_000) };
    assert_eq!(decide(wall_set_ahead).actions, [], "the monotonic clock says no");
    let wall_set_back = Moment { wall: at(200).wall, ..at(100_000) };
    assert_eq!(decide(wall_set_back).actions, [], "the wall clock says no");
}

#[test]
fn a_ring_that_handed_over_keeps_its_keys_while_their_tokens_live() {
    let handed = Ring { handed_over_at: Some(at(0).wall), ..leaving() };
    let successor = Surroundings { successor_since: Some(at(0)), ..Surroundings::default() };
    assert_eq!(decide(&Wish::Leave, Some(&handed), &successor, at(9_000)).actions, [], "a pod may still sign with it");
    let served = Surroundings { acknowledged_since: Some(at(10)), ..successor };
    assert_eq!(decide(&Wish::Leave, Some(&handed), &served, at(11)).actions, [Action::Retire]);
    let retired = perform(handed, &[Action::Retire], at(20));
    assert!(retired.active().is_none());
    let everywhere = |since| Reached::Everywhere { since: at(since) };
    let decide = |reached, now| {
        let around = Surroundings { reached: [(retired.revision, reached)].into(), ..served.clone() };
        decide(&Wish::Leave, Some(&retired), &around, now)
    };
    assert_eq!(decide(everywhere(30), at(30 + 3659)).again, Some(Duration::from_secs(1)));
    assert_eq!(decide(everywhere(30), at(30 + 3660)).actions, [Action::Withdraw]);
    let wall_set_ahead = Moment { monotonic: at(200).monotonic, ..at(100_000) };
    assert_eq!(decide(everywhere(30), wall_set_ahead).actions, [], "by the monotonic clock, not yet");
    let behind = Reached::Behind { pods: vec![("pod-b".to_owned(), at(20))] };
    assert_eq!(decide(behind, at(9_000)).actions, [], "that pod may sign with it still");
    let nobody = |since| Reached::NoProviders { since };
    assert_eq!(decide(nobody(None), at(9_000)).actions, [], "those that are found may sign with it, unheard");
    assert_eq!(decide(nobody(Some(at(30))), at(30 + 3660)).actions, [Action::Withdraw]);
    assert_eq!(decide(nobody(Some(at(30))), wall_set_ahead).actions, [], "by the monotonic clock, not yet");
    let around = Surroundings { reached: [(retired.revision, nobody(Some(at(30))))].into(), ..served.clone() };
    let fast = Moment { monotonic: at(30 + 366).monotonic, ..at(100_000) };
    let decide =
        |now: Moment| super::decide(&Wish::Leave, Some(&retired), &around.clone().at_pace(10), now.at_pace(10));
    assert_eq!(decide(fast).actions, [Action::Withdraw], "in fast motion");
    assert_eq!(decide(Moment { monotonic: at(30 + 365).monotonic, ..fast }).actions, []);
}

#[test]
fn clocks_that_disagree_stop_what_waits_for_time() {
    let around =
        Surroundings { successor_since: Some(at(0)), skewed: vec!["pod-b".to_owned()], ..Surroundings::default() };
    assert_eq!(decide(&Wish::Leave, Some(&leaving()), &around, at(100_000)).actions, []);
    let decision = decide(&Wish::Serve(purpose()), Some(&ring()), &around, at(0));
    let (reason, message) = decision.blocked.unwrap();
    assert_eq!(reason, Reason::ClockSkew);
    assert!(message.contains("pod-b"));
}

#[test]
fn a_ring_that_returns_signs_with_the_key_that_signed_last() {
    let before = ring();
    let gone = perform(leaving_from(&before), &[Action::HandOver, Action::Retire, Action::Withdraw], at(50));
    let around = Surroundings { another_signs: true, ..Surroundings::default() };
    let actions = serve(&gone, &around);
    assert_eq!(actions, [Action::Return { youngest: true, max_age: 0 }]);
    let back = perform(gone, &actions, at(60));
    holds(&back);
    assert_eq!(back.active().map(|key| &key.kid), before.active().map(|key| &key.kid));
    assert_eq!(back.created_at, at(60).wall, "beside rings that sign it counts as the youngest");
    assert_eq!((back.leaving_since, back.handed_over_at, back.withdrawn_at), (None, None, None));
}

#[test]
fn a_ring_that_returns_when_all_its_tokens_have_expired_has_a_key_that_signs() {
    let gone = perform(leaving(), &[Action::HandOver, Action::Retire, Action::Withdraw], at(50));
    let reached = [(gone.revision, Reached::Everywhere { since: at(60) })].into();
    let around = Surroundings { another_signs: true, reached, ..Surroundings::default() };
    let decide = |ring: &Ring| decide(&Wish::Serve(purpose()), Some(ring), &around, at(50_000));
    let actions = decide(&gone).actions;
    assert_eq!(actions, [Action::Return { youngest: true, max_age: 0 }]);
    let back = perform(gone, &actions, at(50_000));
    holds(&back);
    assert_eq!(decide(&back).actions, []);
}

fn leaving_from(ring: &Ring) -> Ring {
    Ring { leaving_since: Some(at(0).wall), ..ring.clone() }
}

#[test]
fn a_ring_survives_its_secret_and_an_unknown_format_is_not_read() {
    use crate::signing_key::ring::{RingError, StoredRing};
    let owner = claviger_crds::names::ObjectName::new("identity", "acme");
    let ring = leaving();
    let secret = ring.to_secret("claviger-system", &owner, None);
    assert_eq!(StoredRing::from_secret(secret.clone()).unwrap().ring, ring);
    let mut newer = secret;
    let data = newer.data.as_mut().unwrap().get_mut("ring.json").unwrap();
    let text = String::from_utf8(data.0.clone()).unwrap().replacen("\"version\":1", "\"version\":2", 1);
    data.0 = text.into_bytes();
    assert_eq!(StoredRing::from_secret(newer).unwrap_err(), RingError::Newer(2));
    assert!(!format!("{ring:?}").contains("\"private\""), "Debug shows no private half");
}
