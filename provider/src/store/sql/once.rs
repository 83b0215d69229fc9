//! What counts once: finished logins, client assertions; and what is kept for a while.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use crate::store::database::Database;
use crate::store::work::Statement;
use crate::store::{ClientKey, Id, KeptRoom, StoreError, TenantKey};

const LOGIN: &str = "
INSERT INTO consumed_logins (tenant, id, expires_at) VALUES ($1, $2, $3) ON CONFLICT (tenant, id) DO NOTHING";

const ASSERTION: &str = "
INSERT INTO consumed_assertions (tenant, client, jti, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant, client, jti) DO NOTHING";

const KEEP: &str = "
INSERT INTO kept (tenant, id, kind, bytes, expires_at)
SELECT $1, $2, $3, $4, $5 WHERE (SELECT COUNT(*) FROM kept WHERE tenant = $1 AND kind = $3) < $6";
const KEEP_INSTEAD: &str = "UPDATE kept SET bytes = $3 WHERE tenant = $1 AND id = $2 AND expires_at > $4";
const KEPT: &str = "SELECT bytes FROM kept WHERE tenant = $1 AND id = $2 AND expires_at > $3";

/// One statement.
pub(super) async fn login(
    database: &Database,
    tenant: &TenantKey,
    id: Id,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let values = [tenant.as_str().into(), (&id).into(), expires_at.as_second().into()];
    Ok(database.change(Statement::new(LOGIN, values)).await? == 1)
}

/// One statement. The `jti` is hashed: its length is the client's choice and an index has limits.
pub(super) async fn assertion(
    database: &Database,
    tenant: &TenantKey,
    client: &ClientKey,
    jti: &str,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let jti = digest(&SHA256, jti.as_bytes());
    let values = [tenant.as_str().into(), client.as_str().into(), jti.as_ref().into(), expires_at.as_second().into()];
    Ok(database.change(Statement::new(ASSERTION, values)).await? == 1)
}

/// One statement.
pub(super) async fn keep(
    database: &Database,
    tenant: &TenantKey,
    id: Id,
    bytes: &[u8],
    expires_at: Timestamp,
    room: KeptRoom,
) -> Result<(), StoreError> {
    let (kind, most) = (room.kind.number().into(), i64::from(room.most).into());
    let values = [tenant.as_str().into(), (&id).into(), kind, bytes.into(), expires_at.as_second().into(), most];
    if database.change(Statement::new(KEEP, values)).await? == 1 { Ok(()) } else { Err(StoreError::Full) }
}

/// One statement.
pub(super) async fn keep_instead(
    database: &Database,
    tenant: &TenantKey,
    id: Id,
    bytes: &[u8],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = [tenant.as_str().into(), (&id).into(), bytes.into(), now.as_second().into()];
    Ok(database.change(Statement::new(KEEP_INSTEAD, values)).await? == 1)
}

/// One statement.
pub(super) async fn kept(
    database: &Database,
    tenant: &TenantKey,
    id: Id,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    let values = [tenant.as_str().into(), (&id).into(), now.as_second().into()];
    let rows = database.read(Statement::new(KEPT, values)).await?;
    rows.first().map(|row| row.bytes(0)).transpose()
}
