//! PostgreSQL's connections.

use std::time::Duration;

use futures::FutureExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Postgres};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::StoreOptions;
use super::database::Pools;
use super::options::PostgresOptions;

/// A connection that was used so lately is taken to be there still; another is asked first.
const FRESH: Duration = Duration::from_secs(1);
/// Some dead ones must fit into the time for a connection.
const PING: Duration = Duration::from_millis(300);
/// For the end of a statement that nobody waits for any more: longer than a server lets one run.
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
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            async move {
                // After a restart of the server, all that are idle are dead.
                Ok(meta.idle_for < FRESH || matches!(timeout(PING, connection.ping()).await, Ok(Ok(()))))
            }
            .boxed()
        })
        .connect_lazy_with(connect);
    Pools::Postgres { pool, pooled: postgres.pooled }
}

/// A connection in use. Who asked may go away midway: then it is given back when its statement has
/// ended, and closed if that takes long. The pool itself would wait for as long as TCP does, and
/// after a failover without a word no connection would be left.
pub(super) struct Lease(Option<PoolConnection<Postgres>>);

impl Lease {
    /// Of this connection.
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self(Some(connection))
    }

    /// The connection, until it was given back.
    pub(super) fn connection(&mut self) -> Option<&mut PgConnection> {
        self.0.as_deref_mut()
    }

    /// Gives it back: its statement has ended.
    pub(super) fn settle(&mut self) {
        self.0 = None;
    }

    /// Closes it: it is broken, or its statement does not end.
    pub(super) fn discard(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(mut connection), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                if !matches!(timeout(DRAIN, connection.ping()).await, Ok(Ok(()))) {
                    drop(connection.detach());
                }
            });
        }
    }
}
