//! The clocks of one connection's bytes.
//!
//! Hyper waits without end for a connection's first bytes, for a body and for a client that does
//! not read, and has one timeout for a head and for an idle connection. Here each has its own. A
//! timer is made only once the socket has nothing to give or take, so a request that arrives whole
//! costs none.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Limits;
use super::activity::Activity;

/// What an HTTP/2 client sends first (RFC 9113 §3.4); anything else is HTTP/1.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose peer has to keep going.
pub(super) struct Guarded<IO> {
    io: IO,
    phase: Phase,
    activity: Arc<Activity>,
    request_timeout: Duration,
    write_timeout: Duration,
    reading: Deadline,
    writing: Deadline,
}

#[derive(Clone, Copy)]
enum Phase {
    /// So far the bytes could be the preface: `seen` of them.
    Opening { seen: usize },
    /// `unanswered`: bytes of a request came, and no byte of an answer went after them.
    Http1 { unanswered: bool },
    /// Its clocks are the pings and [`Activity::idle`].
    Http2,
}

impl<IO> Guarded<IO> {
    /// Guards `io`. Its first bytes have to come within the time for a handshake.
    pub(super) fn new(io: IO, limits: &Limits, activity: Arc<Activity>) -> Self {
        Self {
            io,
            phase: Phase::Opening { seen: 0 },
            activity,
            request_timeout: limits.request_timeout,
            write_timeout: limits.write_timeout,
            reading: Deadline::armed(limits.handshake_timeout),
            writing: Deadline::default(),
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.phase {
            Phase::Opening { seen } => {
                let compared = bytes.len().min(HTTP2_PREFACE.len() - seen);
                if bytes[..compared] != HTTP2_PREFACE[seen..seen + compared] {
                    self.begin_request();
                } else if seen + compared == HTTP2_PREFACE.len() {
                    self.phase = Phase::Http2;
                    self.activity.is_http2();
                } else {
                    self.phase = Phase::Opening { seen: seen + compared };
                }
            }
            Phase::Http1 { unanswered: false } => self.begin_request(),
            Phase::Http1 { unanswered: true } | Phase::Http2 => {}
        }
    }

    fn begin_request(&mut self) {
        self.phase = Phase::Http1 { unanswered: true };
        self.reading.disarm();
    }

    fn wrote(&mut self) {
        self.writing.disarm();
        if let Phase::Http1 { unanswered } = &mut self.phase {
            *unanswered = false;
        }
    }

    fn read_is_due(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.phase {
            Phase::Opening { .. } | Phase::Http1 { unanswered: true } => {
                self.reading.poll(self.request_timeout, cx).map(Err)
            }
            Phase::Http1 { unanswered: false } | Phase::Http2 => Poll::Pending,
        }
    }

    /// What came of an attempt to write, or that the peer has not been reading for too long.
    fn written<T>(&mut self, attempt: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        match attempt {
            Poll::Ready(outcome) => {
                self.wrote();
                Poll::Ready(outcome)
            }
            Poll::Pending => self.writing.poll(self.write_timeout, cx).map(Err),
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Guarded<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buffer) {
            Poll::Ready(outcome) => {
                this.heard(&buffer.filled()[before..]);
                Poll::Ready(outcome)
            }
            Poll::Pending => this.read_is_due(cx),
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Guarded<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let attempt = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.written(attempt, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let attempt = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.written(attempt, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_flush(cx) {
            // Nothing to flush is no answer: hyper flushes while it waits for a head.
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => this.writing.poll(this.write_timeout, cx).map(Err),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_shutdown(cx) {
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => this.writing.poll(this.write_timeout, cx).map(Err),
        }
    }
}

/// A timer that is made at its first use and then used again.
#[derive(Default)]
struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

impl Deadline {
    fn armed(after: Duration) -> Self {
        Self { sleep: Some(Box::pin(tokio::time::sleep(after))), armed: true }
    }

    fn disarm(&mut self) {
        self.armed = false;
    }

    /// Ready with the error once `after` has passed since the first poll after a disarm.
    fn poll(&mut self, after: Duration, cx: &mut Context<'_>) -> Poll<io::Error> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(after)));
        if !self.armed {
            sleep.as_mut().reset(Instant::now() + after);
            self.armed = true;
        }
        sleep.as_mut().poll(cx).map(|()| io::ErrorKind::TimedOut.into())
    }
}
