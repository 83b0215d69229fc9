//! The authorization endpoint's decisions (RFC 6749 §3.1, OpenID Connect Core 1.0 §3.1.2): what a
//! request asks for, what a person still has to do for it, and what the answer looks like.
//!
//! Pure: no I/O, no clock. The endpoint splits [`parameters`], has them [`check`]ed, keeps the valid
//! [`request`] in a sealed flow handle, asks [`decide`] for the next step as often as it takes, and
//! sends the [`response`]. Nothing here redirects to a URI that [`redirect_uri`] did not find registered.

pub(crate) mod check;
pub(crate) mod decide;
#[cfg(test)]
mod fixture;
pub(crate) mod parameters;
pub(crate) mod prompt;
pub(crate) mod redirect_uri;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod response;
