//! Passwords of local accounts: whether one is right, and when the next may be tried.
//!
//! For one attempt, in this order: read the failures under [`throttle::keys`] and refuse if
//! [`throttle::wait`] says so; take one of the address's places in the [`crowd`]; count a failure for the
//! account and its pair *before* the hash, and refuse if what was counted before says so by now, so that
//! attempts sent at once don't all pass as the first; [`verify::Hashing::verify`]; then forget those two, or
//! count the failure for the address as well.

pub(crate) mod crowd;
pub(crate) mod throttle;
pub(crate) mod verify;
