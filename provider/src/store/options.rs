//! `--store`: a URL, and settings beside it.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;
use std::{fmt, net::IpAddr};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// Which store, and how patiently it is used.
///
/// `sqlite:///path/file.db` and `sqlite::memory:` (which is gone with the process), or
/// `postgres://user:password@host/database` with these parameters: `sslmode`, `sslrootcert`,
/// `sslcert`, `sslkey`, `host` (a folder with a socket) and `pooler=transaction`.
///
/// Without `sslmode` a server elsewhere is verified as by `verify-full`, one on this machine is not; `disable` is plain.
///
/// The driver trusts the CA of `sslrootcert` beside the public ones that are compiled into it, and has no
/// way to trust it alone. So only `sslmode=verify-full`, which compares the host's name too, keeps out
/// whoever has a certificate of a public CA; `verify-ca` does not.
#[derive(Clone)]
pub struct StoreOptions {
    pub(super) backend: Backend,
    /// Connections at most, each opened when it is first needed. SQLite uses one to write and the
    /// others to read.
    pub max_connections: u32,
    /// For a statement's answer.
    pub statement_timeout: Duration,
    /// For a connection.
    pub acquire_timeout: Duration,
}

#[derive(Clone)]
pub(super) enum Backend {
    Memory,
    File(PathBuf),
    Postgres(Box<PostgresOptions>),
}

#[derive(Clone)]
pub(super) struct PostgresOptions {
    pub(super) connect: PgConnectOptions,
    /// A pooler gives each transaction another connection.
    pub(super) pooled: bool,
}

/// Why a URL is none of a store. Quotes nothing of it but a parameter's name: it holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Neither kind.
    #[error("a store is sqlite:///path/file.db or postgres://user:password@host/database")]
    Scheme,
    /// The URL of an SQLite file has a host or no path.
    #[error("a file is written sqlite:///path/file.db, with three slashes")]
    File,
    /// It is no URL.
    #[error("the store's URL cannot be read; in a password, special characters are percent-encoded")]
    Url,
    /// A parameter that is not known, whose silence could mean a connection in the clear.
    #[error("the store's URL has an unknown parameter: {0}")]
    UnknownParameter(String),
    /// A parameter with a value that it does not have.
    #[error("the store's URL has a wrong value of the parameter {0}")]
    Parameter(String),
}

const PARAMETERS: [&str; 6] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "pooler"];

impl StoreOptions {
    /// What `url` says, and the settings' defaults.
    pub fn parse(url: &str) -> Result<Self, OptionsError> {
        let backend = match url.split_once(':') {
            Some(("sqlite", ":memory:")) => Backend::Memory,
            Some(("sqlite", rest)) => Backend::File(file(rest)?),
            Some(("postgres" | "postgresql", _)) => Backend::Postgres(Box::new(postgres(url)?)),
            _ => return Err(OptionsError::Scheme),
        };
        let max_connections = if matches!(backend, Backend::Postgres(_)) { 10 } else { 3 };
        let (statement_timeout, acquire_timeout) = (Duration::from_secs(4), Duration::from_secs(2));
        Ok(Self { backend, max_connections, statement_timeout, acquire_timeout })
    }
}

/// Without the credentials.
impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreOptions({self})")
    }
}

/// Where it is, without the credentials.
impl fmt::Display for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.backend {
            Backend::Memory => f.write_str("sqlite::memory:"),
            Backend::File(path) => write!(f, "sqlite://{}", path.display()),
            Backend::Postgres(postgres) => match postgres.connect.get_socket() {
                Some(socket) => write!(f, "postgres at {}", socket.display()),
                None => write!(f, "postgres at {}:{}", postgres.connect.get_host(), postgres.connect.get_port()),
            },
        }
    }
}

fn file(rest: &str) -> Result<PathBuf, OptionsError> {
    let path = rest.strip_prefix("//").filter(|path| path.starts_with('/') && path.len() > 1);
    // SQLite itself would take what follows for settings of its own.
    path.filter(|path| !path.contains(['?', '#', '%'])).map(PathBuf::from).ok_or(OptionsError::File)
}

fn postgres(url: &str) -> Result<PostgresOptions, OptionsError> {
    let mut url = Url::parse(url).map_err(|_| OptionsError::Url)?;
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if let Some((unknown, _)) = parameters.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
        return Err(OptionsError::UnknownParameter(unknown.clone()));
    }
    let value = |name: &str| parameters.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let pooled = match value("pooler") {
        None => false,
        Some("transaction") => true,
        Some(_) => return Err(OptionsError::Parameter("pooler".to_owned())),
    };
    let ssl_mode = value("sslmode").map(PgSslMode::from_str).transpose();
    let ssl_mode = ssl_mode.map_err(|_| OptionsError::Parameter("sslmode".to_owned()))?;
    url.query_pairs_mut().clear().extend_pairs(parameters.iter().filter(|(name, _)| name != "pooler"));
    let connect = PgConnectOptions::from_str(url.as_str()).map_err(|_| OptionsError::Url)?;
    let ssl_mode = match ssl_mode {
        // A CA that is given is also asked, as by libpq, which compares no name then. Here that would admit whoever
        // has a certificate of a public CA.
        Some(PgSslMode::Require) if value("sslrootcert").is_some() => PgSslMode::VerifyFull,
        Some(mode) => mode,
        // libpq would encrypt if it happened to be possible, to whomever.
        None if is_local(&connect) => PgSslMode::Prefer,
        None => PgSslMode::VerifyFull,
    };
    Ok(PostgresOptions { connect: connect.ssl_mode(ssl_mode), pooled })
}

fn is_local(connect: &PgConnectOptions) -> bool {
    let host = connect.get_host();
    connect.get_socket().is_some()
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssl_mode(url: &str) -> String {
        match StoreOptions::parse(url).unwrap().backend {
            Backend::Postgres(postgres) => format!("{:?}", postgres.connect.get_ssl_mode()),
            Backend::Memory | Backend::File(_) => panic!("{url}"),
        }
    }

    #[test]
    fn a_connection_to_elsewhere_is_verified_unless_the_url_says_otherwise() {
        assert_eq!(ssl_mode("postgres://u@db.example/c"), "VerifyFull");
        assert_eq!(ssl_mode("postgres://u@db.example/c?sslmode=disable"), "Disable");
        assert_eq!(ssl_mode("postgres://u@db.example/c?sslmode=require"), "Require");
        assert_eq!(ssl_mode("postgres://u@db.example/c?sslmode=require&sslrootcert=/ca"), "VerifyFull");
        assert_eq!(ssl_mode("postgres://u@db.example/c?sslmode=verify-ca&sslrootcert=/ca"), "VerifyCa");
        assert_eq!(ssl_mode("postgres://u@127.0.0.1:5/c"), "Prefer");
        assert_eq!(ssl_mode("postgres:///c?host=/run/postgresql"), "Prefer");
    }

    #[test]
    fn a_password_is_in_no_debug_and_no_error() {
        let good = StoreOptions::parse("postgres://claviger:hunter2@db.example:6432/c").unwrap();
        assert_eq!(format!("{good:?}"), "StoreOptions(postgres at db.example:6432)");
        for bad in ["mysql://u:hunter2@h/d", "postgres://u:hunter2@h:port/d", "postgres://u:hunter2@h/d?sslmode=x"] {
            let error = StoreOptions::parse(bad).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{bad}");
        }
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        let refused = |url| StoreOptions::parse(url).unwrap_err();
        assert_eq!(refused("postgres://h/d?sslmod=disable"), OptionsError::UnknownParameter("sslmod".to_owned()));
        assert_eq!(refused("postgres://h/d?pooler=session"), OptionsError::Parameter("pooler".to_owned()));
        assert_eq!(refused("sqlite://relative.db"), OptionsError::File);
        assert_eq!(refused("sqlite:///a.db?mode=memory"), OptionsError::File);
        assert_eq!(refused("sqlite:"), OptionsError::File);
        assert_eq!(refused("/var/lib/claviger.db"), OptionsError::Scheme);
    }
}
