//! The endpoints, one a file.

pub(crate) mod discovery;
pub(crate) mod jwks;
pub(crate) mod token;
