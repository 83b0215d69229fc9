//! The store: one suite of behaviours that both backends pass, and what each has of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

#[macro_use]
mod conformance;
mod folder;
mod postgres;
mod sqlite;
