//! The operator dies between any two of its writes, or does not learn that one succeeded.

use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::published::{Content, KeyPhase};
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;

use super::client_secrets;
use crate::clock::Clock as _;
use crate::cluster::Cluster as _;
use crate::testing::{Harness, outcome, parse};
use crate::work::Kind;

/// Something that people do, and how long it takes until all of it is done.
#[derive(Clone, Copy, Debug)]
enum Story {
    Apply,
    DeleteEverything,
    DeleteAndApplyAgain,
    DeleteTheRing,
    Detach,
    /// The key that signs is replaced, and leaves the JWK Set.
    RotateTheRing,
    /// It is revoked.
    RevokeTheKey,
    RotateTheSecret,
    RevokeTheSecret,
}

const ROTATING: &str = "
apiVersion: claviger.dev/v1alpha1
kind: SigningKey
metadata: {name: acme-es256, namespace: identity}
spec:
  tenantRef: {name: acme}
  algorithm: ES256
  rotation: {interval: 10h, publishAhead: 10m, cacheLifetime: 1m}
";

/// The keys of the ring as they are published, without which no token is verified.
fn phases(harness: &Harness) -> Vec<(String, KeyPhase)> {
    let document = harness.document(Kind::SigningKey, "identity", "acme-es256").unwrap();
    let Content::SigningKey(ring) = document.content else { panic!() };
    ring.keys.iter().map(|key| (key.kid.to_string(), key.phase)).collect()
}

impl Story {
    async fn begin(self) -> Harness {
        match self {
            Self::Apply => Harness::start().await,
            Self::DeleteEverything | Self::DeleteTheRing | Self::Detach => Harness::furnished().await,
            Self::RotateTheRing | Self::RevokeTheKey => {
                let mut harness = Harness::start().await;
                harness.furnish_with(ROTATING).await;
                harness.pass(Duration::from_secs(60)).await;
                harness
            }
            Self::DeleteAndApplyAgain => {
                let mut harness = Harness::furnished().await;
                delete_everything(&harness);
                harness.pass(Duration::from_secs(2)).await;
                harness
            }
            Self::RotateTheSecret => {
                let mut harness = client_secrets::rotatable().await;
                harness.watchman = Some(client_secrets::nobody_refuses_what_the_secret_holds);
                harness
            }
            Self::RevokeTheSecret => client_secrets::rotatable().await,
        }
    }

    async fn happen(self, harness: &mut Harness) {
        match self {
            Self::Apply | Self::DeleteAndApplyAgain => harness.furnish().await,
            Self::DeleteEverything => delete_everything(harness),
            Self::DeleteTheRing => harness.world.delete::<SigningKey>(&ObjectName::new("identity", "acme-es256")),
            Self::Detach => harness.world.apply_namespace("shop", &[("tenant", "other")]),
            Self::RotateTheRing => {
                let now = harness.clock.now().wall;
                let asked = format!("namespace: identity, annotations: {{claviger.dev/rotate-at: '{now}'}}}}");
                harness.world.apply(parse::<SigningKey>(&ROTATING.replace("namespace: identity}", &asked)));
            }
            Self::RevokeTheKey => {
                let kid = phases(harness).into_iter().find(|(_, phase)| *phase == KeyPhase::Active).unwrap().0;
                let revoked = format!("{ROTATING}  revoked: [{{kid: {kid}, reason: stolen}}]\n");
                harness.world.apply(parse::<SigningKey>(&revoked));
            }
            Self::RotateTheSecret => client_secrets::ask_for_rotation(harness),
            Self::RevokeTheSecret => client_secrets::revoke_current(harness),
        }
        harness.run().await;
    }

    fn patience(self) -> Duration {
        match self {
            // The ring that leaves is cached, and its tokens live.
            Self::DeleteTheRing => Duration::from_secs(4 * 3600),
            Self::RotateTheRing => Duration::from_secs(2 * 3600),
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

/// Whatever the operator did last: one key signs, one stands by, and what signed is shown.
fn promised(harness: &Harness, signed: &str, revoked: bool) {
    let phases = phases(harness);
    let count = |wanted| phases.iter().filter(|(_, phase)| *phase == wanted).count();
    assert_eq!((count(KeyPhase::Active), count(KeyPhase::Published)), (1, 1), "{phases:?}");
    let (_, phase) = phases.iter().find(|(kid, _)| kid == signed).unwrap();
    let gone = if revoked { *phase == KeyPhase::Revoked } else { *phase == KeyPhase::VerifyOnly };
    assert!(phase.in_jwks() || gone, "{phases:?}");
}

/// Keys are made at random, so that another run has others: what they are for must be the same.
async fn killed_while_keys_change(story: Story) {
    let patience = story.patience();
    let mut harness = story.begin().await;
    harness.world.objects().writes.clear();
    story.happen(&mut harness).await;
    harness.pass(patience).await;
    let writes = harness.world.objects().writes.len();
    let expected: Vec<KeyPhase> = phases(&harness).into_iter().map(|(_, phase)| phase).collect();
    assert!(writes >= 3, "{story:?} makes {writes} writes");
    for left in 0..writes {
        let mut harness = story.begin().await;
        let signed = phases(&harness).into_iter().find(|(_, phase)| *phase == KeyPhase::Active).unwrap().0;
        let revoked = matches!(story, Story::RevokeTheKey);
        harness.world.objects().writes.clear();
        harness.world.objects().writes_left = Some(left);
        story.happen(&mut harness).await;
        for _ in 0..30 {
            if harness.world.objects().writes.len() >= left {
                break;
            }
            harness.pass(patience / 30).await;
        }
        promised(&harness, &signed, revoked);
        harness.restart();
        harness.run().await;
        promised(&harness, &signed, revoked);
        harness.pass(patience).await;
        let after: Vec<KeyPhase> = phases(&harness).into_iter().map(|(_, phase)| phase).collect();
        assert_eq!(after, expected, "{story:?}, killed after {left} writes");
    }
}

#[tokio::test]
async fn killed_while_a_key_is_replaced() {
    killed_while_keys_change(Story::RotateTheRing).await;
}

#[tokio::test]
async fn killed_while_a_key_is_revoked() {
    killed_while_keys_change(Story::RevokeTheKey).await;
}

#[tokio::test]
async fn killed_while_clients_are_detached() {
    killed_between_any_two_writes(Story::Detach).await;
}

#[tokio::test]
async fn killed_while_a_clients_secret_is_rotated() {
    killed_between_any_two_writes(Story::RotateTheSecret).await;
}

#[tokio::test]
async fn killed_while_a_clients_secret_is_revoked() {
    killed_between_any_two_writes(Story::RevokeTheSecret).await;
}

/// It was not killed, only paused: it comes back with what it meant to write, before or after its
/// successor.
#[tokio::test]
async fn an_old_leader_that_wakes_up_in_a_rotation_leaves_no_secret_that_is_refused() {
    let story = Story::RotateTheSecret;
    let (_, writes) = undisturbed(story).await;
    for (left, first) in (0..writes).flat_map(|left| [(left, true), (left, false)]) {
        let mut harness = story.begin().await;
        harness.world.objects().writes.clear();
        harness.world.objects().writes_left = Some(left);
        story.happen(&mut harness).await;
        let old = std::sync::Arc::clone(&harness.engine);
        harness.restart();
        if first {
            old.resync();
            old.drain().await;
            client_secrets::nobody_refuses_what_the_secret_holds(&harness);
        }
        harness.run().await;
        old.resync();
        old.drain().await;
        client_secrets::nobody_refuses_what_the_secret_holds(&harness);
        harness.run().await;
        harness.pass(story.patience()).await;
        assert_eq!(client_secrets::phases(&harness, "shop"), ["Current", "Old"], "after {left} writes");
    }
}

/// It was paused between its last look and its write, and writes when its successor has come so far.
#[tokio::test]
async fn what_an_old_leader_was_about_to_write_is_accepted_by_pods_or_refused_by_the_api_server() {
    let story = Story::RotateTheSecret;
    let mut taken = 0;
    for progress in 0..12 {
        let mut harness = story.begin().await;
        harness.world.objects().held_back = Some((ObjectName::new("shop", "shop-oidc"), None));
        story.happen(&mut harness).await;
        let (_, attempted) = harness.world.objects().held_back.take().unwrap();
        let attempted = attempted.unwrap();
        harness.restart();
        harness.world.objects().writes_left = Some(progress);
        harness.run().await;
        harness.world.objects().writes_left = None;
        taken += usize::from(harness.world.replace_secret(attempted).await.is_ok());
        client_secrets::nobody_refuses_what_the_secret_holds(&harness);
        harness.restart();
        harness.run().await;
        harness.pass(story.patience()).await;
        assert_eq!(client_secrets::phases(&harness, "shop"), ["Current", "Old"], "{progress}");
    }
    assert!((2..12).contains(&taken), "{taken}");
}

#[tokio::test]
async fn an_answer_that_is_lost_changes_nothing_in_the_end() {
    let all = [Story::Apply, Story::DeleteEverything, Story::DeleteAndApplyAgain, Story::Detach];
    for story in all.into_iter().chain([Story::RotateTheSecret, Story::RevokeTheSecret]) {
        an_answer_lost_at_any_write(story).await;
    }
}
