use claviger_provider::store::{Store, StoreError};

use super::*;

pub(crate) async fn a_login_is_consumed_once(store: &dyn Store) {
    assert_eq!(store.consume_login(&tenant(), id(1), at(50)).await, Ok(true));
    assert_eq!(store.consume_login(&tenant(), id(1), at(50)).await, Ok(false));
    assert_eq!(store.consume_login(&tenant(), id(2), at(50)).await, Ok(true));
    assert_eq!(store.consume_login(&other_tenant(), id(1), at(50)).await, Ok(true));
}

pub(crate) async fn an_assertion_is_consumed_once_a_client(store: &dyn Store) {
    let consume = async |tenant: TenantKey, client: ClientKey, jti: &str| {
        store.consume_assertion(&tenant, &client, jti, at(50)).await.unwrap()
    };
    let long = "\0é".repeat(5000);
    assert!(consume(tenant(), shop(), &long).await);
    assert!(!consume(tenant(), shop(), &long).await);
    assert!(consume(tenant(), shop(), &long[1..]).await);
    assert!(consume(tenant(), forum(), &long).await, "another client chooses its own");
    assert!(consume(other_tenant(), shop(), &long).await);
}

pub(crate) async fn what_is_kept_has_a_bound_for_each_tenant(store: &dyn Store) {
    for number in 1..4 {
        store.keep(&tenant(), id(number), b"x", at(50), 3).await.unwrap();
    }
    assert_eq!(store.keep(&tenant(), id(4), b"x", at(50), 3).await, Err(StoreError::Full));
    store.keep(&tenant(), id(4), b"x", at(50), 4).await.unwrap();
    store.keep(&other_tenant(), id(4), b"x", at(50), 1).await.unwrap();
    store.delete_expired(at(50), 9).await.unwrap();
    store.keep(&tenant(), id(5), b"x", at(99), 1).await.unwrap();
}

pub(crate) async fn what_is_kept_is_there_until_it_expires(store: &dyn Store) {
    let bytes: Vec<u8> = (0..65536_u32).map(|number| number.to_le_bytes()[0]).collect();
    store.keep(&tenant(), id(1), &bytes, at(50), 9).await.unwrap();
    let kept = async |tenant: TenantKey, now| store.kept(&tenant, id(1), at(now)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(kept(tenant(), 49).await.as_ref(), Some(&bytes));
    }
    assert_eq!(kept(tenant(), 50).await, None);
    assert_eq!(kept(other_tenant(), 1).await, None);
    assert_eq!(store.keep(&tenant(), id(2), &[0; 65537], at(50), 9).await, Err(StoreError::Unavailable));
}
