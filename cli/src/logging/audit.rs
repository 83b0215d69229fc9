//! The audit stream: the events of the target `audit`, one JSON object a line.

mod lines;

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::{Arc, OnceLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use self::lines::Lines;

pub(crate) use self::lines::AuditStream;

/// Target of the stream's events.
pub(super) const TARGET: &str = "audit";

/// Room for most lines.
const LINE: usize = 320;

/// Where the audit stream goes.
#[derive(Clone, Debug)]
pub(crate) enum AuditTo {
    /// To standard output.
    Output,
    /// Into a file, once there is one; nothing happens before.
    File(Arc<OnceLock<File>>),
}

impl AuditTo {
    /// A file that is set later.
    pub(crate) fn file() -> Self {
        Self::File(Arc::default())
    }

    /// From now on to `file`, unless it is another already.
    pub(crate) fn set(&self, file: File) {
        if let Self::File(place) = self {
            let _ = place.set(file);
        }
    }
}

impl io::Write for AuditTo {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        match self {
            // All at once under one lock, so that no other line gets between.
            Self::Output => io::stdout().lock().write_all(lines).map(|()| lines.len()),
            Self::File(file) => match file.get() {
                Some(mut file) => file.write(lines),
                None => Ok(lines.len()),
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Output => io::stdout().flush(),
            Self::File(_) => Ok(()),
        }
    }
}

/// Makes a line of every event that reaches it.
pub(super) struct AuditLayer(Lines);

impl AuditLayer {
    /// The layer, and the stream that it writes to until that is dropped.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn new(to: AuditTo) -> io::Result<(Self, AuditStream)> {
        let stream = AuditStream::start(to)?;
        Ok((Self(stream.lines()), stream))
    }
}

impl<S: Subscriber> Layer<S> for AuditLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut members = Members(Vec::with_capacity(LINE));
        event.record(&mut members);
        self.0.push(&members.into_line());
    }
}

/// An event's fields as members of an object, without the brace that ends it.
struct Members(Vec<u8>);

impl Members {
    fn add(&mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) {
        self.0.extend_from_slice(if self.0.is_empty() { b"{\"" } else { b",\"" });
        // The names of fields are Rust's identifiers.
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        // Text and numbers always serialise, and memory can always be written.
        let _written = serde_json::to_writer(&mut self.0, value);
    }

    fn into_line(mut self) -> Vec<u8> {
        self.add("target", TARGET);
        self.0.extend_from_slice(b"}\n");
        self.0
    }
}

impl Visit for Members {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), &value);
    }

    /// Also what is written by its `Display`.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn an_event_is_one_line_of_json_whatever_its_values_hold() {
        let file = tempfile();
        let to = AuditTo::file();
        to.set(file.try_clone().unwrap());
        let (layer, stream) = AuditLayer::new(to).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let at = format_args!("12:00").to_string();
            tracing::info!(target: "audit", event = "login", %at, subject = "a\"b\n\u{1}é", attempt = 3_u32, ok = true);
            tracing::info!(target: "audit", event = "logout");
        });
        drop(stream);
        let text = read(file);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let first = json!({
            "event": "login", "at": "12:00", "subject": "a\"b\n\u{1}é", "attempt": 3, "ok": true, "target": "audit",
        });
        assert_eq!(lines, [first, json!({"event": "logout", "target": "audit"})]);
    }

    /// Gone with its last handle.
    fn tempfile() -> File {
        let path = std::env::temp_dir().join(format!("claviger-audit-{}", claviger_jose::random::hex128()));
        let file = File::options().create_new(true).read(true).write(true).open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        file
    }

    fn read(mut file: File) -> String {
        use std::io::{Read as _, Seek as _};
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }
}
