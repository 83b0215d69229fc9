//! Logging: what happens, to standard error, as text or JSON; and the audit stream beside it.
//!
//! The audit stream is the events of the target `audit`: who did what, for whoever must know later. It
//! is one JSON object a line, to standard output whatever `--log` and `--log-format` say, so that a
//! collector parts it from the logs by the stream alone; `audit=off` in `--log` ends it. `claviger dev`
//! prints for a person there, and gives it a file instead.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::{LogFormat, LoggingArgs};

/// Target of the audit stream's events.
const AUDIT: &str = "audit";

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

impl<'a> MakeWriter<'a> for AuditTo {
    type Writer = Box<dyn Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        match self {
            // Locked, so that no other line gets between.
            Self::Output => Box::new(io::stdout().lock()),
            Self::File(file) => match file.get() {
                Some(file) => Box::new(file),
                None => Box::new(io::sink()),
            },
        }
    }
}

/// Installs the subscriber. `default` is the filter where the user named none.
///
/// # Errors
/// When the filter makes no sense.
pub(crate) fn install(args: &LoggingArgs, default: &str, audit: AuditTo, colours_refused: bool) -> anyhow::Result<()> {
    let text = args.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(text).with_context(|| format!("--log {text:?} makes no sense"))?;
    // Standard output belongs to what was asked for.
    let colours = !colours_refused && io::stderr().is_terminal();
    let lines = fmt::layer().with_ansi(colours).with_writer(io::stderr);
    let lines = match args.log_format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let others = filter_fn(|metadata| metadata.target() != AUDIT);
    let refused = refuses_audit(text);
    let events = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        // The event tells its time itself, by the provider's clock, and its level says nothing.
        .without_time()
        .with_level(false)
        .with_writer(audit)
        .with_filter(filter_fn(move |metadata| metadata.target() == AUDIT && metadata.is_event() && !refused));
    tracing_subscriber::registry()
        .with(lines.with_filter(filter.and(others)))
        .with(events)
        .try_init()
        .context("cannot install the logger")
}

/// Only when it is said: who asks for fewer logs has not said that nobody needs to know who logged in.
fn refuses_audit(filter: &str) -> bool {
    filter.split(',').any(|directive| directive.trim().eq_ignore_ascii_case("audit=off"))
}
