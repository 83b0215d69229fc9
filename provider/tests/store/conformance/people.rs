use std::collections::BTreeSet;

use claviger_provider::store::{Failures, Store};

use super::*;

fn scopes(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

pub(crate) async fn consent_grows(store: &dyn Store) {
    let consent = async |tenant: TenantKey, subject: &str, client: ClientKey| {
        store.consent(&tenant, subject, &client).await.unwrap()
    };
    let remember = async |names: &[&str]| {
        store.remember_consent(&tenant(), "jane", &shop(), &scopes(names), at(0)).await.unwrap();
    };
    assert_eq!(consent(tenant(), "jane", shop()).await, scopes(&[]));
    remember(&[]).await;
    remember(&["openid", "email"]).await;
    remember(&["email", "profile"]).await;
    assert_eq!(consent(tenant(), "jane", shop()).await, scopes(&["openid", "email", "profile"]));
    let many: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    remember(&many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(consent(tenant(), "jane", shop()).await.len(), 23);
    assert_eq!(consent(tenant(), "john", shop()).await, scopes(&[]));
    assert_eq!(consent(tenant(), "jane", forum()).await, scopes(&[]));
    assert_eq!(consent(other_tenant(), "jane", shop()).await, scopes(&[]));
}

pub(crate) async fn failures_count_until_they_are_forgotten(store: &dyn Store) {
    let failures = async |now| store.login_failures(&tenant(), &[id(1)], at(now)).await.unwrap()[0];
    let failed = async |now| store.login_tried(&tenant(), &[id(1)], at(now), at(now + 60)).await.unwrap();
    assert_eq!(failures(0).await, Failures::default());
    failed(0).await;
    failed(10).await;
    assert_eq!(failures(11).await, Failures { count: 2, last_at: Some(at(10)) });
    assert_eq!(failures(69).await.count, 2);
    assert_eq!(failures(70).await, Failures::default(), "forgotten");
    failed(70).await;
    assert_eq!(failures(71).await, Failures { count: 1, last_at: Some(at(70)) }, "and counted anew");
    store.forget_failures(&other_tenant(), &[id(1)]).await.unwrap();
    assert_eq!(failures(71).await.count, 1);
    store.forget_failures(&tenant(), &[id(9), id(1)]).await.unwrap();
    assert_eq!(failures(71).await, Failures::default());
}

pub(crate) async fn a_try_is_told_what_was_counted_before_and_can_be_taken_back(store: &dyn Store) {
    let keys = [id(1), id(2)];
    let tried = async |now| store.login_tried(&tenant(), &keys, at(now), at(now + 60)).await.unwrap();
    let back = async |before: &[Failures]| store.take_login_back(&tenant(), &keys, before).await.unwrap();
    let counted = async |now| store.login_failures(&tenant(), &keys, at(now)).await.unwrap();
    let one = |count, last_at| [Failures { count, last_at }; 2].to_vec();
    assert_eq!(tried(0).await, one(0, None));
    let second = tried(10).await;
    assert_eq!(second, one(1, Some(at(0))));
    // A third is counted and taken back before the second is.
    let third = tried(20).await;
    assert_eq!(third, one(2, Some(at(10))));
    back(&third).await;
    assert_eq!(counted(21).await, one(2, Some(at(10))));
    back(&second).await;
    assert_eq!(counted(21).await, one(1, Some(at(0))), "as if it had never been");
    // And one before the other.
    let (second, third) = (tried(30).await, tried(40).await);
    back(&second).await;
    back(&third).await;
    assert_eq!(counted(41).await, one(1, Some(at(0))));
    store.take_login_back(&other_tenant(), &keys, &second).await.unwrap();
    assert_eq!(counted(41).await[0].count, 1, "another tenant's");
    for _ in 0..2 {
        back(&one(0, None)).await;
    }
    assert_eq!(counted(41).await[0].count, 0, "never less than none");
    assert_eq!(tried(42).await, one(0, None));
    assert_eq!(tried(200).await, one(0, None), "forgotten");
}

pub(crate) async fn failures_of_many_keys_come_in_their_order(store: &dyn Store) {
    store.login_tried(&tenant(), &[id(3), id(1), id(3)], at(0), at(60)).await.unwrap();
    store.login_tried(&tenant(), &[id(1)], at(0), at(60)).await.unwrap();
    store.login_tried(&other_tenant(), &[id(2)], at(0), at(60)).await.unwrap();
    let counts = async |keys: &[Id]| -> Vec<u32> {
        let failures = store.login_failures(&tenant(), keys, at(1)).await.unwrap();
        failures.iter().map(|failures| failures.count).collect()
    };
    assert_eq!(counts(&[id(1), id(2), id(3), id(1)]).await, [2, 0, 1, 2], "a key that is named twice counts once");
    assert!(counts(&[]).await.is_empty());
    let many: Vec<Id> = (10..30).map(id).collect();
    store.login_tried(&tenant(), &many, at(0), at(60)).await.unwrap();
    assert_eq!(counts(&many).await, [1; 20]);
    store.forget_failures(&tenant(), &many).await.unwrap();
    assert_eq!(counts(&many).await, [0; 20]);
}
