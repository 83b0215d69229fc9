//! How many attempts each address has under way in this pod.
//!
//! A failure is counted for its address once it is one, and many at once would all be looked at by then. In
//! memory, for it lasts as long as a hash, and whoever goes away must leave nothing behind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::Id;

/// The addresses with attempts under way, by [`super::throttle::Keys::address`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts(Arc<Mutex<HashMap<Id, u32>>>);

/// One attempt under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay {
    attempts: Attempts,
    address: Id,
}

impl Attempts {
    /// One more at `address`; none where there are `most`.
    pub(crate) fn enter(&self, address: Id, most: u32) -> Option<UnderWay> {
        let mut addresses = self.addresses();
        let count = addresses.get(&address).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        addresses.insert(address, count + 1);
        Some(UnderWay { attempts: self.clone(), address })
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<Id, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut addresses = self.attempts.addresses();
        match addresses.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_under_way_and_leaves_nothing_behind() {
        let (attempts, one, other) = (Attempts::default(), Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let first = attempts.enter(one, 2).unwrap();
        let second = attempts.enter(one, 2).unwrap();
        assert!(attempts.enter(one, 2).is_none());
        let elsewhere = attempts.enter(other, 1).unwrap();
        drop(first);
        let third = attempts.enter(one, 2).unwrap();
        assert!(attempts.enter(one, 1).is_none(), "fewer may be by now");
        drop((second, third, elsewhere));
        assert!(attempts.addresses().is_empty());
    }
}
