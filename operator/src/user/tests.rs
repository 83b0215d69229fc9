//! What a log line shows of an account's steps, and how often a password is hashed.

use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::published::{Content, SecretText};

use super::{observe, plan};
use crate::cluster::ClusterError;
use crate::testing::{Harness, PUBLISHED, secret, shows};
use crate::work::Kind;

#[tokio::test]
async fn no_step_shows_a_password() {
    let harness = Harness::furnished().await;
    let password = b"another horse";
    let secret = secret("identity", "ada-password", &[("password", "another horse")]);
    harness.world.put_secret(secret);
    let observed = observe::observe(harness.engine.context(), &ObjectName::new("identity", "ada")).await;
    let observed = observed.unwrap().unwrap();
    let plan = plan::plan(&observed);
    assert!(matches!(plan.document, plan::Intent::Hash(..)));
    for shown in [format!("{observed:?}"), format!("{plan:?}")] {
        assert!(!shows(&shown, password), "{shown}");
    }
}

fn made(harness: &Harness) -> Option<SecretText> {
    let ada = ObjectName::new("identity", "ada");
    harness.engine.context().with(|state| state.hashed.get(&ada).map(|(_, hash)| hash.clone()))
}

fn published(harness: &Harness) -> Option<SecretText> {
    match harness.document(Kind::User, "identity", "ada")?.content {
        Content::User(user) => user.password_hash,
        _ => None,
    }
}

#[tokio::test]
async fn a_password_is_hashed_once_however_often_its_document_is_refused() {
    let mut harness = Harness::furnished().await;
    let before = published(&harness).unwrap();
    assert_eq!(made(&harness), None);
    let error = ClusterError::Denied("exceeded quota: secrets".to_owned());
    harness.world.objects().refused_in = Some((PUBLISHED.to_owned(), error));
    harness.world.put_secret(secret("identity", "ada-password", &[("password", "another horse")]));
    // It is looked at by a timer, and refused again and again.
    harness.pass(Duration::from_secs(600)).await;
    let first = made(&harness).unwrap();
    assert_ne!(first, before);
    harness.pass(Duration::from_secs(60)).await;
    assert_eq!(made(&harness).as_ref(), Some(&first), "of the same Secret there is one");
    harness.world.put_secret(secret("identity", "ada-password", &[("password", "a third horse")]));
    harness.pass(Duration::from_secs(600)).await;
    let second = made(&harness).unwrap();
    assert_ne!(second, first, "another password is another hash");
    harness.world.objects().refused_in = None;
    harness.pass(Duration::from_secs(600)).await;
    assert_eq!(published(&harness), Some(second));
    assert_eq!(made(&harness), None, "what is published is not kept here");
}
