//! The public endpoints, without a socket: requests into the router, answers out of it.
//!
//! Everything that is served comes in as it does in a cluster: a document, in a Secret, applied.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod assertion;
mod authentication;
mod authorize;
mod browser;
mod code_flow;
mod complete;
mod consent;
mod cors;
mod crowd;
mod discovery;
mod documents;
mod edge;
mod ended;
mod fixture;
mod form;
mod hints;
mod introspect;
mod isolation;
mod jwks;
mod login;
mod login_ui;
mod logout;
mod logout_queue;
mod revoke;
mod scope_and_audience;
mod sweep;
mod tenants;
mod token;
mod tokens;
mod userinfo;
