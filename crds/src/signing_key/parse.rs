//! SigningKey: raw → valid.

use claviger_jose::{Algorithm, Kid};
use k8s_openapi::jiff::Timestamp;

use super::{RevocationSpec, RotationSpec, SigningKey, SigningKeySpec};
use crate::fault::{Fault, Faults};
use crate::metadata::Metadata;
use crate::names::ObjectName;
use crate::object_ref::SecretKey;
use crate::types::{self, Duration};

/// Where `kubectl create secret tls` and cert-manager put a private key.
const DEFAULT_SECRET_KEY: &str = "tls.key";

/// A SigningKey that makes sense by itself, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidSigningKey {
    /// Namespace and name of the SigningKey.
    pub name: ObjectName,
    /// `metadata.uid`; empty where there is no API server.
    pub uid: String,
    /// `metadata.generation`; 0 where there is no API server.
    pub generation: i64,
    /// `metadata.creationTimestamp`
    pub created_at: Option<Timestamp>,
    /// Whether the operator must not write for it.
    pub paused: bool,
    /// A rotation that someone asked for, not before this time.
    pub rotate_at: Option<Timestamp>,
    /// What pods serve of the ring at this revision is given up for what is stored of it.
    pub accept_stored_ring: Option<u64>,
    /// The Tenant.
    pub tenant: ObjectName,
    /// Algorithm of the next key.
    pub algorithm: Algorithm,
    /// The Secret that holds the key that is to sign, if the operator does not make it.
    pub existing_secret: Option<SecretKey>,
    /// When keys change.
    pub rotation: Rotation,
    /// Keys that must no longer be trusted.
    pub revoked: Vec<Revocation>,
}

/// When keys change, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How long a key signs, seconds.
    pub interval: u32,
    /// How long a key is in the JWK Set before it signs, seconds.
    pub publish_ahead: u32,
    /// `max-age` of the JWK Set, seconds.
    pub cache_lifetime: u32,
}

impl Rotation {
    /// What holds where a SigningKey says nothing, and for a ring that the operator makes.
    pub const DEFAULT: Self = Self {
        interval: Duration::from_hours(2160).as_secs(),
        publish_ahead: Duration::from_hours(24).as_secs(),
        cache_lifetime: 900,
    };
}

/// A key that must no longer be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its thumbprint.
    pub kid: Kid,
    /// Why.
    pub reason: String,
    /// Who says so, if the object does.
    pub by: Option<String>,
}

/// Reads a SigningKey.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(key: &SigningKey) -> Result<ValidSigningKey, Vec<Fault>> {
    let mut faults = Faults::default();
    let Metadata { name, uid, generation, created_at, paused, rotate_at, accept_stored_ring } =
        Metadata::parse(&key.metadata, &mut faults);
    let SigningKeySpec { tenant_ref, algorithm, existing_secret_ref, rotation, revoked } = &key.spec;

    let tenant = tenant_ref.parse("spec.tenantRef", &name, &mut faults);
    let algorithm = types::parse_algorithm("spec.algorithm", algorithm.as_deref().unwrap_or("RS256"), &mut faults);
    let existing_secret = existing_secret_ref
        .as_ref()
        .map(|existing| existing.parse("spec.existingSecretRef", DEFAULT_SECRET_KEY, &mut faults));
    let rotation = parse_rotation(rotation.as_ref(), &mut faults);
    let revoked = parse_revoked(revoked, &mut faults);

    let valid = algorithm.map(|algorithm| ValidSigningKey {
        name,
        uid,
        generation,
        created_at,
        paused,
        rotate_at,
        accept_stored_ring,
        tenant,
        algorithm,
        existing_secret,
        rotation,
        revoked,
    });
    faults.finish(valid)
}

fn parse_rotation(spec: Option<&RotationSpec>, faults: &mut Faults) -> Rotation {
    let Some(RotationSpec { interval, publish_ahead, cache_lifetime }) = spec else { return Rotation::DEFAULT };
    let mut seconds = |field: &str, text: &Option<String>, bounds, default: u32| {
        faults.seconds(&format!("spec.rotation.{field}"), text.as_ref(), bounds, Duration::from_secs(default))
    };
    let rotation = Rotation {
        interval: seconds("interval", interval, types::KEY_INTERVAL, Rotation::DEFAULT.interval),
        publish_ahead: seconds("publishAhead", publish_ahead, types::PUBLISH_AHEAD, Rotation::DEFAULT.publish_ahead),
        cache_lifetime: seconds(
            "cacheLifetime",
            cache_lifetime,
            types::CACHE_LIFETIME,
            Rotation::DEFAULT.cache_lifetime,
        ),
    };
    // In 64 bits: a spec that the bounds refuse may hold far more.
    faults.demand(
        u64::from(rotation.publish_ahead) >= 2 * u64::from(rotation.cache_lifetime) + 10,
        "spec.rotation",
        "publishAhead (default 24h) must be at least twice cacheLifetime (default 15m) and 10s, or a verifier meets a key that it has not fetched",
    );
    faults.demand(
        rotation.interval > rotation.publish_ahead,
        "spec.rotation",
        "interval (default 2160h) must be longer than publishAhead (default 24h)",
    );
    rotation
}

fn parse_revoked(specs: &[RevocationSpec], faults: &mut Faults) -> Vec<Revocation> {
    faults.at_most("spec.revoked", specs.len(), 100);
    let mut revoked: Vec<Revocation> = Vec::with_capacity(specs.len());
    for (at, RevocationSpec { kid, reason, by }) in specs.iter().enumerate() {
        let path = format!("spec.revoked[{at}]");
        faults.plain_text(&format!("{path}.reason"), reason, 200);
        if let Some(by) = by {
            faults.plain_text(&format!("{path}.by"), by, 200);
        }
        let Some(kid) = types::parse_kid(&format!("{path}.kid"), kid, faults) else { continue };
        if revoked.iter().any(|other| other.kid == kid) {
            faults.add(path, "must not be listed twice");
        } else {
            revoked.push(Revocation { kid, reason: reason.clone(), by: by.clone() });
        }
    }
    revoked
}
