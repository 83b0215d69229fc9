//! A map whose copies share what they have in common.
//!
//! A snapshot is immutable, and a change of one client among ten thousand must not copy them all:
//! the entries stand in shards, a copy copies pointers to shards, and a change copies one shard.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

/// On average so many entries stand in a shard before there are more shards.
const SHARD: usize = 32;
/// So many times more.
const GROWTH: usize = 4;

type Shard<V> = HashMap<Arc<str>, V, RandomState>;

/// A map from text to `V` that is cheap to copy.
#[derive(Clone, Debug)]
pub(crate) struct SharedMap<V> {
    hasher: RandomState,
    shards: Vec<Arc<Shard<V>>>,
    len: usize,
}

impl<V: Clone> SharedMap<V> {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value at `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.shards.get(self.shard(key))?.get(key)
    }

    /// Puts `value` at `key` and returns what stood there.
    pub(crate) fn insert(&mut self, key: Arc<str>, value: V) -> Option<V> {
        if self.len >= self.shards.len() * SHARD {
            self.grow();
        }
        let shard = self.shard(&key);
        let before = self.shards.get_mut(shard).and_then(|shard| Arc::make_mut(shard).insert(key, value));
        self.len += usize::from(before.is_none());
        before
    }

    /// Takes the value at `key` out.
    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        let shard = self.shard(key);
        let shard = self.shards.get_mut(shard).filter(|shard| shard.contains_key(key))?;
        let before = Arc::make_mut(shard).remove(key);
        self.len -= usize::from(before.is_some());
        before
    }

    fn shard(&self, key: &str) -> usize {
        match self.shards.len() {
            0 | 1 => 0,
            // A remainder is below `shards`, and so fits.
            shards => (self.hasher.hash_one(key) % shards as u64) as usize,
        }
    }

    fn grow(&mut self) {
        let count = (self.shards.len() * GROWTH).max(1);
        let mut shards = vec![Shard::default(); count];
        let old = std::mem::take(&mut self.shards);
        for (key, value) in old.iter().flat_map(|shard| shard.iter()) {
            let at = (self.hasher.hash_one(&**key) % count as u64) as usize;
            if let Some(shard) = shards.get_mut(at) {
                shard.insert(Arc::clone(key), value.clone());
            }
        }
        self.shards = shards.into_iter().map(Arc::new).collect();
    }
}

impl<V> Default for SharedMap<V> {
    fn default() -> Self {
        Self { hasher: RandomState::new(), shards: Vec::new(), len: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_see_what_changes_after_it() {
        let mut map = SharedMap::default();
        for number in 0..1_000 {
            assert_eq!(map.insert(number.to_string().into(), number), None);
        }
        let copy = map.clone();
        assert_eq!(map.insert("7".into(), 70), Some(7));
        assert_eq!(map.remove("8"), Some(8));
        assert_eq!(map.remove("8"), None);
        assert_eq!((map.get("7"), map.get("8"), map.len), (Some(&70), None, 999));
        assert_eq!((copy.get("7"), copy.get("8"), copy.len), (Some(&7), Some(&8), 1_000));
        let mut values: Vec<_> = copy.shards.iter().flat_map(|shard| shard.values().copied()).collect();
        values.sort_unstable();
        assert_eq!(values, (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_change_copies_one_shard() {
        let mut map = SharedMap::default();
        for number in 0..1_000 {
            map.insert(number.to_string().into(), number);
        }
        let copy = map.clone();
        map.insert("7".into(), 70);
        let same = map.shards.iter().zip(&copy.shards).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(same, map.shards.len() - 1);
        assert!(map.shards.len() > 8, "{}", map.shards.len());
    }

    #[test]
    fn an_empty_map_holds_nothing() {
        let mut map = SharedMap::<u8>::default();
        assert!(map.is_empty() && map.get("a").is_none() && map.remove("a").is_none());
    }
}
