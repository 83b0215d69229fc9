//! The database behind a store: its connections, and the bounds of every call.
//!
//! A call waits for the schema, then for a connection, then for the answer, each no longer than the
//! settings say. What fails is told to the log and is [`StoreError::Unavailable`] to the caller.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::StoreError;
use super::metrics::StoreMetrics;
use super::postgres::Postgres;
use super::problem::{Complaints, Problem};
use super::schema::Schema;
use super::sqlite::Sqlite;
use super::work::{Access, Done, Outcome, Row, Statement, Step, Work};

/// Which database.
pub(super) enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// A database and how patiently it is asked.
pub(super) struct Database {
    backend: Backend,
    statement_timeout: Duration,
    acquire_timeout: Duration,
    schema: watch::Sender<Schema>,
    /// Beside the schema, for it is looked at with every request.
    held_up: AtomicBool,
    complaints: Complaints,
    metrics: StoreMetrics,
}

impl Database {
    /// Nothing is opened yet.
    pub(super) fn new(backend: Backend, statement_timeout: Duration, acquire_timeout: Duration) -> Self {
        let (schema, _) = watch::channel(Schema::Unknown);
        let (complaints, metrics) = (Complaints::default(), StoreMetrics::new());
        let held_up = AtomicBool::new(false);
        Self { backend, statement_timeout, acquire_timeout, schema, held_up, complaints, metrics }
    }

    /// Which it is.
    pub(super) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// What it counts.
    pub(super) fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// From now on calls are made, or refused.
    pub(super) fn set_schema(&self, schema: Schema) {
        if schema == Schema::Known {
            self.metrics.health().found();
        }
        self.held_up.store(schema == Schema::HeldUp, Ordering::Relaxed);
        self.schema.send_replace(schema);
    }

    /// See [`Schema::HeldUp`].
    pub(super) fn is_held_up(&self) -> bool {
        self.held_up.load(Ordering::Relaxed)
    }

    /// The rows that a statement answers that writes nothing.
    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.rows(Access::Read, statement).await
    }

    /// The rows that a statement answers that writes.
    pub(super) async fn returning(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.rows(Access::Write, statement).await
    }

    /// How many rows a statement changed.
    pub(super) async fn change(&self, statement: Statement) -> Result<u64, StoreError> {
        self.changed(Work::Change(statement)).await
    }

    /// Does `steps`, all or none. How many rows they changed.
    pub(super) async fn steps(&self, steps: Vec<Step>) -> Result<u64, StoreError> {
        self.changed(Work::Steps(steps)).await
    }

    async fn rows(&self, access: Access, statement: Statement) -> Result<Vec<Row>, StoreError> {
        match self.call(access, Work::Rows(statement)).await? {
            Outcome::Rows(rows) => Ok(rows),
            Outcome::Changed(_) => Ok(Vec::new()),
        }
    }

    async fn changed(&self, work: Work) -> Result<u64, StoreError> {
        match self.call(Access::Write, work).await? {
            Outcome::Changed(changed) => Ok(changed),
            Outcome::Rows(_) => Ok(0),
        }
    }

    async fn call(&self, access: Access, work: Work) -> Result<Outcome, StoreError> {
        let outcome = self.tried(access, work).await;
        if outcome.is_err() {
            self.metrics.health().failed(access);
        }
        outcome
    }

    async fn tried(&self, access: Access, work: Work) -> Result<Outcome, StoreError> {
        self.has_schema().await?;
        self.settle(access, self.ask(access, work, self.statement_timeout).await)
    }

    fn settle(&self, access: Access, result: Result<Done, Problem>) -> Result<Outcome, StoreError> {
        let Done { outcome, statements } = result.map_err(|problem| self.complain(&problem))?;
        let written = match (&outcome, access) {
            (Outcome::Changed(rows), _) => *rows,
            // Of a statement that returns what it wrote.
            (Outcome::Rows(rows), Access::Write) => rows.len() as u64,
            (Outcome::Rows(_), Access::Read) => 0,
        };
        self.metrics.answered(access, statements, written);
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
            Schema::Closed(_) => Err(StoreError::Unreadable("its schema is of a newer release")),
            Schema::Unknown | Schema::HeldUp => Err(self.complain(&Problem::NotReady)),
        }
    }

    /// Does `work` without asking for the schema, within `patience`.
    pub(super) async fn prepare(&self, work: Work, patience: Duration) -> Result<Outcome, Problem> {
        Ok(self.ask(Access::Write, work, patience).await?.outcome)
    }

    async fn ask(&self, access: Access, work: Work, patience: Duration) -> Result<Done, Problem> {
        match (&self.backend, access) {
            (Backend::Sqlite(sqlite), Access::Read) => sqlite.read(work, patience).await,
            (Backend::Sqlite(sqlite), Access::Write) => sqlite.write(work, patience).await,
            (Backend::Postgres(postgres), _) => postgres.call(&work, patience).await,
        }
    }
}
