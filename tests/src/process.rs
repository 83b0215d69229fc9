//! A program that runs beside the test: started, read, paused, killed, and never left behind.
//!
//! Each has a supervising shell. The shell's standard input is a pipe that we hold, so it closes
//! however the test binary ends, and the shell then kills the program; should the shell be killed,
//! the kernel kills the program (`setpriv --pdeathsig`). The kernel's signal alone will not do: it
//! fires when the *thread* that started the program ends, and every test is a thread.

mod log;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use self::log::Log;
pub use self::log::Stream;
use crate::repository::setting;
use crate::wait::eventually;

/// Prints the program's process ID, then is its parent until it ends or our pipe closes.
const SUPERVISOR: &str = r#"
exec 3<&0
sh -c 'echo $$; exec setpriv --pdeathsig KILL -- "$@"' sh "$@" </dev/null 3<&- &
program=$!
(read -r _ <&3; kill -KILL $program) >/dev/null 2>&1 &
guard=$!
exec 3<&-
wait $program
code=$?
kill $guard 2>/dev/null
exit $code
"#;

/// For what a program printed before it ended to be read. Somebody whom it started may keep its pipes open for longer.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Launch {
    /// `name` stands in messages. The program gets PATH and what [`Launch::env`] adds, no more.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), program: program.into(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When there is no `sh` or `setpriv`. A program that cannot be executed ends at once with
    /// code 127 or 126, as it does in a shell.
    pub fn start(&self) -> Result<Process> {
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", setting("PATH").unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0) // a Ctrl-C is ours to handle
            .spawn()
            .with_context(|| format!("{}: cannot start a shell", self.name))?;
        let pipe = supervisor.stdin.take();
        let mut output = BufReader::new(supervisor.stdout.take().context("no output pipe")?);
        let errors = BufReader::new(supervisor.stderr.take().context("no error pipe")?);
        let mut first = String::new();
        output.read_line(&mut first)?;
        let pid = first.trim().parse().with_context(|| format!("{}: its shell printed no process ID", self.name))?;
        let log = Log::default();
        log.follow(Stream::Output, output);
        log.follow(Stream::Error, errors);
        Ok(Process { name: self.name.clone(), pid, log, supervisor: Mutex::new(supervisor), pipe })
    }
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: u32,
    log: Log,
    supervisor: Mutex<Child>,
    pipe: Option<ChildStdin>,
}

impl Process {
    /// The program's own process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it printed lately to both streams (the last 20,000 lines), in order of arrival.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text(None)
    }

    /// What it printed lately to one stream.
    #[must_use]
    pub fn printed(&self, stream: Stream) -> String {
        self.log.text(Some(stream))
    }

    /// Its exit code once it has ended; 128 and the signal's number when a signal ended it.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn exit_code(&self) -> Result<Option<i32>> {
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(supervisor.try_wait()?.map(|status| status.code().unwrap_or(-1)))
    }

    /// Waits for its end, and returns its exit code.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub async fn wait_for_exit(&self, limit: Duration) -> Result<i32> {
        let ended =
            eventually(limit, format!("{} ends", self.name), async || self.exit_code()?.context("still running"));
        let code = ended.await.with_context(|| self.tail())?;
        // Whoever asked for the end reads the log next.
        let read = async || self.log.is_whole().then_some(()).context("its pipes are open");
        let _ = eventually(LAST_WORDS, format!("{} is read", self.name), read).await;
        Ok(code)
    }

    /// Waits until it has printed a line with `needle`, on either stream, and returns that line.
    ///
    /// # Errors
    /// After `limit`, or as soon as it has ended without that line. The end of its log is told.
    pub async fn wait_for_line(&self, limit: Duration, needle: &str) -> Result<String> {
        self.while_running(limit, &format!("prints {needle:?}"), async || self.log.find(needle).context("no such line"))
            .await
    }

    /// Waits until a GET of `url` is answered with a 2xx status.
    ///
    /// # Errors
    /// After `limit`, or as soon as the program has ended. The end of its log is told.
    pub async fn wait_for_http(&self, limit: Duration, url: &str) -> Result<()> {
        crate::cluster::install_crypto();
        let caller = reqwest::Client::builder().no_proxy().build()?;
        self.while_running(limit, &format!("answers {url}"), async || {
            let status = caller.get(url).send().await?.status();
            ensure!(status.is_success(), "{status}");
            Ok(())
        })
        .await
    }

    /// [`eventually`], given up when the program has ended and all that it printed is read.
    ///
    /// # Errors
    /// After `limit`, or when the program has ended. The end of its log is told.
    pub async fn while_running<T>(
        &self,
        limit: Duration,
        what: &str,
        mut probe: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        let name = &self.name;
        let mut ended_at = None::<Instant>;
        let found = eventually(limit, format!("{name} {what}"), async || {
            // In this order, so that a program's last words count.
            let ended = self.exit_code()?.filter(|_| {
                let since = ended_at.get_or_insert_with(Instant::now).elapsed();
                self.log.is_whole() || since > LAST_WORDS
            });
            match (probe().await, ended) {
                (Ok(found), _) => Ok(Ok(found)),
                (Err(_), Some(code)) => Ok(Err(anyhow::anyhow!("{name} ended with code {code}"))),
                (Err(reason), None) => Err(reason),
            }
        });
        found.await.and_then(|inner| inner).with_context(|| self.tail())
    }

    /// Asks it to end (SIGTERM).
    ///
    /// # Errors
    /// When it has ended already.
    pub fn terminate(&self) -> Result<()> {
        self.signal("TERM")
    }

    /// Freezes it (SIGSTOP): a pause that it does not notice, as of a machine under load.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn pause(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Lets a frozen one go on (SIGCONT).
    ///
    /// # Errors
    /// When it has ended already.
    pub fn resume(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Kills it (SIGKILL), without warning as a node's failure would, and waits until it is gone.
    ///
    /// # Errors
    /// When it is not gone after ten seconds.
    pub async fn kill(&self) -> Result<()> {
        if self.exit_code()?.is_none() {
            self.signal("KILL")?;
        }
        self.wait_for_exit(Duration::from_secs(10)).await.map(drop)
    }

    /// By `kill`, since calling the kernel ourselves is unsafe code. The supervisor has not ended,
    /// so it has not reaped the program, so the number is still the program's.
    fn signal(&self, signal: &str) -> Result<()> {
        if let Some(code) = self.exit_code()? {
            bail!("{} has ended with code {code}\n{}", self.name, self.tail());
        }
        let sent = Command::new("kill").args(["-s", signal, &self.pid.to_string()]).output()?;
        let errors = String::from_utf8_lossy(&sent.stderr);
        ensure!(sent.status.success(), "kill -s {signal} {}: {errors}", self.pid);
        Ok(())
    }

    fn tail(&self) -> String {
        format!("{} last printed:\n{}", self.name, self.log.last(30))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let supervisor = self.supervisor.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = supervisor.wait();
    }
}
