//! Load of requests that differ, which wrk cannot make: a code is redeemed once, and a refresh token is
//! what the last answer said. A process of its own, so that it has a core of its own:
//! `claviger-bench generate` reads a [`Plan`] from its standard input and prints an [`Answer`].

use std::collections::VecDeque;
use std::io::Read as _;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The word that makes the program a generator.
pub(crate) const ARGUMENT: &str = "generate";

/// What to send.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    /// At most; less where the requests run out.
    pub(crate) time: Duration,
    pub(crate) requests: Vec<Request>,
    /// What becomes of a request that was answered.
    pub(crate) then: Then,
    /// The status that every answer has to have.
    pub(crate) status: u16,
}

/// One request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The first line and the headers, each with its line end, but for the length.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// See [`Plan::then`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Then {
    /// It is used up. The answers are told.
    Keep,
    /// It is sent again, after all others.
    Again,
    /// Its answer's refresh token is sent in its place, after all others.
    Refresh,
}

/// What came back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) requests: u32,
    pub(crate) took: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// With [`Then::Keep`].
    pub(crate) kept: Vec<String>,
    /// With [`Then::Refresh`]: what would have been sent next.
    pub(crate) left: Vec<Request>,
}

/// The body of a refresh.
pub(crate) fn refresh_body(token: &str) -> String {
    format!("grant_type=refresh_token&refresh_token={token}")
}

/// Runs `plan` on `core`, in a process of its own.
///
/// # Errors
/// When an answer is not what the plan says.
pub(crate) async fn generate(plan: &Plan, core: &str) -> Result<Answer> {
    let mut process = tokio::process::Command::new("taskset")
        .args(["-c", core])
        .arg(std::env::current_exe()?)
        .arg(ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot run taskset")?;
    let mut input = process.stdin.take().context("no pipe")?;
    input.write_all(&serde_json::to_vec(plan)?).await?;
    drop(input);
    let output = process.wait_with_output().await?;
    ensure!(output.status.success(), "the load ended early");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The process.
///
/// # Errors
/// When an answer is not what the plan says.
pub(crate) fn main() -> Result<()> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let plan: Plan = serde_json::from_slice(&text)?;
    let answer = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&plan))?;
    serde_json::to_writer(std::io::stdout(), &answer)?;
    Ok(())
}

async fn run(plan: &Plan) -> Result<Answer> {
    let waiting = Mutex::new(VecDeque::from(plan.requests.clone()));
    let mut connections = Vec::new();
    for _ in 0..plan.connections {
        let stream = TcpStream::connect(plan.address).await?;
        stream.set_nodelay(true)?;
        connections.push(stream);
    }
    let began = Instant::now();
    let all = connections.into_iter().map(|stream| send(plan, began, stream, &waiting));
    let sent: Vec<Sent> = futures::future::try_join_all(all).await?;
    let took = began.elapsed();
    let (times, kept): (Vec<_>, Vec<_>) = sent.into_iter().map(|sent| (sent.times, sent.kept)).unzip();
    let mut times: Vec<Duration> = times.concat();
    ensure!(!times.is_empty(), "nothing was sent");
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    let left = waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Answer {
        requests: u32::try_from(times.len())?,
        took,
        p50: at(50),
        p99: at(99),
        kept: kept.concat(),
        left: if plan.then == Then::Refresh { left.into() } else { Vec::new() },
    })
}

/// What one connection sent.
#[derive(Default)]
struct Sent {
    times: Vec<Duration>,
    kept: Vec<String>,
}

async fn send(plan: &Plan, began: Instant, mut stream: TcpStream, waiting: &Mutex<VecDeque<Request>>) -> Result<Sent> {
    let mut sent = Sent::default();
    let mut buffer = Vec::with_capacity(16 * 1024);
    while began.elapsed() < plan.time {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(Request { head, body }) = next else { break };
        let text = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        let start = Instant::now();
        stream.write_all(text.as_bytes()).await?;
        let (status, body_of_answer) = receive(&mut stream, &mut buffer).await?;
        sent.times.push(start.elapsed());
        ensure!(status == plan.status, "{status}: {body_of_answer}\n{text}");
        let again = match plan.then {
            Then::Keep => {
                sent.kept.push(body_of_answer);
                continue;
            }
            Then::Again => Request { head, body },
            Then::Refresh => {
                let answer: Value = serde_json::from_str(&body_of_answer)?;
                let token = answer["refresh_token"].as_str().context("no refresh token")?;
                Request { head, body: refresh_body(token) }
            }
        };
        waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(again);
    }
    Ok(sent)
}

/// Status and body of the next answer, which has a `Content-Length`.
async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(u16, String)> {
    buffer.clear();
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, buffer).await?;
    };
    let text = std::str::from_utf8(&buffer[..head])?.to_ascii_lowercase();
    let status = text.split(' ').nth(1).context("no status")?.parse()?;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).context("no length")?;
    let end = head + length.trim().parse::<usize>()?;
    while buffer.len() < end {
        more(stream, buffer).await?;
    }
    Ok((status, String::from_utf8(buffer[head..end].to_vec())?))
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    if stream.read_buf(buffer).await? == 0 {
        bail!("the server closed the connection");
    }
    Ok(())
}
