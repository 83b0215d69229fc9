//! Grants: codes that are redeemed, refresh tokens that rotate, access tokens that are revoked.
//!
//! Whether a session is live is asked of its row in the same statement, never remembered in a grant:
//! so no race between a login's end and a redemption leaves a grant behind. That a grant outlives its session is
//! remembered, and counts only where the caller says that its client still has `offline_access`.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use super::sessions;
use crate::store::database::{Backend, Database};

use crate::store::work::{Row, Statement};
use crate::store::{
    ClientKey, Grant, GrantLookup, Id, NewGrant, Presented, Redeemed, RefreshWindow, Rotated, Rotation, StoreError,
    TenantKey, TokenLookup,
};

macro_rules! redeem {
    ($lock:literal) => {
        concat!(
            "INSERT INTO grants (tenant, id, client, subject, session, offline, payload, created_at, generation,
                                 refresh_expires_at, idle_expires_at, expires_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11
             WHERE EXISTS (SELECT 1 FROM sessions WHERE tenant = $1 AND id = $5 AND idle_expires_at > $8 ",
            $lock,
            ") ON CONFLICT (tenant, id) DO NOTHING"
        )
    };
}
const REDEEM_SQLITE: &str = redeem!("");
/// As a foreign key does: whoever ends the session waits for this, or this waits and finds it gone. So
/// no client gets a grant that nobody will tell of the end.
const REDEEM_POSTGRES: &str = redeem!("FOR KEY SHARE");

const END: &str = "UPDATE grants SET ended_at = COALESCE(ended_at, $3) WHERE tenant = $1 AND id = $2";

const GRANT: &str = "
SELECT client, subject, session, offline, payload, created_at, generation, refresh_expires_at, idle_expires_at,
       CASE WHEN ended_at IS NULL AND (offline = 1 AND $4 = 1 OR EXISTS (SELECT 1 FROM sessions
            WHERE sessions.tenant = grants.tenant AND sessions.id = grants.session
              AND sessions.idle_expires_at > $3)) THEN NULL ELSE created_at END,
       rotated_at
FROM grants WHERE tenant = $1 AND id = $2 AND expires_at > $3";

/// The grant of a token that is not revoked itself.
const LIVE: &str = "
SELECT client, subject, session, offline, payload, created_at, generation, refresh_expires_at, idle_expires_at, NULL,
       rotated_at
FROM grants WHERE tenant = $1 AND id = $2 AND expires_at > $3 AND ended_at IS NULL
  AND (offline = 1 AND $5 = 1 OR EXISTS (SELECT 1 FROM sessions
       WHERE sessions.tenant = grants.tenant AND sessions.id = grants.session AND sessions.idle_expires_at > $3))
  AND NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE tenant = $1 AND jti = $4)";

/// The grant's columns, and until when its session counts, if it lives by one that can be made to count longer. A token
/// one ahead of the row is the successor by a rotation that was taken back, after another request had its
/// answer. Nobody makes one up: the provider seals them.
const ROTATE: &str = "
UPDATE grants SET generation = $4 + 1, rotated_at = $5,
                  idle_expires_at = CASE WHEN refresh_expires_at < $6 THEN refresh_expires_at ELSE $6 END,
                  expires_at = CASE WHEN expires_at < $7 THEN $7 ELSE expires_at END
WHERE tenant = $1 AND id = $2 AND client = $3 AND (generation = $4 OR generation = $4 - 1)
  AND ended_at IS NULL AND refresh_expires_at > $5 AND idle_expires_at > $5 AND expires_at > $5
  AND (offline = 1 AND $8 = 1 OR EXISTS (SELECT 1 FROM sessions
       WHERE sessions.tenant = grants.tenant AND sessions.id = grants.session AND sessions.idle_expires_at > $5))
RETURNING client, subject, session, offline, payload, created_at, generation, refresh_expires_at, idle_expires_at, NULL,
          rotated_at,
          (SELECT idle_expires_at FROM sessions
           WHERE sessions.tenant = grants.tenant AND sessions.id = grants.session
             AND sessions.idle_expires_at < sessions.expires_at AND (grants.offline = 0 OR $8 = 0))";

/// Why a rotation was none: the grant's columns, of which the last but one is NULL where the refresh token counts.
const NOT_ROTATED: &str = "
SELECT client, subject, session, offline, payload, created_at, generation, refresh_expires_at, idle_expires_at,
       CASE WHEN ended_at IS NULL AND refresh_expires_at > $4 AND idle_expires_at > $4 AND expires_at > $4
             AND (offline = 1 AND $5 = 1 OR EXISTS (SELECT 1 FROM sessions
                  WHERE sessions.tenant = grants.tenant AND sessions.id = grants.session
                    AND sessions.idle_expires_at > $4)) THEN NULL ELSE created_at END,
       rotated_at
FROM grants WHERE tenant = $1 AND id = $2 AND client = $3";

/// The grace of the token's own predecessor does not begin again.
const TAKE_ROTATION_BACK: &str = "
UPDATE grants SET generation = $4, rotated_at = 0
WHERE tenant = $1 AND id = $2 AND client = $3 AND generation = $4 + 1 AND rotated_at = $5";

/// A grant that is not there is over too: rows outlive their tokens.
const REVOKED: &str = "
SELECT 1 WHERE EXISTS (SELECT 1 FROM revoked_tokens WHERE tenant = $1 AND jti = $2)
   OR ($3 = 1 AND NOT EXISTS (SELECT 1 FROM grants WHERE tenant = $1 AND id = $4 AND ended_at IS NULL
       AND (offline = 1 AND $6 = 1 OR EXISTS (SELECT 1 FROM sessions
            WHERE sessions.tenant = grants.tenant AND sessions.id = grants.session
              AND sessions.idle_expires_at > $5))))";

const REVOKE: &str = "
INSERT INTO revoked_tokens (tenant, jti, expires_at) VALUES ($1, $2, $3) ON CONFLICT (tenant, jti) DO NOTHING";

/// One statement, and a second if it is not the first redemption.
pub(super) async fn redeem(database: &Database, grant: &NewGrant) -> Result<Redeemed, StoreError> {
    let refresh = grant.refresh;
    let values = [
        grant.tenant.as_str().into(),
        (&grant.id).into(),
        grant.client.as_str().into(),
        grant.subject.as_str().into(),
        (&grant.session).into(),
        i64::from(grant.offline).into(),
        grant.payload.as_slice().into(),
        grant.created_at.as_second().into(),
        refresh.map(|refresh| refresh.expires_at.as_second()).into(),
        refresh.map(|refresh| refresh.idle_expires_at.as_second()).into(),
        grant.expires_at.as_second().into(),
    ];
    let sql = match database.backend() {
        Backend::Sqlite { .. } => REDEEM_SQLITE,
        Backend::Postgres { .. } => REDEEM_POSTGRES,
    };
    if database.change(Statement::new(sql, values)).await? == 1 {
        return Ok(Redeemed::First);
    }
    let ended = database.change(end_statement(&grant.tenant, &grant.id, grant.created_at)).await?;
    Ok(if ended == 0 { Redeemed::SessionOver } else { Redeemed::Again })
}

/// One statement.
pub(super) async fn end(database: &Database, tenant: &TenantKey, id: Id, now: Timestamp) -> Result<(), StoreError> {
    database.change(end_statement(tenant, &id, now)).await.map(drop)
}

fn end_statement(tenant: &TenantKey, id: &Id, now: Timestamp) -> Statement {
    Statement::new(END, [tenant.as_str().into(), id.into(), now.as_second().into()])
}

/// One statement.
pub(super) async fn grant(database: &Database, lookup: GrantLookup<'_>) -> Result<Option<Grant>, StoreError> {
    let GrantLookup { tenant, grant, offline_access, now } = lookup;
    let values = [tenant.as_str().into(), (&grant).into(), now.as_second().into(), i64::from(offline_access).into()];
    let rows = database.read(Statement::new(GRANT, values)).await?;
    rows.first().map(|row| read(grant, row)).transpose()
}

/// One statement.
pub(super) async fn live(database: &Database, token: TokenLookup<'_>) -> Result<Option<Grant>, StoreError> {
    let Some(id) = token.grant else { return Ok(None) };
    let jti = digest(&SHA256, token.jti.as_bytes());
    let values = [
        token.tenant.as_str().into(),
        (&id).into(),
        token.now.as_second().into(),
        jti.as_ref().into(),
        i64::from(token.offline_access).into(),
    ];
    let rows = database.read(Statement::new(LIVE, values)).await?;
    rows.first().map(|row| read(id, row)).transpose()
}

fn read(id: Id, row: &Row) -> Result<Grant, StoreError> {
    let refresh = match (row.maybe_time(7)?, row.maybe_time(8)?) {
        (Some(expires_at), Some(idle_expires_at)) => Some(RefreshWindow { expires_at, idle_expires_at }),
        (None, _) | (_, None) => None,
    };
    Ok(Grant {
        id,
        client: ClientKey::from_stored(&row.text(0)?),
        subject: row.text(1)?,
        session: row.id(2)?,
        offline: row.number(3)? == 1,
        payload: row.bytes(4)?,
        created_at: row.time(5)?,
        generation: row.count(6)?,
        refresh,
        over: row.maybe_number(9)?.is_some(),
        rotated_at: row.maybe_time(10)?,
    })
}

/// One statement, and where the session has to be kept a second; a second tells why it was refused, and a third ends the
/// grant of a stolen token.
pub(super) async fn rotate(database: &Database, rotation: &Rotation) -> Result<Rotated, StoreError> {
    let (tenant, client) = (rotation.tenant.as_str(), rotation.client.as_str());
    let (generation, now) = (i64::from(rotation.generation), rotation.now.as_second());
    let (id, offline_access) = (&rotation.grant, i64::from(rotation.offline_access));
    let values = [
        tenant.into(),
        id.into(),
        client.into(),
        generation.into(),
        now.into(),
        rotation.idle_expires_at.as_second().into(),
        rotation.tokens_expire_at.as_second().into(),
        offline_access.into(),
    ];
    if let Some(row) = database.returning(Statement::new(ROTATE, values)).await?.first() {
        let grant = read(*id, row)?;
        keep_session(database, rotation, &grant, row.maybe_time(11)?).await;
        return Ok(Rotated::Successor(grant));
    }
    let values = [tenant.into(), id.into(), client.into(), now.into(), offline_access.into()];
    let rows = database.read(Statement::new(NOT_ROTATED, values)).await?;
    let Some(row) = rows.first() else { return Ok(Rotated::Unknown) };
    let grant = read(*id, row)?;
    if grant.over {
        return Ok(Rotated::Over);
    }
    Ok(match grant.presented(rotation.generation, rotation.now, rotation.grace) {
        Presented::Again => Rotated::Again(grant),
        // The last one: just now it became possible again.
        Presented::Current | Presented::Lost => Rotated::Lost,
        Presented::Reused => {
            end(database, &rotation.tenant, rotation.grant, rotation.now).await?;
            Rotated::Reused(grant.subject)
        }
    })
}

/// A session that lives by refreshes is in use, which is written where a quarter of the time is over that it counts
/// unless it is used. Where that fails the token is rotated all the same, and the next refresh tries again.
async fn keep_session(database: &Database, rotation: &Rotation, grant: &Grant, idle: Option<Timestamp>) {
    let Some(idle) = idle else { return };
    let target = rotation.session_idle_expires_at;
    let slack = (target.as_second() - rotation.now.as_second()) / 4;
    if target.as_second() - idle.as_second() > slack {
        let session = (&rotation.tenant, grant.session);
        let kept = sessions::keep(database, session, target, (rotation.now, slack)).await;
        if let Err(error) = kept {
            tracing::debug!(%error, "a session that is in use was not written");
        }
    }
}

/// One statement.
pub(super) async fn take_rotation_back(database: &Database, rotation: &Rotation) -> Result<(), StoreError> {
    let (tenant, client) = (rotation.tenant.as_str(), rotation.client.as_str());
    let (generation, now) = (i64::from(rotation.generation), rotation.now.as_second());
    let values = [tenant.into(), (&rotation.grant).into(), client.into(), generation.into(), now.into()];
    database.change(Statement::new(TAKE_ROTATION_BACK, values)).await.map(drop)
}

/// One statement.
pub(super) async fn is_revoked(database: &Database, token: TokenLookup<'_>) -> Result<bool, StoreError> {
    let jti = digest(&SHA256, token.jti.as_bytes());
    let grant = token.grant.as_ref().map(|id| id.as_bytes().as_slice()).unwrap_or_default();
    let values = [
        token.tenant.as_str().into(),
        jti.as_ref().into(),
        i64::from(token.grant.is_some()).into(),
        grant.into(),
        token.now.as_second().into(),
        i64::from(token.offline_access).into(),
    ];
    Ok(!database.read(Statement::new(REVOKED, values)).await?.is_empty())
}

/// One statement.
pub(super) async fn revoke(
    database: &Database,
    tenant: &TenantKey,
    jti: &str,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let jti = digest(&SHA256, jti.as_bytes());
    let values = [tenant.as_str().into(), jti.as_ref().into(), expires_at.as_second().into()];
    database.change(Statement::new(REVOKE, values)).await.map(drop)
}
