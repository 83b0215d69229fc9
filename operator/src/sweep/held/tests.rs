//! A bulk is a bulk at whatever pace it comes.

use claviger_crds::names::ObjectName;

use super::*;
use crate::work::Kind;

const USER: DocumentKind = DocumentKind::User;

fn user(at: usize) -> Work {
    Work::new(Kind::User, ObjectName::new("identity", format!("user-{at}")))
}

fn at(seconds: u64) -> Moment {
    Moment { wall: Timestamp::UNIX_EPOCH, monotonic: Duration::from_secs(seconds) }
}

fn round(held: &mut Held, orphans: std::ops::Range<usize>, all: usize, seconds: u64) -> usize {
    held.withdrawals(USER, &orphans.map(user).collect(), all, at(seconds)).now.len()
}

#[test]
fn one_by_one_within_seconds_is_a_bulk_from_the_sixth_on() {
    let mut held = Held::default();
    assert!((0..5).all(|user| round(&mut held, user..user + 1, 40, 1) == 1));
    // Those that are held stay orphans.
    assert!((6..9).all(|next| round(&mut held, 5..next, 40, 2) == 0));
    assert_eq!(round(&mut held, 5..8, 40, 61), 0);
    assert_eq!(round(&mut held, 5..8, 40, 62), 3);
}

#[test]
fn one_by_one_at_leisure_is_none() {
    let mut held = Held::default();
    assert!((0..20).all(|user| round(&mut held, user..user + 1, 40, 2 * user as u64) == 1));
}

#[test]
fn a_tenth_is_none_however_many_that_are() {
    let mut held = Held::default();
    assert!((0..10).all(|user| round(&mut held, user..user + 1, 100, 1) == 1));
    assert_eq!(round(&mut held, 10..11, 100, 1), 0);
}

#[test]
fn what_is_tried_again_counts_once_and_is_not_held_in_the_end() {
    let mut held = Held::default();
    // Five that the API server does not take, for longer than anything is recent.
    assert!((0..100).all(|seconds| round(&mut held, 0..5, 40, seconds) == 5));
    assert_eq!(round(&mut held, 0..6, 40, 100), 5, "the sixth is one too many, the others go on");
}

#[test]
fn what_was_held_and_released_no_longer_counts() {
    let mut held = Held::default();
    assert_eq!(round(&mut held, 0..7, 40, 0), 0);
    assert_eq!(round(&mut held, 0..7, 40, 60), 7);
    assert_eq!(round(&mut held, 7..12, 33, 61), 5);
}

#[test]
fn what_returned_no_longer_counts() {
    let mut held = Held::default();
    assert_eq!(round(&mut held, 0..5, 40, 0), 5);
    (0..5).for_each(|at| held.returned(&user(at)));
    assert_eq!(round(&mut held, 5..10, 40, 1), 5);
}

#[test]
fn nothing_is_remembered_for_longer_than_it_counts() {
    let mut held = Held::default();
    (0..1_000).for_each(|user| assert_eq!(round(&mut held, user..user + 1, 100_000, 1), 1));
    assert_eq!(held.through[&USER].len(), 1_000);
    round(&mut held, 0..0, 100_000, 12);
    assert!(held.through[&USER].is_empty() && held.bulk[&USER].is_empty());
}
