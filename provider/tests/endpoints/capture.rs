//! Everything that is logged while a test runs, down to the finest level, and the audit stream in it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Listens to this thread, on which a test's runtime does all its work.
pub(crate) struct Capture {
    heard: Heard,
    _listening: DefaultGuard,
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Capture {
    pub(crate) fn begin() -> Self {
        let heard = Heard::default();
        let lines = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(LevelFilter::TRACE);
        let listening = tracing::subscriber::set_default(lines.with_writer(heard.clone()).finish());
        Self { heard, _listening: listening }
    }

    /// All of it so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
    }

    /// The audit stream since it was last taken; what was logged beside it is forgotten too.
    pub(crate) fn take_audit(&self) -> Vec<Value> {
        let text = self.text();
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "audit").collect()
    }
}

impl<'a> MakeWriter<'a> for Heard {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
