//! Carrying out decided [`Action`]s on a ring in memory. Pure: new keys come as an argument.

use claviger_crds::published::{KeyPhase, SecretText};
use claviger_jose::{Kid, PublicJwk};
use jiff::Timestamp;

use super::ring::{Key, Purpose, Revoked, Ring};
use super::rotation::{Action, Cause, after, cached_for};

/// At most so many revoked keys are remembered beyond their time in the ring: far more than ever come
/// back from a Secret that somebody imports.
pub(super) const MOST_REVOKED: usize = 1000;

/// A key that was just made, or read, and stands nowhere yet.
#[derive(Clone, Debug)]
pub(crate) struct NewKey {
    /// RFC 7638 thumbprint.
    pub(crate) kid: Kid,
    /// The public half.
    pub(crate) public_key: PublicJwk,
    /// PKCS#8 in base64.
    pub(crate) private_key: SecretText,
}

/// The keys that actions need.
#[derive(Debug, Default)]
pub(crate) struct NewKeys {
    /// As many as the actions say.
    pub(crate) made: Vec<NewKey>,
    /// The one that is to be imported.
    pub(crate) imported: Option<NewKey>,
}

impl Ring {
    /// The ring after `actions`, its revision one higher.
    pub(crate) fn changed(
        mut self,
        actions: &[Action],
        purpose: Option<&Purpose>,
        keys: NewKeys,
        now: Timestamp,
    ) -> Self {
        let NewKeys { made, mut imported } = keys;
        let mut made = made.into_iter();
        if !actions.iter().any(|action| matches!(action, Action::KeepRevision { .. })) {
            let above = actions.iter().filter_map(|action| match action {
                Action::Republish { above } | Action::Accept { above, .. } => Some(*above),
                _ => None,
            });
            self.revision = above.fold(self.revision, u64::max) + 1;
        }
        for action in actions {
            match action {
                Action::Create { joining, max_age, .. } => {
                    let first = imported.take();
                    self.max_cache_lifetime = self.max_cache_lifetime.max(*max_age);
                    let is_imported = first.is_some();
                    self.add_standby(first.or_else(|| made.next()), is_imported, now);
                    self.promote(None, now);
                    self.add_standby(made.next(), false, now);
                    self.joining = *joining;
                    // What a new ring is asked for by a time that is over is nothing that it could do.
                    self.rotated_at = purpose.and_then(|purpose| purpose.rotate_at).filter(|at| *at <= now);
                }
                Action::Return { youngest, max_age } => self.come_back(*youngest, *max_age, now),
                Action::Join => self.joining = false,
                Action::Adjust => self.adjust(purpose),
                Action::Revoke { kid, revoked } => self.revoke(kid, revoked),
                Action::AddStandby => self.add_standby(made.next(), false, now),
                Action::Import => self.add_standby(imported.take(), true, now),
                Action::Promote { cause, unknown_until } => {
                    self.promote(*unknown_until, now);
                    self.note_rotation(*cause, purpose, now);
                }
                Action::Unpublish { kid } => self.unpublish(kid, now),
                Action::Discard { kid } | Action::Drop { kid } => self.keys.retain(|key| key.kid != *kid),
                Action::HandOver => self.handed_over_at = Some(now),
                Action::Retire => self.retire(now),
                Action::Withdraw => self.withdrawn_at = Some(now),
                Action::Accept { max_age, .. } | Action::KeepRevision { max_age } => self.doubt(*max_age, now),
                Action::Republish { .. } => {}
            }
        }
        self
    }

    fn add_standby(&mut self, key: Option<NewKey>, imported: bool, now: Timestamp) {
        let Some(NewKey { kid, public_key, private_key }) = key else {
            return;
        };
        let key = Key {
            kid,
            phase: KeyPhase::Published,
            public_key,
            private_key: Some(private_key),
            imported,
            revision: self.revision,
            max_age_without: self.max_cache_lifetime,
            created_at: now,
            published_at: now,
            active_at: None,
            unknown_until: None,
            retiring_at: None,
            retiring_revision: 0,
            verify_only_at: None,
            revocation: None,
        };
        self.keys.insert(0, key);
    }

    /// The standby signs, if there is one; what signed before retires.
    fn promote(&mut self, unknown_until: Option<Timestamp>, now: Timestamp) {
        let Some(at) = self.keys.iter().position(|key| key.phase == KeyPhase::Published) else {
            return;
        };
        self.retire(now);
        let standby = &mut self.keys[at];
        standby.phase = KeyPhase::Active;
        standby.active_at = Some(now);
        standby.unknown_until = unknown_until;
    }

    /// What was asked for by a time that is over is done, whatever else the take-over was for.
    fn note_rotation(&mut self, cause: Cause, purpose: Option<&Purpose>, now: Timestamp) {
        match cause {
            Cause::Asked(at) => self.rotated_at = Some(at),
            Cause::Interval | Cause::Algorithm | Cause::Emergency => {
                let asked = purpose.and_then(|purpose| purpose.rotate_at).filter(|at| *at <= now);
                self.rotated_at = asked.or(self.rotated_at);
            }
        }
    }

    fn retire(&mut self, now: Timestamp) {
        for key in &mut self.keys {
            if key.phase == KeyPhase::Active {
                key.phase = KeyPhase::Retiring;
                key.retiring_at = Some(now);
                key.retiring_revision = self.revision;
            }
        }
    }

    fn unpublish(&mut self, kid: &Kid, now: Timestamp) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.kid == *kid) {
            key.phase = KeyPhase::VerifyOnly;
            key.verify_only_at = Some(now);
            key.private_key = None;
        }
    }

    fn revoke(&mut self, kid: &Kid, revoked: &Revoked) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.kid == *kid) {
            key.phase = KeyPhase::Revoked;
            key.revocation = Some(revoked.clone());
            key.private_key = None;
        }
        if self.revoked.len() < MOST_REVOKED {
            self.revoked.insert(kid.clone());
        }
    }

    /// The key that signed last signs again.
    fn come_back(&mut self, youngest: bool, max_age: u32, now: Timestamp) {
        self.leaving_since = None;
        self.handed_over_at = None;
        self.max_cache_lifetime = self.max_cache_lifetime.max(max_age);
        let gone = self.withdrawn_at.take().is_some();
        if youngest {
            self.created_at = now;
            // One that has not joined yet may be cached nowhere, either.
            self.joining |= gone;
        }
        if gone {
            self.publish_anew(now);
        }
        if self.active().is_none()
            && let Some(last) =
                self.keys.iter_mut().filter(|key| key.phase == KeyPhase::Retiring).max_by_key(|key| key.active_at)
        {
            last.phase = KeyPhase::Active;
            last.retiring_at = None;
        }
    }

    /// Verifiers may have cached none of the keys, whatever was published before.
    fn publish_anew(&mut self, now: Timestamp) {
        for key in self.keys.iter_mut().filter(|key| key.phase.in_jwks()) {
            key.revision = self.revision;
            key.published_at = now;
            key.max_age_without = self.max_cache_lifetime;
        }
    }

    /// The ring takes the place of a later state of itself, or may yet. The key that signs does so at once, known or
    /// not, unless others sign until it is.
    fn doubt(&mut self, max_age: u32, now: Timestamp) {
        self.max_cache_lifetime = self.max_cache_lifetime.max(max_age);
        self.publish_anew(now);
        let unknown_until = (!self.joining).then(|| after(now, cached_for(self.max_cache_lifetime)));
        for key in self.keys.iter_mut().filter(|key| key.phase == KeyPhase::Active) {
            key.unknown_until = key.unknown_until.max(unknown_until);
        }
    }

    fn adjust(&mut self, purpose: Option<&Purpose>) {
        let Some(purpose) = purpose else {
            return;
        };
        self.tenant.clone_from(&purpose.tenant);
        self.tenant_name.clone_from(&purpose.tenant_name);
        self.algorithm = purpose.algorithm;
        self.cache_lifetime = purpose.rotation.cache_lifetime;
        self.max_cache_lifetime = self.max_cache_lifetime.max(self.cache_lifetime);
        self.max_token_lifetime = self.max_token_lifetime.max(purpose.token_lifetime);
        self.max_session_lifetime = self.max_session_lifetime.max(purpose.session_lifetime);
    }
}
