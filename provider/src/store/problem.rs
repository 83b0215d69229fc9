//! What went wrong with the store, told without flooding and without anybody's data.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crate::now_and_then::NowAndThen;

/// At most one line in so long, however many calls fail.
const QUIET: Duration = Duration::from_secs(10);

/// Classes and codes whose messages hold nobody's data.
const HARMLESS: [&str; 8] = ["08", "25006", "28", "3D", "42", "53", "55P03", "57"];

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Problem {
    /// No answer in time.
    Slow,
    /// No connection in time.
    NoConnection,
    /// The schema is not there yet.
    NotReady,
    /// A server that takes no writes was reached, and none that does in time.
    ReadOnly,
    /// From PostgreSQL or its driver.
    Driver(sqlx::Error),
    /// From SQLite: its extended code.
    Sqlite(i32),
}

impl Problem {
    /// The same for another who shared the turn on SQLite.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Sqlite(code) => Self::Sqlite(*code),
            Self::Slow | Self::NoConnection | Self::NotReady | Self::ReadOnly | Self::Driver(_) => Self::NoConnection,
        }
    }

    /// Whether nothing was written and the same may be tried at once: two transactions met.
    pub(super) fn is_collision(&self) -> bool {
        matches!(self.code().as_deref(), Some("40001" | "40P01"))
    }

    /// Whether the server of this connection takes no writes any more: after a failover it is a standby. Nothing was
    /// written, and the same may be tried over another connection, which finds whoever has taken over.
    pub(super) fn is_demotion(&self) -> bool {
        self.code().as_deref() == Some("25006")
    }

    /// Whether a lock was not free in time.
    pub(super) fn is_locked(&self) -> bool {
        self.code().as_deref() == Some("55P03")
    }

    /// Whether the role may not do what it was asked to.
    pub(super) fn is_forbidden(&self) -> bool {
        self.code().as_deref() == Some("42501")
    }

    /// Whether the connection can be used again.
    pub(super) fn spares_the_connection(&self) -> bool {
        // 57P: the server ends it.
        matches!(self, Self::Driver(sqlx::Error::Database(_)) | Self::Sqlite(_))
            && !self.is_demotion()
            && !self.code().is_some_and(|code| code.starts_with("57P"))
    }

    /// Whether another try to connect may succeed soon: the server restarts (57P03), is full (53300), or another
    /// is about to take over.
    pub(super) fn passes(&self) -> bool {
        use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        match self {
            Self::ReadOnly => true,
            Self::Driver(sqlx::Error::Io(error)) => {
                matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
            }
            _ => matches!(self.code().as_deref(), Some("57P03" | "53300")),
        }
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Driver(sqlx::Error::Database(error)) => error.code(),
            Self::Slow | Self::NoConnection | Self::NotReady | Self::ReadOnly | Self::Driver(_) | Self::Sqlite(_) => {
                None
            }
        }
    }

    /// In words. A database's own message may quote a value, so only those are taken that cannot: connection
    /// (08), a server that is read-only (25006), who may log in (28), which database (3D), resources (53), a lock
    /// (55P03), shutdown (57); and what is wrong with a statement or who may not use it (42), for our statements are
    /// written here, with no value in them.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Slow => "no answer in time".to_owned(),
            Self::NoConnection => "no connection in time".to_owned(),
            Self::NotReady => "not reached since the start".to_owned(),
            Self::ReadOnly => "the server takes no writes: it is a standby, or was made read-only".to_owned(),
            Self::Driver(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                if HARMLESS.iter().any(|class| code.starts_with(class)) {
                    format!("{code}: {}", error.message())
                } else {
                    format!("error {code}")
                }
            }
            Self::Driver(sqlx::Error::Io(error)) => error.to_string(),
            Self::Driver(sqlx::Error::Tls(error)) => format!("TLS: {error}"),
            Self::Driver(sqlx::Error::Protocol(_)) => "the connection broke".to_owned(),
            Self::Driver(_) => "the driver failed".to_owned(),
            Self::Sqlite(code) => format!("error {code}: {}", rusqlite::ffi::code_to_str(*code)),
        }
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        // Others are of what a statement was given or asked for, and none of ours.
        Self::Sqlite(error.sqlite_error().map_or(rusqlite::ffi::SQLITE_MISUSE, |error| error.extended_code))
    }
}

/// Says what goes wrong, now and then.
#[derive(Debug)]
pub(super) struct Complaints(NowAndThen);

impl Default for Complaints {
    fn default() -> Self {
        Self(NowAndThen::new(1, QUIET))
    }
}

impl Complaints {
    /// A call failed.
    pub(super) fn warn(&self, problem: &Problem) {
        if let Some(unsaid) = self.0.turn(Instant::now()) {
            tracing::warn!(problem = problem.describe(), unsaid, "the store does not answer; what needs it gets a 503");
        }
    }
}
