//! What the sweep does not do: withdraw a bulk too soon, or delete by a clock that is wrong.

use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::user::User;

use crate::testing::{Harness, fixtures, parse};
use crate::work::Kind;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn user(at: usize) -> String {
    fixtures::USER.replace("name: ada,", &format!("name: user-{at},")).replace("  passwordSecretRef", "  #")
}

async fn with_users(count: usize) -> Harness {
    let mut harness = Harness::furnished().await;
    (0..count).for_each(|at| harness.world.apply(parse::<User>(&user(at))));
    harness.run().await;
    harness
}

async fn delete(harness: &mut Harness, users: std::ops::Range<usize>) {
    users.for_each(|at| harness.world.delete::<User>(&ObjectName::new("identity", format!("user-{at}"))));
    harness.run().await;
}

fn withdrawn(harness: &Harness, count: usize) -> usize {
    let document = |at| harness.document(Kind::User, "identity", &format!("user-{at}")).unwrap();
    (0..count).filter(|at| document(*at).withdrawn_at.is_some()).count()
}

#[tokio::test]
async fn each_wave_of_a_bulk_waits_a_minute_of_its_own() {
    let mut harness = with_users(40).await;
    delete(&mut harness, 0..6).await;
    harness.pass(Duration::from_secs(58)).await;
    delete(&mut harness, 6..40).await;
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(withdrawn(&harness, 40), 6, "the first wave alone");
    harness.pass(Duration::from_secs(45)).await;
    assert_eq!(withdrawn(&harness, 40), 6);
    harness.pass(Duration::from_secs(10)).await;
    assert_eq!(withdrawn(&harness, 40), 40);
}

#[tokio::test]
async fn a_bulk_that_goes_one_by_one_waits_from_the_sixth_on() {
    let mut harness = with_users(40).await;
    for at in 0..9 {
        delete(&mut harness, at..at + 1).await;
        assert_eq!(withdrawn(&harness, 40), (at + 1).min(5), "the first five are gone at once");
    }
    harness.pass(Duration::from_secs(59)).await;
    assert_eq!(withdrawn(&harness, 40), 5);
    harness.pass(Duration::from_secs(2)).await;
    assert_eq!(withdrawn(&harness, 40), 9);
    delete(&mut harness, 9..10).await;
    assert_eq!(withdrawn(&harness, 40), 10, "what was held no longer counts");
}

#[tokio::test]
async fn a_few_at_leisure_do_not_wait() {
    let mut harness = with_users(40).await;
    for at in 0..12 {
        delete(&mut harness, at..at + 1).await;
        assert_eq!(withdrawn(&harness, 40), at + 1);
        harness.pass(Duration::from_secs(3)).await;
    }
}

#[tokio::test]
async fn what_came_back_and_goes_again_waits_again() {
    let mut harness = with_users(7).await;
    delete(&mut harness, 0..7).await;
    harness.pass(Duration::from_secs(30)).await;
    (0..7).for_each(|at| harness.world.apply(parse::<User>(&user(at))));
    // Before any round of the sweep sees that they are there.
    for change in harness.world.changes() {
        harness.engine.change(change);
    }
    delete(&mut harness, 0..7).await;
    harness.pass(Duration::from_secs(50)).await;
    assert_eq!(withdrawn(&harness, 7), 0);
    harness.pass(Duration::from_secs(20)).await;
    assert_eq!(withdrawn(&harness, 7), 7);
}

#[tokio::test]
async fn a_wall_clock_that_jumps_deletes_no_tombstone() {
    let mut harness = Harness::furnished().await;
    harness.delete::<User>("identity", "ada").await;
    let stands = |harness: &Harness| harness.document(Kind::User, "identity", "ada").is_some();
    harness.clock.jump(200 * HOUR);
    harness.pass(HOUR).await;
    assert!(stands(&harness));
    harness.pass(166 * HOUR).await;
    assert!(stands(&harness));
    harness.pass(2 * HOUR).await;
    assert!(!stands(&harness), "its time is over by the clock that cannot be set");
}

#[tokio::test]
async fn no_tombstone_is_deleted_while_clocks_disagree() {
    let mut harness = Harness::furnished().await;
    harness.delete::<User>("identity", "ada").await;
    let stands = |harness: &Harness| harness.document(Kind::User, "identity", "ada").is_some();
    harness.pass(160 * HOUR).await;
    harness.engine.server_clock(3600);
    harness.pass(20 * HOUR).await;
    assert!(stands(&harness));
    harness.engine.server_clock(0);
    harness.pass(2 * MINUTE).await;
    assert!(!stands(&harness));
}

#[tokio::test]
async fn a_new_leader_with_a_wrong_clock_is_told_so_before_it_deletes() {
    let mut harness = Harness::furnished().await;
    harness.delete::<User>("identity", "ada").await;
    harness.clock.jump(200 * HOUR);
    harness.restart();
    harness.run().await;
    harness.engine.server_clock(-200 * 3600);
    harness.pass(HOUR).await;
    assert!(harness.document(Kind::User, "identity", "ada").is_some());
}
