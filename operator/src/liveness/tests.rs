//! When a document counts as live, and what is said until then.

use claviger_crds::names::ObjectName;

use super::*;
use crate::work::Kind;

fn at(millis: u64) -> Moment {
    Moment { wall: jiff::Timestamp::UNIX_EPOCH, monotonic: Duration::from_millis(millis) }
}

fn work() -> Work {
    Work::new(Kind::Tenant, ObjectName::new("identity", "acme"))
}

fn live(text: &str) -> Live {
    Live { name: "doc".to_owned(), digest: Digest::of(text.as_bytes()), revision: 1 }
}

fn waiting() -> Standing {
    Standing::Waiting { pods: vec!["pod-b".to_owned()] }
}

fn acknowledged() -> Standing {
    Standing::Acknowledged { since: at(0) }
}

fn reason(judgement: Judgement) -> Reason {
    match judgement {
        Judgement::Not(verdict, _) => verdict.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_status_is_held_back_for_a_second_then_patient_then_names_the_pod() {
    let mut liveness = Liveness::default();
    let doc = live("x");
    liveness.written("doc", doc.digest, at(0));
    let mut judge = |millis| liveness.judge(&doc, waiting(), false, &work(), at(millis));
    assert_eq!(judge(200), Judgement::Hold(Duration::from_millis(800)));
    assert_eq!(reason(judge(1_000)), Reason::Pending);
    assert_eq!(reason(judge(4_999)), Reason::Pending);
    assert_eq!(reason(judge(5_000)), Reason::ProviderBehind);
    assert_eq!(liveness.wake("doc"), BTreeSet::from([work()]));
}

#[test]
fn content_that_was_live_once_stays_so_and_other_content_does_not_inherit_it() {
    let mut liveness = Liveness::default();
    liveness.written("doc", live("x").digest, at(0));
    let took = Some(Duration::from_millis(300));
    assert_eq!(liveness.judge(&live("x"), acknowledged(), false, &work(), at(300)), Judgement::Programmed { took });
    assert_eq!(liveness.judge(&live("x"), waiting(), false, &work(), at(9_000)), Judgement::Programmed { took: None });
    liveness.written("doc", live("y").digest, at(10_000));
    assert_eq!(reason(liveness.judge(&live("y"), waiting(), true, &work(), at(12_000))), Reason::Pending);
    liveness.forget("doc");
    assert_eq!(liveness.judge(&live("x"), waiting(), false, &work(), at(13_000)), Judgement::Hold(HELD_BACK));
}

#[test]
fn a_new_leader_trusts_a_status_only_for_what_it_did_not_write_itself() {
    let mut liveness = Liveness::default();
    assert_eq!(liveness.judge(&live("x"), waiting(), true, &work(), at(0)), Judgement::Programmed { took: None });
}

#[test]
fn what_others_need_of_a_document_does_not_make_its_own_status_doubtful() {
    let mut liveness = Liveness::default();
    // A new leader: a client is judged before the ring that it needs, and before a pod has named that.
    assert_eq!(liveness.judge_need(&live("x"), waiting(), &work(), at(0)), Judgement::Hold(HELD_BACK));
    assert_eq!(reason(liveness.judge_need(&live("x"), waiting(), &work(), at(1_500))), Reason::Pending);
    assert_eq!(liveness.judge(&live("x"), waiting(), true, &work(), at(2_000)), Judgement::Programmed { took: None });
    assert_eq!(liveness.judge(&live("x"), waiting(), false, &work(), at(9_000)), Judgement::Programmed { took: None });
}

#[test]
fn a_need_that_is_met_leaves_the_owner_to_say_how_long_it_took() {
    let mut liveness = Liveness::default();
    liveness.written("doc", live("x").digest, at(0));
    assert_eq!(liveness.judge_need(&live("x"), acknowledged(), &work(), at(300)), Judgement::Programmed { took: None });
    let took = Some(Duration::from_millis(400));
    assert_eq!(liveness.judge(&live("x"), waiting(), false, &work(), at(400)), Judgement::Programmed { took });
}

#[test]
fn what_was_told_is_doubted_when_it_changes_and_at_most_once_a_second() {
    let mut liveness = Liveness::default();
    let other = Standing::Waiting { pods: vec!["pod-c".to_owned()] };
    let nobody = BTreeSet::new();
    liveness.written("doc", live("x").digest, at(0));
    let told = |liveness: &mut Liveness, standing, millis| {
        assert_eq!(reason(liveness.judge(&live("x"), standing, false, &work(), at(millis))), Reason::ProviderBehind);
    };
    told(&mut liveness, waiting(), 5_000);
    liveness.stands("doc", &waiting());
    assert_eq!(liveness.wake_doubted(at(9_000)), nobody, "nothing else than was told");
    liveness.stands("doc", &other);
    assert_eq!(liveness.wake_doubted(at(9_000)), BTreeSet::from([work()]));
    told(&mut liveness, other, 9_000);
    liveness.stands("doc", &waiting());
    assert_eq!(liveness.wake_doubted(at(9_999)), nobody, "too soon");
    assert_eq!(liveness.wake_doubted(at(10_000)), BTreeSet::from([work()]), "it is not forgotten");
    // Two that wait are told different things.
    told(&mut liveness, waiting(), 10_000);
    told(&mut liveness, Standing::Waiting { pods: vec!["pod-d".to_owned()] }, 10_100);
    assert_eq!(liveness.wake_doubted(at(11_100)), BTreeSet::from([work()]));
}

#[test]
fn statuses_begin_when_every_pod_has_reported_or_ten_seconds_after_they_were_listed() {
    let mut liveness = Liveness::default();
    assert!(!liveness.settled_or_defer(&work()));
    assert_eq!(liveness.settle(true, at(60_000)), None, "nobody has said which pods there are");
    liveness.listed(at(60_000));
    assert_eq!(liveness.settle(false, at(69_999)), None);
    assert_eq!(liveness.settle(false, at(70_000)), Some(HashSet::from([work()])));
    assert!(liveness.settled_or_defer(&work()));
    assert_eq!(liveness.settle(true, at(80_000)), None, "once is enough");
}

#[test]
fn a_message_names_no_more_than_ten_pods() {
    let pods: Vec<String> = (0..12).map(|at| format!("p{at}")).collect();
    assert!(named(&pods).ends_with("p9 and 2 more"));
    assert_eq!(named(&pods[..2]), "p0, p1");
}
