//! A ring of keys as this pod signs with it: parsed once, when its document is read.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_crds::names::ObjectName;
use claviger_crds::published::{KeyDocument, KeyPhase, KeysDocument, SecretText};
use claviger_jose::{Algorithm, Kid, PrivateKey, PublicJwk, Signer, Verifier};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::index::Unusable;

/// A ring.
pub(crate) struct Ring {
    owner: ObjectName,
    created_at: Timestamp,
    leaving: bool,
    joining: bool,
    /// `max-age` of the JWK Set, seconds.
    pub(crate) cache_lifetime: u32,
    /// No token that it signs lives longer, seconds.
    pub(crate) max_token_lifetime: u32,
    /// What verifiers are shown.
    pub(crate) public_keys: Vec<PublicJwk>,
    /// Those, and what verifies a late `id_token_hint`; never a revoked one.
    pub(crate) verifiers: Vec<Verifier>,
    /// The algorithms of these that verifiers are shown.
    pub(crate) algorithms: Vec<Algorithm>,
    /// The Active key.
    pub(crate) signer: Option<Arc<Signer>>,
    /// The key that signs next, or at once if the Active one is revoked.
    standby: Option<Arc<Signer>>,
    /// Keys that are never trusted again.
    pub(crate) revoked: BTreeSet<Kid>,
}

impl Ring {
    /// The ring that `document` of `owner` speaks of. Every private half is parsed, the standby's
    /// too: a pod must not acknowledge a key with which it could not sign. What this pod knows to be
    /// `revoked` stays so, whatever the document says: a backup that was restored knows nothing of it.
    pub(crate) fn parse(
        owner: &ObjectName,
        document: &KeysDocument,
        revoked: &BTreeSet<Kid>,
    ) -> Result<Self, Unusable> {
        let revoked: BTreeSet<Kid> = revoked | &document.revoked;
        let trusted = || document.keys.iter().filter(|key| !revoked.contains(&key.kid));
        let shown = || trusted().filter(|key| key.phase.in_jwks());
        let verifying = trusted()
            .filter(|key| key.phase != KeyPhase::Revoked)
            .map(|key| Verifier::new(&key.public_key).map_err(|_| Unusable::new("a public key verifies nothing")));
        let (mut signer, mut standby) = (None, None);
        if document.keys.iter().any(|key| key.phase == KeyPhase::Active && revoked.contains(&key.kid)) {
            return Err(Unusable::new("the Active key was revoked before"));
        }
        for key in &document.keys {
            let private = key.private_key.as_ref().map(|text| private_key(key, text)).transpose()?;
            let private = private.map(|private| Arc::new(Signer::new(private)));
            match key.phase {
                KeyPhase::Active => {
                    let private = private.ok_or(Unusable::new("the Active key has no private half"))?;
                    if signer.replace(private).is_some() {
                        return Err(Unusable::new("two keys are Active"));
                    }
                }
                KeyPhase::Published if !revoked.contains(&key.kid) => standby = private,
                _ => {}
            }
        }
        Ok(Self {
            owner: owner.clone(),
            created_at: document.created_at,
            leaving: document.leaving,
            joining: document.joining,
            cache_lifetime: document.cache_lifetime,
            max_token_lifetime: document.max_token_lifetime,
            public_keys: shown().map(|key| key.public_key.clone()).collect(),
            verifiers: verifying.collect::<Result<_, _>>()?,
            algorithms: shown().map(|key| key.public_key.algorithm()).collect(),
            signer,
            standby,
            revoked,
        })
    }

    /// Whether anything would sign once the keys `revoked` do not.
    pub(crate) fn signs_without(&self, revoked: &BTreeSet<Kid>) -> bool {
        [&self.signer, &self.standby].into_iter().flatten().any(|key| !revoked.contains(key.kid()))
    }

    /// Trusts the keys `revoked` no more. Where the Active key is one of them the standby signs at once: so the
    /// operator decides, too, where it can.
    pub(crate) fn revoke(&mut self, revoked: &BTreeSet<Kid>) {
        let trusted = |kid: &Kid| !revoked.contains(kid);
        self.public_keys.retain(|key| trusted(key.kid()));
        self.algorithms = self.public_keys.iter().map(PublicJwk::algorithm).collect();
        self.verifiers.retain(|verifier| trusted(verifier.kid()));
        self.standby.take_if(|key| !trusted(key.kid()));
        if self.signer.take_if(|key| !trusted(key.kid())).is_some() {
            self.signer = self.standby.take();
        }
        self.revoked.extend(revoked.iter().cloned());
    }

    /// Whether it signs only while no other ring can: its SigningKey is gone, or verifiers may not know
    /// its keys yet.
    pub(crate) fn is_last_resort(&self) -> bool {
        self.leaving || self.joining
    }

    /// The order in which rings are shown: the oldest first.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        (self.created_at, self.owner.clone())
    }
}

/// The ring among `rings`, the oldest first, that signs access tokens: the one that the tenant
/// names, else the oldest; one that is a last resort only while there is no other, and then rather one
/// that leaves, which verifiers know.
pub(crate) fn signing<'a>(rings: &[&'a Ring], named: Option<&ObjectName>) -> Option<&'a Ring> {
    let able = rings.iter().copied().filter(|ring| ring.signer.is_some());
    // Of equals the last is the greatest: hence the reverse, so that it is the oldest.
    able.rev().max_by_key(|ring| {
        let last_resort = ring.is_last_resort();
        (Reverse(last_resort), Reverse(ring.joining), !last_resort && Some(&ring.owner) == named)
    })
}

fn private_key(key: &KeyDocument, text: &SecretText) -> Result<PrivateKey, Unusable> {
    const UNREADABLE: Unusable = Unusable::new("a private key is unreadable");
    let der = Zeroizing::new(STANDARD.decode(text.expose()).map_err(|_| UNREADABLE)?);
    let private = PrivateKey::from_pkcs8(key.public_key.algorithm(), &der).map_err(|_| UNREADABLE)?;
    // Else tokens would be signed that no verifier can verify.
    if private.public_jwk() != key.public_key || *key.public_key.kid() != key.kid {
        return Err(Unusable::new("a private key is not that of its public key"));
    }
    Ok(private)
}
