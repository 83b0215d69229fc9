//! PostgreSQL's connections.

use std::time::Duration;

use sqlx::ConnectOptions as _;

use super::StoreOptions;
use super::database::Pools;
use super::options::PostgresOptions;
use super::pool::{Keeping, Pool};

/// A connection that was used so lately is taken to be there still.
const FRESH: Duration = Duration::from_secs(1);
/// Idle connections give the server's memory back.
const IDLE: Duration = Duration::from_secs(600);
/// What is set for a role or a database later holds for all soon.
const AGE: Duration = Duration::from_secs(1800);
/// Longer than a server lets a statement run. TCP alone would wait for a quarter of an hour, and after
/// a failover without a word no connection would be left.
const DRAIN: Duration = Duration::from_secs(5);

/// Opens none yet.
pub(super) fn connections(options: &StoreOptions, postgres: &PostgresOptions) -> Pools {
    let connect = postgres.connect.clone().application_name("claviger").disable_statement_logging();
    let connect = if postgres.pooled {
        // A pooler refuses settings of a session, or gives them to whoever comes next.
        connect.extra_float_digits(None).statement_cache_capacity(0)
    } else {
        connect.options([("statement_timeout", options.statement_timeout.as_millis().to_string())])
    };
    let keeping = Keeping {
        connections: options.max_connections,
        patience: options.acquire_timeout,
        fresh: Some(FRESH),
        idle: Some(IDLE),
        age: Some(AGE),
        drain: Some(DRAIN),
    };
    Pools::Postgres { pool: Pool::new(connect, keeping), pooled: postgres.pooled }
}
