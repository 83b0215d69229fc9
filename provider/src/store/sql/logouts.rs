//! Back-channel logouts on their way: leased by one pod at a time.

use jiff::Timestamp;

use crate::store::database::{Backend, Database};
use crate::store::work::{Row, Statement};
use crate::store::{ClientKey, DueLogout, Id, LogoutOutcome, NewLogout, StoreError, TenantKey};

const NEW: &str = "
INSERT INTO logouts (tenant, id, client, subject, session, due_at, attempts, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (tenant, id) DO NOTHING";

macro_rules! claim {
    ($lock:literal) => {
        concat!(
            "WITH due AS (SELECT tenant, id FROM logouts
                   WHERE due_at <= $1 AND expires_at > $1 ORDER BY due_at, tenant, id LIMIT $3 ",
            $lock,
            ") UPDATE logouts SET due_at = $2 WHERE due_at <= $1 AND (tenant, id) IN (SELECT tenant, id FROM due)
             RETURNING tenant, id, client, subject, session, expires_at, attempts"
        )
    };
}
const CLAIM_SQLITE: &str = claim!("");
/// Two pods that claim at once get different ones and do not wait for each other.
const CLAIM_POSTGRES: &str = claim!("FOR UPDATE SKIP LOCKED");

macro_rules! late {
    ($lock:literal) => {
        concat!(
            "WITH late AS (SELECT tenant, id FROM logouts WHERE expires_at <= $1
                   ORDER BY expires_at, tenant, id LIMIT $2 ",
            $lock,
            ") DELETE FROM logouts WHERE expires_at <= $1 AND (tenant, id) IN (SELECT tenant, id FROM late)
             RETURNING tenant, id, client, subject, session, expires_at, attempts"
        )
    };
}
const LATE_SQLITE: &str = late!("");
const LATE_POSTGRES: &str = late!("FOR UPDATE SKIP LOCKED");

const DONE: &str = "DELETE FROM logouts WHERE tenant = $1 AND id = $2";
const LATER: &str = "UPDATE logouts SET due_at = $3, attempts = attempts + 1 WHERE tenant = $1 AND id = $2";

/// The statement that notes one, due `now`.
pub(super) fn new(tenant: &TenantKey, logout: &NewLogout, now: Timestamp) -> Statement {
    let NewLogout { id, client, subject, session, expires_at } = logout;
    let values = [
        tenant.as_str().into(),
        id.into(),
        client.as_str().into(),
        subject.as_str().into(),
        session.into(),
        now.as_second().into(),
        expires_at.as_second().into(),
    ];
    Statement::new(NEW, values)
}

/// One statement.
pub(super) async fn claim(
    database: &Database,
    now: Timestamp,
    lease: Timestamp,
    limit: u32,
) -> Result<Vec<DueLogout>, StoreError> {
    let sql = match database.backend() {
        Backend::Sqlite { .. } => CLAIM_SQLITE,
        Backend::Postgres { .. } => CLAIM_POSTGRES,
    };
    let values = [now.as_second().into(), lease.as_second().into(), i64::from(limit).into()];
    let rows = database.returning(Statement::new(sql, values)).await?;
    rows.iter().map(read).collect()
}

/// One statement.
pub(super) async fn forget_late(database: &Database, now: Timestamp, limit: u32) -> Result<Vec<DueLogout>, StoreError> {
    let sql = match database.backend() {
        Backend::Sqlite { .. } => LATE_SQLITE,
        Backend::Postgres { .. } => LATE_POSTGRES,
    };
    let values = [now.as_second().into(), i64::from(limit).into()];
    database.returning(Statement::new(sql, values)).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<DueLogout, StoreError> {
    let logout = NewLogout {
        id: row.id(1)?,
        client: ClientKey::from_stored(&row.text(2)?),
        subject: row.text(3)?,
        session: row.id(4)?,
        expires_at: row.time(5)?,
    };
    Ok(DueLogout { tenant: TenantKey::from_stored(&row.text(0)?), logout, attempts: row.count(6)? })
}

/// One statement.
pub(super) async fn attempted(
    database: &Database,
    tenant: &TenantKey,
    id: Id,
    outcome: LogoutOutcome,
) -> Result<(), StoreError> {
    let statement = match outcome {
        LogoutOutcome::Done => Statement::new(DONE, [tenant.as_str().into(), (&id).into()]),
        LogoutOutcome::Later(due) => {
            Statement::new(LATER, [tenant.as_str().into(), (&id).into(), due.as_second().into()])
        }
    };
    database.change(statement).await.map(drop)
}
