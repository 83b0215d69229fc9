//! Migrations: brings a database to the schema of this release, once, however many do it at once.
//!
//! Version N is the file `migrations/*/000N_*.sql`, in one transaction that begins with the row N
//! of `claviger_schema`: who cannot insert that row waits for the transaction that did, and has then
//! nothing to do. So it needs no lock that outlives a transaction, which a pooler would lose.
//!
//! Pods of the previous release go on while a new one migrates, restart meanwhile, and come back when that is taken
//! back: a migration may only add. One that has to do more also inserts the row -M: then the database is only for
//! releases that know M migrations. That keeps out pods that begin later, not those that run.

use std::sync::Arc;
use std::time::Duration;

use super::database::{Backend, Database};
use super::problem::Problem;
use super::work::{Outcome, Statement, Step, Work};

const SQLITE: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_initial.sql"),
    include_str!("../../migrations/sqlite/0002_previous_failure.sql"),
    include_str!("../../migrations/sqlite/0003_kinds_kept.sql"),
];
const POSTGRES: &[&str] = &[
    include_str!("../../migrations/postgres/0001_initial.sql"),
    include_str!("../../migrations/postgres/0002_previous_failure.sql"),
    include_str!("../../migrations/postgres/0003_kinds_kept.sql"),
];

const VERSIONS: &str = "SELECT max(version), min(version) FROM claviger_schema";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS claviger_schema (version BIGINT NOT NULL PRIMARY KEY)";
const ENTER: &str = "INSERT INTO claviger_schema (version) VALUES ($1) ON CONFLICT (version) DO NOTHING";

/// For a migration, which may wait for another pod's.
const PATIENCE: Duration = Duration::from_secs(600);
/// After the gate. A table may be in use for as long as a backup takes, and who asks for it after a migration that
/// waits has to wait too: so that one gives up before they do, and tries again later.
const LOCKS: &str = "SET LOCAL lock_timeout = '2s'";
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
    /// It has all that this release needs.
    Known,
    /// It is to be changed, and that waits for a table or for a right. Pods of the release before can go on with it as
    /// it is.
    HeldUp,
    /// A newer release has changed it so that only those may use it that know this version.
    Closed(i64),
}

/// Of a database.
#[derive(Clone, Copy, Default)]
struct Versions {
    /// Of the newest release that was here.
    newest: i64,
    /// Whoever knows no such version must not use it.
    least: i64,
}

/// Brings the database to this release's schema.
pub(super) async fn migrate(database: &Database) -> Result<Schema, Problem> {
    let mut tries = 0;
    loop {
        tries += 1;
        match advance(database).await {
            Err(problem) if tries < TRIES && may_have_met_another(&problem) => tokio::time::sleep(PAUSE).await,
            result => {
                if let Ok(schema) = result {
                    database.set_schema(schema);
                }
                return result;
            }
        }
    }
}

/// The same, until it succeeds; `first` is why it has not.
pub(super) async fn migrate_when_it_answers(database: Arc<Database>, first: Problem) {
    let (mut pause, mut outcome) = (PAUSE, Err(first));
    loop {
        match &outcome {
            Ok(Schema::Known) => {
                tracing::info!("the store answers");
                return;
            }
            // It may be restored from before that release.
            Ok(Schema::Closed(least)) => tracing::error!(least, "a newer release keeps the store from this one"),
            Ok(Schema::Unknown | Schema::HeldUp) => {}
            Err(problem) => {
                complain(problem);
                if problem.is_locked() || problem.is_forbidden() {
                    database.set_schema(Schema::HeldUp);
                }
                if problem.is_locked() {
                    // Who has waited behind it gets a turn.
                    pause = LONGEST_PAUSE;
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        outcome = migrate(&database).await;
    }
}

fn may_have_met_another(problem: &Problem) -> bool {
    problem.spares_the_connection() && !problem.is_locked() && !problem.is_forbidden()
}

fn complain(problem: &Problem) {
    let words = problem.describe();
    if problem.is_forbidden() {
        tracing::error!(
            problem = words,
            "the store refuses to make or change tables, and what needs it gets a 503: let the role of the store's URL \
             own the database, or GRANT CREATE ON SCHEMA public to it; tables that are there have to be its own"
        );
    } else if problem.is_locked() {
        tracing::warn!(
            problem = words,
            "a table of the store is in use, by a backup maybe, and is changed later; what needs it gets a 503"
        );
    } else {
        tracing::warn!(problem = words, "the store is not reached yet; what needs it gets a 503");
    }
}

async fn advance(database: &Database) -> Result<Schema, Problem> {
    let (scripts, unhurried, locks) = match database.backend() {
        Backend::Sqlite { .. } => (SQLITE, "SELECT 1", "SELECT 1"),
        Backend::Postgres { .. } => (POSTGRES, "SET LOCAL statement_timeout = 0", LOCKS),
    };
    let Versions { newest, least } = match versions(database).await {
        // Whoever may not create tables needs not to, once it is there.
        Err(problem) if problem.spares_the_connection() => {
            let table = Work::Steps(vec![Step::Script(TABLE)]);
            database.prepare(table, PATIENCE).await?;
            versions(database).await?
        }
        versions => versions?,
    };
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    if least > known {
        return Ok(Schema::Closed(least));
    }
    if newest > known {
        tracing::warn!(newest, known, "a newer release has added to the store's schema; this one goes on with it");
    }
    for (number, script) in (1..).zip(scripts).filter(|(number, _)| *number > newest) {
        let enter = Statement::new(ENTER, [i64::into(number)]);
        let steps = vec![Step::Script(unhurried), Step::Gate(enter), Step::Script(locks), Step::Script(script)];
        database.prepare(Work::Steps(steps), PATIENCE).await?;
    }
    Ok(Schema::Known)
}

/// 0 and 0 of a database without any.
async fn versions(database: &Database) -> Result<Versions, Problem> {
    let Outcome::Rows(rows) = database.prepare(Work::Rows(Statement::new(VERSIONS, [])), LOOK).await? else {
        return Ok(Versions::default());
    };
    let number = |column| rows.first().and_then(|row| row.maybe_number(column).ok().flatten()).unwrap_or(0);
    Ok(Versions { newest: number(0), least: number(1).saturating_neg().max(0) })
}
