//! IdentityProvider: an upstream that people log in at.

mod parse;
mod spec;
mod status;

pub use parse::{Upstream, ValidIdentityProvider, parse};
pub use spec::*;
pub use status::IdentityProviderStatus;
