//! The public endpoints, without a socket: requests into the router, answers out of it.
//!
//! Everything that is served comes in as it does in a cluster: a document, in a Secret, applied.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod authentication;
mod cors;
mod discovery;
mod documents;
mod edge;
mod fixture;
mod form;
mod jwks;
mod scope_and_audience;
mod tenants;
mod token;
