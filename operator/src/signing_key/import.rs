//! The key that somebody else makes and that is to sign: its Secret, and whether the ring may have it.
//!
//! A Secret that is of no use stops no ring that serves: that goes on with what it has.

use std::collections::BTreeMap;

use claviger_crds::SecretKey;
use claviger_crds::condition::Reason;
use claviger_crds::names::ObjectName;
use claviger_crds::published::KeyPhase;
use claviger_crds::signing_key::ValidSigningKey;
use claviger_jose::{Algorithm, ImportError, Kid, PrivateKey};

use super::change::NewKey;
use super::observe::Observed;
use super::ring::Ring;
use crate::context::Context;
use crate::error::{StepError, While};
use crate::index::documents::Detail;
use crate::withheld::Withheld;

/// What was read of the Secret, and what other rings know of keys.
#[derive(Debug)]
pub(super) struct Source {
    secret: Result<Option<Withheld>, StepError>,
    /// The keys of the tenant's other rings: whose, and whether it was revoked there.
    others: BTreeMap<Kid, (ObjectName, bool)>,
}

/// What the Secret means for the ring.
#[derive(Debug, Default)]
pub(super) struct Import {
    /// The key that is to sign: that of the Secret, or while that is of no use the one that was imported
    /// before.
    pub(super) kid: Option<Kid>,
    /// That key, if it is not in the ring.
    pub(super) key: Option<NewKey>,
    /// Why the Secret's key is not taken.
    pub(super) refused: Option<(Reason, String)>,
}

/// Reads the Secret that the SigningKey names; `None` if it names none.
pub(super) async fn read(context: &Context, valid: &ValidSigningKey, slug: &str) -> Result<Option<Source>, StepError> {
    let Some(SecretKey { name, .. }) = &valid.existing_secret else {
        return Ok(None);
    };
    let at = ObjectName::new(valid.name.namespace.clone(), name);
    let secret = match context.cluster().secret(&at).await.doing("reading the Secret of the key") {
        Ok(secret) => Ok(secret.map(Withheld)),
        Err(error) if error.is_final() => Err(error),
        Err(error) => return Err(error),
    };
    let mut others = BTreeMap::new();
    context.with(|state| {
        // Withdrawn ones too: what they revoked stays revoked.
        for ring in state.index.documents.rings(slug).filter(|ring| ring.owner != valid.name) {
            let Detail::Ring { kids, revoked, .. } = &ring.detail else { continue };
            let holds = kids.iter().filter(|_| ring.serving()).map(|kid| (kid, false));
            for (kid, revoked) in holds.chain(revoked.iter().map(|kid| (kid, true))) {
                others.insert(kid.clone(), (ring.owner.clone(), revoked));
            }
        }
    });
    Ok(Some(Source { secret, others }))
}

/// Whether the ring may have the Secret's key. `algorithm` is that of the keys that it gets.
pub(super) fn judge(observed: &Observed, valid: &ValidSigningKey, algorithm: Algorithm) -> Import {
    let (Some(source), Some(named)) = (&observed.source, &valid.existing_secret) else {
        return Import::default();
    };
    let ring = observed.stored.as_ref().map(|stored| &stored.ring);
    let before = || ring.and_then(|ring| imported_before(ring, observed));
    let key = source.key(named, valid.algorithm).and_then(|key| {
        check_trust(&key, source, observed, valid)?;
        check_place(&key, ring, source)?;
        Ok(key)
    });
    match key {
        // A key of an algorithm for which it is not time yet: RotationBlocked says so.
        Ok(key) if key.public_key.algorithm() != algorithm => Import { kid: before(), ..Import::default() },
        Ok(key) => {
            let has = ring.is_some_and(|ring| ring.key(&key.kid).is_some());
            Import { kid: Some(key.kid.clone()), key: (!has).then_some(key), refused: None }
        }
        Err((reason, message)) => {
            Import { kid: before(), key: None, refused: Some((reason, format!("Secret {}: {message}", named.name))) }
        }
    }
}

/// The imported key that the ring has, which signs or is about to.
fn imported_before(ring: &Ring, observed: &Observed) -> Option<Kid> {
    let keys = [ring.standby(), ring.active()].into_iter().flatten();
    let mut keys = keys.filter(|key| key.imported && !observed.around.revoked.contains_key(&key.kid));
    keys.next().map(|key| key.kid.clone())
}

impl Source {
    fn key(&self, named: &SecretKey, algorithm: Algorithm) -> Result<NewKey, (Reason, String)> {
        let secret = match &self.secret {
            Ok(Some(secret)) => secret,
            Ok(None) => return Err((Reason::SecretNotFound, "there is none of this name".to_owned())),
            Err(error) => return Err((Reason::SecretRefused, error.to_string())),
        };
        let key = &named.key;
        let text = secret.data.as_ref().and_then(|data| data.get(key));
        let text = text.ok_or_else(|| (Reason::SecretInvalid, format!("it has no key {key}")))?;
        match PrivateKey::import(algorithm, &text.0) {
            Ok(key) => Ok(NewKey::of(&key)),
            Err(error) => Err((reason(error), format!("{key}: {error}"))),
        }
    }
}

fn reason(error: ImportError) -> Reason {
    match error {
        ImportError::Encrypted => Reason::KeyEncrypted,
        ImportError::OtherKind { .. } | ImportError::OtherUse { .. } => Reason::KeyOfAnotherAlgorithm,
        ImportError::TooShort => Reason::SecretTooShort,
        ImportError::NotAKey
        | ImportError::Format
        | ImportError::PublicOnly
        | ImportError::Several
        | ImportError::TooLong
        | ImportError::Exponent
        | ImportError::Incomplete
        | ImportError::Broken => Reason::SecretInvalid,
    }
}

/// A revoked key never comes back, wherever it was revoked, and whether it is gone or not.
fn check_trust(
    key: &NewKey,
    source: &Source,
    observed: &Observed,
    valid: &ValidSigningKey,
) -> Result<(), (Reason, String)> {
    let kid = &key.kid;
    let here = observed.around.revoked.contains_key(kid) || valid.revoked.iter().any(|revoked| revoked.kid == *kid);
    let there = source.others.get(kid).filter(|(_, revoked)| *revoked);
    match there {
        Some((owner, _)) => {
            let message = format!("its key {kid} was revoked in the SigningKey {owner}: put another key into it");
            Err((Reason::KeyRevoked, message))
        }
        None if here => Err((Reason::KeyRevoked, format!("its key {kid} was revoked: put another key into it"))),
        None => Ok(()),
    }
}

/// A key has one life, in one ring, with one algorithm: verifiers remember it by its kid alone.
fn check_place(key: &NewKey, ring: Option<&Ring>, source: &Source) -> Result<(), (Reason, String)> {
    let kid = &key.kid;
    if let Some((owner, _)) = source.others.get(kid) {
        let message = format!("its key {kid} is one of the SigningKey {owner} already: two rings cannot share a key");
        return Err((Reason::KeyOfAnotherRing, message));
    }
    let Some(held) = ring.and_then(|ring| ring.key(kid)) else {
        return Ok(());
    };
    match held.phase {
        KeyPhase::Published | KeyPhase::Active if held.public_key.algorithm() == key.public_key.algorithm() => Ok(()),
        KeyPhase::Published | KeyPhase::Active => {
            let algorithm = held.public_key.algorithm();
            let message =
                format!("its key {kid} signs as {algorithm}, and one key has one algorithm: put another into it");
            Err((Reason::KeyOfAnotherAlgorithm, message))
        }
        KeyPhase::Retiring | KeyPhase::VerifyOnly => {
            let message = format!(
                "its key {kid} signed before and was replaced; while status.keys lists it, it does not sign again: put \
                 another key into it"
            );
            Err((Reason::KeyUsedBefore, message))
        }
        KeyPhase::Revoked => Err((Reason::KeyRevoked, format!("its key {kid} was revoked: put another key into it"))),
    }
}
