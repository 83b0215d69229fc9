//! Sessions: a row while they last. The end of one is the end of its row.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use super::logouts;
use crate::store::database::Database;
use crate::store::work::{Row, Statement, Step};
use crate::store::{ClientKey, Id, Session, SessionEnd, StoreError, TenantKey};

/// How exact `last_seen_at` is: so often at most a session's use is written.
const SEEN: Duration = Duration::from_secs(60);

const BEGIN: &str = "
INSERT INTO sessions (tenant, id, handle, subject, authenticated_at, amr, acr, created_at, last_seen_at,
                      expires_at, idle_expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

const RENEW: &str = "
UPDATE sessions SET handle = $3, authenticated_at = $5, amr = $6, acr = $7, last_seen_at = $8, expires_at = $9,
                    idle_expires_at = $10
WHERE tenant = $1 AND id = $2 AND subject = $4 AND idle_expires_at > $8";

/// Their clients are to hear of the session's end, which is later now.
const LIFT: &str = "UPDATE grants SET expires_at = $3 WHERE tenant = $1 AND session = $2 AND expires_at < $3";

const SESSION: &str = "
SELECT handle, subject, authenticated_at, amr, acr, created_at, last_seen_at, expires_at, idle_expires_at
FROM sessions WHERE tenant = $1 AND id = $2 AND idle_expires_at > $3";

/// Of many pods that saw it, one writes.
const TOUCH: &str = "
UPDATE sessions SET last_seen_at = $3,
                    idle_expires_at = CASE WHEN expires_at < $4 THEN expires_at ELSE $4 END
WHERE tenant = $1 AND id = $2 AND idle_expires_at > $3 AND last_seen_at <= $5";

const CLIENTS: &str = "SELECT DISTINCT client FROM grants WHERE tenant = $1 AND session = $2 ORDER BY client";

const END: &str = "DELETE FROM sessions WHERE tenant = $1 AND id = $2";

/// One statement; with a session that it takes the place of, one transaction.
pub(super) async fn begin(
    database: &Database,
    session: &Session,
    replaced: Option<SessionEnd<'_>>,
) -> Result<(), StoreError> {
    let amr = json(&session.amr);
    let values = [
        session.tenant.as_str().into(),
        (&session.id).into(),
        (&session.handle).into(),
        session.subject.as_str().into(),
        session.authenticated_at.as_second().into(),
        amr.as_str().into(),
        session.acr.as_str().into(),
        session.created_at.as_second().into(),
        session.last_seen_at.as_second().into(),
        session.expires_at.as_second().into(),
        session.idle_expires_at.min(session.expires_at).as_second().into(),
    ];
    let begin = Statement::new(BEGIN, values);
    let Some(replaced) = replaced else { return database.change(begin).await.map(drop) };
    let mut steps = vec![Step::Do(begin)];
    steps.extend(end_steps(&replaced));
    database.steps(steps).await.map(drop)
}

/// One transaction: the session's row, and those of its grants.
pub(super) async fn renew(database: &Database, session: &Session) -> Result<bool, StoreError> {
    let amr = json(&session.amr);
    let values = [
        session.tenant.as_str().into(),
        (&session.id).into(),
        (&session.handle).into(),
        session.subject.as_str().into(),
        session.authenticated_at.as_second().into(),
        amr.as_str().into(),
        session.acr.as_str().into(),
        session.last_seen_at.as_second().into(),
        session.expires_at.as_second().into(),
        session.idle_expires_at.min(session.expires_at).as_second().into(),
    ];
    let grants = [session.tenant.as_str().into(), (&session.id).into(), session.expires_at.as_second().into()];
    let steps = vec![Step::Gate(Statement::new(RENEW, values)), Step::Do(Statement::new(LIFT, grants))];
    Ok(database.steps(steps).await? > 0)
}

/// One statement.
pub(super) async fn session(
    database: &Database,
    tenant: &TenantKey,
    id: Id,
    handle: Id,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let found = to_end(database, tenant, id, now).await?;
    // Here and not in the statement: an index would tell how much of a guess is right.
    Ok(found.filter(|session| bool::from(session.handle.as_bytes().ct_eq(handle.as_bytes()))))
}

/// One statement.
pub(super) async fn to_end(
    database: &Database,
    tenant: &TenantKey,
    id: Id,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let values = [tenant.as_str().into(), (&id).into(), now.as_second().into()];
    let rows = database.read(Statement::new(SESSION, values)).await?;
    rows.first().map(|row| read(tenant, id, row)).transpose()
}

fn read(tenant: &TenantKey, id: Id, row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id,
        tenant: tenant.clone(),
        handle: row.id(0)?,
        subject: row.text(1)?,
        authenticated_at: row.time(2)?,
        amr: serde_json::from_str(&row.text(3)?).map_err(|_| StoreError::Unreadable("amr"))?,
        acr: row.text(4)?,
        created_at: row.time(5)?,
        last_seen_at: row.time(6)?,
        expires_at: row.time(7)?,
        idle_expires_at: row.time(8)?,
    })
}

/// One statement, and none within a minute of the last.
pub(super) async fn touch(
    database: &Database,
    seen: &Session,
    idle_expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stale = now.as_second() - SEEN.as_secs().cast_signed();
    if seen.last_seen_at.as_second() > stale {
        return Ok(());
    }
    keep(database, (&seen.tenant, seen.id), idle_expires_at, (now, SEEN.as_secs().cast_signed())).await
}

/// One statement, by which nothing is written that was written in the last `slack` seconds.
pub(super) async fn keep(
    database: &Database,
    (tenant, id): (&TenantKey, Id),
    idle_expires_at: Timestamp,
    (now, slack): (Timestamp, i64),
) -> Result<(), StoreError> {
    let values = [
        tenant.as_str().into(),
        (&id).into(),
        now.as_second().into(),
        idle_expires_at.as_second().into(),
        (now.as_second() - slack).into(),
    ];
    database.change(Statement::new(TOUCH, values)).await.map(drop)
}

/// One statement.
pub(super) async fn clients(database: &Database, tenant: &TenantKey, id: Id) -> Result<Vec<ClientKey>, StoreError> {
    let rows = database.read(Statement::new(CLIENTS, [tenant.as_str().into(), (&id).into()])).await?;
    rows.iter().map(|row| Ok(ClientKey::from_stored(&row.text(0)?))).collect()
}

/// One transaction: the session's row, and if it was there, whom to tell. Its grants are over
/// because the row is gone. The row goes first: a code whose redemption has seen it is waited for, and
/// its client is among those who are read then.
pub(super) async fn end(database: &Database, end: SessionEnd<'_>) -> Result<(), StoreError> {
    database.steps(end_steps(&end)).await.map(drop)
}

fn end_steps(end: &SessionEnd<'_>) -> Vec<Step> {
    let (tenant, tell, now) = (end.tenant.clone(), Arc::clone(&end.tell), end.now);
    let of_session = |sql| Statement::new(sql, [end.tenant.as_str().into(), (&end.session).into()]);
    let for_row = move |row: &Row| {
        let logout = tell(ClientKey::from_stored(&row.text(0)?));
        Ok(logout.map(|logout| logouts::new(&tenant, &logout, now)))
    };
    vec![Step::Gate(of_session(END)), Step::Each(of_session(CLIENTS), Arc::new(for_row))]
}

fn json(amr: &[String]) -> String {
    serde_json::Value::from(amr).to_string()
}
