//! The store: one suite of behaviours that both backends pass, and what each has of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

#[path = "../endpoints/capture.rs"]
#[allow(dead_code, reason = "the other tests use the rest of it")]
mod capture;
#[macro_use]
mod conformance;
mod folder;
mod postgres;
mod sqlite;
