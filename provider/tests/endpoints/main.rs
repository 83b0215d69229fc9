//! The public endpoints, without a socket: requests into the router, answers out of it.
//!
//! Everything that is served comes in as it does in a cluster: a document, in a Secret, applied.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod assertion;
mod assertions;
mod audit;
mod authentication;
mod authorize;
mod away;
mod browser;
mod capture;
mod code_flow;
mod complete;
mod consent;
mod cors;
mod crowd;
mod database;
mod discovery;
mod documents;
mod edge;
mod ended;
mod exchange;
mod expiry;
mod fixture;
mod flow_cookies;
mod foreign;
mod form;
mod hints;
mod hosts;
mod introspect;
mod isolation;
mod jwks;
mod kept;
mod keys_counted;
mod late_hints;
mod late_logouts;
mod login;
mod login_ui;
mod logout;
mod logout_queue;
mod matrix;
mod offline_access;
mod operations;
mod page_errors;
mod races;
mod refused_refreshes;
mod revoke;
mod revoked_keys;
mod scope_and_audience;
mod secrets;
mod sessions_not_before;
mod sweep;
mod tenants;
mod token;
mod tokens;
mod traffic;
mod userinfo;
mod workloads;
