//! The database behind a store: its connections, and the bounds of every call.
//!
//! A call waits for the schema, then for a connection, then for the answer, each no longer than the
//! settings say. What fails is told to the log and is [`StoreError::Unavailable`] to the caller.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection};
use tokio::sync::watch;
use tokio::time::timeout;

use super::StoreError;
use super::connection::{self, Done, Outcome, Row, Statement, Step, Work};
use super::metrics::StoreMetrics;
use super::pool::Pool;
use super::problem::{Complaints, Problem};
use super::schema::Schema;

/// The server ends a slow statement itself, so that the connection can be used again. This is for
/// one that cannot.
const SERVER_FIRST: Duration = Duration::from_millis(500);
/// How often a transaction that met another is tried.
const TRIES: u32 = 4;

/// Connections, opened when they are needed.
pub(super) enum Pools {
    Sqlite { writer: Arc<Pool<SqliteConnection>>, readers: Arc<Pool<SqliteConnection>> },
    Postgres { pool: Arc<Pool<PgConnection>>, pooled: bool },
}

/// Whether a statement writes.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

/// A database and how patiently it is asked.
pub(super) struct Database {
    pools: Pools,
    statement_timeout: Duration,
    acquire_timeout: Duration,
    schema: watch::Sender<Schema>,
    complaints: Complaints,
    metrics: StoreMetrics,
}

impl Database {
    /// Behind these connections; nothing is opened yet.
    pub(super) fn new(pools: Pools, statement_timeout: Duration, acquire_timeout: Duration) -> Self {
        let (schema, _) = watch::channel(Schema::Unknown);
        let (complaints, metrics) = (Complaints::default(), StoreMetrics::new());
        Self { pools, statement_timeout, acquire_timeout, schema, complaints, metrics }
    }

    /// Its connections.
    pub(super) fn pools(&self) -> &Pools {
        &self.pools
    }

    /// What it counts.
    pub(super) fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// From now on calls are made, or refused.
    pub(super) fn set_schema(&self, schema: Schema) {
        if schema == Schema::Known {
            self.metrics.health().answered();
        }
        self.schema.send_replace(schema);
    }

    /// The rows that a statement answers that writes nothing.
    pub(super) async fn read(&self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        self.rows(Access::Read, statement).await
    }

    /// The rows that a statement answers that writes.
    pub(super) async fn returning(&self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        self.rows(Access::Write, statement).await
    }

    /// How many rows a statement changed.
    pub(super) async fn change(&self, statement: Statement<'_>) -> Result<u64, StoreError> {
        self.changed(Work::Change(statement)).await
    }

    /// Does `steps`, all or none. How many rows they changed.
    pub(super) async fn steps(&self, steps: Vec<Step<'_>>) -> Result<u64, StoreError> {
        self.changed(Work::Steps(steps)).await
    }

    async fn rows(&self, access: Access, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        match self.call(access, &Work::Rows(statement)).await? {
            Outcome::Rows(rows) => Ok(rows),
            Outcome::Changed(_) => Ok(Vec::new()),
        }
    }

    async fn changed(&self, work: Work<'_>) -> Result<u64, StoreError> {
        match self.call(Access::Write, &work).await? {
            Outcome::Changed(changed) => Ok(changed),
            Outcome::Rows(_) => Ok(0),
        }
    }

    async fn call(&self, access: Access, work: &Work<'_>) -> Result<Outcome, StoreError> {
        let outcome = self.tried(access, work).await;
        if outcome.is_ok() {
            self.metrics.health().answered()
        } else {
            self.metrics.health().failed()
        }
        outcome
    }

    async fn tried(&self, access: Access, work: &Work<'_>) -> Result<Outcome, StoreError> {
        self.has_schema().await?;
        for _ in 1..TRIES {
            match self.attempt(access, work, self.statement_timeout).await {
                Err(problem) if problem.is_collision() => {}
                result => return self.settle(access, result),
            }
        }
        self.settle(access, self.attempt(access, work, self.statement_timeout).await)
    }

    fn settle(&self, access: Access, result: Result<Done, Problem>) -> Result<Outcome, StoreError> {
        let Done { outcome, statements } = result.map_err(|problem| self.complain(&problem))?;
        let written = match (&outcome, access) {
            (Outcome::Changed(rows), _) => *rows,
            // Of a statement that returns what it wrote.
            (Outcome::Rows(rows), Access::Write) => rows.len() as u64,
            (Outcome::Rows(_), Access::Read) => 0,
        };
        self.metrics.answered(statements, written);
        Ok(outcome)
    }

    fn complain(&self, problem: &Problem) -> StoreError {
        self.complaints.warn(problem);
        StoreError::Unavailable
    }

    async fn has_schema(&self) -> Result<(), StoreError> {
        let known = *self.schema.borrow();
        let schema = if known == Schema::Unknown {
            let mut changes = self.schema.subscribe();
            match timeout(self.acquire_timeout, changes.wait_for(|schema| *schema != Schema::Unknown)).await {
                Ok(Ok(schema)) => *schema,
                Ok(Err(_)) | Err(_) => Schema::Unknown,
            }
        } else {
            known
        };
        match schema {
            Schema::Known => Ok(()),
            Schema::Newer(_) => Err(StoreError::Unreadable("its schema is of a newer release")),
            Schema::Unknown => Err(self.complain(&Problem::NotReady)),
        }
    }

    /// Does `work` without asking for the schema, within `patience`.
    pub(super) async fn prepare(&self, work: &Work<'_>, patience: Duration) -> Result<Outcome, Problem> {
        Ok(self.attempt(Access::Write, work, patience).await?.outcome)
    }

    async fn attempt(&self, access: Access, work: &Work<'_>, patience: Duration) -> Result<Done, Problem> {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                let pool = if matches!(access, Access::Read) { readers } else { writer };
                let mut lease = pool.lease().await?;
                let Some(connection) = lease.connection() else { return Err(Problem::NoConnection) };
                let outcome = timeout(patience, connection::on_sqlite(connection, work)).await;
                let done = outcome.map_err(|_| Problem::Slow)??;
                lease.settle();
                Ok(done)
            }
            Pools::Postgres { pool, pooled } => {
                let mut lease = pool.lease().await?;
                let Some(connection) = lease.connection() else { return Err(Problem::NoConnection) };
                let work = connection::on_postgres(connection, *pooled, work);
                let outcome = match timeout(patience + SERVER_FIRST, work).await {
                    Ok(outcome) => outcome.map_err(Problem::Driver),
                    Err(_) => Err(Problem::Slow),
                };
                match &outcome {
                    Ok(_) => lease.settle(),
                    Err(problem) if problem.spares_the_connection() => drop(lease),
                    Err(_) => lease.discard(),
                }
                outcome
            }
        }
    }
}
