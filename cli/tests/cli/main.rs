//! The program as a person runs it: real processes, real files, real sockets on loopback.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod browser;
mod crds;
mod dev;
mod dev_clock;
mod dev_edits;
mod dev_imported_key;
mod dev_login;
mod dev_refusals;
mod dev_rotation;
mod dev_secrets;
mod dev_secrets_told;
mod dev_signals;
mod dev_size;
mod dev_state;
mod lint;
mod provider;
mod support;
mod token;
mod workloads;
