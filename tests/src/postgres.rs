//! A PostgreSQL of one's own: Debian's, in a temporary folder, as an unprivileged user; and a
//! `PgBouncer` before it.

mod pooler;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::ports::free_port;

pub use self::pooler::Pooler;

/// `nobody` of Debian: PostgreSQL refuses root.
const NOBODY: u32 = 65534;
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves until its standard input ends, which it does with the test, whatever ends that.
const SERVE: &str = r#"
"$1/postgres" -D "$2/data" -k "$2" -p "$3" -c fsync=off -c max_connections=300 -c shared_buffers=16MB >>"$2/log" 2>&1 &
cat >/dev/null
kill -QUIT $!
wait $!
[ -e "$2/keep" ] || rm -rf "$2"
"#;

/// A server; stopped and removed when it is dropped.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
}

static MADE: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// A new one, that answers on the loopback interface. `configure` may put files into its data folder
    /// and answers lines of configuration.
    ///
    /// # Errors
    /// When it does not start; where there is none, it says which package has it.
    pub fn start(configure: impl FnOnce(&Path) -> &'static str) -> Result<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("claviger-pg-{}-{number}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // From here on it is removed, whatever fails.
        let mut server = Self { folder, port: free_port()?, process: None };
        server.initialise(configure)?;
        server.resume()?;
        Ok(server)
    }

    fn initialise(&self, configure: impl FnOnce(&Path) -> &'static str) -> Result<()> {
        give_away(&self.folder)?;
        let data = self.folder.join("data");
        let initdb = unprivileged(&binaries()?.join("initdb"))?
            .args(["--no-sync", "--no-instructions", "-A", "trust", "-U", "claviger", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data)
            .current_dir(&self.folder)
            .output()?;
        ensure!(initdb.status.success(), "initdb: {}", String::from_utf8_lossy(&initdb.stderr));
        // Of two lines for one setting the later holds.
        let lines = format!("listen_addresses = '127.0.0.1'\n{}", configure(&data));
        fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?.write_all(lines.as_bytes())?;
        fs::read_dir(&data)?.try_for_each(|entry| give_away(&entry?.path()))
    }

    /// Starts it again after [`Server::stop`], and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub fn resume(&mut self) -> Result<()> {
        let _ = fs::remove_file(self.folder.join("keep"));
        let mut command = unprivileged(Path::new("sh"))?;
        command.args(["-c", SERVE, "sh"]).arg(binaries()?).arg(&self.folder).arg(self.port.to_string());
        command.stdin(Stdio::piped()).current_dir(&self.folder);
        self.process = Some(command.spawn()?);
        let began = Instant::now();
        while !self.answers()? {
            if began.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("PostgreSQL does not start: {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn answers(&self) -> Result<bool> {
        let mut command = Command::new(binaries()?.join("pg_isready"));
        command.args(["-q", "-U", "claviger", "-p", &self.port.to_string(), "-h"]).arg(&self.folder);
        Ok(command.status()?.success())
    }

    /// Stops it at once, as a crash would; its data stay.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn stop(&mut self) -> Result<()> {
        fs::write(self.folder.join("keep"), "")?;
        self.end();
        Ok(())
    }

    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.stdin.take());
            let _ = process.wait();
        }
    }

    /// Its port on the loopback interface.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of one of its databases, by its socket.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://claviger@localhost:{}/{database}?host={}", self.port, self.folder.display())
    }

    /// A new database's name.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn database(&self) -> Result<String> {
        let name = format!("t{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}")).await?;
        Ok(name)
    }

    /// Runs `sql` in a database.
    ///
    /// # Errors
    /// When it fails.
    pub async fn run(&self, database: &str, sql: &str) -> Result<()> {
        let output = tokio::process::Command::new(binaries()?.join("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "claviger", "-p", &self.port.to_string(), "-h"])
            .arg(&self.folder)
            .args(["-d", database, "-c", sql])
            .stdin(Stdio::null())
            .output()
            .await?;
        ensure!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// To the unprivileged user.
fn give_away(path: &Path) -> Result<()> {
    if is_root()? {
        chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

/// What runs as the unprivileged user: `program`, or what becomes it.
fn unprivileged(program: &Path) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(SETPRIV).arg(program);
    Ok(command)
}

const SETPRIV: [&str; 5] = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];

/// The newest that is installed.
fn binaries() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    let version = |bin: &PathBuf| bin.parent()?.file_name()?.to_string_lossy().parse::<u32>().ok();
    found.max_by_key(version).context("no PostgreSQL: apt-get install postgresql")
}
