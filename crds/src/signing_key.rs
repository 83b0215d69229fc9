//! SigningKey: a ring of keys of one algorithm.

mod parse;
mod spec;
mod status;

pub use parse::{Revocation, Rotation, ValidSigningKey, parse};
pub use spec::*;
pub use status::{KeyStatus, NextChange, SigningKeyStatus};
