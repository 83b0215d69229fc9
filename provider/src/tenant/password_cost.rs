//! What the tenant's password hashes cost to compute, so that a name that nobody has costs the same as one that
//! somebody has.
//!
//! Hashes that were made elsewhere bring parameters of their own. If names without a hash all cost one thing, an
//! account that costs another would be told from them by a clock. So each name that has no hash takes the cost of some
//! account, the same one for the same name: as many of these names cost a thing as of the accounts do, and what
//! a name costs says nothing of whether it is one. It changes with the tenant's sealing key, about once a month: whoever
//! measures a name before and after may see that it is nobody's. Where all hashes cost the same, as those do that the
//! operator makes, there is nothing to see.

use std::collections::BTreeMap;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Params, Version};
use claviger_jose::Sealer;

/// Parameters of an argon2id hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PasswordCost {
    /// KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

/// So many costs are told apart in a tenant: a name is tried at each.
const COSTS: usize = 16;

/// How many accounts of a tenant have a hash of which cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct PasswordCosts(BTreeMap<PasswordCost, u32>);

impl PasswordCost {
    /// Memory in KiB, passes and lanes that a hash may demand. Verification obeys the hash, so a bad one
    /// would let anybody exhaust this pod by trying to log in.
    pub(crate) const MOST: Self = Self { memory: 64 * 1024, passes: 10, lanes: 4 };

    /// That of the operator's own hashes.
    pub(crate) const OURS: Self = Self { memory: 19 * 1024, passes: 2, lanes: 1 };

    /// That of `hash`, which is argon2id, whole and within the bounds.
    ///
    /// # Errors
    /// Why it is never computed, as half a sentence without any of it.
    pub(crate) fn of(hash: &PasswordHash) -> Result<Self, &'static str> {
        if hash.algorithm != Algorithm::Argon2id.ident() || hash.version != Some(Version::V0x13.into()) {
            return Err("is not argon2id, version 19");
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err("is not whole");
        }
        let params = Params::try_from(hash).map_err(|_| "has unusable parameters")?;
        let Self { memory, passes, lanes } = Self::MOST;
        if params.m_cost() > memory || params.t_cost() > passes || params.p_cost() > lanes {
            return Err("costs too much: at most m=65536, t=10, p=4");
        }
        Ok(Self { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() })
    }

    /// KiB that computing it takes.
    pub(crate) fn memory(self) -> u32 {
        self.memory
    }

    /// A hash of this cost, of a password that nobody has, in PHC string format.
    pub(crate) fn nobodys_hash(self) -> String {
        let Self { memory, passes, lanes } = self;
        let rest = "c29tZXNhbHRzb21lc2FsdA$dBCzQ0dSPoSwTBPbFuZyqmCYM3ALGIyBPBmHpIPGUS4";
        format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${rest}")
    }
}

impl PasswordCosts {
    /// An account with this hash came.
    pub(super) fn add(&mut self, hash: &str) {
        let Some(cost) = cost(hash) else { return };
        if self.0.len() < COSTS || self.0.contains_key(&cost) {
            *self.0.entry(cost).or_default() += 1;
        }
    }

    /// An account with this hash went.
    pub(super) fn take(&mut self, hash: &str) {
        let Some(cost) = cost(hash) else { return };
        let Some(count) = self.0.get_mut(&cost) else { return };
        *count -= 1;
        if *count == 0 {
            self.0.remove(&cost);
        }
    }

    /// What the name `key`, which has no hash, costs. It follows from the name and from a key of the tenant's that
    /// nobody else has: who could compute it would know a name by its costing another thing.
    ///
    /// Of the costs the one is taken whose number is highest, each a random one to the power of one by its share
    /// (rendezvous hashing with weights): an account that comes or goes changes what few names cost.
    pub(crate) fn of_nobody(&self, sealer: Option<&Sealer>, key: &str) -> PasswordCost {
        let (Some(sealer), true) = (sealer, self.0.len() > 1) else {
            return self.0.keys().next().copied().unwrap_or(PasswordCost::OURS);
        };
        let number = |(cost, count): (&PasswordCost, &u32)| {
            let PasswordCost { memory, passes, lanes } = cost;
            let drawn = sealer.draw(format!("password cost\0{memory}\0{passes}\0{lanes}\0{key}").as_bytes()).ok()?;
            // Between nothing and one, exclusively; its logarithm is below nothing.
            let between = (f64::from(drawn) + 0.5) / (f64::from(u32::MAX) + 1.0);
            Some((between.ln() / f64::from(*count), *cost))
        };
        let numbers = self.0.iter().filter_map(number);
        numbers.max_by(|(one, _), (other, _)| one.total_cmp(other)).map_or(PasswordCost::OURS, |(_, cost)| cost)
    }
}

/// What an account's hash costs, if it can be computed at all.
fn cost(hash: &str) -> Option<PasswordCost> {
    PasswordCost::of(&PasswordHash::new(hash).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use claviger_jose::SealingKey;
    use zeroize::Zeroizing;

    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&SealingKey::from_bytes(Zeroizing::new([byte; 32])), std::iter::empty(), "acme")
    }

    fn hash(memory: u32) -> String {
        PasswordCost { memory, passes: 2, lanes: 1 }.nobodys_hash()
    }

    fn costs(of: &[(u32, usize)]) -> PasswordCosts {
        let mut costs = PasswordCosts::default();
        of.iter().for_each(|&(memory, count)| (0..count).for_each(|_| costs.add(&hash(memory))));
        costs
    }

    fn dear(costs: &PasswordCosts, sealer: &Sealer) -> Vec<bool> {
        let of = |name| costs.of_nobody(Some(sealer), &format!("nobody-{name}")).memory == 4096;
        (0..2_000).map(of).collect()
    }

    #[test]
    fn names_without_a_hash_cost_what_accounts_do_in_the_same_shares() {
        let (costs, sealer) = (costs(&[(64, 30), (4096, 10)]), sealer(1));
        let first = dear(&costs, &sealer);
        let count = first.iter().filter(|dear| **dear).count();
        assert!((420..580).contains(&count), "{count} of 2000, where a quarter of the accounts are");
        assert_eq!(dear(&costs, &sealer), first, "a name costs the same every time");
        assert_ne!(dear(&costs, &self::sealer(2)), first, "who has another key cannot tell");
    }

    #[test]
    fn an_account_that_comes_changes_what_few_names_cost() {
        let (before, after) = (costs(&[(64, 100), (4096, 100)]), costs(&[(64, 100), (4096, 101)]));
        let (before, after) = (dear(&before, &sealer(1)), dear(&after, &sealer(1)));
        assert!(before.iter().zip(&after).all(|(before, after)| after >= before), "none away from what has more now");
        assert!(before.iter().zip(&after).filter(|(before, after)| before != after).count() < 30);
    }

    #[test]
    fn accounts_that_go_count_no_more() {
        let mut costs = costs(&[(64, 1), (4096, 1)]);
        costs.take(&hash(4096));
        costs.take("correct horse");
        assert!(dear(&costs, &sealer(1)).iter().all(|dear| !dear));
        costs.take(&hash(64));
        assert_eq!(costs.of_nobody(Some(&sealer(1)), "ada"), PasswordCost::OURS);
        assert_eq!(costs.of_nobody(None, "ada"), PasswordCost::OURS);
    }

    #[test]
    fn a_tenant_of_many_costs_costs_no_more_to_ask() {
        let many = costs(&(1..=100).map(|number| (8 * number, 1)).collect::<Vec<_>>());
        assert_eq!(many.0.len(), COSTS);
    }

    #[test]
    fn what_is_never_computed_is_nobodys_cost() {
        let mut costs = PasswordCosts::default();
        let good = hash(64);
        for bad in [
            "",
            "correct horse",
            &hash(65 * 1024),
            "$argon2id$v=19$m=64,t=2,p=9$c29tZXNhbHQ$aGFzaA",
            &good.replace("argon2id", "argon2i"),
            good.rsplit_once('$').unwrap().0,
        ] {
            costs.add(bad);
        }
        assert_eq!(costs.of_nobody(Some(&sealer(1)), "ada"), PasswordCost::OURS);
        let ours = PasswordHash::new(&PasswordCost::OURS.nobodys_hash()).unwrap();
        assert_eq!(PasswordCost::of(&ours), Ok(PasswordCost { memory: 19 * 1024, passes: 2, lanes: 1 }));
    }
}
