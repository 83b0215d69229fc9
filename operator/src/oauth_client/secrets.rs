//! What becomes of a client's secrets: the decisions of `rotation`, `revocation` and `credentials`
//! put together. Pure.

use std::time::Duration;

use claviger_crds::condition::Reason;
use claviger_crds::oauth_client::{Authentication, ClientSecretSource, SecretRotation, ValidOAuthClient};
use claviger_crds::published::{RevokedSecret, SecretHash};
use claviger_jose::{ClientSecret, ClientSecretHash};

use super::credentials::{self, Credentials};
use super::observe::Observed;
use super::revocation::Revocations;
use super::rotation::{self, Decision, Rules, Situation, Step, Wanted};
use super::story::{self, Told};
use crate::clock::Moment;
use crate::tenant::observe::AcceptedTenant;

/// What is to be done about a client's secrets.
#[derive(Debug)]
pub(super) struct SecretPlan {
    pub(super) credentials: Credentials,
    /// Published when the credentials stand.
    pub(super) hashes: Vec<SecretHash>,
    /// Published when they could not be written.
    pub(super) without: Vec<SecretHash>,
    pub(super) revoked: Vec<RevokedSecret>,
    pub(super) decision: Decision,
    /// The secret that is to follow, to be remembered until the Secret has it.
    pub(super) made: Option<ClientSecret>,
    /// The Secret changes, or has changed: the overlap of the one before begins.
    pub(super) switched: bool,
    /// What people are told.
    pub(super) story: Vec<Told>,
}

/// What is random in a plan, whether or not it is needed.
pub(super) struct Drawn {
    /// The secret that follows, where another one is made.
    secret: ClientSecret,
    /// For the fingerprint of a secret that somebody may have chosen.
    salt: String,
}

/// Which secret is which once the plan is carried out.
#[derive(Default)]
struct Values {
    /// The client's.
    current: Option<ClientSecret>,
    /// The one that is to follow.
    next: Option<ClientSecret>,
    /// What the Secret that the operator makes is to hold.
    written: Option<ClientSecret>,
}

/// Decides, by the Secrets that were read.
pub(super) fn plan(
    client: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    source: &ClientSecretSource,
    observed: &Observed,
    now: Moment,
    drawn: Drawn,
) -> SecretPlan {
    let held = credentials::held(client, source, observed);
    let held_hash = held.as_ref().ok().and_then(Option::as_ref).map(hash_of);
    let published = &observed.published;
    let named = &observed.revoked;
    let revoked = Revocations::new(named, &published.hashes, &published.revoked, held_hash.as_deref(), now.wall);
    let rules = rules(client, source);
    let made = observed.rotating.made.clone().filter(|made| !revoked.has(&hash_of(made)));
    let situation = situation(observed, &revoked, held_hash, made.as_ref());
    let decision = rotation::decide(&rules, &situation, now);
    let held = held.and_then(|held| check_revoked(held, source, situation.held_revoked));
    let another = made.clone().filter(|made| Some(hash_of(made)) != situation.held).unwrap_or(drawn.secret);
    let (values, missing) = match held {
        Ok(held) => (values(&rules, held, another, &situation, decision.step), None),
        Err(missing) => (Values::default(), Some(missing)),
    };
    let salt = values.current.as_ref().filter(|current| is_chosen(&rules, current)).map(|_| drawn.salt);
    let wanted = Wanted { current: hash_if(&values.current), next: hash_if(&values.next), salt };
    let hashes = rotation::hashes(&rules, &situation, &wanted, now);
    let stays = Wanted { current: situation.held.clone().filter(|_| !situation.held_revoked), ..Wanted::default() };
    let credentials = match (missing, source, &values.written) {
        (Some((reason, message)), ..) => Credentials::Missing(reason, message),
        (None, ClientSecretSource::Generated(generated), Some(value)) => {
            credentials::holding(client, tenant, generated, observed, value)
        }
        (None, ..) => Credentials::Present,
    };
    SecretPlan {
        without: rotation::hashes(&rules, &situation, &stays, now),
        made: values.next.or(made).filter(|made| is_pending(made, &hashes)),
        switched: hashes.iter().any(|hash| begins_to_end(hash, &situation)),
        story: story::story(&published.hashes, &hashes, &revoked.fresh),
        revoked: revoked.all,
        credentials,
        decision,
        hashes,
    }
}

impl Drawn {
    /// Another one each time.
    pub(super) fn draw() -> Self {
        Self { secret: ClientSecret::generate(), salt: claviger_jose::random::hex128() }
    }
}

fn situation(
    observed: &Observed,
    revoked: &Revocations,
    held: Option<String>,
    made: Option<&ClientSecret>,
) -> Situation {
    Situation {
        hashes: observed.published.hashes.iter().filter(|known| !revoked.has(&known.hash)).cloned().collect(),
        held_revoked: held.as_ref().is_some_and(|held| revoked.has(held)),
        held,
        made: made.map(hash_of),
        standing: observed.standing.clone(),
        skewed: observed.skewed.clone(),
        switched: observed.rotating.switched,
    }
}

fn rules(client: &ValidOAuthClient, source: &ClientSecretSource) -> Rules {
    let rotation = match source {
        ClientSecretSource::Generated(generated) => generated.rotation,
        ClientSecretSource::Existing(_) => None,
    };
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    Rules {
        generated: matches!(source, ClientSecretSource::Generated(_)),
        interval: rotation.map(|rotation| seconds(rotation.interval)),
        overlap: seconds(rotation.map_or(SecretRotation::DEFAULT_OVERLAP, |rotation| rotation.overlap)),
        rotate_at: client.rotate_at,
    }
}

/// A secret that somebody else chose and that was revoked is theirs to replace.
fn check_revoked(
    held: Option<ClientSecret>,
    source: &ClientSecretSource,
    revoked: bool,
) -> Result<Option<ClientSecret>, (Reason, String)> {
    match source {
        ClientSecretSource::Existing(existing) if revoked => {
            let message = format!("Secret {} holds a secret that was revoked: put another one there", existing.name);
            Err((Reason::SecretRevoked, message))
        }
        _ => Ok(held),
    }
}

fn values(
    rules: &Rules,
    held: Option<ClientSecret>,
    another: ClientSecret,
    situation: &Situation,
    step: Step,
) -> Values {
    if !rules.generated {
        return Values { current: held, ..Values::default() };
    }
    match (step, held) {
        (Step::Switch, _) | (Step::Keep, None) => {
            Values { current: Some(another.clone()), next: None, written: Some(another) }
        }
        (Step::Keep, Some(held)) => Values { current: Some(held.clone()), next: None, written: Some(held) },
        (Step::Begin, held) => {
            // One that was revoked is nobody's any more, and leaves the Secret with the next step.
            let held = held.filter(|_| !situation.held_revoked);
            Values { current: held.clone(), next: Some(another), written: held }
        }
    }
}

/// The hash of what the client's Secret holds.
pub(super) fn held_hash(client: &ValidOAuthClient, observed: &Observed) -> Option<String> {
    let Authentication::Secret(source) = &client.authentication else { return None };
    credentials::held(client, source, observed).ok().flatten().as_ref().map(hash_of)
}

fn hash_of(secret: &ClientSecret) -> String {
    ClientSecretHash::of(secret).to_string()
}

fn hash_if(secret: &Option<ClientSecret>) -> Option<String> {
    secret.as_ref().map(hash_of)
}

/// Whether somebody may have chosen the secret.
fn is_chosen(rules: &Rules, secret: &ClientSecret) -> bool {
    !rules.generated || !credentials::is_random(secret)
}

fn is_pending(secret: &ClientSecret, hashes: &[SecretHash]) -> bool {
    let hash = hash_of(secret);
    hashes.iter().any(|known| known.pending && known.hash == hash)
}

/// Whether the overlap of a secret begins now.
fn begins_to_end(hash: &SecretHash, situation: &Situation) -> bool {
    let before = situation.hashes.iter().find(|known| known.hash == hash.hash);
    hash.expires_at.is_some() && before.is_some_and(|before| before.expires_at.is_none())
}
