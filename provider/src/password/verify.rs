//! Whether a password is that of a local account: argon2id, few at a time.
//!
//! Nobody learns which accounts exist: whatever is wrong, one hash is computed, and the answer is the
//! same. What the hash costs says nothing either ([`crate::tenant::password_cost`]). [`Hashing::verify`] makes a
//! [`VerifiedUser`], and beside it [`VerifiedUser::stated`] alone.

use std::collections::HashSet;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordVerifier as _};
use claviger_crds::published::SecretText;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::memory;
use super::under_way::Attempts;
use crate::login_ui::Person;
use crate::store::TenantKey;
use crate::tenant::password_cost::PasswordCost;
use crate::tenant::snapshot::TenantSnapshot;
use crate::tenant::user::{User, username_key};

/// A longer one is a mistake, or an attack on the hash's cost. The operator takes no longer one.
const LONGEST: usize = 1024;
/// Attempts that wait, for each that computes: at 65 hashes a second and core, half a second's work.
const WAITING: usize = 32;
/// Accounts whose hash cannot be used, of which logs have told.
const MOST_TOLD: usize = 1_000;

/// A password as somebody typed it. Any bytes, NUL too: argon2 counts them.
pub(crate) struct TypedPassword(Zeroizing<Vec<u8>>);

/// An account whose password was typed, or whose login the tenant's own UI has stated, just now, for this
/// tenant.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedUser {
    tenant: TenantKey,
    user: Arc<User>,
}

/// What became of an attempt.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The password is right, and the account may log in.
    Verified(VerifiedUser),
    /// It may not. Why is not to be learnt, here neither.
    Refused,
}

/// The right to have one hash computed; only [`Hashing::place`] gives it.
#[derive(Debug)]
pub(crate) struct Place(OwnedSemaphorePermit);

/// Computes hashes, beside the async threads.
#[derive(Debug)]
pub(crate) struct Hashing {
    /// To compute, or to wait.
    places: Arc<Semaphore>,
    /// To compute.
    cores: Arc<Semaphore>,
    /// KiB to compute with: each takes what its hash demands.
    memory: Arc<Semaphore>,
    /// Where those come from who are there.
    under_way: Attempts,
    /// Documents of accounts whose hash cannot be used, each told once.
    told: Mutex<HashSet<Arc<str>>>,
}

/// A hash whose cost is within bounds.
struct UsableHash {
    hash: PasswordHash,
    cost: PasswordCost,
}

/// Held until a hash is computed: the place, the core and the memory.
type Permits = [OwnedSemaphorePermit; 3];

// === impl Hashing ===

impl Hashing {
    /// As many at a time as there are cores, if there is memory for them.
    pub(crate) fn on_all_cores() -> Self {
        let cores = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let memory = memory::of_this_process(cores.get());
        Self::new(cores, cores.get().saturating_mul(WAITING), memory)
    }

    /// So many at a time, while so many wait, with so many KiB together.
    pub(crate) fn new(parallel: NonZero<usize>, waiting: usize, memory: usize) -> Self {
        let places = parallel.get().saturating_add(waiting).min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places)),
            cores: Arc::new(Semaphore::new(parallel.get().min(Semaphore::MAX_PERMITS))),
            memory: Arc::new(Semaphore::new(memory.min(Semaphore::MAX_PERMITS))),
            under_way: Attempts::default(),
            told: Mutex::default(),
        }
    }

    /// A place among those who compute or wait; none where too many do. It is taken before anything is
    /// counted: whoever gets none has not tried, and so has not failed.
    pub(crate) fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(Place)
    }

    /// Where those come from whose attempts are under way.
    pub(crate) fn under_way(&self) -> &Attempts {
        &self.under_way
    }

    /// Whether `password` is that of the account which `tenant` calls `username`.
    pub(crate) async fn verify(
        &self,
        tenant: &TenantSnapshot,
        username: &str,
        password: TypedPassword,
        Place(place): Place,
    ) -> Outcome {
        // These two say nothing of any account.
        if !tenant.issuer.login.passwords || !(1..=LONGEST).contains(&password.0.len()) {
            return Outcome::Refused;
        }
        let user = tenant.users.named(username);
        let own = user.and_then(|user| self.usable(user));
        // For whoever has a hash too, who must not be known by its having been left out.
        let nobodys = tenant.users.costs.of_nobody(tenant.issuer.sealer.as_deref(), &username_key(username));
        let cost = own.as_ref().map_or(nobodys, |own| own.cost);
        // Closed never.
        let Ok(core) = Arc::clone(&self.cores).acquire_owned().await else { return Outcome::Refused };
        let memory = Arc::clone(&self.memory).acquire_many_owned(cost.memory()).await;
        let Ok(memory) = memory else { return Outcome::Refused };
        let matches = compute(own, nobodys, password, [place, core, memory]).await;
        match user {
            // A disabled account's is computed like any other: it must not answer faster.
            Some(user) if matches && !user.disabled => {
                Outcome::Verified(VerifiedUser { tenant: tenant.issuer.key.clone(), user: Arc::clone(user) })
            }
            _ => Outcome::Refused,
        }
    }

    /// The account's hash, if it has one that may be computed.
    fn usable(&self, user: &User) -> Option<UsableHash> {
        let hash = user.password_hash.as_ref().map(SecretText::expose)?;
        UsableHash::parse(hash).inspect_err(|reason| self.tell(user, reason)).ok()
    }

    fn tell(&self, user: &User, reason: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < MOST_TOLD && told.insert(Arc::clone(&user.document)) {
            tracing::warn!(document = %user.document, "no password matches: the account's hash {reason}");
        }
    }
}

/// Whether `password` matches `own`; never where there is none, and a hash that costs `nobodys` is computed. The
/// permits are held until the work is over, even if nobody waits for it any more.
async fn compute(own: Option<UsableHash>, nobodys: PasswordCost, password: TypedPassword, permits: Permits) -> bool {
    let work = move || {
        let _permits = permits;
        let nobodys = UsableHash::parse(&nobodys.nobodys_hash()).ok();
        let matches = own.as_ref().or(nobodys.as_ref()).is_some_and(|hash| hash.matches(&password.0));
        matches && own.is_some()
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(false)
}

impl UsableHash {
    /// Reads a hash in PHC string format.
    ///
    /// # Errors
    /// Why it is never computed, as half a sentence without any of it.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let hash = PasswordHash::new(text).map_err(|_| "is unreadable")?;
        let cost = PasswordCost::of(&hash)?;
        Ok(Self { hash, cost })
    }

    /// The library compares in constant time.
    fn matches(&self, password: &[u8]) -> bool {
        // Algorithm, version and parameters come from the hash.
        Argon2::default().verify_password(password, &self.hash).is_ok()
    }
}

// === impl VerifiedUser, TypedPassword ===

impl VerifiedUser {
    /// Whom the tenant's own login UI states, if the account is there and may log in.
    pub(crate) fn stated(tenant: &TenantSnapshot, person: &Person) -> Option<Self> {
        let user = tenant.users.live(&person.subject)?;
        Some(Self { tenant: tenant.issuer.key.clone(), user: Arc::clone(user) })
    }

    /// Who.
    pub(crate) fn user(&self) -> &Arc<User> {
        &self.user
    }

    /// Where: at no other tenant does it prove anything.
    pub(crate) fn tenant(&self) -> &TenantKey {
        &self.tenant
    }
}

impl TypedPassword {
    /// This one.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }
}

impl std::fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedPassword(…)")
    }
}

#[cfg(test)]
mod tests;
