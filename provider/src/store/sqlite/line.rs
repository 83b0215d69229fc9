//! Where calls wait for a thread, which takes all that wait in one turn.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::store::problem::Problem;
use crate::store::work::{Done, Work};

/// In one turn at most, so that another thread can help and nobody waits for too many.
const MOST: usize = 64;

/// So many wait at most. A disk that hangs answers nobody, and those who gave up leave their work in line.
pub(super) const LONGEST: usize = 4096;

/// What is asked, and who waits for the answer.
pub(super) struct Job {
    pub(super) work: Work,
    answer: oneshot::Sender<Result<Done, Problem>>,
}

/// What a thread does next.
pub(super) enum Turn {
    /// These, of which there is at least one.
    Jobs(Vec<Job>),
    /// Nobody came for so long.
    Idle,
    /// Nobody will.
    Over,
}

/// The line.
#[derive(Default)]
pub(super) struct Line {
    waiting: Mutex<Waiting>,
    called: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// A thread was called for these: one call is enough for all.
    has_called: bool,
    is_over: bool,
}

// === impl Job ===

impl Job {
    /// Whether somebody still waits for it.
    pub(super) fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    /// The answer.
    pub(super) fn answer(self, result: Result<Done, Problem>) {
        // Whoever has gone meanwhile does not hear it.
        drop(self.answer.send(result));
    }
}

// === impl Line ===

impl Line {
    /// Puts `work` at the end; refuses it where the line is too long.
    pub(super) fn join(&self, work: Work) -> oneshot::Receiver<Result<Done, Problem>> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        if waiting.jobs.len() >= LONGEST {
            waiting.jobs.retain(Job::is_wanted);
        }
        if waiting.jobs.len() >= LONGEST {
            drop(answer.send(Err(Problem::NoConnection)));
            return receiver;
        }
        waiting.jobs.push_back(Job { work, answer });
        let call = !std::mem::replace(&mut waiting.has_called, true);
        drop(waiting);
        if call {
            self.called.notify_one();
        }
        receiver
    }

    /// Waits for work; if there is none for as long as `idle`, [`Turn::Idle`].
    pub(super) fn next(&self, idle: Option<Duration>) -> Turn {
        let end = idle.map(|idle| Instant::now() + idle);
        let mut waiting = self.waiting();
        loop {
            if !waiting.jobs.is_empty() {
                return Turn::Jobs(self.take(&mut waiting));
            }
            if waiting.is_over {
                return Turn::Over;
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Turn::Idle;
            }
            let (woken, _) = self
                .called
                .wait_timeout(waiting, left.unwrap_or(Duration::MAX))
                .unwrap_or_else(PoisonError::into_inner);
            drop(woken);
            // Whoever called has more to say, on this core: requests that are read already join, and
            // one turn serves all.
            std::thread::yield_now();
            waiting = self.waiting();
        }
    }

    /// Nobody will come any more. Who waits is served yet.
    pub(super) fn close(&self) {
        self.waiting().is_over = true;
        self.called.notify_all();
    }

    fn take(&self, waiting: &mut Waiting) -> Vec<Job> {
        let many = waiting.jobs.len().min(MOST);
        let jobs = waiting.jobs.drain(..many).collect();
        waiting.has_called = !waiting.jobs.is_empty();
        if waiting.has_called {
            self.called.notify_one();
        }
        jobs
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that could panic is done under the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
