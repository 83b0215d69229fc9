//! A PostgreSQL of one's own: Debian's, in a temporary folder, as an unprivileged user.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use claviger_provider::store::{Id, StoreOptions};
use sqlx::{Connection as _, PgConnection};

/// `nobody` of Debian: PostgreSQL refuses root.
const NOBODY: u32 = 65534;

/// Serves until its standard input ends, which it does with the test, whatever ends that.
const SERVE: &str = r#"
"$1/postgres" -D "$2/data" -k "$2" -p "$3" -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300 \
    -c shared_buffers=16MB >>"$2/log" 2>&1 &
cat >/dev/null
kill -QUIT $!
wait $!
[ -e "$2/keep" ] || rm -rf "$2"
"#;

/// A server; stopped and removed when it is dropped.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
}

/// The one that the tests of this process share, each with a database of its own.
pub(crate) fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::new(|_| ""))
}

impl Server {
    /// A new one. `configure` may put files into its data folder and answers lines of configuration.
    pub(crate) fn new(configure: impl FnOnce(&Path) -> &'static str) -> Self {
        let folder = std::env::temp_dir().join(format!("claviger-pg-{}", Id::random()));
        fs::create_dir(&folder).unwrap();
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.join("data");
        let initdb = unprivileged(&binaries().join("initdb"))
            .args(["--no-sync", "--no-instructions", "-A", "trust", "-U", "claviger", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data)
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(initdb.status.success(), "initdb: {}", String::from_utf8_lossy(&initdb.stderr));
        let lines = configure(&data);
        let mut file = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        if is_root() {
            for entry in fs::read_dir(&data).unwrap() {
                chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { folder, port, process: None };
        server.start();
        server
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(&mut self) {
        let _ = fs::remove_file(self.folder.join("keep"));
        let mut command = unprivileged(Path::new("sh"));
        command.args(["-c", SERVE, "sh"]).arg(binaries()).arg(&self.folder).arg(self.port.to_string());
        command.stdin(Stdio::piped()).current_dir(&self.folder);
        self.process = Some(command.spawn().unwrap());
        let began = Instant::now();
        while !self.answers() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(30), "PostgreSQL does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        let mut command = Command::new(binaries().join("pg_isready"));
        command.args(["-q", "-U", "claviger", "-p", &self.port.to_string(), "-h"]).arg(&self.folder);
        command.status().unwrap().success()
    }

    /// Stops it at once, as a crash would; its data stay.
    pub(crate) fn stop(&mut self) {
        fs::write(self.folder.join("keep"), "").unwrap();
        self.end();
    }

    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.stdin.take());
            process.wait().unwrap();
        }
    }

    /// Its port on the loopback interface.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The URL of one of its databases, by its socket.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://claviger@localhost:{}/{database}?host={}", self.port, self.folder.display())
    }

    /// A new database.
    pub(crate) async fn database(&self) -> String {
        let name = format!("t{}", Id::random());
        self.run("postgres", format!("CREATE DATABASE {name}")).await;
        name
    }

    /// Runs `sql` in a database.
    pub(crate) async fn run(&self, database: &str, sql: String) {
        let mut connection = PgConnection::connect(&self.url(database)).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Options for a store in a new database.
    pub(crate) async fn options(&self) -> StoreOptions {
        StoreOptions::parse(&self.url(&self.database().await)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let nobody = NOBODY.to_string();
    command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]).arg(program);
    command
}

/// The newest that is installed.
fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    let version = |bin: &PathBuf| bin.parent().unwrap().file_name().unwrap().to_string_lossy().parse::<u32>().ok();
    found.max_by_key(version).unwrap_or_else(|| panic!("no PostgreSQL: apt-get install postgresql"))
}
