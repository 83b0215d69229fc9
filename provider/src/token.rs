//! Tokens: from a grant to signed text.

pub(crate) mod access_token;
