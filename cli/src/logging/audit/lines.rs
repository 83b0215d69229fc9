//! Lines on their way to the stream: requests put them into memory, a thread of its own writes them.
//!
//! A line of its own is written at once; those that come close together are written together, for a
//! write wakes whoever reads, and that can cost more than a signature. No line is ever dropped for want of
//! room: requests wait for a reader that is too slow. What cannot be written at all is told to the log.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes that wait at most: some hundred lines.
const ROOM: usize = 128 * 1024;
/// Between two writes, so that those of a busy moment are one. It is also how much of the stream a
/// process that is killed takes with it.
const TOGETHER: Duration = Duration::from_millis(10);
/// A buffer that grew larger is given back.
const KEPT: usize = 16 * 1024;
/// At most one complaint in so long.
const QUIET: Duration = Duration::from_secs(10);

/// Where lines are put.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The writer waits here for lines.
    news: Condvar,
    /// Requests wait here for room.
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    /// The writer has to be woken.
    asleep: bool,
    closed: bool,
}

/// The stream. Dropped, it has written everything that was put into it.
#[derive(Debug)]
pub(crate) struct AuditStream {
    lines: Lines,
    writer: Option<JoinHandle<()>>,
}

// === impl Lines ===

impl Lines {
    /// Takes `line`; waits while there is no room.
    pub(super) fn push(&self, line: &[u8]) {
        let Shared { news, room, .. } = &*self.0;
        let full = |state: &mut State| !state.waiting.is_empty() && state.waiting.len() + line.len() > ROOM;
        let mut state = room.wait_while(self.state(), full).unwrap_or_else(PoisonError::into_inner);
        state.waiting.extend_from_slice(line);
        if mem::take(&mut state.asleep) {
            news.notify_one();
        }
    }

    /// Waits until there are lines. False when the stream is closed and empty.
    fn wait(&self) -> bool {
        let nothing = |state: &mut State| {
            state.asleep = state.waiting.is_empty() && !state.closed;
            state.asleep
        };
        let state = self.0.news.wait_while(self.state(), nothing).unwrap_or_else(PoisonError::into_inner);
        !state.waiting.is_empty()
    }

    /// Everything that waits, in exchange for an empty buffer.
    fn take(&self, empty: Vec<u8>) -> Vec<u8> {
        let taken = mem::replace(&mut self.state().waiting, empty);
        self.0.room.notify_all();
        taken
    }

    fn close(&self) {
        self.state().closed = true;
        self.0.news.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that could panic is done under the lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl AuditStream ===

impl AuditStream {
    /// A stream to `to`.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let lines = Lines::default();
        let taken = lines.clone();
        let writer = thread::Builder::new().name("audit".to_owned()).spawn(move || write(&taken, to))?;
        Ok(Self { lines, writer: Some(writer) })
    }

    /// Where its lines are put.
    pub(super) fn lines(&self) -> Lines {
        self.lines.clone()
    }
}

impl Drop for AuditStream {
    fn drop(&mut self) {
        self.lines.close();
        if let Some(writer) = self.writer.take() {
            // It has no result, and a panic of its own it has told.
            let _ = writer.join();
        }
    }
}

/// Writes until the stream is closed and empty.
fn write(lines: &Lines, mut to: impl Write) {
    let mut complaint = Complaint::default();
    let (mut empty, mut last) = (Vec::new(), None::<Instant>);
    while lines.wait() {
        if let Some(last) = last {
            thread::sleep(TOGETHER.saturating_sub(last.elapsed()));
        }
        let mut taken = lines.take(empty);
        if let Err(error) = to.write_all(&taken).and_then(|()| to.flush()) {
            complaint.add(taken.iter().filter(|byte| **byte == b'\n').count(), error);
        }
        last = Some(Instant::now());
        taken.clear();
        empty = if taken.capacity() <= KEPT { taken } else { Vec::new() };
    }
    complaint.tell();
}

/// Lines that could not be written, told without flooding.
#[derive(Default)]
struct Complaint {
    lost: usize,
    error: Option<io::Error>,
    told: Option<Instant>,
}

impl Complaint {
    fn add(&mut self, lines: usize, error: io::Error) {
        self.lost += lines;
        self.error = Some(error);
        if self.told.is_none_or(|told| told.elapsed() >= QUIET) {
            self.tell();
        }
    }

    fn tell(&mut self) {
        if let Some(error) = self.error.take() {
            tracing::error!(lost = self.lost, %error, "the audit stream cannot be written: its lines are lost");
            (self.lost, self.told) = (0, Some(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests;
