//! Carrying out decided [`Action`]s on a ring in memory. Pure: new keys come as an argument.

use claviger_crds::published::{KeyPhase, SecretText};
use claviger_jose::{Kid, PublicJwk};
use jiff::Timestamp;

use super::ring::{Key, Purpose, Ring};
use super::rotation::Action;

/// A key that was just made and stands nowhere yet.
#[derive(Clone, Debug)]
pub(crate) struct NewKey {
    /// RFC 7638 thumbprint.
    pub(crate) kid: Kid,
    /// The public half.
    pub(crate) public_key: PublicJwk,
    /// PKCS#8 in base64.
    pub(crate) private_key: SecretText,
}

impl Ring {
    /// The ring after `actions`, its revision one higher. `keys` are as many as the actions need.
    pub(crate) fn changed(
        mut self,
        actions: &[Action],
        purpose: Option<&Purpose>,
        keys: Vec<NewKey>,
        now: Timestamp,
    ) -> Self {
        let mut keys = keys.into_iter();
        for action in actions {
            match action {
                Action::Create => {
                    self.add_standby(keys.next(), now);
                    self.promote(now);
                    self.add_standby(keys.next(), now);
                }
                Action::Return { youngest } => self.come_back(*youngest, now),
                Action::Adjust => self.adjust(purpose),
                Action::AddStandby => self.add_standby(keys.next(), now),
                Action::Promote => self.promote(now),
                Action::HandOver => self.handed_over_at = Some(now),
                Action::Retire => self.retire(now),
                Action::Withdraw => self.withdrawn_at = Some(now),
                Action::Republish { above } => self.revision = self.revision.max(*above),
            }
        }
        self.revision += 1;
        self
    }

    fn add_standby(&mut self, key: Option<NewKey>, now: Timestamp) {
        let Some(NewKey { kid, public_key, private_key }) = key else {
            return;
        };
        let key = Key {
            kid,
            phase: KeyPhase::Published,
            public_key,
            private_key,
            created_at: now,
            published_at: now,
            active_at: None,
            retiring_at: None,
            verify_only_at: None,
            revoked_at: None,
        };
        self.keys.insert(0, key);
    }

    fn promote(&mut self, now: Timestamp) {
        if let Some(standby) = self.keys.iter_mut().find(|key| key.phase == KeyPhase::Published) {
            standby.phase = KeyPhase::Active;
            standby.active_at = Some(now);
        }
    }

    fn retire(&mut self, now: Timestamp) {
        for key in &mut self.keys {
            if key.phase == KeyPhase::Active {
                key.phase = KeyPhase::Retiring;
                key.retiring_at = Some(now);
            }
        }
    }

    /// The key that signed last signs again.
    fn come_back(&mut self, youngest: bool, now: Timestamp) {
        self.leaving_since = None;
        self.handed_over_at = None;
        self.withdrawn_at = None;
        if youngest {
            self.created_at = now;
        }
        if self.active().is_none()
            && let Some(last) =
                self.keys.iter_mut().filter(|key| key.phase == KeyPhase::Retiring).max_by_key(|key| key.active_at)
        {
            last.phase = KeyPhase::Active;
            last.retiring_at = None;
        }
    }

    fn adjust(&mut self, purpose: Option<&Purpose>) {
        let Some(Purpose { tenant, tenant_name, algorithm, cache_lifetime, token_lifetime, session_lifetime }) =
            purpose
        else {
            return;
        };
        self.tenant.clone_from(tenant);
        self.tenant_name.clone_from(tenant_name);
        self.algorithm = *algorithm;
        self.cache_lifetime = *cache_lifetime;
        self.max_cache_lifetime = self.max_cache_lifetime.max(*cache_lifetime);
        self.max_token_lifetime = self.max_token_lifetime.max(*token_lifetime);
        self.max_session_lifetime = self.max_session_lifetime.max(*session_lifetime);
    }
}
