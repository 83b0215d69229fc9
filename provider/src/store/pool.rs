//! Connections: opened when they are needed, kept for whoever comes next, closed when nobody does.
//!
//! sqlx has a pool too. It asks every connection that is given back whether it is alive, which is a
//! second round trip for every call. Here one that is given back has just answered, and is asked
//! before it is used again after a pause.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::{ConnectOptions as _, Connection};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::problem::Problem;

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// How connections are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    /// At most.
    pub(super) connections: u32,
    /// For one that can be used.
    pub(super) patience: Duration,
    /// One that was used so lately is taken to be there still; another is asked first. None where
    /// a connection does not break.
    pub(super) fresh: Option<Duration>,
    /// One that nobody used for so long is closed.
    pub(super) idle: Option<Duration>,
    /// One that is so old is closed.
    pub(super) age: Option<Duration>,
    /// For the end of a statement that nobody waits for any more.
    pub(super) drain: Option<Duration>,
}

/// For the answer of a connection that is asked: some dead ones must fit into the patience.
const PING: Duration = Duration::from_millis(300);

/// Connections to one database.
pub(super) struct Pool<C: Connection + 'static> {
    connect: C::Options,
    keeping: Keeping,
    places: Arc<Semaphore>,
    rest: Mutex<Rest<C>>,
}

/// Those that nobody uses, the one that was used last at the end.
struct Rest<C> {
    connections: Vec<Kept<C>>,
    /// Somebody looks after those that are idle too long.
    is_watched: bool,
}

struct Kept<C> {
    connection: C,
    opened: Instant,
    used: Instant,
}

/// A connection in use. Dropped without [`Lease::settle`], it may have something to end, a statement that
/// nobody waits for any more or a transaction that failed: it is kept when that has ended, and closed if
/// it takes too long.
pub(super) struct Lease<C: Connection + 'static> {
    kept: Option<Kept<C>>,
    pool: Arc<Pool<C>>,
    place: Option<OwnedSemaphorePermit>,
}

// === impl Pool ===

impl<C: Connection + 'static> Pool<C> {
    /// Opens none yet.
    pub(super) fn new(connect: C::Options, keeping: Keeping) -> Arc<Self> {
        let places = usize::try_from(keeping.connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let rest = Rest { connections: Vec::new(), is_watched: false };
        Arc::new(Self { connect, keeping, places: Arc::new(Semaphore::new(places)), rest: Mutex::new(rest) })
    }

    /// A connection that can be used.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease<C>, Problem> {
        let end = Instant::now() + self.keeping.patience;
        timeout(self.keeping.patience, self.find(end)).await.map_err(|_| Problem::NoConnection)?
    }

    async fn find(self: &Arc<Self>, end: Instant) -> Result<Lease<C>, Problem> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Problem::NoConnection)?;
        let lease = |kept| Lease { kept: Some(kept), pool: Arc::clone(self), place: Some(place) };
        loop {
            let Some(mut kept) = self.rest().connections.pop() else { break };
            let is_fresh = self.keeping.fresh.is_none_or(|fresh| kept.used.elapsed() < fresh);
            // After a restart of the server, all that are idle are dead.
            if is_fresh || matches!(timeout(PING, kept.connection.ping()).await, Ok(Ok(()))) {
                return Ok(lease(kept));
            }
        }
        loop {
            match self.connect.connect().await {
                Ok(connection) => {
                    let now = Instant::now();
                    return Ok(lease(Kept { connection, opened: now, used: now }));
                }
                Err(error) => {
                    let problem = Problem::Driver(error);
                    if !problem.passes() || Instant::now() + PAUSE >= end {
                        return Err(problem);
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn keep(self: &Arc<Self>, mut kept: Kept<C>) {
        kept.used = Instant::now();
        if self.keeping.age.is_some_and(|age| kept.opened.elapsed() > age) {
            close(vec![kept]);
            return;
        }
        let mut rest = self.rest();
        rest.connections.push(kept);
        if let (Some(idle), false, Ok(runtime)) = (self.keeping.idle, rest.is_watched, Handle::try_current()) {
            rest.is_watched = true;
            runtime.spawn(close_idle(Arc::downgrade(self), idle));
        }
    }

    /// Those that have been idle for too long. None when nobody has to look any more.
    fn take_idle(&self, idle: Duration) -> Option<Vec<Kept<C>>> {
        let mut rest = self.rest();
        let first = rest.connections.iter().position(|kept| kept.used.elapsed() < idle);
        let old = first.unwrap_or(rest.connections.len());
        let old: Vec<Kept<C>> = rest.connections.drain(..old).collect();
        rest.is_watched = !rest.connections.is_empty() || !old.is_empty();
        rest.is_watched.then_some(old)
    }

    fn rest(&self) -> MutexGuard<'_, Rest<C>> {
        // Nothing that could panic is done under the lock.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what is idle, for as long as there is anything.
async fn close_idle<C: Connection + 'static>(pool: Weak<Pool<C>>, idle: Duration) {
    loop {
        sleep(idle / 2).await;
        let Some(old) = pool.upgrade().and_then(|pool| pool.take_idle(idle)) else { return };
        close(old);
    }
}

/// Says good-bye, so that the server has nothing to complain of.
fn close<C: Connection + 'static>(old: Vec<Kept<C>>) {
    for kept in old {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { drop(timeout(PING, kept.connection.close()).await) });
        }
    }
}

// === impl Lease ===

impl<C: Connection + 'static> Lease<C> {
    /// The connection, until it was given back.
    pub(super) fn connection(&mut self) -> Option<&mut C> {
        self.kept.as_mut().map(|kept| &mut kept.connection)
    }

    /// Gives it back: its statement has succeeded.
    pub(super) fn settle(mut self) {
        if let Some(kept) = self.kept.take() {
            self.pool.keep(kept);
        }
    }

    /// Closes it: it is broken, or its statement does not end.
    pub(super) fn discard(mut self) {
        self.kept = None;
    }
}

impl<C: Connection + 'static> Drop for Lease<C> {
    fn drop(&mut self) {
        let (Some(mut kept), Ok(runtime)) = (self.kept.take(), Handle::try_current()) else { return };
        let (pool, place) = (Arc::clone(&self.pool), self.place.take());
        runtime.spawn(async move {
            let answered = match pool.keeping.drain {
                Some(drain) => matches!(timeout(drain, kept.connection.ping()).await, Ok(Ok(()))),
                None => kept.connection.ping().await.is_ok(),
            };
            if answered {
                pool.keep(kept);
            }
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests;
