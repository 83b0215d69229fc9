//! Why a call failed, by blame. No variant holds what the other side sent as a body: it may be a
//! secret of whoever answers there, and the one who chose the URL may read our logs or errors.

use std::error::Error as StdError;
use std::io;

use http::StatusCode;

use super::resolver::ResolveError;

/// What the other side put into a TLS error is cut here.
const DETAIL: usize = 200;

/// Why a URL or an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than any URL that is fetched needs to be.
    #[error("it is too long")]
    TooLong,
    /// No absolute URL with a host.
    #[error("it is no absolute URL")]
    Unreadable,
    /// Neither https nor http.
    #[error("it is not https")]
    Scheme,
    /// Plain http, and neither host nor address is allowed by name.
    #[error("it is not https, and its host is not on the allow-list")]
    Plain,
    /// User or password in the URL.
    #[error("it carries a user or a password")]
    Userinfo,
    /// A fragment is never sent: two URLs would be one.
    #[error("it has a fragment")]
    Fragment,
    /// The host is, or has only, addresses that are not public.
    #[error("its host has no address that may be called")]
    Address,
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Our policy: nothing was sent.
    #[error("the URL is refused: {0}")]
    Refused(#[from] Refusal),
    /// We have too many calls under way: nothing was sent.
    #[error("too many outbound calls are under way")]
    Busy,
    /// The name's: DNS has no address for it.
    #[error("the host cannot be resolved")]
    Unresolved,
    /// The network's: no connection to any address.
    #[error("no connection to the host")]
    Connect,
    /// The server's certificate or its TLS.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The whole call, or connecting, took too long.
    #[error("the host did not answer in time")]
    Timeout,
    /// The server sent us elsewhere; we do not go.
    #[error("the host redirects ({0}), which is not followed")]
    Redirect(StatusCode),
    /// The server did not answer 200.
    #[error("the host answered {0}")]
    Status(StatusCode),
    /// The body is larger than its caller takes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The answer broke off, or was no HTTP.
    #[error("the answer broke off or is no HTTP")]
    Broken,
}

impl OutboundError {
    /// A metric label: one of a closed set.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Busy => "busy",
            Self::Unresolved => "unresolved",
            Self::Connect => "connect",
            Self::Tls(_) => "tls",
            Self::Timeout => "timeout",
            Self::Redirect(_) => "redirect",
            Self::Status(_) => "status",
            Self::TooLarge(_) => "too_large",
            Self::Broken => "broken",
        }
    }
}

impl From<reqwest::Error> for OutboundError {
    fn from(error: reqwest::Error) -> Self {
        if let Some(error) = cause::<ResolveError>(&error) {
            return match error {
                ResolveError::Refused => Self::Refused(Refusal::Address),
                ResolveError::Unresolved => Self::Unresolved,
            };
        }
        if let Some(error) = cause::<rustls::Error>(&error) {
            return Self::Tls(error.to_string().chars().filter(|c| !c.is_control()).take(DETAIL).collect());
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        if error.is_connect() {
            return Self::Connect;
        }
        Self::Broken
    }
}

/// The first error of type `E` beneath `error`. `io::Error` hides what it wraps from `source`.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
