//! What a database of another release holds, and that this one goes on with it.

use claviger_provider::store::{Failures, Store, StoreError};

use super::*;

/// What makes this release's schema the one before, and the first.
pub(crate) const SCHEMAS: [&str; 2] = [
    "ALTER TABLE kept DROP COLUMN kind; DELETE FROM claviger_schema WHERE version >= 3",
    "ALTER TABLE kept DROP COLUMN kind; ALTER TABLE login_failures DROP COLUMN previous_at;
     DELETE FROM claviger_schema WHERE version >= 2",
];

/// What a newer release leaves that has only added.
pub(crate) const NEWER_SCHEMA: &str =
    "ALTER TABLE login_failures ADD COLUMN added TEXT; INSERT INTO claviger_schema (version) VALUES (99)";

/// And one that older ones must not go on with.
pub(crate) const CLOSED_SCHEMA: &str = "INSERT INTO claviger_schema (version) VALUES (99), (-98)";

/// Before.
pub(crate) async fn written(store: &dyn Store) {
    for now in [0, 10] {
        store.login_tried(&tenant(), &[id(1)], at(now), at(600)).await.unwrap();
    }
    store.keep(&tenant(), id(1), b"x", at(600), flows(1)).await.unwrap();
}

/// After.
pub(crate) async fn goes_on(store: &dyn Store) {
    let before = store.login_tried(&tenant(), &[id(1)], at(20), at(600)).await.unwrap();
    assert_eq!(before, [Failures { count: 2, last_at: Some(at(10)) }]);
    assert_eq!(store.kept(&tenant(), id(1), at(20)).await.unwrap().as_deref(), Some(&b"x"[..]));
    assert_eq!(store.keep(&tenant(), id(2), b"x", at(600), flows(1)).await, Err(StoreError::Full));
    store.keep(&tenant(), id(2), b"x", at(600), codes(1)).await.unwrap();
}
