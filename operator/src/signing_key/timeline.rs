//! What happens to each key of a ring and when, in its status. Pure.
//!
//! Times to come rest on the ring and the SigningKey alone and are the earliest that can be, so that a
//! new leader says the same and no status is written because a pod was slow.

use claviger_crds::published::KeyPhase;
use claviger_crds::signing_key::{KeyStatus, NextChange};
use jiff::Timestamp;

use super::ring::{Key, Purpose, Ring};
use super::rotation::{Promotion, gone_at, verify_only_at};
use crate::report::whole_seconds;

/// The keys of `ring` with their times, and what comes next. Without a purpose nothing is planned but
/// what ends.
pub(super) fn timeline(ring: &Ring, purpose: Option<&Purpose>) -> (Vec<KeyStatus>, Option<NextChange>) {
    let promotion = purpose.and_then(|purpose| Some(Promotion::of(purpose, ring, ring.active()?, ring.standby()?)));
    let keys = ring.keys.iter().map(|key| status(ring, key, promotion)).collect();
    let ends = ring.keys.iter().filter_map(|key| match key.phase {
        KeyPhase::Retiring => Some((verify_only_at(ring, key)?, "the key leaves the JWK Set", key)),
        KeyPhase::VerifyOnly | KeyPhase::Revoked => Some((gone_at(ring, key)?, "the key is gone", key)),
        KeyPhase::Published | KeyPhase::Active => None,
    });
    let takes_over = promotion.zip(ring.standby()).filter(|(promotion, _)| promotion.at < Timestamp::MAX);
    let takes_over = takes_over.map(|(promotion, standby)| (promotion.at, "the standby signs", standby));
    let next = ends.chain(takes_over).min_by_key(|(at, ..)| *at);
    let next = next.map(|(at, what, key)| NextChange {
        at: whole_seconds(at),
        what: what.to_owned(),
        kid: Some(key.kid.to_string()),
    });
    (keys, next)
}

fn status(ring: &Ring, key: &Key, promotion: Option<Promotion>) -> KeyStatus {
    let takes_over = promotion.map(|promotion| promotion.at).filter(|at| *at < Timestamp::MAX);
    let planned = |phase| takes_over.filter(|_| key.phase == phase);
    let time = |at: Option<Timestamp>| at.map(whole_seconds);
    let revocation = key.revocation.as_ref();
    KeyStatus {
        kid: key.kid.to_string(),
        phase: key.phase,
        algorithm: Some(key.public_key.algorithm().to_string()),
        imported: key.imported,
        published_at: time(Some(key.published_at)),
        active_at: time(key.active_at.or_else(|| planned(KeyPhase::Published))),
        retiring_at: time(key.retiring_at.or_else(|| planned(KeyPhase::Active))),
        verify_only_at: time(
            key.verify_only_at.or_else(|| verify_only_at(ring, key).filter(|_| key.phase == KeyPhase::Retiring)),
        ),
        gone_at: time(gone_at(ring, key)),
        revoked_at: time(revocation.map(|revocation| revocation.at)),
        trusted_until: time(revocation.map(|revocation| revocation.trusted_until)),
        revoked_reason: revocation.map(|revocation| revocation.reason.clone()),
        revoked_by: revocation.map(|revocation| revocation.by.clone()),
    }
}
