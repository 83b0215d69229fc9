//! Migrations: brings a database to the schema of this release, once, however many do it at once.
//!
//! Version N is the file `migrations/*/000N_*.sql`, in one transaction that begins with the row N
//! of `claviger_schema`: who cannot insert that row waits for the transaction that did, and has then
//! nothing to do. So it needs no lock that outlives a transaction, which a pooler would lose.
//!
//! Pods of the previous release go on while a new one migrates: a migration may only add.

use std::sync::Arc;
use std::time::Duration;

use super::database::{Backend, Database};
use super::problem::Problem;
use super::work::{Outcome, Statement, Step, Work};

const SQLITE: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_initial.sql"),
    include_str!("../../migrations/sqlite/0002_previous_failure.sql"),
];
const POSTGRES: &[&str] = &[
    include_str!("../../migrations/postgres/0001_initial.sql"),
    include_str!("../../migrations/postgres/0002_previous_failure.sql"),
];

const VERSION: &str = "SELECT max(version) FROM claviger_schema";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS claviger_schema (version BIGINT NOT NULL PRIMARY KEY)";
const ENTER: &str = "INSERT INTO claviger_schema (version) VALUES ($1) ON CONFLICT (version) DO NOTHING";

/// For a migration, which may wait for another pod's.
const PATIENCE: Duration = Duration::from_secs(600);
/// For a look at what is there.
const LOOK: Duration = Duration::from_secs(2);
/// Two who create the same table at once can both fail.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is known of a database's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    /// It was not reached yet.
    Unknown,
    /// It is this release's.
    Known,
    /// It is a newer release's, with this version.
    Newer(i64),
}

/// Brings the database to this release's schema.
pub(super) async fn migrate(database: &Database) -> Result<Schema, Problem> {
    let mut tries = 0;
    loop {
        tries += 1;
        match advance(database).await {
            Err(problem) if tries < TRIES && problem.spares_the_connection() => tokio::time::sleep(PAUSE).await,
            result => {
                if let Ok(schema) = result {
                    database.set_schema(schema);
                }
                return result;
            }
        }
    }
}

/// The same, until it succeeds.
pub(super) async fn migrate_when_it_answers(database: Arc<Database>) {
    let mut pause = PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match migrate(&database).await {
            Ok(Schema::Known) => {
                tracing::info!("the store answers");
                return;
            }
            // Its newer release may be taken back.
            Ok(Schema::Newer(version)) => {
                tracing::error!(version, "the store's schema is of a newer release than this one");
            }
            Ok(Schema::Unknown) => {}
            Err(problem) => tracing::warn!(problem = problem.describe(), "the store is not reached yet"),
        }
    }
}

async fn advance(database: &Database) -> Result<Schema, Problem> {
    let (scripts, unhurried) = match database.backend() {
        Backend::Sqlite { .. } => (SQLITE, "SELECT 1"),
        Backend::Postgres { .. } => (POSTGRES, "SET LOCAL statement_timeout = 0"),
    };
    let version = match version(database).await {
        // Whoever may not create tables needs not to, once it is there.
        Err(problem) if problem.spares_the_connection() => {
            let table = Work::Steps(vec![Step::Script(TABLE)]);
            database.prepare(table, PATIENCE).await?;
            self::version(database).await?
        }
        version => version?,
    };
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    if version > known {
        return Ok(Schema::Newer(version));
    }
    for (number, script) in (1..).zip(scripts).filter(|(number, _)| *number > version) {
        let enter = Statement::new(ENTER, [i64::into(number)]);
        let steps = vec![Step::Script(unhurried), Step::Gate(enter), Step::Script(script)];
        database.prepare(Work::Steps(steps), PATIENCE).await?;
    }
    Ok(Schema::Known)
}

/// 0 of a database without any.
async fn version(database: &Database) -> Result<i64, Problem> {
    match database.prepare(Work::Rows(Statement::new(VERSION, [])), LOOK).await? {
        Outcome::Rows(rows) => {
            let version = rows.first().map_or(Ok(None), |row| row.maybe_number(0));
            Ok(version.ok().flatten().unwrap_or(0))
        }
        Outcome::Changed(_) => Ok(0),
    }
}
