//! Tokens: from a grant to signed text.

pub(crate) mod access_token;
pub(crate) mod code;
pub(crate) mod hint;
pub(crate) mod id_token;
pub(crate) mod jti;
pub(crate) mod person;
pub(crate) mod response;
pub(crate) mod verify;

#[cfg(test)]
pub(crate) mod fixture;
