//! Logging: what happens, to standard error, as text or JSON; and the audit stream beside it.
//!
//! The audit stream is the events of the target `audit`: who did what, for whoever must know later. It
//! is one JSON object a line, to standard output whatever `--log` and `--log-format` say, so that a
//! collector parts it from the logs by the stream alone; `audit=off` in `--log` ends it. `claviger dev`
//! prints for a person there, and gives it a file instead.

mod audit;

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use self::audit::AuditLayer;
use crate::args::{LogFormat, LoggingArgs};

pub(crate) use self::audit::{AuditStream, AuditTo};

/// Installs the subscriber. `default` is the filter where the user named none. The audit stream ends
/// when what this returns is dropped.
///
/// # Errors
/// When the filter makes no sense.
pub(crate) fn install(
    args: &LoggingArgs,
    default: &str,
    audit: Option<AuditTo>,
    colours_refused: bool,
) -> anyhow::Result<Option<AuditStream>> {
    let text = args.log.as_deref().unwrap_or(default);
    let filter: Targets = text.parse().with_context(|| format!("--log {text:?} makes no sense"))?;
    // Standard output belongs to what was asked for.
    let colours = !colours_refused && io::stderr().is_terminal();
    let lines = fmt::layer().with_ansi(colours).with_writer(io::stderr);
    let lines = match args.log_format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let others = filter_fn(|metadata| metadata.target() != audit::TARGET);
    let audit = audit.filter(|_| !refuses_audit(text)).map(AuditLayer::new).transpose();
    let (events, stream) = audit.context("cannot start the audit stream")?.unzip();
    // The hint spares every event of finer levels, anywhere in the program, to ask both filters.
    let only_audit = filter_fn(|metadata| metadata.target() == audit::TARGET && metadata.is_event());
    let events = events.map(|events| events.with_filter(only_audit.with_max_level_hint(LevelFilter::INFO)));
    tracing_subscriber::registry()
        .with(lines.with_filter(filter.and(others)))
        .with(events)
        .try_init()
        .context("cannot install the logger")?;
    Ok(stream)
}

/// Only when it is said: who asks for fewer logs has not said that nobody needs to know who logged in.
fn refuses_audit(filter: &str) -> bool {
    filter.split(',').any(|directive| directive.trim().eq_ignore_ascii_case("audit=off"))
}
