//! PostgreSQL: a pool of connections, and the bounds of what is asked of them.

mod perform;
mod pool;

use std::io;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use tokio::time::timeout;

use self::pool::Pool;
use super::StoreOptions;
use super::options::PostgresOptions;
use super::problem::Problem;
use super::work::{Done, Work};

/// The server ends a slow statement itself, so that the connection can be used again. This is for
/// one that cannot.
const SERVER_FIRST: Duration = Duration::from_millis(500);
/// How often is tried what met another transaction, or a server that is read-only since.
const TRIES: u32 = 4;

/// A database.
pub(super) struct Postgres {
    pool: Pool,
    pooled: bool,
}

impl Postgres {
    /// Opens no connection yet.
    pub(super) fn new(options: &StoreOptions, postgres: &PostgresOptions) -> io::Result<Self> {
        let connect = postgres.connect.clone().application_name("claviger").disable_statement_logging();
        let connect = if postgres.pooled {
            // A pooler refuses settings of a session, or gives them to whoever comes next.
            connect.extra_float_digits(None).statement_cache_capacity(0)
        } else {
            connect.options([("statement_timeout", options.statement_timeout.as_millis().to_string())])
        };
        let pool = Pool::new(connect, options.max_connections, options.acquire_timeout)?;
        Ok(Self { pool, pooled: postgres.pooled })
    }

    /// Does `work`, and waits for each answer as long as `patience`.
    pub(super) async fn call(&self, work: &Work, patience: Duration) -> Result<Done, Problem> {
        for _ in 1..TRIES {
            match self.attempt(work, patience).await {
                Err(problem) if problem.is_collision() || problem.is_demotion() => {}
                result => return result,
            }
        }
        self.attempt(work, patience).await
    }

    async fn attempt(&self, work: &Work, patience: Duration) -> Result<Done, Problem> {
        let mut lease = self.pool.lease().await?;
        let Some(connection) = lease.connection() else { return Err(Problem::NoConnection) };
        let outcome = match timeout(patience + SERVER_FIRST, perform::perform(connection, self.pooled, work)).await {
            Ok(outcome) => outcome.map_err(Problem::Driver),
            Err(_) => Err(Problem::Slow),
        };
        match &outcome {
            Ok(_) => lease.settle(),
            Err(problem) if problem.spares_the_connection() => drop(lease),
            Err(problem) => {
                if problem.is_demotion() {
                    self.pool.leave();
                }
                lease.discard();
            }
        }
        outcome
    }
}
