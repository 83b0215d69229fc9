//! Deletes what is over, a few rows at a time, so that nobody waits for it. Of logouts that were not
//! delivered somebody has to hear (see [`super::logouts::forget_late`]).

use jiff::Timestamp;

use crate::store::StoreError;
use crate::store::database::{Backend, Database};
use crate::store::work::Statement;

macro_rules! expired {
    ($lock:literal: $($table:literal ($key:literal) by $end:literal),+) => {
        &[$(concat!(
            "WITH ended AS (SELECT ", $key, " FROM ", $table, " WHERE ", $end, " <= $1
                   ORDER BY ", $end, ", ", $key, " LIMIT $2 ", $lock, ")
             DELETE FROM ", $table, " WHERE ", $end, " <= $1 AND (", $key, ") IN (SELECT ", $key, " FROM ended)"
        )),+]
    };
}
macro_rules! all_expired {
    ($lock:literal) => {
        expired!($lock:
            "grants" ("tenant, id") by "expires_at",
            "sessions" ("tenant, id") by "idle_expires_at",
            "revoked_tokens" ("tenant, jti") by "expires_at",
            "consumed_logins" ("tenant, id") by "expires_at",
            "consumed_assertions" ("tenant, client, jti") by "expires_at",
            "kept" ("tenant, id") by "expires_at",
            "login_failures" ("tenant, id") by "expires_at")
    };
}
const SQLITE: &[&str] = all_expired!("");
/// Pods that sweep at once share the work.
const POSTGRES: &[&str] = all_expired!("FOR UPDATE SKIP LOCKED");

/// One statement for each kind.
pub(super) async fn delete(database: &Database, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let statements = match database.backend() {
        Backend::Sqlite { .. } => SQLITE,
        Backend::Postgres { .. } => POSTGRES,
    };
    let mut deleted = 0;
    for sql in statements {
        let values = [now.as_second().into(), i64::from(limit).into()];
        deleted += database.change(Statement::new(sql, values)).await?;
    }
    Ok(deleted)
}
