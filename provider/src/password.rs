//! Passwords of local accounts.
//!
//! - [`memory`]: how much memory hashes may take together.
//! - [`throttle`]: how long somebody has to wait after failures. Pure.
//! - [`under_way`]: how many attempts an address may have under way in this pod.
//! - [`verify`]: whether a password is right; few hashes at a time.
//!
//! [`verify`] asks [`memory`]; else none of them calls another. [`crate::login`] does, and says in which order and why.

mod memory;
pub(crate) mod throttle;
pub(crate) mod under_way;
pub(crate) mod verify;
