//! What is wrong with an object: all of it at once, each with its place.

use std::fmt;
use std::str::FromStr;

use crate::types::{Bounds, Duration, Unusable};

/// One thing that is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where: `spec.redirectUris[1]`.
    pub path: String,
    /// What, as the rest of a sentence: "must be a DNS label". Never a value that stood there.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.message)
    }
}

/// Every fault in one line, for a condition's message.
pub fn sentence(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

/// Collects faults while a parser goes on.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Notes a fault.
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault { path: path.into(), message: message.into() });
    }

    /// Notes a fault unless `holds`.
    pub(crate) fn demand(&mut self, holds: bool, path: &str, message: &str) {
        if !holds {
            self.add(path, message);
        }
    }

    /// The value of `text`, or a fault.
    pub(crate) fn parse<T: FromStr<Err = Unusable>>(&mut self, path: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error: Unusable| self.add(path, error.to_string())).ok()
    }

    /// As [`Self::parse`], for what may be absent.
    pub(crate) fn parse_optional<T: FromStr<Err = Unusable>>(
        &mut self,
        path: &str,
        text: Option<&String>,
    ) -> Option<T> {
        text.and_then(|text| self.parse(path, text))
    }

    /// The values of a list without repetitions; each faulty item is told by its index.
    pub(crate) fn parse_list<T: FromStr<Err = Unusable> + PartialEq>(
        &mut self,
        path: &str,
        texts: &[String],
        most: usize,
    ) -> Vec<T> {
        self.at_most(path, texts.len(), most);
        let mut values = Vec::with_capacity(texts.len());
        for (at, text) in texts.iter().enumerate() {
            let place = format!("{path}[{at}]");
            if let Some(value) = self.parse(&place, text) {
                if values.contains(&value) {
                    self.add(place, "must not be repeated");
                } else {
                    values.push(value);
                }
            }
        }
        values
    }

    /// Notes a fault where a list is longer than the schema lets it be.
    pub(crate) fn at_most(&mut self, path: &str, length: usize, most: usize) {
        if length > most {
            self.add(path, format!("must have at most {most} entries"));
        }
    }

    /// The duration at `path` in seconds; what is absent is `default`, what is unusable is a fault.
    pub(crate) fn seconds(&mut self, path: &str, text: Option<&String>, bounds: Bounds, default: Duration) -> u32 {
        self.optional_seconds(path, text, bounds).unwrap_or(default.as_secs())
    }

    /// As [`Self::seconds`], without a default.
    pub(crate) fn optional_seconds(&mut self, path: &str, text: Option<&String>, bounds: Bounds) -> Option<u32> {
        let duration: Duration = self.parse_optional(path, text)?;
        if !bounds.holds(duration) {
            self.add(path, bounds.message());
        }
        Some(duration.as_secs())
    }

    /// One line of text for people.
    pub(crate) fn plain_text(&mut self, path: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.add(path, format!("must be at most {most} characters"));
        }
        if text.chars().any(char::is_control) {
            self.add(path, "must be plain text on one line");
        }
    }

    /// Whether nothing was wrong so far.
    #[cfg(feature = "cel")]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that was wrong.
    #[cfg(feature = "cel")]
    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.0
    }

    /// `value` if nothing was wrong, else all that was.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Fault>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}
