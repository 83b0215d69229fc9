//! Rotation step by step, and what must hold of every step.

use super::*;

const HOUR: i64 = 3600;

fn wall(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn at(second: i64) -> Moment {
    Moment { wall: wall(second), monotonic: Duration::from_secs(second.unsigned_abs()) }
}

fn rules() -> Rules {
    let interval = Some(Duration::from_secs(10 * 3600));
    Rules { generated: true, interval, overlap: Duration::from_secs(3600), rotate_at: None }
}

fn by_annotation(second: i64) -> Rules {
    Rules { interval: None, rotate_at: Some(wall(second)), ..rules() }
}

fn current(hash: &str, created: i64) -> SecretHash {
    SecretHash::current(hash.to_owned(), wall(created))
}

fn pending(hash: &str, created: i64) -> SecretHash {
    SecretHash { pending: true, ..current(hash, created) }
}

fn old(hash: &str, created: i64, expires: i64) -> SecretHash {
    SecretHash { expires_at: Some(wall(expires)), ..current(hash, created) }
}

fn situation(hashes: &[SecretHash], held: &str) -> Situation {
    Situation {
        hashes: hashes.to_vec(),
        held: Some(held.to_owned()),
        held_revoked: false,
        made: None,
        standing: None,
        skewed: Vec::new(),
        switched: None,
    }
}

fn rotating(standing: Option<Standing>) -> Situation {
    let published = [pending("b", 10 * HOUR), current("a", 0)];
    Situation { made: Some("b".to_owned()), standing, ..situation(&published, "a") }
}

fn served() -> Option<Standing> {
    Some(Standing::Acknowledged { since: at(10 * HOUR) })
}

fn behind() -> Option<Standing> {
    Some(Standing::Waiting { pods: vec!["pod-b".to_owned()] })
}

fn wanted(current: &str, next: Option<&str>) -> Wanted {
    Wanted { current: Some(current.to_owned()), next: next.map(str::to_owned), salt: None }
}

#[test]
fn a_secret_that_is_old_enough_is_followed_by_another() {
    let young = decide(&rules(), &situation(&[current("a", 0)], "a"), at(4 * HOUR));
    assert_eq!((young.step, young.next), (Step::Keep, scheduled(&rules(), "a", wall(0))));
    assert_eq!(young.again, young.next.map(|next| until(next, None, at(4 * HOUR))));
    let due = decide(&rules(), &situation(&[current("a", 0)], "a"), at(10 * HOUR));
    assert_eq!((due.step, due.waits), (Step::Begin, None));
    let never = Rules { interval: None, ..rules() };
    assert_eq!(decide(&never, &situation(&[current("a", 0)], "a"), at(9_999 * HOUR)).step, Step::Keep);
    let theirs = Rules { generated: false, ..rules() };
    assert_eq!(decide(&theirs, &situation(&[current("a", 0)], "a"), at(10 * HOUR)).step, Step::Keep);
}

#[test]
fn secrets_that_were_made_together_do_not_rotate_together() {
    let hashes = (0..1_000).map(|number| format!("sha256:{number}"));
    let ends: Vec<_> = hashes.map(|hash| scheduled(&rules(), &hash, wall(0)).unwrap()).collect();
    let (first, last) = (ends.iter().min().unwrap(), ends.iter().max().unwrap());
    assert!(*first >= wall(9 * HOUR) && *last <= wall(10 * HOUR), "a tenth at most: {first} {last}");
    let most = (0..10 * HOUR).map(|second| ends.iter().filter(|end| end.as_second() == second).count()).max();
    assert!(most <= Some(10), "{most:?} of a thousand in the same second");
    let tight = Rules { overlap: Duration::from_secs(10 * 3600 - 10), ..rules() };
    assert!(scheduled(&tight, "a", wall(0)).unwrap() >= wall(10 * HOUR - 1), "the one before has its overlap first");
}

#[test]
fn the_annotation_acts_once_and_not_before_its_time() {
    let made_at = |created: i64| situation(&[current("a", created)], "a");
    let early = decide(&by_annotation(5 * HOUR), &made_at(0), at(4 * HOUR));
    assert_eq!((early.step, early.again), (Step::Keep, Some(Duration::from_secs(3600))));
    assert_eq!(decide(&by_annotation(5 * HOUR), &made_at(0), at(5 * HOUR)).step, Step::Begin);
    // Whatever is applied from Git, and however often: the secret is no older than that.
    for created in [5 * HOUR, 6 * HOUR] {
        let done = decide(&by_annotation(5 * HOUR), &made_at(created), at(7 * HOUR));
        assert_eq!((done.step, done.next), (Step::Keep, None));
    }
}

#[test]
fn the_secret_changes_only_when_every_pod_accepts_the_new_one() {
    let step = |standing, second| decide(&rules(), &rotating(standing), at(second));
    assert_eq!(step(served(), 10 * HOUR).step, Step::Switch);
    let moment = step(behind(), 10 * HOUR);
    assert_eq!((moment.step, moment.waits, moment.again), (Step::Keep, None, Some(BEHIND)));
    let (reason, message) = step(behind(), 10 * HOUR + 5).waits.unwrap();
    assert_eq!(reason, Reason::WaitingForProviders);
    assert!(message.contains("pod-b"), "{message}");
    let (reason, _) = step(Some(Standing::NoProviders), 10 * HOUR + 5).waits.unwrap();
    assert_eq!(reason, Reason::NoProviders);
    let refused = Standing::Refused { pod: "pod-c".to_owned(), reason: "no sense".to_owned() };
    assert!(step(Some(refused), 10 * HOUR + 5).waits.unwrap().1.contains("pod-c"));
    let unknown = step(None, 11 * HOUR);
    assert_eq!((unknown.step, unknown.waits), (Step::Keep, None), "a new leader has yet to hear of the pods");
    let never = Rules { interval: None, ..rules() };
    assert_eq!(decide(&never, &rotating(served()), at(10 * HOUR)).step, Step::Switch, "what began is finished");
}

#[test]
fn the_one_before_is_accepted_for_the_overlap_from_the_change_on() {
    let begun = hashes(&rules(), &situation(&[current("a", 0)], "a"), &wanted("a", Some("b")), at(10 * HOUR));
    assert_eq!(begun, [pending("b", 10 * HOUR), current("a", 0)]);
    let waits = hashes(&rules(), &rotating(behind()), &wanted("a", None), at(13 * HOUR));
    assert_eq!(waits, begun, "however long it waits");
    let switched = hashes(&rules(), &rotating(served()), &wanted("b", None), at(13 * HOUR));
    assert_eq!(switched, [current("b", 10 * HOUR), old("a", 0, 14 * HOUR)]);
    let later = |second| {
        let situation = Situation { switched: Some(at(13 * HOUR)), ..situation(&switched, "b") };
        let next = decide(&rules(), &situation, at(second)).again;
        (hashes(&rules(), &situation, &wanted("b", None), at(second)), next)
    };
    assert_eq!(later(14 * HOUR - 1), (switched.clone(), Some(Duration::from_secs(1))));
    assert_eq!(later(14 * HOUR).0, [current("b", 10 * HOUR)]);
}

#[test]
fn a_clock_that_is_set_forward_ends_no_overlap_early() {
    let switched = [current("b", 10 * HOUR), old("a", 0, 14 * HOUR)];
    let situation = Situation { switched: Some(at(13 * HOUR)), ..situation(&switched, "b") };
    let set_forward = |passed: i64| Moment { wall: wall(24 * HOUR), monotonic: at(13 * HOUR + passed).monotonic };
    let keeps = |passed| hashes(&rules(), &situation, &wanted("b", None), set_forward(passed)).len();
    assert_eq!((keeps(60), keeps(HOUR - 1), keeps(HOUR)), (2, 2, 1));
    let skewed = Situation { skewed: vec!["pod-b".to_owned()], ..situation.clone() };
    assert_eq!(hashes(&rules(), &skewed, &wanted("b", None), set_forward(HOUR)).len(), 2);
    assert_eq!(decide(&rules(), &skewed, set_forward(HOUR)).again, Some(SKEWED));
}

#[test]
fn clocks_that_are_apart_hold_a_rotation_up() {
    for mut situation in [situation(&[current("a", 0)], "a"), rotating(served())] {
        situation.skewed = vec!["pod-b".to_owned()];
        let decision = decide(&rules(), &situation, at(11 * HOUR));
        let (reason, message) = decision.waits.unwrap();
        assert_eq!((decision.step, reason), (Step::Keep, Reason::ClockSkew));
        assert!(message.contains("pod-b"), "{message}");
    }
}

#[test]
fn what_another_operator_made_is_followed_by_another_and_stays_until_the_secret_is_written() {
    let lost = [pending("lost", 10 * HOUR), current("a", 0)];
    let after_a_crash = situation(&lost, "a");
    let never = Rules { interval: None, ..rules() };
    for rules in [rules(), never] {
        assert_eq!(decide(&rules, &after_a_crash, at(11 * HOUR)).step, Step::Begin);
    }
    // Its maker may only be paused: if that writes it into the Secret now, it is accepted.
    let begun = hashes(&rules(), &after_a_crash, &wanted("a", Some("b")), at(11 * HOUR));
    assert_eq!(begun, [pending("b", 11 * HOUR), lost[0].clone(), current("a", 0)]);
    let made = Situation { made: Some("b".to_owned()), standing: served(), ..situation(&begun, "a") };
    assert_eq!(decide(&rules(), &made, at(11 * HOUR)).step, Step::Switch);
    let switched = hashes(&rules(), &made, &wanted("b", None), at(11 * HOUR));
    assert_eq!(switched, [current("b", 11 * HOUR), old("a", 0, 12 * HOUR)]);
}

#[test]
fn a_secret_that_was_written_before_a_crash_becomes_the_current_one() {
    let crashed = situation(&[pending("b", 10 * HOUR), pending("lost", 9 * HOUR), current("a", 0)], "b");
    for made in [None, Some("b".to_owned())] {
        let crashed = Situation { made, standing: served(), ..crashed.clone() };
        assert_eq!(decide(&rules(), &crashed, at(10 * HOUR)).step, Step::Keep);
        let hashes = hashes(&rules(), &crashed, &wanted("b", None), at(10 * HOUR));
        assert_eq!(hashes, [current("b", 10 * HOUR), old("a", 0, 11 * HOUR)]);
    }
}

#[test]
fn operators_that_crash_again_and_again_leave_a_bounded_document() {
    let mut published = vec![current("a", 0)];
    for crash in 0..10 {
        let next = format!("lost-{crash}");
        published = hashes(&rules(), &situation(&published, "a"), &wanted("a", Some(&next)), at(10 * HOUR));
    }
    assert_eq!(published.len(), MOST_PENDING + 1);
    assert_eq!(published[0].hash, "lost-9");
    assert_eq!(published.last(), Some(&current("a", 0)));
}

#[test]
fn a_rotation_waits_for_room_among_those_before() {
    let mut published = vec![current("a", 0)];
    published.extend((1..=8).map(|at_all| old(&format!("old-{at_all}"), 0, (10 + at_all) * HOUR)));
    let decision = decide(&rules(), &situation(&published, "a"), at(10 * HOUR));
    assert_eq!((decision.step, decision.waits.unwrap().0), (Step::Keep, Reason::WaitingForOverlap));
    assert_eq!(decision.again, Some(Duration::from_secs(3600)));
    let room = situation(&published[..8], "a");
    assert_eq!(decide(&rules(), &room, at(10 * HOUR)).step, Step::Begin);
}

#[test]
fn a_secret_that_was_revoked_waits_for_nobody() {
    let revoked = |hashes: &[SecretHash], made: Option<&str>| Situation {
        held_revoked: true,
        made: made.map(str::to_owned),
        standing: behind(),
        skewed: vec!["pod-b".to_owned()],
        ..situation(hashes, "leaked")
    };
    let never = Rules { interval: None, ..rules() };
    assert_eq!(decide(&never, &revoked(&[], None), at(HOUR)).step, Step::Begin);
    let begun =
        hashes(&never, &revoked(&[], None), &Wanted { next: Some("b".to_owned()), ..Wanted::default() }, at(HOUR));
    assert_eq!(begun, [pending("b", HOUR)], "the leaked one is refused before the Secret changes");
    assert_eq!(decide(&never, &revoked(&begun, Some("b")), at(HOUR)).step, Step::Switch);
    assert_eq!(decide(&never, &revoked(&begun, None), at(HOUR)).step, Step::Begin, "after a crash");
}

#[test]
fn of_a_secret_that_somebody_else_changes_the_one_before_ends_too() {
    let theirs = Rules { generated: false, interval: None, ..rules() };
    let changed = situation(&[current("a", 0)], "b");
    let salted = Wanted { salt: Some("salt".to_owned()), ..wanted("b", None) };
    let after = hashes(&theirs, &changed, &salted, at(HOUR));
    let first = SecretHash { salt: Some("salt".to_owned()), ..current("b", HOUR) };
    assert_eq!(after, [first, old("a", 0, 2 * HOUR)]);
    let back = hashes(&theirs, &situation(&after, "a"), &wanted("a", None), at(HOUR + 60));
    assert_eq!(back[0], current("a", 0), "one that comes back ends no more");
    let gone = Situation { held: None, ..situation(&after, "b") };
    assert_eq!(hashes(&theirs, &gone, &Wanted::default(), at(HOUR)), after, "a Secret that vanished ends none");
}
