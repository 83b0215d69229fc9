//! Logging: one subscriber, to standard error, as text or JSON.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::{LogFormat, LoggingArgs};

/// Installs the subscriber. `default` is the filter where the user named none.
///
/// # Errors
/// When the filter makes no sense.
pub(crate) fn install(args: &LoggingArgs, default: &str, colours_refused: bool) -> anyhow::Result<()> {
    let text = args.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(text).with_context(|| format!("--log {text:?} makes no sense"))?;
    // Standard output belongs to what was asked for.
    let colours = !colours_refused && std::io::stderr().is_terminal();
    let lines = fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => lines.with_target(false).finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    }
    .context("cannot install the logger")
}
