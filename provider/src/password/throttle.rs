//! How long somebody has to wait after failed logins. Pure; the counts are in the store.
//!
//! Three counts, each forgotten [`FORGET_AFTER`] its last failure:
//!
//! - The *pair* of account and address. Five failures are free, then 1 s, 2 s, 4 s … to 30 s. Somebody
//!   who guesses at an account is slowed down, and only there: its owner, elsewhere, is not.
//! - The *address*, whatever the account: against one password tried at many accounts. Behind one
//!   address are often many people who mistype, so twenty are free; then the same, to 60 s. A
//!   success forgets nothing here: it would be a guesser's own account that pays for the others. It is
//!   counted once the password was wrong, for of many at once all may be right: a school's, at eight. How
//!   many may be under way is bounded in each pod ([`super::under_way`]).
//! - The *account*, whatever the address: against a guesser with many addresses. From a hundred
//!   on, each pair has one free failure instead of five, and then waits 30 s at once. The wait is never
//!   counted from the failures of others, so the owner's first attempt passes however many strangers
//!   try: nobody can lock anybody out. What it leaves to a guesser is one attempt an address and 30 s.

use std::time::Duration;

use claviger_crds::published::Digest;
use jiff::{SignedDuration, Timestamp};

use crate::store::{Failures, Id, StoreError, TenantKey};
use crate::tenant::user::username_key;
use crate::web::client_address::ClientAddress;

/// For the store's `forget_at`.
pub(crate) const FORGET_AFTER: SignedDuration = SignedDuration::from_mins(15);

const FREE_FOR_PAIR: u32 = 5;
const FREE_FOR_PAIR_UNDER_ATTACK: u32 = 1;
const FREE_FOR_ADDRESS: u32 = 20;
/// Failures of an account, from anywhere, from which on it is under attack.
const ATTACK: u32 = 100;
/// Tries that an address may have under way in a pod beside those that are free.
const CROWD: u32 = 100;
const LONGEST_FOR_PAIR: u32 = 30;
const LONGEST_FOR_ADDRESS: u32 = 60;

const UNREADABLE: StoreError = StoreError::Unreadable("the number of failures");

/// Under which the failures of one attempt are counted. Hashes: no name, no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pair: Id,
    account: Id,
    address: Id,
}

/// The failures under [`Keys::all`], those before a try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Of the account at the address.
    pub(crate) pair: Failures,
    /// Of the account.
    pub(crate) account: Failures,
    /// Of the address.
    pub(crate) address: Failures,
}

/// The keys of an attempt at `username` from `address`, whether there is such an account or not.
pub(crate) fn keys(tenant: &TenantKey, username: &str, address: ClientAddress) -> Keys {
    let (account, network) = (username_key(username), address.network().to_string());
    let key = |parts: &[&str]| key(tenant, parts);
    Keys {
        pair: key(&["pair", &account, &network]),
        account: key(&["account", &account]),
        address: key(&["address", &network]),
    }
}

/// How long from `now` on the attempt has to wait; none where it may be made.
pub(crate) fn wait(counted: &Counted, now: Timestamp) -> Option<Duration> {
    let of_address = back_off(counted.address.count, FREE_FOR_ADDRESS, LONGEST_FOR_ADDRESS);
    wait_for_pair(counted, now).max(remaining(&counted.address, of_address, now))
}

/// Whether an attempt that had not to wait has to, now that it is counted itself, because of others at the
/// account that were counted before it at the same moment.
pub(crate) fn is_overtaken(counted: &Counted, now: Timestamp) -> bool {
    wait_for_pair(counted, now).is_some()
}

/// How many attempts the address may have under way in a pod: one where each has to wait for the one before.
pub(crate) fn at_once(counted: &Counted) -> u32 {
    match FREE_FOR_ADDRESS.checked_sub(counted.address.count) {
        None | Some(0) => 1,
        Some(free) => free + CROWD,
    }
}

fn wait_for_pair(counted: &Counted, now: Timestamp) -> Option<Duration> {
    let Counted { pair, account, address: _ } = counted;
    let of_pair = if account.count < ATTACK {
        back_off(pair.count, FREE_FOR_PAIR, LONGEST_FOR_PAIR)
    } else if pair.count < FREE_FOR_PAIR_UNDER_ATTACK {
        0
    } else {
        LONGEST_FOR_PAIR
    };
    remaining(pair, of_pair, now)
}

impl Keys {
    /// All, in the order of [`Counted::of`].
    pub(crate) fn all(&self) -> [Id; 3] {
        [self.pair, self.account, self.address]
    }

    /// The two that are counted before the hash, and forgotten by a success.
    pub(crate) fn of_account(&self) -> [Id; 2] {
        [self.pair, self.account]
    }

    /// The one that is counted once the password was wrong.
    pub(crate) fn address(&self) -> Id {
        self.address
    }
}

impl Counted {
    /// What the store answered for [`Keys::all`].
    ///
    /// # Errors
    /// It answered something else.
    pub(crate) fn of(failures: &[Failures]) -> Result<Self, StoreError> {
        let &[pair, account, address] = failures else { return Err(UNREADABLE) };
        Ok(Self { pair, account, address })
    }

    /// The same with what the store answered for [`Keys::of_account`] since.
    ///
    /// # Errors
    /// It answered something else.
    pub(crate) fn with_account(self, failures: &[Failures]) -> Result<Self, StoreError> {
        let &[pair, account] = failures else { return Err(UNREADABLE) };
        Ok(Self { pair, account, ..self })
    }
}

/// Seconds after the last of `count` failures.
fn back_off(count: u32, free: u32, longest: u32) -> u32 {
    match count.checked_sub(free) {
        None => 0,
        Some(more) => 1_u32.checked_shl(more).map_or(longest, |seconds| seconds.min(longest)),
    }
}

/// What is left at `now` of so many seconds after the last failure. Another pod's clock may be
/// ahead: no wait gets longer by that.
fn remaining(failures: &Failures, seconds: u32, now: Timestamp) -> Option<Duration> {
    let whole = Duration::from_secs(seconds.into());
    let since = Duration::try_from(now.duration_since(failures.last_at?)).unwrap_or(Duration::ZERO);
    whole.checked_sub(since).filter(|left| !left.is_zero())
}

fn key(tenant: &TenantKey, parts: &[&str]) -> Id {
    let mut bytes = Vec::with_capacity(256);
    // Each part with its length: no two lists of parts run together into the same bytes.
    for part in ["claviger login failures", tenant.as_str()].iter().chain(parts) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    let digest = Digest::of(&bytes).to_string();
    // There always is one: 64 digits follow the prefix.
    let half = digest.strip_prefix("sha256:").and_then(|digits| Id::parse(digits.get(..32)?));
    half.unwrap_or(Id::from_bytes([0; 16]))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn failures(count: u32) -> Failures {
        Failures { count, last_at: (count > 0).then(|| at(NOW)) }
    }

    fn counted(pair: u32, account: u32, address: u32) -> Counted {
        Counted { pair: failures(pair), account: failures(account), address: failures(address) }
    }

    /// Seconds.
    fn wait_at(counted: &Counted, second: i64) -> u64 {
        wait(counted, at(second)).map_or(0, |wait| wait.as_secs())
    }

    fn keys_of(tenant: &str, username: &str, address: &str) -> Keys {
        let tenant = TenantKey::new("identity", tenant, tenant);
        keys(&tenant, username, ClientAddress::new(address.parse::<IpAddr>().unwrap()))
    }

    #[test]
    fn a_pair_waits_twice_as_long_each_time_but_half_a_minute_at_most() {
        let waits =
            [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 36, 37, 40, u32::MAX].map(|count| wait_at(&counted(count, 0, 0), NOW));
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30]);
    }

    #[test]
    fn an_address_has_more_free_and_waits_up_to_a_minute() {
        let waits = [19, 20, 21, 25, 26, 52, u32::MAX].map(|count| wait_at(&counted(0, 0, count), NOW));
        assert_eq!(waits, [0, 1, 2, 32, 60, 60, 60]);
        assert_eq!(wait_at(&counted(u32::MAX, 0, u32::MAX), NOW), 60, "the longer of two");
    }

    #[test]
    fn of_tries_at_once_a_crowd_passes_at_an_address_and_few_at_an_account() {
        assert_eq!([4, 5].map(|pair| is_overtaken(&counted(pair, pair, 0), at(NOW))), [false, true]);
        assert!(!is_overtaken(&counted(5, 5, 0), at(NOW + 1)), "one passes when the wait is over");
        let at_once = [0, 19, 20, u32::MAX].map(|address| at_once(&counted(0, 0, address)));
        assert_eq!(at_once, [120, 101, 1, 1]);
    }

    #[test]
    fn a_wait_ends() {
        let counted = counted(8, 8, 8);
        assert_eq!([0, 1, 7, 8, 9].map(|later| wait_at(&counted, NOW + later)), [8, 7, 1, 0, 0]);
        assert_eq!(wait(&counted, at(NOW + 8)), None);
        assert_eq!(wait_at(&counted, NOW - 100), 8, "a clock that is behind");
    }

    #[test]
    fn strangers_cannot_lock_a_person_out() {
        assert_eq!(wait(&counted(0, u32::MAX, 0), at(NOW)), None, "the first attempt from anywhere");
        assert_eq!(wait_at(&counted(1, 99, 0), NOW), 0);
        assert_eq!(wait_at(&counted(1, 100, 0), NOW), 30, "but the second comes late");
        // The strangers go on; what counts is when this pair failed.
        let mut mine = counted(1, 100, 0);
        mine.account.last_at = Some(at(NOW + 30));
        assert_eq!(wait(&mine, at(NOW + 30)), None);
    }

    #[test]
    fn keys_tell_tenants_accounts_and_addresses_apart_and_nothing_else() {
        let keys = keys_of("acme", "Ada", "192.0.2.1");
        assert_eq!(keys, keys_of("acme", "ada", "::ffff:192.0.2.1"));
        let [pair, account, address] = keys.all();
        assert!(pair != account && account != address && pair != address);

        let other = keys_of("acme", "bob", "192.0.2.1").all();
        assert!(other[0] != pair && other[1] != account && other[2] == address);
        let other = keys_of("acme", "ada", "192.0.2.2").all();
        assert!(other[0] != pair && other[1] == account && other[2] != address);
        let other = keys_of("bcme", "ada", "192.0.2.1").all();
        assert!(other[0] != pair && other[1] != account && other[2] != address);
        assert_ne!(keys_of("acme", "192.0.2.1", "192.0.2.9").account, address, "a name that looks like an address");
    }

    #[test]
    fn a_networks_addresses_count_as_one() {
        let keys = keys_of("acme", "ada", "2001:db8:1:2::1");
        assert_eq!(keys, keys_of("acme", "ada", "2001:db8:1:2:ffff::9"));
        assert_ne!(keys.address, keys_of("acme", "ada", "2001:db8:1:3::1").address);
    }

    #[test]
    fn a_success_never_forgets_the_address() {
        let keys = keys_of("acme", "ada", "192.0.2.1");
        let [pair, account, address] = keys.all();
        assert_eq!(keys.of_account(), [pair, account]);
        assert_eq!(keys.address(), address);
        assert_eq!(Counted::of(&[failures(1), failures(2), failures(3)]), Ok(counted(1, 2, 3)));
        assert!(Counted::of(&[failures(1)]).is_err());
        assert_eq!(counted(1, 2, 3).with_account(&[failures(4), failures(5)]), Ok(counted(4, 5, 3)));
        assert!(Counted::default().with_account(&[failures(1)]).is_err());
    }
}
