//! A PostgreSQL of one's own, as it is installed but for two things: it counts statements, and it
//! listens on a socket alone. What it writes is on the disk before it says so.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::process::{Launch, Process};
use claviger_tests::temp::TempDir;

use crate::counts::Counts;

/// `nobody` of Debian: PostgreSQL refuses root.
const NOBODY: u32 = 65_534;
const STARTING: Duration = Duration::from_secs(30);
const DATABASE: &str = "claviger";

/// Everything that was sent to the database, and the rows that it changed.
const COUNTS: &str = "
SELECT coalesce(sum(calls), 0), coalesce(sum(rows) FILTER (WHERE query ~* '^\\s*(insert|update|delete)'), 0)
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = 'claviger')";

/// A server with an empty database.
pub(crate) struct Postgres {
    folder: TempDir,
    /// Stopped before its folder goes.
    _process: Process,
}

impl Postgres {
    /// Starts one on `core`.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub(crate) async fn start(core: &str) -> Result<Self> {
        let folder = TempDir::new("bench-postgres")?;
        let is_root = std::fs::metadata("/proc/self")?.uid() == 0;
        if is_root {
            chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
        }
        let data = folder.path().join("data");
        let mut initdb = unprivileged(is_root, "initdb")?;
        let initdb = initdb.args(["--no-instructions", "-A", "trust", "-U", DATABASE, "-E", "UTF8", "--locale=C"]);
        let output = initdb.arg("-D").arg(&data).current_dir(folder.path()).output()?;
        ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let command = unprivileged(is_root, "postgres")?;
        let process = Launch::new("postgres", "taskset")
            .args(["-c", core])
            .arg(command.get_program())
            .args(command.get_args())
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "shared_preload_libraries=pg_stat_statements"])
            .start()?;
        let postgres = Self { folder, _process: process };
        let ready = async || postgres.sql("postgres", "SELECT 1");
        postgres._process.while_running(STARTING, "answers", ready).await?;
        postgres.sql("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        postgres.sql("postgres", "CREATE EXTENSION pg_stat_statements")?;
        Ok(postgres)
    }

    /// For `--store`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{DATABASE}@localhost/{DATABASE}?host={}", self.folder.path().display())
    }

    /// What was asked of the database so far.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) fn counts(&self) -> Result<Counts> {
        let line = self.sql("postgres", COUNTS)?;
        let (statements, rows) = line.trim().split_once('|').context("no two numbers")?;
        Ok(Counts { round_trips: statements.parse()?, rows_written: rows.parse()? })
    }

    fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let output = Command::new(binaries()?.join("psql"))
            .args(["-X", "-A", "-t", "-q", "-U", DATABASE, "-d", database, "-c", sql, "-h"])
            .arg(self.folder.path())
            .output()?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// `command`, one of PostgreSQL's, as a user who is not root.
fn unprivileged(is_root: bool, command: &str) -> Result<Command> {
    let program = binaries()?.join(command);
    if !is_root {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    let nobody = NOBODY.to_string();
    command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]).arg(program);
    Ok(command)
}

/// The newest that is installed.
fn binaries() -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").context("no PostgreSQL")?.flatten();
    let found = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    let version = |bin: &PathBuf| bin.parent().and_then(Path::file_name)?.to_string_lossy().parse::<u32>().ok();
    found.max_by_key(version).context("no PostgreSQL: apt-get install postgresql")
}
