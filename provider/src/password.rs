//! Passwords of local accounts.
//!
//! - [`throttle`]: how long somebody has to wait after failures. Pure.
//! - [`under_way`]: how many attempts an address may have under way in this pod.
//! - [`verify`]: whether a password is right; few hashes at a time.
//!
//! None of them calls another. [`crate::login`] does, and says in which order and why.

pub(crate) mod throttle;
pub(crate) mod under_way;
pub(crate) mod verify;
