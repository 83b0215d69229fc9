//! User: a local account.

mod parse;
mod profile;
mod spec;
mod status;

pub use parse::{ValidUser, parse};
pub use profile::{AddressSpec, ProfileSpec};
pub use spec::*;
pub use status::UserStatus;
