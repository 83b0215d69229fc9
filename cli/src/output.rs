//! The terminal: the one home of standard output and standard error.
//!
//! A line is written at once and whole. Nobody reading any more (`claviger crds | head`) is no
//! error of ours, so failures to write are passed over.

use std::io::{self, IsTerminal as _, Write as _};

/// How a word stands out. Colour never says anything that the text does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A heading.
    Bold,
    /// Beside the point.
    Dim,
    /// As wanted.
    Good,
    /// Wants attention.
    Bad,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "31",
        }
    }
}

/// Standard output and standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    colours: bool,
}

impl Output {
    /// Colours are used on a terminal, unless they are refused.
    pub(crate) fn new(colours_refused: bool) -> Self {
        Self { colours: !colours_refused && io::stdout().is_terminal() }
    }

    /// `text` in `style`, where there are colours.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.colours { format!("\u{1b}[{}m{text}\u{1b}[0m", style.code()) } else { text.to_owned() }
    }

    /// What was asked for, to standard output.
    pub(crate) fn print(&self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
    }

    /// What went wrong, one line, to standard error.
    pub(crate) fn problem(&self, text: &str) {
        let mut out = io::stderr().lock();
        let _ = writeln!(out, "{text}");
    }
}
