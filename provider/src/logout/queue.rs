//! Which delivery comes next: few at once, fewer to one receiver, each receiver in its turn. Pure.
//!
//! A receiver that answers slowly, or not at all, holds up its own deliveries and nobody else's, however
//! many it has.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// So many deliveries at once.
const AT_ONCE: usize = 16;
/// So many of them to one receiver.
const AT_ONCE_TO_ONE: usize = 4;
/// So many wait for one receiver. The store keeps the rest.
const WAITING_FOR_ONE: usize = 1024;
/// So many wait in all.
const WAITING: usize = 4096;

/// What waits, and how many are on their way.
#[derive(Debug)]
pub(super) struct Queue<T> {
    receivers: HashMap<Arc<str>, Receiver<T>>,
    /// Whose turn it is; each that waits or is delivered to stands in it once.
    turns: VecDeque<Arc<str>>,
    running: usize,
    waiting: usize,
}

#[derive(Debug)]
struct Receiver<T> {
    waiting: VecDeque<T>,
    running: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { receivers: HashMap::new(), turns: VecDeque::new(), running: 0, waiting: 0 }
    }
}

impl<T> Queue<T> {
    /// Whether more may be asked for.
    pub(super) fn has_room(&self) -> bool {
        self.waiting < WAITING
    }

    /// `item` waits for `receiver`. False where too many do: it is not kept.
    pub(super) fn push(&mut self, receiver: &str, item: T) -> bool {
        if !self.receivers.contains_key(receiver) {
            let name: Arc<str> = receiver.into();
            self.turns.push_back(Arc::clone(&name));
            self.receivers.insert(name, Receiver { waiting: VecDeque::new(), running: 0 });
        }
        let Some(of_receiver) = self.receivers.get_mut(receiver) else { return false };
        if of_receiver.waiting.len() >= WAITING_FOR_ONE || self.waiting >= WAITING {
            return false;
        }
        of_receiver.waiting.push_back(item);
        self.waiting += 1;
        true
    }

    /// The next that may be delivered, and to whom; [`Queue::done`] has to follow.
    pub(super) fn next(&mut self) -> Option<(Arc<str>, T)> {
        if self.running >= AT_ONCE {
            return None;
        }
        for _ in 0..self.turns.len() {
            let name = self.turns.pop_front()?;
            let receiver = self.receivers.get_mut(&name)?;
            if receiver.waiting.is_empty() && receiver.running == 0 {
                self.receivers.remove(&name);
                continue;
            }
            self.turns.push_back(Arc::clone(&name));
            if receiver.running < AT_ONCE_TO_ONE
                && let Some(item) = receiver.waiting.pop_front()
            {
                receiver.running += 1;
                self.running += 1;
                self.waiting -= 1;
                return Some((name, item));
            }
        }
        None
    }

    /// One delivery to `receiver` has ended.
    pub(super) fn done(&mut self, receiver: &str) {
        if let Some(receiver) = self.receivers.get_mut(receiver) {
            receiver.running = receiver.running.saturating_sub(1);
            self.running = self.running.saturating_sub(1);
        }
    }

    /// Keeps of what waits only what `keep` says.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        for receiver in self.receivers.values_mut() {
            receiver.waiting.retain(&keep);
        }
        self.waiting = self.receivers.values().map(|receiver| receiver.waiting.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &mut Queue<u32>) -> Vec<(String, u32)> {
        std::iter::from_fn(|| queue.next()).map(|(name, item)| (name.to_string(), item)).collect()
    }

    #[test]
    fn one_receiver_gets_few_at_once_and_the_others_theirs() {
        let mut queue = Queue::default();
        (0..100).for_each(|item| assert!(queue.push("slow", item)));
        assert!(queue.push("fast", 100));
        let first = taken(&mut queue);
        assert_eq!(first.iter().filter(|(name, _)| name == "slow").count(), AT_ONCE_TO_ONE);
        assert!(first.contains(&("fast".to_owned(), 100)));
        queue.done("slow");
        assert_eq!(taken(&mut queue), [("slow".to_owned(), 4)], "in their order");
    }

    #[test]
    fn receivers_take_turns() {
        let mut queue = Queue::default();
        (0..3).for_each(|item| assert!(queue.push("a", item) && queue.push("b", item)));
        let names: Vec<String> = taken(&mut queue).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "a", "b", "a", "b"]);
    }

    #[test]
    fn all_together_are_few_at_once() {
        let mut queue = Queue::default();
        (0..100).for_each(|item| assert!(queue.push(&format!("receiver-{item}"), item)));
        assert_eq!(taken(&mut queue).len(), AT_ONCE);
        queue.done("receiver-0");
        assert_eq!(taken(&mut queue).len(), 1);
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_over_is_forgotten() {
        let mut queue = Queue::default();
        let kept = (0..2_000).filter(|item| queue.push("slow", *item)).count();
        assert_eq!(kept, WAITING_FOR_ONE);
        (0..5_000).for_each(|item| {
            queue.push(&format!("receiver-{item}"), item);
        });
        assert!(!queue.has_room());
        queue.retain(|_| false);
        assert!(queue.has_room() && taken(&mut queue).is_empty());
        assert!(queue.receivers.is_empty() && queue.turns.is_empty());
    }
}
