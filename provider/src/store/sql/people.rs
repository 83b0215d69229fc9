//! What is known of people's logins: their consent, and how often a login failed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::store::database::Database;
use crate::store::work::{Statement, Value};
use crate::store::{ClientKey, Failures, Id, StoreError, TenantKey};

/// So many keys or scopes go into one statement; what is missing is NULL.
const MANY: usize = 8;

const CONSENT: &str = "SELECT scope FROM consents WHERE tenant = $1 AND subject = $2 AND client = $3";

/// Sorted, so that two at once do not wait for each other in a circle; the same below.
const REMEMBER: &str = "
INSERT INTO consents (tenant, subject, client, scope, given_at)
SELECT $1, $2, $3, scopes.scope, $4
FROM (SELECT $5 AS scope UNION SELECT $6 UNION SELECT $7 UNION SELECT $8 UNION SELECT $9 UNION SELECT $10
      UNION SELECT $11 UNION SELECT $12) AS scopes
WHERE scopes.scope IS NOT NULL ORDER BY scopes.scope
ON CONFLICT (tenant, subject, client, scope) DO NOTHING";

const FAILURES: &str = "
SELECT id, failures, last_at FROM login_failures
WHERE tenant = $1 AND expires_at > $2 AND id IN ($3, $4, $5, $6, $7, $8, $9, $10)";

/// Counts first and tells what there was before, so that of many at once each sees the others.
const TRIED: &str = "
INSERT INTO login_failures (tenant, id, failures, last_at, expires_at)
SELECT $1, keys.id, 1, $2, $3
FROM (SELECT $4 AS id UNION SELECT $5 UNION SELECT $6 UNION SELECT $7 UNION SELECT $8 UNION SELECT $9
      UNION SELECT $10 UNION SELECT $11) AS keys
WHERE keys.id IS NOT NULL ORDER BY keys.id
ON CONFLICT (tenant, id) DO UPDATE SET last_at = excluded.last_at, expires_at = excluded.expires_at,
    previous_at = CASE WHEN login_failures.expires_at > excluded.last_at AND login_failures.failures > 0
        THEN login_failures.last_at END,
    failures = CASE WHEN login_failures.expires_at > excluded.last_at THEN login_failures.failures + 1 ELSE 1 END
RETURNING id, failures - 1, previous_at";

/// A later one, counted meanwhile and taken back before, has left its time: the earlier of the two stands.
const TAKE_BACK: &str = "
UPDATE login_failures SET failures = failures - 1, last_at = CASE WHEN $3 < last_at THEN $3 ELSE last_at END
WHERE tenant = $1 AND id = $2 AND failures > 0";

const FORGET: &str = "
DELETE FROM login_failures WHERE tenant = $1 AND id IN ($2, $3, $4, $5, $6, $7, $8, $9)";

/// One statement.
pub(super) async fn consent(
    database: &Database,
    tenant: &TenantKey,
    subject: &str,
    client: &ClientKey,
) -> Result<BTreeSet<String>, StoreError> {
    let values = [tenant.as_str().into(), subject.into(), client.as_str().into()];
    let rows = database.read(Statement::new(CONSENT, values)).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// One statement for eight scopes.
pub(super) async fn remember_consent(
    database: &Database,
    tenant: &TenantKey,
    subject: &str,
    client: &ClientKey,
    scopes: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let scopes: Vec<Value> = scopes.iter().map(|scope| Value::from(scope.as_str())).collect();
    for part in scopes.chunks(MANY) {
        let given: [Value; 4] =
            [tenant.as_str().into(), subject.into(), client.as_str().into(), now.as_second().into()];
        database.change(padded(REMEMBER, &given, part, Value::NoText)).await?;
    }
    Ok(())
}

/// One statement for eight keys.
pub(super) async fn failures(
    database: &Database,
    tenant: &TenantKey,
    keys: &[Id],
    now: Timestamp,
) -> Result<Vec<Failures>, StoreError> {
    let mut found = vec![Failures::default(); keys.len()];
    for (part, found) in keys.chunks(MANY).zip(found.chunks_mut(MANY)) {
        let given = [tenant.as_str().into(), now.as_second().into()];
        for row in database.read(padded(FAILURES, &given, &ids(part), Value::NoId)).await? {
            let (id, failures) = (row.id(0)?, Failures { count: row.count(1)?, last_at: Some(row.time(2)?) });
            set(part, found, id, failures);
        }
    }
    Ok(found)
}

/// One statement for eight keys.
pub(super) async fn tried(
    database: &Database,
    tenant: &TenantKey,
    keys: &[Id],
    now: Timestamp,
    forget_at: Timestamp,
) -> Result<Vec<Failures>, StoreError> {
    let mut before = vec![Failures::default(); keys.len()];
    for (part, before) in keys.chunks(MANY).zip(before.chunks_mut(MANY)) {
        let given = [tenant.as_str().into(), now.as_second().into(), forget_at.as_second().into()];
        for row in database.returning(padded(TRIED, &given, &ids(part), Value::NoId)).await? {
            let (id, failures) = (row.id(0)?, Failures { count: row.count(1)?, last_at: row.maybe_time(2)? });
            set(part, before, id, failures);
        }
    }
    Ok(before)
}

/// One statement for each key: whoever changes several rows in one has to hold them in the same order as
/// everybody else.
pub(super) async fn take_back(
    database: &Database,
    tenant: &TenantKey,
    keys: &[Id],
    before: &[Failures],
) -> Result<(), StoreError> {
    for (key, before) in keys.iter().zip(before) {
        let last_at = before.last_at.map(Timestamp::as_second);
        let values = [tenant.as_str().into(), key.into(), last_at.into()];
        database.change(Statement::new(TAKE_BACK, values)).await?;
    }
    Ok(())
}

/// One statement for eight keys.
pub(super) async fn forget(database: &Database, tenant: &TenantKey, keys: &[Id]) -> Result<(), StoreError> {
    for part in keys.chunks(MANY) {
        database.change(padded(FORGET, &[tenant.as_str().into()], &ids(part), Value::NoId)).await?;
    }
    Ok(())
}

/// In the order of `keys`, which may name one twice.
fn set(keys: &[Id], found: &mut [Failures], id: Id, failures: Failures) {
    for (_, found) in keys.iter().zip(found).filter(|(key, _)| **key == id) {
        *found = failures;
    }
}

fn ids(keys: &[Id]) -> Vec<Value> {
    keys.iter().map(Value::from).collect()
}

fn padded(sql: &'static str, given: &[Value], part: &[Value], nothing: Value) -> Statement {
    let padding = std::iter::repeat_n(nothing, MANY - part.len());
    Statement { sql, values: given.iter().chain(part).cloned().chain(padding).collect() }
}
