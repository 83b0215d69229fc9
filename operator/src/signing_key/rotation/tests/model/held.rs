//! One ring: what is asked for, what is stored and what is published of it.

use std::collections::BTreeMap;

use claviger_crds::published::{Content, Digest};

use super::super::*;
use super::pod::Published;

/// A change of the SigningKey or its tenant.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// Whether there is a SigningKey.
    Declare(bool),
    /// `cacheLifetime`, and by how much the other two exceed their least.
    Rotation { cache: u32, more: u32 },
    /// Whether it is EdDSA rather than ES256.
    Algorithm(bool),
    /// Of the tenant, seconds.
    TokenLifetime(u32),
    /// The annotation, seconds from now.
    RotateAt(i64),
    /// Of the newest key in that phase.
    Revoke(KeyPhase),
    /// `spec.revoked` is empty again.
    ForgetRevocations,
}

/// The ring's Secret.
pub(super) struct Stored {
    pub(super) version: u64,
    pub(super) ring: Ring,
}

/// See the module.
pub(super) struct Held {
    /// Name of its document.
    pub(super) document: &'static str,
    pub(super) declared: bool,
    pub(super) purpose: Purpose,
    pub(super) revoked: BTreeMap<Kid, Revocation>,
    pub(super) stored: Option<Stored>,
    pub(super) published: Option<Published>,
}

impl Held {
    pub(super) fn new(document: &'static str, declared: bool) -> Self {
        let rotation = Rotation { interval: 300, publish_ahead: 60, cache_lifetime: 10 };
        let purpose = Purpose { rotation, token_lifetime: 120, session_lifetime: 300, ..purpose() };
        Self { document, declared, purpose, revoked: BTreeMap::new(), stored: None, published: None }
    }

    pub(super) fn ring(&self) -> Option<&Ring> {
        self.stored.as_ref().map(|stored| &stored.ring)
    }

    /// What is published, unless that is a tombstone.
    pub(super) fn serves(&self) -> Option<&Published> {
        self.published.as_ref().filter(|published| !published.withdrawn)
    }

    pub(super) fn wish(&self) -> Wish {
        if self.declared { Wish::Serve(self.purpose.clone()) } else { Wish::Leave }
    }

    /// Whether the sweep is to say that the ring leaves.
    pub(super) fn is_to_leave(&self) -> bool {
        let stays = |ring: &Ring| ring.leaving_since.is_none() && ring.withdrawn_at.is_none();
        !self.declared && self.ring().is_some_and(stays)
    }

    pub(super) fn publish(&mut self) {
        let Some(Stored { ring, .. }) = &self.stored else { return };
        if self.published.as_ref().is_some_and(|published| published.revision >= ring.revision) {
            return;
        }
        let document = ring.document(&owner());
        let digest = Digest::of(&document.to_bytes());
        let withdrawn = document.withdrawn_at.is_some();
        let Content::SigningKey(keys) = document.content else { unreachable!() };
        self.published = Some(Published { revision: ring.revision, digest, withdrawn, keys });
    }
}
