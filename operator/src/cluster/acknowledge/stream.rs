//! One stream of acknowledgements: TCP, TLS, HTTP/1.1, then a frame a line.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use claviger_crds::published::acknowledgement::{Frame, PATH, SERVER_NAME, SILENCE};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::lines::{Lines, TooLong};

/// From the first packet to the head of the answer.
const OPENING: Duration = Duration::from_secs(5);

/// Why there is no stream, or no more.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    /// No connection, or no TLS.
    #[error(transparent)]
    Connect(#[from] io::Error),
    /// HTTP failed.
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// The pod refused.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// The pod did not answer in time.
    #[error("no answer within {} s", OPENING.as_secs())]
    Slow,
    /// The stream went silent.
    #[error("nothing was said for {} s", SILENCE.as_secs())]
    Silent,
    /// A line that is longer than any frame.
    #[error("a frame is too long")]
    TooLong,
    /// A line that is no frame.
    #[error("a frame cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Something came before the pod had named itself.
    #[error("the pod did not name itself first")]
    Nameless,
    /// The pod ended it.
    #[error("the pod ended the stream")]
    Ended,
}

/// A stream that is open.
#[derive(Debug)]
pub(super) struct Stream {
    body: Incoming,
    lines: Lines,
    named: bool,
    /// Drives the connection, and ends with this.
    _connection: JoinSet<()>,
}

impl Stream {
    /// Opens a stream to the pod at `address`.
    pub(super) async fn open(address: &str, config: Arc<ClientConfig>) -> Result<Self, StreamError> {
        timeout(OPENING, Self::begin(address, config)).await.unwrap_or(Err(StreamError::Slow))
    }

    async fn begin(address: &str, config: Arc<ClientConfig>) -> Result<Self, StreamError> {
        let name = ServerName::try_from(SERVER_NAME).map_err(io::Error::other)?;
        let tcp = TcpStream::connect(address).await?;
        let tls = TlsConnector::from(config).connect(name, tcp).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        let mut driver = JoinSet::new();
        // How it ends, the body tells.
        driver.spawn(async move { drop(connection.await) });
        let request = Request::get(PATH).header(header::HOST, SERVER_NAME).body(Empty::<Bytes>::new());
        let response = sender.send_request(request.map_err(io::Error::other)?).await?;
        if response.status() != StatusCode::OK {
            return Err(StreamError::Status(response.status()));
        }
        Ok(Self { body: response.into_body(), lines: Lines::default(), named: false, _connection: driver })
    }

    /// The next frame. A pod that sends bytes and finishes no frame is silent too.
    pub(super) async fn next(&mut self) -> Result<Frame, StreamError> {
        let frame = timeout(SILENCE, self.read()).await.unwrap_or(Err(StreamError::Silent))?;
        self.named |= matches!(frame, Frame::Hello { .. });
        if self.named { Ok(frame) } else { Err(StreamError::Nameless) }
    }

    async fn read(&mut self) -> Result<Frame, StreamError> {
        loop {
            if let Some(line) = self.lines.next().map_err(|TooLong| StreamError::TooLong)? {
                return Ok(serde_json::from_slice(line)?);
            }
            let part = self.body.frame().await.ok_or(StreamError::Ended)??;
            if let Ok(data) = part.into_data() {
                self.lines.push(&data);
            }
        }
    }
}
