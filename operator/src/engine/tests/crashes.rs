//! The operator dies between any two of its writes, or does not learn that one succeeded.

use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;

use crate::testing::{Harness, outcome};

/// Something that people do, and how long it takes until all of it is done.
#[derive(Clone, Copy, Debug)]
enum Story {
    Apply,
    DeleteEverything,
    DeleteAndApplyAgain,
    DeleteTheRing,
    Detach,
}

impl Story {
    async fn begin(self) -> Harness {
        match self {
            Self::Apply => Harness::start().await,
            Self::DeleteEverything | Self::DeleteTheRing | Self::Detach => Harness::furnished().await,
            Self::DeleteAndApplyAgain => {
                let mut harness = Harness::furnished().await;
                delete_everything(&harness);
                harness.pass(Duration::from_secs(2)).await;
                harness
            }
        }
    }

    async fn happen(self, harness: &mut Harness) {
        match self {
            Self::Apply | Self::DeleteAndApplyAgain => harness.furnish().await,
            Self::DeleteEverything => delete_everything(harness),
            Self::DeleteTheRing => harness.world.delete::<SigningKey>(&ObjectName::new("identity", "acme-es256")),
            Self::Detach => harness.world.apply_namespace("shop", &[("tenant", "other")]),
        }
        harness.run().await;
    }

    fn patience(self) -> Duration {
        match self {
            // The ring that leaves is cached, and its tokens live.
            Self::DeleteTheRing => Duration::from_secs(4 * 3600),
            _ => Duration::from_secs(20),
        }
    }
}

fn delete_everything(harness: &Harness) {
    harness.world.delete::<Tenant>(&ObjectName::new("identity", "acme"));
    harness.world.delete::<SigningKey>(&ObjectName::new("identity", "acme-es256"));
    harness.world.delete::<OAuthClient>(&ObjectName::new("shop", "shop"));
    harness.world.delete::<OAuthClient>(&ObjectName::new("shop", "api"));
    harness.world.delete::<User>(&ObjectName::new("identity", "ada"));
}

fn same(after: &[String], expected: &[String], when: &str) {
    let missing: Vec<_> = expected.iter().filter(|line| !after.contains(line)).collect();
    let surplus: Vec<_> = after.iter().filter(|line| !expected.contains(line)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{when}\nmissing: {missing:#?}\nsurplus: {surplus:#?}");
}

async fn undisturbed(story: Story) -> (Vec<String>, usize) {
    let mut harness = story.begin().await;
    harness.world.objects().writes.clear();
    story.happen(&mut harness).await;
    harness.pass(story.patience()).await;
    let writes = harness.world.objects().writes.len();
    (outcome(&harness), writes)
}

async fn killed_between_any_two_writes(story: Story) {
    let (expected, writes) = undisturbed(story).await;
    assert!(writes > 3, "{story:?} makes {writes} writes");
    for left in 0..writes {
        let mut harness = story.begin().await;
        harness.world.objects().writes.clear();
        harness.world.objects().writes_left = Some(left);
        story.happen(&mut harness).await;
        if harness.world.objects().writes.len() < left {
            harness.pass(story.patience()).await;
        }
        let before = harness.world.objects().writes.clone();
        harness.restart();
        harness.run().await;
        harness.pass(story.patience()).await;
        let after = outcome(&harness);
        same(&after, &expected, &format!("{story:?}, killed after {left} writes: {before:#?}"));
    }
}

async fn an_answer_lost_at_any_write(story: Story) {
    let (expected, writes) = undisturbed(story).await;
    for at in 0..writes {
        let mut harness = story.begin().await;
        harness.world.objects().answer_lost_at = Some(at);
        story.happen(&mut harness).await;
        harness.pass(story.patience()).await;
        same(&outcome(&harness), &expected, &format!("{story:?}, the answer to write {at} was lost"));
    }
}

#[tokio::test]
async fn killed_while_everything_is_applied() {
    killed_between_any_two_writes(Story::Apply).await;
}

#[tokio::test]
async fn killed_while_everything_is_deleted() {
    killed_between_any_two_writes(Story::DeleteEverything).await;
}

#[tokio::test]
async fn killed_while_everything_comes_back() {
    killed_between_any_two_writes(Story::DeleteAndApplyAgain).await;
}

#[tokio::test]
async fn killed_while_a_ring_leaves() {
    killed_between_any_two_writes(Story::DeleteTheRing).await;
}

#[tokio::test]
async fn killed_while_clients_are_detached() {
    killed_between_any_two_writes(Story::Detach).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_changes_nothing_in_the_end() {
    for story in [Story::Apply, Story::DeleteEverything, Story::DeleteAndApplyAgain, Story::Detach] {
        an_answer_lost_at_any_write(story).await;
    }
}
