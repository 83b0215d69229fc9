//! Tokens: from a grant to signed text.

pub(crate) mod access_token;
pub(crate) mod actor;
pub(crate) mod audience;
pub(crate) mod code;
pub(crate) mod hint;
pub(crate) mod id_token;
pub(crate) mod jti;
pub(crate) mod live;
pub(crate) mod person;
pub(crate) mod response;
pub(crate) mod service_account;
pub(crate) mod verify;

#[cfg(test)]
pub(crate) mod fixture;
