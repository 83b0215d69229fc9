//! Connections: opened when they are needed, kept for whoever comes next, closed when nobody does.
//!
//! The pool is deadpool's. sqlx has one too, which asks every connection that is given back whether it is
//! alive, a second round trip for every call. Here one that is given back has just answered, and is asked
//! before it is used again after a pause.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{Manager, Metrics, Object, PoolBuilder, QueueMode, RecycleError, RecycleResult, WeakPool};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use crate::store::problem::Problem;

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);
/// The same where a server answered that takes no writes: each try costs it a login, and a failover takes its time.
const HANDOVER: Duration = Duration::from_millis(250);
/// Asked once, of a connection that was opened: no setting of the driver's looks for the primary. A standby, and a
/// primary that became one, would still be read, and know nothing of what was revoked since. CockroachDB and
/// YugabyteDB have it too, and a pooler passes it on.
const READ_ONLY: &str = "SHOW transaction_read_only";
/// A connection that was used so lately is taken to be there still; another is asked first.
const FRESH: Duration = Duration::from_secs(1);
/// For the answer of a connection that is asked: some dead ones must fit into the patience.
const PING: Duration = Duration::from_millis(300);
/// Idle connections give the server's memory back.
const IDLE: Duration = Duration::from_secs(600);
/// What is set for a role or a database later holds for all soon.
const AGE: Duration = Duration::from_secs(1800);
/// For the end of a statement that nobody waits for any more: longer than a server lets a statement run.
/// TCP alone would wait for a quarter of an hour, and after a failover without a word no connection
/// would be left.
const DRAIN: Duration = Duration::from_secs(5);

/// Connections to one database.
pub(super) struct Pool {
    inner: deadpool::managed::Pool<Opener>,
    patience: Duration,
}

/// Opens them, and says which may be used again.
struct Opener {
    options: PgConnectOptions,
    patience: Duration,
    /// What was opened until then leads to a server that takes no writes any more.
    left: Mutex<Option<Instant>>,
}

/// A connection in use. Dropped without [`Lease::settle`], it may have something to end, a statement that
/// nobody waits for any more or a transaction that failed: it is kept when that has ended, and closed if
/// it takes too long.
pub(super) struct Lease(Option<Object<Opener>>);

// === impl Pool ===

impl Pool {
    /// At most `most`, for each of which a caller waits as long as `patience`. Opens none yet.
    pub(super) fn new(options: PgConnectOptions, most: u32, patience: Duration) -> io::Result<Self> {
        let most = usize::try_from(most).unwrap_or(usize::MAX).clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        let opener = Opener { options, patience, left: Mutex::default() };
        let builder: PoolBuilder<Opener> = deadpool::managed::Pool::builder(opener);
        let mut config = deadpool::managed::PoolConfig::new(most);
        // So that those that are too many become idle.
        config.queue_mode = QueueMode::Lifo;
        let inner = builder.config(config).build().map_err(io::Error::other)?;
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(close_idle(inner.weak()));
        }
        Ok(Self { inner, patience })
    }

    /// A connection that can be used.
    pub(super) async fn lease(&self) -> Result<Lease, Problem> {
        use deadpool::managed::PoolError::Backend;
        match timeout(self.patience, self.inner.get()).await {
            Ok(Ok(object)) => Ok(Lease(Some(object))),
            Ok(Err(Backend(problem))) => Err(problem),
            Ok(Err(_)) | Err(_) => Err(Problem::NoConnection),
        }
    }

    /// Uses none again of those that are open: their server takes no writes any more.
    pub(super) fn leave(&self) {
        *self.inner.manager().left.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// For as long as the pool is there. Says good-bye, so that the server has nothing to complain of.
async fn close_idle(pool: WeakPool<Opener>) {
    loop {
        sleep(IDLE / 2).await;
        let Some(pool) = pool.upgrade() else { return };
        for connection in pool.retain(|_, metrics| metrics.last_used() < IDLE).removed {
            drop(timeout(PING, connection.close()).await);
        }
    }
}

// === impl Opener ===

impl Opener {
    async fn open(&self) -> Result<PgConnection, Problem> {
        let mut connection = self.options.connect().await.map_err(Problem::Driver)?;
        let row = sqlx::raw_sql(READ_ONLY).fetch_one(&mut connection).await.map_err(Problem::Driver)?;
        if row.try_get(0).is_ok_and(|answer: &str| answer == "on") { Err(Problem::ReadOnly) } else { Ok(connection) }
    }

    fn has_left(&self, opened: Instant) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|left| opened <= left)
    }
}

impl Manager for Opener {
    type Type = PgConnection;
    type Error = Problem;

    async fn create(&self) -> Result<PgConnection, Problem> {
        let end = Instant::now() + self.patience;
        loop {
            // Apart: its state is large, and every call would carry room for it.
            match Box::pin(self.open()).await {
                Ok(connection) => return Ok(connection),
                Err(problem) => {
                    let pause = if matches!(problem, Problem::ReadOnly) { HANDOVER } else { PAUSE };
                    if !problem.passes() || Instant::now() + pause >= end {
                        return Err(problem);
                    }
                    sleep(pause).await;
                }
            }
        }
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<Problem> {
        if metrics.age() > AGE || self.has_left(metrics.created) {
            return Err(RecycleError::message("it is old"));
        }
        // After a restart of the server, all that are idle are dead.
        if metrics.last_used() < FRESH || matches!(timeout(PING, Box::pin(connection.ping())).await, Ok(Ok(()))) {
            return Ok(());
        }
        Err(RecycleError::message("it does not answer"))
    }
}

// === impl Lease ===

impl Lease {
    /// The connection, until it was given back.
    pub(super) fn connection(&mut self) -> Option<&mut PgConnection> {
        self.0.as_deref_mut()
    }

    /// Gives it back: its statement has succeeded.
    pub(super) fn settle(mut self) {
        drop(self.0.take());
    }

    /// Closes it: it is broken, or its statement does not end.
    pub(super) fn discard(mut self) {
        self.0.take().map(Object::take);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            drop(Object::take(connection));
            return;
        };
        runtime.spawn(async move {
            if !matches!(timeout(DRAIN, connection.ping()).await, Ok(Ok(()))) {
                drop(Object::take(connection));
            }
        });
    }
}
