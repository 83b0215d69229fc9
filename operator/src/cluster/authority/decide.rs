//! What has to be renewed: pure, of periods and the wall clock.

use std::time::Duration;

use jiff::Timestamp;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// How long an authority is valid.
pub(super) const AUTHORITY_LIFE: Duration = DAY.saturating_mul(365);
/// How long a certificate is valid.
pub(super) const LEAF_LIFE: Duration = DAY.saturating_mul(30);
/// So far before its making a certificate begins, for clocks that are behind.
pub(super) const BACKDATED: Duration = Duration::from_secs(300);
/// A new authority signs only after this, when every pod has long read the bundle that holds it.
const ANNOUNCED: Duration = HOUR;

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// A provider's.
    Server,
    /// The operator's.
    Client,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Period {
    /// `life` from `now` on, and a little before.
    pub(super) fn starting(now: Timestamp, life: Duration) -> Self {
        let from = now.checked_sub(BACKDATED).unwrap_or(Timestamp::MIN);
        Self { from, until: now.checked_add(life).unwrap_or(Timestamp::MAX) }
    }

    /// Two thirds are over, or it has not begun: a clock was set back.
    fn due(self, now: Timestamp) -> bool {
        let whole = self.until.duration_since(self.from);
        now < self.from || now.duration_since(self.from) >= whole * 2 / 3
    }
}

/// What becomes of the authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Which stay in the bundle, by their place.
    pub(super) keep: Vec<usize>,
    /// Whether another is needed.
    pub(super) add: bool,
}

/// Those that have run out leave; another comes when all others are due.
pub(super) fn authorities_now(periods: &[Period], now: Timestamp) -> Plan {
    let keep: Vec<usize> = (0..periods.len()).filter(|&at| now < periods[at].until).collect();
    let add = keep.iter().all(|&at| periods[at].due(now));
    Plan { keep, add }
}

/// Which authority signs, by its place: the newest that has been announced for long enough, else
/// the oldest.
pub(super) fn issuer(periods: &[Period], now: Timestamp) -> Option<usize> {
    let announced =
        |period: &Period| now.duration_since(period.from) >= (BACKDATED + ANNOUNCED).try_into().unwrap_or_default();
    let places = || (0..periods.len()).filter(|&at| now < periods[at].until);
    let newest = places().filter(|&at| announced(&periods[at])).max_by_key(|&at| periods[at].from);
    newest.or_else(|| places().min_by_key(|&at| periods[at].from))
}

/// Whether a certificate has to be made anew.
pub(super) fn leaf_due(period: Period, now: Timestamp) -> bool {
    period.due(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + day * 86_400).unwrap()
    }

    fn authority(from: i64) -> Period {
        Period::starting(day(from), AUTHORITY_LIFE)
    }

    #[test]
    fn the_first_authority_is_made_at_once_and_signs_at_once() {
        assert_eq!(authorities_now(&[], day(0)), Plan { keep: vec![], add: true });
        assert_eq!(issuer(&[authority(0)], day(0)), Some(0));
        assert_eq!(issuer(&[], day(0)), None);
    }

    #[test]
    fn a_second_authority_comes_after_two_thirds_of_the_first_s_life() {
        assert!(!authorities_now(&[authority(0)], day(243)).add);
        assert!(authorities_now(&[authority(0)], day(244)).add);
        assert!(!authorities_now(&[authority(0), authority(244)], day(245)).add);
    }

    #[test]
    fn a_new_authority_signs_only_once_it_has_been_announced_for_an_hour() {
        let both = [authority(0), authority(244)];
        assert_eq!(issuer(&both, day(244)), Some(0));
        assert_eq!(issuer(&both, day(244) + Duration::from_secs(3_599)), Some(0));
        assert_eq!(issuer(&both, day(244) + Duration::from_secs(3_600)), Some(1));
    }

    #[test]
    fn the_old_authority_leaves_the_bundle_only_when_it_has_run_out() {
        let both = [authority(0), authority(244)];
        assert_eq!(authorities_now(&both, day(364)).keep, [0, 1]);
        assert_eq!(authorities_now(&both, day(365)).keep, [1]);
    }

    #[test]
    fn what_the_old_authority_signed_last_runs_out_before_it_does() {
        let last = Period::starting(day(244) + ANNOUNCED, LEAF_LIFE);
        assert!(last.until < authority(0).until);
    }

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_life_and_when_the_clock_was_set_back() {
        let leaf = Period::starting(day(0), LEAF_LIFE);
        assert!(!leaf_due(leaf, day(0)) && !leaf_due(leaf, day(19)));
        assert!(leaf_due(leaf, day(20)) && leaf_due(leaf, day(40)));
        assert!(leaf_due(leaf, day(-1)));
    }
}
