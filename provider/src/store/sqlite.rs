//! SQLite's connections: one that writes, some that read, all small.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::StoreOptions;
use super::database::Pools;
use super::pool::{Keeping, Pool};

/// Idle connections give their memory back.
const IDLE: Duration = Duration::from_secs(60);

/// A database that is gone with the process: its one connection must stay.
pub(super) fn memory(options: &StoreOptions) -> Pools {
    let connect = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
    let pool = Pool::new(connect, Keeping { idle: None, ..keeping(options, 1) });
    Pools::Sqlite { writer: pool.clone(), readers: pool }
}

/// The file at `path`, which is made if it is not there.
pub(super) fn file(options: &StoreOptions, path: &Path) -> io::Result<Pools> {
    // Sessions and grants are nobody else's to read; the files beside it take over its mode.
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL outlives the process but not the machine: after a power cut a redeemed code could
        // be redeemed again and a session that was ended would be back. Writes are few: one fsync each.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(options.statement_timeout)
        .pragma("cache_size", "-256")
        .pragma("journal_size_limit", "1048576")
        .disable_statement_logging();
    // SQLite writes one at a time. Here they wait in line; inside SQLite they would poll.
    let writer = Pool::new(connect.clone(), keeping(options, 1));
    let readers = options.max_connections.saturating_sub(1).max(1);
    let readers = Pool::new(connect.pragma("query_only", "ON"), keeping(options, readers));
    Ok(Pools::Sqlite { writer, readers })
}

fn keeping(options: &StoreOptions, connections: u32) -> Keeping {
    Keeping { connections, patience: options.acquire_timeout, fresh: None, idle: Some(IDLE), age: None, drain: None }
}
