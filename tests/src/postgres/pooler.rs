//! `PgBouncer` before a server, pooling by transaction: each may find another connection.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{SETPRIV, Server, give_away, is_root};
use crate::ports::free_port;
use crate::process::{Launch, Process};
use crate::temp::TempDir;

/// A pooler; it ends when it is dropped.
#[derive(Debug)]
pub struct Pooler {
    // Dropped before its folder.
    process: Process,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// One with few connections to `server`, so that its clients have to share them. It answers.
    ///
    /// # Errors
    /// When it does not start, or is not installed.
    pub fn start(server: &Server) -> Result<Self> {
        let (folder, port) = (TempDir::new("pgbouncer")?, free_port()?);
        // Whoever reaches it may use it, as the server's own user.
        let settings = format!(
            "[databases]\n* = host={} port={} user=claviger\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n",
            server.folder.display(),
            server.port
        );
        let file = folder.write("pgbouncer.ini", settings)?;
        give_away(folder.path())?;
        give_away(&file)?;
        let program = Path::new("/usr/sbin/pgbouncer");
        ensure!(program.exists(), "no PgBouncer: apt-get install pgbouncer");
        let launch = if is_root()? {
            Launch::new("pgbouncer", "setpriv").args(SETPRIV).arg(program)
        } else {
            Launch::new("pgbouncer", program)
        };
        let pooler = Self { process: launch.arg(file).start()?, port, _folder: folder };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(began.elapsed() < Duration::from_secs(20), "PgBouncer does not listen: {}", pooler.process.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(pooler)
    }

    /// The URL of one of the server's databases through it, as `--store` takes it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://claviger@127.0.0.1:{}/{database}?sslmode=disable&pooler=transaction", self.port)
    }
}
