//! The clients of `tests/clients`: programs in other languages, on libraries that others wrote.
//!
//! The conversation with one is in `tests/clients/README.md`.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::OnceCell;

use crate::repository::{located_by, root};

/// Generous: the machine may be busy, and a JVM starts.
const LIMIT: Duration = Duration::from_secs(60);

/// A language that there is a client in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Authlib.
    Python,
    /// openid-client.
    JavaScript,
    /// coreos/go-oidc and golang.org/x/oauth2.
    Go,
    /// Nimbus's OAuth 2.0 SDK with OpenID Connect extensions.
    Java,
    /// The crate openidconnect.
    Rust,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::Java => "java",
            Self::Rust => "rust",
        }
    }
}

/// A running client. Dropping it kills it; it ends by itself when this process does.
#[derive(Debug)]
pub struct RelyingParty {
    language: Language,
    program: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl RelyingParty {
    /// Starts the client and tells it its settings; `ca_file` among them is the CA that it trusts.
    ///
    /// # Errors
    /// When the clients cannot be built.
    pub async fn start(language: Language, settings: &Value) -> Result<Self> {
        // One build for all, even where each test asks at once.
        static FOLDER: OnceCell<String> = OnceCell::const_new();
        let build = async || anyhow::Ok(located_by("clients", &[]).await?.display().to_string());
        let folder = FOLDER.get_or_try_init(build).await?;
        let ca = settings["ca_file"].as_str().context("ca_file")?;
        let mut program = Command::new(root().join("tests/clients/run"))
            .args([folder, language.name(), ca])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the client")?;
        let input = program.stdin.take().context("no input pipe")?;
        let output = BufReader::new(program.stdout.take().context("no output pipe")?).lines();
        let mut party = Self { language, program, input, output };
        party.say(&settings.to_string()).await?;
        Ok(party)
    }

    /// Tells it a line.
    ///
    /// # Errors
    /// When it has ended: what it said last is told by the next [`RelyingParty::hear`].
    pub async fn say(&mut self, line: &str) -> Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).await.context("the client does not listen")
    }

    /// Its next line.
    ///
    /// # Errors
    /// When it ends without one: its standard error is told.
    pub async fn hear(&mut self) -> Result<String> {
        let next = tokio::time::timeout(LIMIT, self.output.next_line());
        if let Some(line) = next.await.with_context(|| format!("{:?} says nothing", self.language))?? {
            return Ok(line);
        }
        let mut errors = String::new();
        if let Some(mut stream) = self.program.stderr.take() {
            stream.read_to_string(&mut errors).await?;
        }
        bail!("{:?} ended: {errors}", self.language)
    }

    /// Its last line, which is JSON, and its end.
    ///
    /// # Errors
    /// As [`RelyingParty::hear`], and when it does not end well.
    pub async fn report(mut self) -> Result<Value> {
        let line = self.hear().await?;
        let report = serde_json::from_str(&line).with_context(|| line)?;
        let status = tokio::time::timeout(LIMIT, self.program.wait()).await??;
        ensure!(status.success(), "{:?} ended with {status}", self.language);
        Ok(report)
    }
}
