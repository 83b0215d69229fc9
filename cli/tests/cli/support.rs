//! Runs the program: a folder of its own, its output line by line, plain HTTP to it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Generous: the machine may be busy. What must be fast measures itself.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A folder that is gone when the test is.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("claviger-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("yaml")).expect("a temporary folder");
        Self(path)
    }

    /// With a copy of the quick start.
    pub(crate) fn quickstart() -> Self {
        let folder = Self::new();
        for entry in fs::read_dir(quickstart()).expect("the quick start") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name");
            fs::copy(&path, folder.yaml().join(name)).expect("a copy");
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the manifests are.
    pub(crate) fn yaml(&self) -> PathBuf {
        self.0.join("yaml")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.yaml().join(name), text).expect("a file");
    }

    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.yaml().join(name);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{name} has no {from:?}");
        fs::write(path, text.replace(from, to)).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The example folder of this repository.
pub(crate) fn quickstart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart")
}

/// The program, with nothing of our environment that it would read.
pub(crate) fn claviger() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    claviger().args(arguments).output().expect("the program runs")
}

/// Runs a command that should refuse to begin. One that begins after all is ended.
pub(crate) fn refused(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    let end = Instant::now() + LIMIT;
    while child.try_wait().expect("it is ours").is_none() {
        if Instant::now() > end {
            let _ = child.kill();
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("it has ended")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A running `claviger dev`. Dropping it kills it.
pub(crate) struct Dev {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    pub(crate) address: String,
}

impl Dev {
    /// Starts it on the folder's manifests, and waits for its table.
    pub(crate) fn start(folder: &Folder) -> Self {
        let dev = Self::launch(folder, &[]);
        dev.wait_for("Following changes");
        dev
    }

    /// Starts it, and waits until it says where it listens.
    pub(crate) fn launch(folder: &Folder, arguments: &[&str]) -> Self {
        Self::launch_at(folder, "127.0.0.1:0", arguments)
    }

    /// Starts it at `listen`, and waits until it says where it listens.
    pub(crate) fn launch_at(folder: &Folder, listen: &str, arguments: &[&str]) -> Self {
        let mut child = claviger()
            .arg("dev")
            .arg(folder.yaml())
            .args(["--listen", listen, "--state"])
            .arg(folder.path().join("state"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        follow(child.stdout.take().expect("a pipe"), &lines);
        follow(child.stderr.take().expect("a pipe"), &lines);
        let mut dev = Self { child, lines, address: String::new() };
        let line = dev.wait_for("claviger dev serves ");
        dev.address = line.rsplit("://").next().expect("an address").to_owned();
        dev
    }

    /// Waits for a line with `needle`, and returns it.
    pub(crate) fn wait_for(&self, needle: &str) -> String {
        self.wait_after(0, needle)
    }

    /// Waits for a line with `needle` among those after the first `seen`.
    pub(crate) fn wait_after(&self, seen: usize, needle: &str) -> String {
        eventually(&format!("a line with {needle:?}"), || {
            let lines = self.lines.lock().expect("no panic");
            let found = lines[seen..].iter().find(|line| line.contains(needle)).cloned();
            found.ok_or_else(|| lines.join("\n"))
        })
    }

    /// How many lines were printed so far.
    pub(crate) fn seen(&self) -> usize {
        self.lines.lock().expect("no panic").len()
    }

    pub(crate) fn printed(&self) -> String {
        self.lines.lock().expect("no panic").join("\n")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The line that the table says to paste.
    pub(crate) fn token_line(&self) -> String {
        self.wait_for("curl -s").trim().to_owned()
    }

    /// Runs that line in a shell, as a person who pastes it.
    pub(crate) fn token(&self) -> String {
        paste(&self.token_line())
    }

    /// GET `path`: status, headers, body.
    pub(crate) fn get(&self, path: &str) -> (u16, String, String) {
        self.get_as(&self.address, path)
    }

    /// GET `path` with a `Host` of one's own.
    pub(crate) fn get_as(&self, host: &str, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    /// The exit code, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().expect("it is ours").map(|status| status.code().unwrap_or(-1))
    }

    /// SIGTERM.
    pub(crate) fn signal(&self) {
        let sent = Command::new("kill").arg(self.pid().to_string()).status().expect("kill runs");
        assert!(sent.success());
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn terminate(mut self) -> i32 {
        self.signal();
        eventually("it ends", || match self.child.try_wait().expect("it is ours") {
            Some(status) => Ok(status.code().unwrap_or(-1)),
            None => Err(self.printed()),
        })
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(stream: impl std::io::Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = lines.clone();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            lines.lock().expect("no panic").push(line);
        }
    });
}

/// Runs a line in a shell.
pub(crate) fn paste(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().expect("a shell");
    assert!(output.status.success(), "{line}\n{}", stderr(&output));
    stdout(&output).trim().to_owned()
}

/// Asks until it succeeds. The error of the last try is told.
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        match probe() {
            Ok(found) => return found,
            Err(last) if Instant::now() > end => panic!("not within {LIMIT:?}: {what}\n{last}"),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The header and the claims of a JWT, not verified.
pub(crate) fn parts(token: &str) -> (serde_json::Value, serde_json::Value) {
    use base64::Engine as _;
    let part = |text: &str| {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let mut three = token.split('.');
    let mut next = || three.next().unwrap_or_else(|| panic!("not a JWT: {token:?}"));
    (part(next()), part(next()))
}
