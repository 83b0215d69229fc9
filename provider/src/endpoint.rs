//! The endpoints, one a file.

pub(crate) mod assets;
pub(crate) mod authorize;
pub(crate) mod complete;
pub(crate) mod consent;
pub(crate) mod discovery;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod login_return;
pub(crate) mod login_statement;
pub(crate) mod logout;
pub(crate) mod revoke;
pub(crate) mod select_account;
pub(crate) mod token;
pub(crate) mod userinfo;
