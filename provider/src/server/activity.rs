//! What a connection is doing: for those who have to decide which one ends.
//!
//! A request costs a few additions here, and no clock is read.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;

/// How often an HTTP/2 connection is looked at before it counts as idle.
const LOOKS: u32 = 4;

/// What one connection is doing.
#[derive(Default)]
pub(super) struct Activity {
    established: AtomicBool,
    http2: Notify,
    begun: AtomicUsize,
    ended: AtomicUsize,
    sent: AtomicUsize,
}

/// How much a connection would be missed, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// No handshake yet: it may be anyone.
    Knocking,
    /// No request is under way.
    Idle,
    /// One is, or its answer.
    Busy,
}

/// A request, from its head to the last of its answer.
pub(super) struct Underway(Arc<Activity>);

/// The body of an answer: its request is under way until it has been taken or given up.
pub(super) struct Answer {
    body: Body,
    underway: Underway,
}

// === impl Activity ===

impl Activity {
    /// The client is who it has to be.
    pub(super) fn establish(&self) {
        self.established.store(true, Ordering::Relaxed);
    }

    /// The client speaks HTTP/2.
    pub(super) fn is_http2(&self) {
        self.http2.notify_one();
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> Underway {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Underway(Arc::clone(self))
    }

    pub(super) fn standing(&self) -> Standing {
        if !self.established.load(Ordering::Relaxed) {
            Standing::Knocking
        } else if self.begun.load(Ordering::Relaxed) == self.ended.load(Ordering::Relaxed) {
            Standing::Idle
        } else {
            Standing::Busy
        }
    }

    /// Returns when the client speaks HTTP/2 and nothing has moved for `limit`, or a quarter more:
    /// no request came, and of no answer anything could be sent. Pings do not count.
    pub(super) async fn idle(&self, limit: Duration) {
        self.http2.notified().await;
        let (mut before, mut quiet) = (self.moves(), 0);
        while quiet <= LOOKS {
            tokio::time::sleep(limit / LOOKS).await;
            let now = self.moves();
            quiet = if now == before { quiet + 1 } else { 0 };
            before = now;
        }
    }

    fn moves(&self) -> [usize; 3] {
        [&self.begun, &self.ended, &self.sent].map(|count| count.load(Ordering::Relaxed))
    }
}

// === impl Underway ===

impl Underway {
    /// The request is answered with `body`.
    pub(super) fn with(self, body: Body) -> Answer {
        Answer { body, underway: self }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

// === impl Answer ===

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.underway.0.sent.fetch_add(1, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
