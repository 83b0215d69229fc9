//! SQLite: one thread that writes, some that read, each with a connection of its own.
//!
//! SQLite's calls block, a commit until the disk has it. A thread takes all calls that wait for it in one
//! turn: so under load many share one commit, and one change of threads.

mod line;
mod perform;
mod thread;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use self::line::Line;
use self::thread::{Opener, Role, serve};
use super::StoreOptions;
use super::problem::Problem;
use super::work::{Done, Work};

/// A database.
pub(super) struct Sqlite {
    writer: Arc<Line>,
    readers: Arc<Line>,
    /// For a turn.
    patience: Duration,
}

impl Sqlite {
    /// In memory, and gone with the process: one connection for all.
    pub(super) fn memory(options: &StoreOptions) -> io::Result<Self> {
        let opener = Opener { path: None, patience: options.statement_timeout };
        let line = start(&opener, Role::Writer, 1)?;
        Ok(Self { writer: Arc::clone(&line), readers: line, patience: options.acquire_timeout })
    }

    /// The file at `path`, which is made if it is not there.
    pub(super) fn file(options: &StoreOptions, path: &Path) -> io::Result<Self> {
        // Sessions and grants are nobody else's to read; the files beside it take over its mode.
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        let opener = Opener { path: Some(path.to_owned()), patience: options.statement_timeout };
        let readers = options.max_connections.saturating_sub(1).max(1);
        Ok(Self {
            writer: start(&opener, Role::Writer, 1)?,
            readers: start(&opener, Role::Reader, readers)?,
            patience: options.acquire_timeout,
        })
    }

    /// Does `work`, which may write.
    pub(super) async fn write(&self, work: Work, patience: Duration) -> Result<Done, Problem> {
        self.call(&self.writer, work, patience).await
    }

    /// Does `work`, which only reads.
    pub(super) async fn read(&self, work: Work, patience: Duration) -> Result<Done, Problem> {
        self.call(&self.readers, work, patience).await
    }

    async fn call(&self, line: &Line, work: Work, patience: Duration) -> Result<Done, Problem> {
        match timeout(self.patience + patience, line.join(work)).await {
            Ok(Ok(result)) => result,
            // Its turn failed.
            Ok(Err(_)) => Err(Problem::NoConnection),
            Err(_) => Err(Problem::Slow),
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.writer.close();
        self.readers.close();
    }
}

fn start(opener: &Opener, role: Role, threads: u32) -> io::Result<Arc<Line>> {
    let line = Arc::new(Line::default());
    for _ in 0..threads {
        let (line, opener) = (Arc::clone(&line), opener.clone());
        let thread = std::thread::Builder::new().name("claviger-sqlite".to_owned());
        thread.spawn(move || serve(&line, &opener, role))?;
    }
    Ok(line)
}

#[cfg(test)]
mod tests;
