//! A walk through the reference file: everything in it is compared with `/openapi.json` and with what
//! is answered. Where the two differ on purpose, [`exceptions`] says why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

#[path = "../endpoints/browser.rs"]
#[allow(dead_code, reason = "made for all tests of endpoints")]
mod browser;
mod described;
mod exceptions;
#[path = "../endpoints/fixture.rs"]
#[allow(dead_code, reason = "made for all tests of endpoints")]
mod fixture;
mod instance;
mod live;
mod missing;
mod pages;
mod reference;
