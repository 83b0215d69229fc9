//! A thread that owns a connection and serves a line with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::line::{Job, Line, Turn};
use super::perform::perform;
use crate::store::problem::Problem;

/// Idle connections give their memory back.
const IDLE: Duration = Duration::from_secs(60);
/// More statements than there are.
const STATEMENTS: usize = 64;

/// NORMAL outlives the process but not the machine: after a power cut a redeemed code could be redeemed
/// again and a session that was ended would be back. So a commit waits for the disk; there is one for all
/// that wait for it. A log that is as large as it grows between two checkpoints is written over in place.
/// What a statement may have to undo is kept in memory, in small pieces: for one that may go to a file SQLite takes 64 KiB
/// and gives them back each time.
const SETTINGS: &str = "
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;
PRAGMA journal_size_limit = 8388608";

/// What a thread's connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Everything that writes: SQLite writes one at a time, and inside SQLite others would poll.
    Writer,
    /// What reads only.
    Reader,
}

/// How to open a connection.
#[derive(Clone)]
pub(super) struct Opener {
    /// None in memory.
    pub(super) path: Option<PathBuf>,
    /// For another process that has locked the file.
    pub(super) patience: Duration,
}

impl Opener {
    fn open(&self, role: Role) -> Result<Connection, Problem> {
        let connection = match &self.path {
            None => Connection::open_in_memory()?,
            Some(path) => {
                let flags =
                    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                Connection::open_with_flags(path, flags)?
            }
        };
        connection.busy_timeout(self.patience)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        if self.path.is_some() {
            connection.execute_batch(SETTINGS)?;
        }
        if role == Role::Reader {
            connection.pragma_update(None, "query_only", true)?;
        }
        Ok(connection)
    }
}

/// Serves `line` until that is over.
pub(super) fn serve(line: &Line, opener: &Opener, role: Role) {
    let mut connection = None;
    loop {
        // What is in memory is gone with its connection.
        let idle = opener.path.as_ref().filter(|_| connection.is_some()).map(|_| IDLE);
        match line.next(idle) {
            Turn::Over => return,
            Turn::Idle => connection = None,
            Turn::Jobs(mut jobs) => {
                jobs.retain(Job::is_wanted);
                // A fault in what one caller asks is that turn's alone: its transaction rolls back, its
                // callers hear that it failed, and the thread goes on.
                drop(catch_unwind(AssertUnwindSafe(|| turn(&mut connection, opener, role, jobs))));
            }
        }
    }
}

fn turn(connection: &mut Option<Connection>, opener: &Opener, role: Role, jobs: Vec<Job>) {
    let opened = match connection.take().map_or_else(|| opener.open(role), Ok) {
        Ok(opened) => connection.insert(opened),
        Err(problem) => return refuse(jobs, &problem),
    };
    match role {
        Role::Writer => write(opened, jobs),
        Role::Reader => read(opened, jobs),
    }
}

/// All in one transaction, each in a part of its own that fails alone. Nobody is answered before that is
/// on the disk.
pub(super) fn write(connection: &mut Connection, jobs: Vec<Job>) {
    // One that begins by reading and then writes would fail where it had to wait.
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => return refuse(jobs, &error.into()),
    };
    let (mut jobs, mut done) = (jobs.into_iter(), Vec::new());
    let mut broken = None;
    for job in jobs.by_ref() {
        let result = perform(&transaction, &job.work);
        // A full disk and its like roll back everybody's work. What came then would commit by itself.
        if transaction.is_autocommit() {
            broken = Some(result.err().unwrap_or(Problem::NoConnection));
            done.push((job, Err(Problem::NoConnection)));
            break;
        }
        done.push((job, result));
    }
    if broken.is_none() {
        broken = transaction.commit().err().map(Problem::from);
    }
    match broken {
        None => done.into_iter().for_each(|(job, result)| job.answer(result)),
        Some(problem) => refuse(done.into_iter().map(|(job, _)| job).chain(jobs), &problem),
    }
}

/// Each is answered at once. Many share one look at the file, which is later than they were asked.
fn read(connection: &Connection, jobs: Vec<Job>) {
    let look = (jobs.len() > 1).then(|| connection.unchecked_transaction());
    for job in jobs {
        let result = perform(connection, &job.work);
        job.answer(result);
    }
    drop(look);
}

fn refuse(jobs: impl IntoIterator<Item = Job>, problem: &Problem) {
    for job in jobs {
        job.answer(Err(problem.again()));
    }
}
