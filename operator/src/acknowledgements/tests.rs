//! Pods that come, speak, fall silent and go.

use claviger_crds::published::acknowledgement::Refused;

use super::*;
use crate::testing::{self, served};

fn at(seconds: u64) -> Moment {
    Moment {
        wall: jiff::Timestamp::from_second(1_000_000 + i64::try_from(seconds).unwrap()).unwrap(),
        monotonic: Duration::from_secs(seconds),
    }
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn hello(uid: &str, now: Moment) -> Frame {
    Frame::Hello { protocol: 1, pod: format!("pod-{uid}"), uid: uid.to_owned(), process: uid.to_owned(), now: now.wall }
}

fn serving(name: &str, revision: u64, text: &str) -> Frame {
    testing::serving(served(name, revision, digest(text)))
}

/// Of a process that never served another revision.
fn beginning_with(name: &str, revision: u64, text: &str) -> Frame {
    testing::serving(Served { first: revision, ..served(name, revision, digest(text)) })
}

fn waiting(pods: &[&str]) -> Standing {
    Standing::Waiting { pods: pods.iter().map(|pod| (*pod).to_owned()).collect() }
}

fn two_pods() -> Acknowledgements {
    let mut all = Acknowledgements::default();
    for (key, uid) in [("1:1", "a"), ("1:2", "b")] {
        all.found(key, key, at(0));
        all.apply(key, hello(uid, at(0)), at(0));
        all.apply(key, Frame::Synced, at(0));
    }
    all
}

#[test]
fn a_document_is_acknowledged_when_the_last_pod_says_so() {
    let mut all = two_pods();
    assert_eq!(all.apply("1:1", serving("doc", 3, "x"), at(1)), ["doc"]);
    assert_eq!(all.standing("doc", &digest("x"), 3), waiting(&["pod-b"]));
    all.apply("1:2", serving("doc", 3, "x"), at(2));
    assert_eq!(all.standing("doc", &digest("x"), 3), Standing::Acknowledged { since: at(2) });
    all.apply("1:2", serving("doc", 3, "x"), at(5));
    assert_eq!(all.standing("doc", &digest("x"), 3), Standing::Acknowledged { since: at(2) }, "the first time counts");
}

#[test]
fn other_content_or_an_older_revision_is_no_acknowledgement() {
    let mut all = two_pods();
    all.apply("1:1", serving("doc", 3, "x"), at(1));
    all.apply("1:2", serving("doc", 2, "x"), at(1));
    assert_eq!(all.standing("doc", &digest("x"), 3), waiting(&["pod-b"]));
    all.apply("1:2", serving("doc", 4, "y"), at(1));
    assert_eq!(all.standing("doc", &digest("x"), 3), waiting(&["pod-b"]));
    assert_eq!(all.highest("doc"), Some((4, digest("y"))));
}

#[test]
fn silence_ends_an_acknowledgement_and_a_new_stream_begins_from_nothing() {
    let mut all = two_pods();
    all.apply("1:1", serving("doc", 1, "x"), at(1));
    all.apply("1:2", serving("doc", 1, "x"), at(1));
    all.apply("1:1", Frame::Heartbeat { now: at(6).wall }, at(6));
    assert!(!all.expire(at(7)), "six seconds are allowed");
    assert!(all.expire(at(8)));
    assert_eq!(all.standing("doc", &digest("x"), 1), waiting(&["pod-b"]));
    assert_eq!(all.connected(), 1);
    assert_eq!(all.highest_revision("doc"), Some(1), "what it served last is remembered");
    all.apply("1:2", hello("b", at(9)), at(9));
    assert_eq!(all.standing("doc", &digest("x"), 1), waiting(&["pod-b"]), "it has yet to say so again");
}

#[test]
fn a_pod_that_never_spoke_is_waited_for_once_another_has() {
    let mut all = Acknowledgements::default();
    assert_eq!(all.standing("doc", &digest("x"), 1), Standing::NoProviders);
    all.found("1:3", "pod-c", at(0));
    assert_eq!(all.standing("doc", &digest("x"), 1), Standing::NoProviders);
    assert!(!all.all_synced());
    all.apply("1:1", hello("a", at(1)), at(1));
    all.apply("1:1", serving("doc", 1, "x"), at(1));
    assert_eq!(all.standing("doc", &digest("x"), 1), waiting(&["pod-c"]));
    all.gone("1:3", at(2));
    assert!(all.standing("doc", &digest("x"), 1).is_acknowledged());
}

#[test]
fn a_pod_that_goes_may_have_served_something_else_until_then() {
    let mut all = two_pods();
    all.found("1:3", "pod-c", at(0));
    all.apply("1:1", serving("doc", 1, "x"), at(1));
    assert_eq!(all.reached("doc", 1).since(), None);
    all.gone("1:2", at(7));
    assert_eq!(all.reached("doc", 1).since(), None, "pod-c is still there");
    all.gone("1:3", at(8));
    assert_eq!(all.reached("doc", 1).since(), Some(at(8)), "it may be silent to us alone");
    all.apply("1:1", serving("doc", 2, "y"), at(9));
    assert_eq!(all.reached("doc", 2).since(), Some(at(9)));
    all.gone("1:9", at(10));
    assert_eq!(all.reached("doc", 2).since(), Some(at(9)), "nobody knew it");
}

#[test]
fn while_no_pod_is_heard_those_that_are_found_may_serve_anything() {
    let mut all = Acknowledgements::default();
    let nobody = |since| Reached::NoProviders { since };
    assert_eq!(all.reached("doc", 1), nobody(None), "discovery has yet to say who is there");
    all.listed(at(1));
    assert_eq!(all.reached("doc", 1), nobody(Some(at(1))));
    all.found("1:1", "pod-a", at(2));
    assert_eq!(all.reached("doc", 1), nobody(None), "it may be cut off from us alone");
    all.gone("1:1", at(9));
    assert_eq!(all.reached("doc", 1), nobody(Some(at(9))));
}

#[test]
fn a_pod_that_cannot_read_a_document_says_why() {
    let mut all = two_pods();
    all.apply("1:1", serving("doc", 1, "x"), at(1));
    let refused = Refused { name: "doc".to_owned(), reason: "no".to_owned() };
    assert_eq!(all.apply("1:2", Frame::Refused { documents: vec![refused] }, at(1)), ["doc"]);
    let expected = Standing::Refused { pod: "pod-b".to_owned(), reason: "no".to_owned() };
    assert_eq!(all.standing("doc", &digest("x"), 1), expected);
    all.apply("1:2", serving("doc", 1, "x"), at(2));
    assert!(all.standing("doc", &digest("x"), 1).is_acknowledged());
    all.apply("1:2", Frame::Dropped { names: vec!["doc".to_owned()] }, at(3));
    assert_eq!(all.standing("doc", &digest("x"), 1), waiting(&["pod-b"]));
}

#[test]
fn clocks_that_are_far_apart_are_told_by_pod() {
    let mut all = two_pods();
    assert_eq!(all.skewed(), Vec::<String>::new());
    all.apply("1:2", Frame::Heartbeat { now: at(100).wall }, at(60));
    assert_eq!(all.skewed(), ["pod-b"]);
    all.apply("1:2", Frame::Heartbeat { now: at(90).wall }, at(60));
    assert_eq!(all.skewed(), Vec::<String>::new());
}

#[test]
fn what_a_pod_served_that_is_gone_counts_until_it_said_that_it_served_the_next() {
    let mut all = Acknowledgements::default();
    let ring = "signingkey-0123456789abcdef";
    all.apply("1:1", hello("a", at(0)), at(0));
    for (second, revision) in [(1, 1), (5, 2)] {
        all.apply("1:1", serving(ring, revision, "x"), at(second));
    }
    all.found("1:2", "pod-b", at(6));
    all.apply("1:2", hello("b", at(6)), at(6));
    all.apply("1:2", beginning_with(ring, 2, "x"), at(6));
    assert_eq!(all.reached(ring, 2).since(), Some(at(5)), "a pod that began with it never served another");
    all.gone("1:1", at(9));
    assert_eq!(all.reached(ring, 2).since(), Some(at(5)), "what it signed with until then is about");
    assert_eq!(all.reached(ring, 3).since(), None);
}

#[test]
fn a_revision_that_was_reached_stays_reached_when_the_next_comes() {
    let mut all = Acknowledgements::default();
    all.apply("1:1", hello("a", at(0)), at(0));
    for (second, revision) in [(1, 1), (5, 2), (9, 3)] {
        all.apply("1:1", serving("doc", revision, &format!("{revision}")), at(second));
    }
    assert_eq!(all.reached("doc", 2).since(), Some(at(5)));
    all.apply("1:1", serving("doc", 3, "of somebody else"), at(20));
    assert_eq!(all.reached("doc", 2).since(), Some(at(20)), "what it served before says nothing now");
    all.listed(at(30));
    assert_eq!(all.reached("doc", 2).since(), Some(at(30)), "there may have been others until now");
}

#[test]
fn a_pod_that_took_a_document_below_all_others_has_served_it_since_then() {
    let mut all = two_pods();
    all.apply("1:1", serving("doc", 7, "x"), at(3));
    all.apply("1:1", serving("doc", 0, "y"), at(5));
    all.apply("1:2", serving("doc", 0, "y"), at(9));
    assert_eq!(all.reached("doc", 0).since(), Some(at(9)));
}

#[test]
fn where_the_clock_was_set_a_wait_begins_at_the_later_of_both() {
    let mut all = two_pods();
    let set_back = Moment { wall: at(1).wall, ..at(50) };
    all.apply("1:1", serving("doc", 1, "x"), at(40));
    all.apply("1:2", serving("doc", 1, "x"), set_back);
    assert_eq!(all.reached("doc", 1).since(), Some(Moment { wall: at(40).wall, ..at(50) }));
}

#[test]
fn a_pod_that_was_not_heard_for_long_may_have_had_another_process_until_it_speaks() {
    for (speaks, since) in [(8, 3), (60, 60)] {
        let mut all = Acknowledgements::default();
        all.listed(at(0));
        all.found("1:1", "pod-a", at(0));
        all.apply("1:1", hello("a", at(1)), at(1));
        all.apply("1:1", serving("doc", 2, "x"), at(3));
        all.found("1:2", "pod-b", at(0));
        all.apply("1:2", hello("b", at(speaks)), at(speaks));
        all.apply("1:2", beginning_with("doc", 2, "x"), at(speaks));
        assert_eq!(all.reached("doc", 2).since(), Some(at(since)), "it speaks at {speaks}");
    }
}
