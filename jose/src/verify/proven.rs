//! Signatures that were found good, so that none is verified a third time.
//!
//! Whether some keys have signed a text is the same whenever it is asked: what is kept belongs to one set of keys,
//! and goes with it. Only what they have signed is kept: an outsider fills nothing. Who may have tokens signed can
//! drive out those of others, which then cost a verification again.
//!
//! Most tokens of a busy issuer come once, and for those a hash would be all that is gained: a token is hashed when it
//! comes for the second time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use hashlink::LruCache;

/// The tokens that one set of keys has verified, the last ones used: of each its mark, and its hash if it came again.
#[derive(Clone)]
pub(super) struct Proven(Arc<Mutex<LruCache<Mark, Option<Digest>>>>);

/// The end of a signature. It finds a token again and proves nothing: whoever has seen one can write its end below
/// another token.
type Mark = [u8; 16];

type Digest = [u8; SHA256_OUTPUT_LEN];

impl Proven {
    /// Of `most` tokens.
    pub(super) fn of(most: usize) -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(most))))
    }

    /// What `check` says of the whole `token`, which ends with `signature`, unless it said twice before that it is good.
    pub(super) fn check<E>(
        &self,
        token: &str,
        signature: &[u8],
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        // The shortest of a known algorithm has 64 bytes.
        let Some(mark) = signature.last_chunk().copied() else { return check() };
        let before = self.last().get(&mark).copied();
        let hash = before.map(|_| hash(token));
        if before.flatten().is_some_and(|known| hash == Some(known)) {
            return Ok(());
        }
        check()?;
        let mut last = self.last();
        // Of two that come for the first time together, the later does not forget what the other found.
        if hash.is_some() || last.peek(&mark).is_none() {
            last.insert(mark, hash);
        }
        Ok(())
    }

    fn last(&self) -> MutexGuard<'_, LruCache<Mark, Option<Digest>>> {
        // Whoever panicked has left a set of good ones all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> Digest {
    let mut hash = Digest::default();
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
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

    const BAD: Result<(), ()> = Err(());

    /// Asks of a token with this signature, which `outcome` is said of; and how often it was asked.
    fn ask(proven: &Proven, token: &str, signature: &[u8], outcome: Result<(), ()>) -> (Result<(), ()>, u32) {
        let checks = Cell::new(0);
        let check = || {
            checks.set(checks.get() + 1);
            outcome
        };
        (proven.check(token, signature, check), checks.get())
    }

    #[test]
    fn what_was_good_twice_is_not_checked_again_and_what_was_not_is() {
        let proven = Proven::of(2);
        let check = |token: &str, outcome| ask(&proven, token, token.repeat(16).as_bytes(), outcome);
        assert_eq!(check("a", BAD), (BAD, 1));
        assert_eq!(check("a", Ok(())), (Ok(()), 1), "that it was bad is not kept");
        assert_eq!(check("a", Ok(())), (Ok(()), 1), "once is not enough");
        assert_eq!(check("a", BAD), (Ok(()), 0));
        assert_eq!(check("b", Ok(())), (Ok(()), 1));
        assert_eq!(check("a", BAD), (Ok(()), 0));
        assert_eq!(check("b", Ok(())), (Ok(()), 1));
        assert_eq!(check("a", BAD), (Ok(()), 0));
        assert_eq!(check("c", Ok(())), (Ok(()), 1));
        assert_eq!(check("b", BAD), (BAD, 1), "it was used longest ago, and two are kept");
        assert_eq!(check("a", BAD), (Ok(()), 0));
        assert_eq!(ask(&proven.clone(), "a", "a".repeat(16).as_bytes(), BAD), (Ok(()), 0), "a copy of the same keys");
        assert_eq!(format!("{proven:?}"), "Proven(2)");
    }

    #[test]
    fn another_token_with_the_end_of_a_known_signature_is_checked_and_changes_nothing() {
        let (proven, end) = (Proven::of(2), [7; 16]);
        for known in [1, 1, 0] {
            assert_eq!(ask(&proven, "good", &end, Ok(())).1, known);
            for _ in 0..3 {
                assert_eq!(ask(&proven, "forged", &end, BAD), (BAD, 1));
            }
        }
        assert_eq!(ask(&proven, "good", &end, BAD), (Ok(()), 0));
        assert_eq!(ask(&proven, "short", &end[..15], Ok(())), (Ok(()), 1));
        assert_eq!(ask(&proven, "short", &end[..15], BAD), (BAD, 1), "too short to be known by");
    }
}
