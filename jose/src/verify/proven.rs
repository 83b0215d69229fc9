//! Signatures that were found good, so that none is verified twice.
//!
//! Whether some keys have signed a text is the same whenever it is asked: what is kept belongs to one set of keys,
//! and goes with it. Only what they have signed is kept: an outsider fills nothing. Who may have tokens signed can
//! drive out those of others, which then cost a verification again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use hashlink::LruCache;

/// Hashes of the tokens that one set of keys has verified, the last ones used.
#[derive(Clone)]
pub(super) struct Proven(Arc<Mutex<LruCache<Digest, ()>>>);

type Digest = [u8; SHA256_OUTPUT_LEN];

impl Proven {
    /// Of `most` tokens.
    pub(super) fn of(most: usize) -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(most))))
    }

    /// What `check` says of the whole `token`, unless it said before that it is good.
    pub(super) fn check<E>(&self, token: &str, check: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let mut hash = Digest::default();
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if self.last().get(&hash).is_some() {
            return Ok(());
        }
        check()?;
        self.last().insert(hash, ());
        Ok(())
    }

    fn last(&self) -> MutexGuard<'_, LruCache<Digest, ()>> {
        // Whoever panicked has left a set of good ones all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proven({})", self.last().len())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_was_good_is_not_checked_again_and_what_was_not_is() {
        let (proven, checks) = (Proven::of(2), Cell::new(0));
        let check = |token: &str, outcome: Result<(), ()>| {
            let before = checks.get();
            let checked = proven.check(token, || {
                checks.set(before + 1);
                outcome
            });
            (checked, checks.get() - before)
        };
        assert_eq!(check("a", Err(())), (Err(()), 1));
        assert_eq!(check("a", Ok(())), (Ok(()), 1), "that it was bad is not kept");
        assert_eq!(check("a", Err(())), (Ok(()), 0));
        assert_eq!(check("b", Ok(())), (Ok(()), 1));
        assert_eq!(check("a", Err(())), (Ok(()), 0));
        assert_eq!(check("c", Ok(())), (Ok(()), 1));
        assert_eq!(check("b", Err(())), (Err(()), 1), "it was used longest ago, and two are kept");
        assert_eq!(check("a", Err(())), (Ok(()), 0));
        assert_eq!(proven.clone().check("a", || Err(())), Ok(()), "a copy of the same keys knows the same");
        assert_eq!(format!("{proven:?}"), "Proven(2)");
    }
}
