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
        store.keep(&tenant(), id(number), b"x", at(50), flows(3)).await.unwrap();
    }
    assert_eq!(store.keep(&tenant(), id(4), b"x", at(50), flows(3)).await, Err(StoreError::Full));
    store.keep(&tenant(), id(4), b"x", at(50), flows(4)).await.unwrap();
    store.keep(&other_tenant(), id(4), b"x", at(50), flows(1)).await.unwrap();
    store.delete_expired(at(50), 9).await.unwrap();
    store.keep(&tenant(), id(5), b"x", at(99), flows(1)).await.unwrap();
}

pub(crate) async fn a_kind_that_is_full_leaves_room_for_the_other(store: &dyn Store) {
    for number in 1..4 {
        store.keep(&tenant(), id(number), b"x", at(50), flows(3)).await.unwrap();
    }
    for number in 4..6 {
        store.keep(&tenant(), id(number), b"x", at(50), codes(2)).await.unwrap();
    }
    for room in [flows(3), codes(2)] {
        assert_eq!(store.keep(&tenant(), id(9), b"x", at(50), room).await, Err(StoreError::Full), "{room:?}");
    }
}

pub(crate) async fn what_is_kept_instead_takes_no_more_room(store: &dyn Store) {
    store.keep(&tenant(), id(1), b"x", at(50), flows(1)).await.unwrap();
    store.keep(&other_tenant(), id(1), b"theirs", at(50), flows(1)).await.unwrap();
    let instead = async |number, bytes: &[u8], now| store.keep_instead(&tenant(), id(number), bytes, at(now)).await;
    assert_eq!(instead(1, b"longer", 49).await, Ok(true));
    assert_eq!(store.kept(&tenant(), id(1), at(49)).await.unwrap().as_deref(), Some(&b"longer"[..]));
    assert_eq!(store.kept(&tenant(), id(1), at(50)).await, Ok(None), "until the same end");
    assert_eq!(store.kept(&other_tenant(), id(1), at(0)).await.unwrap().as_deref(), Some(&b"theirs"[..]));
    assert_eq!(store.keep(&tenant(), id(2), b"x", at(50), flows(1)).await, Err(StoreError::Full));
    assert_eq!(instead(2, b"y", 0).await, Ok(false), "there is none");
    assert_eq!(instead(1, b"y", 50).await, Ok(false), "it is over");
    assert_eq!(store.keep_instead(&tenant(), id(1), &[0; 65537], at(0)).await, Err(StoreError::Unavailable));
}

pub(crate) async fn what_is_kept_is_there_until_it_expires(store: &dyn Store) {
    let bytes: Vec<u8> = (0..65536_u32).map(|number| number.to_le_bytes()[0]).collect();
    store.keep(&tenant(), id(1), &bytes, at(50), flows(9)).await.unwrap();
    let kept = async |tenant: TenantKey, now| store.kept(&tenant, id(1), at(now)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(kept(tenant(), 49).await.as_ref(), Some(&bytes));
    }
    assert_eq!(kept(tenant(), 50).await, None);
    assert_eq!(kept(other_tenant(), 1).await, None);
    assert_eq!(store.keep(&tenant(), id(2), &[0; 65537], at(50), flows(9)).await, Err(StoreError::Unavailable));
}
