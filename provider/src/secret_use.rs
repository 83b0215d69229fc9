//! When clients' secrets were used last: noted without a write or a lock per request, told to the
//! operator in batches ([`crate::served`]), and lost with the process.
//!
//! A secret remembers the minute in which it was noted. The first request of a minute takes the lock;
//! those after it read one number.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_crds::published::acknowledgement::{USES_TOLD, Used};
use jiff::Timestamp;

/// So long a use is kept in mind for an operator that begins to listen, seconds. One that is older is
/// forgotten, whether or not any operator was told: else secrets that are long gone would fill the memory.
const KEPT: i64 = 2 * 3600;

/// The use of one secret.
#[derive(Debug)]
pub(crate) struct SecretUse {
    fingerprint: Box<str>,
    /// The last minute that was noted; 0 is none.
    minute: AtomicI64,
}

/// The uses of all secrets.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    /// By the client's document and by fingerprint: when, seconds, and the number of that note.
    last: HashMap<(Arc<str>, Box<str>), (i64, u64)>,
    /// The number of the last note.
    count: u64,
}

impl SecretUse {
    /// Of the secret with this fingerprint, which was never used.
    pub(crate) fn of(fingerprint: String) -> Self {
        Self { fingerprint: fingerprint.into(), minute: AtomicI64::new(0) }
    }
}

impl Uses {
    /// The secret of the client of `document` was used.
    pub(crate) fn note(&self, document: &Arc<str>, secret: &SecretUse, now: Timestamp) {
        let minute = now.as_second() / USES_TOLD.as_secs().cast_signed();
        if secret.minute.load(Ordering::Relaxed) == minute {
            return;
        }
        secret.minute.store(minute, Ordering::Relaxed);
        let mut noted = self.lock();
        noted.count += 1;
        let note = (now.as_second(), noted.count);
        noted.last.insert((Arc::clone(document), secret.fingerprint.clone()), note);
    }

    /// What was noted after the note of this number, and the number of the last one.
    pub(crate) fn since(&self, number: u64, now: Timestamp) -> (Vec<Used>, u64) {
        let mut noted = self.lock();
        noted.last.retain(|_, (at, _)| now.as_second() - *at <= KEPT);
        let used = noted.last.iter().filter(|(_, (_, note))| *note > number).filter_map(|((name, secret), (at, _))| {
            let at = Timestamp::from_second(*at).ok()?;
            Some(Used { name: name.to_string(), fingerprint: secret.to_string(), at })
        });
        (used.collect(), noted.count)
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        // Each change is one insertion: a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn used(name: &str, fingerprint: &str, second: i64) -> Used {
        Used { name: name.to_owned(), fingerprint: fingerprint.to_owned(), at: at(second) }
    }

    #[test]
    fn a_use_is_told_once_a_minute_and_only_if_there_was_one() {
        let uses = Uses::default();
        let (shop, secret) = (Arc::from("client-shop"), SecretUse::of("a".to_owned()));
        assert_eq!(uses.since(0, at(6_000)), (Vec::new(), 0));
        for second in [6_001, 6_002, 6_059] {
            uses.note(&shop, &secret, at(second));
        }
        assert_eq!(uses.since(0, at(6_060)), (vec![used("client-shop", "a", 6_001)], 1));
        assert_eq!(uses.since(1, at(6_060)), (Vec::new(), 1));
        uses.note(&shop, &secret, at(6_061));
        assert_eq!(uses.since(1, at(6_062)), (vec![used("client-shop", "a", 6_061)], 2));
        assert_eq!(uses.since(0, at(6_062)).0.len(), 1, "who begins to listen hears of the last only");
    }

    #[test]
    fn what_was_used_long_ago_is_forgotten() {
        let uses = Uses::default();
        uses.note(&Arc::from("client-shop"), &SecretUse::of("a".to_owned()), at(6_000));
        assert_eq!(uses.since(0, at(6_000 + KEPT)).0.len(), 1);
        assert_eq!(uses.since(0, at(6_001 + KEPT)).0.len(), 0);
    }
}
