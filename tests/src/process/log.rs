//! What a program prints, kept in bounded memory.

use std::collections::VecDeque;
use std::io::{BufRead, Read as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const LINES: usize = 20_000;
const LINE_BYTES: u64 = 64 * 1024;

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What the program prints for its caller.
    Output,
    /// What it logs.
    Error,
}

type Lines = VecDeque<(Stream, String)>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    lines: Arc<Mutex<Lines>>,
    /// Streams that are not read to their end yet.
    open: Arc<AtomicUsize>,
}

impl Log {
    /// Reads to the end in a thread: a test's runtime may end before the program does, and a pipe
    /// that nobody reads stops the program.
    pub(crate) fn follow(&self, stream: Stream, mut from: impl BufRead + Send + 'static) {
        let log = self.clone();
        log.open.fetch_add(1, Ordering::AcqRel);
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while let Ok(1..) = from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
                let text = String::from_utf8_lossy(&line);
                log.push(stream, text.trim_end_matches('\n').to_owned());
                line.clear();
            }
            log.open.fetch_sub(1, Ordering::AcqRel);
        });
    }

    /// Whether everything was read: who has ended may have words on their way still.
    pub(crate) fn is_whole(&self) -> bool {
        self.open.load(Ordering::Acquire) == 0
    }

    fn push(&self, stream: Stream, line: String) {
        let mut lines = self.lines();
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back((stream, line));
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn text(&self, only: Option<Stream>) -> String {
        let lines = self.lines();
        let wanted = lines.iter().filter(|(stream, _)| only.is_none_or(|only| only == *stream));
        wanted.fold(String::new(), |text, (_, line)| text + line + "\n")
    }

    pub(crate) fn find(&self, needle: &str) -> Option<String> {
        let lines = self.lines();
        lines.iter().map(|(_, line)| line).find(|line| line.contains(needle)).cloned()
    }

    pub(crate) fn last(&self, count: usize) -> String {
        let lines = self.lines();
        let skipped = lines.len().saturating_sub(count);
        lines.iter().skip(skipped).fold(String::new(), |text, (_, line)| text + line + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_give_way() {
        let log = Log::default();
        for number in 0..=LINES {
            log.push(Stream::Output, format!("line {number}."));
        }
        assert!(log.find("line 0.").is_none());
        assert!(log.find("line 1.").is_some());
        assert_eq!(log.last(1), format!("line {LINES}.\n"));
    }
}
