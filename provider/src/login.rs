//! A try to log in with a password: throttled, then counted, then checked.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::audit::{self, Audit};
use crate::password::throttle::{self, Counted, Keys};
use crate::password::under_way::UnderWay;
use crate::password::verify::{Hashing, Outcome, Place, TypedPassword, VerifiedUser};
use crate::store::{Store, StoreError};
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;
use crate::web::exchange::Exchange;

/// How a try ended.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// It is this account.
    Verified(VerifiedUser),
    /// It is not. Which of the reasons it was, nobody is told.
    Refused,
    /// Too many have failed: nothing was checked.
    Throttled(Duration),
    /// Too many are checked at once: nothing was checked, and nothing counted.
    Busy,
}

/// What somebody is told to wait whom only tries of the same moment have overtaken: those may yet turn out
/// right, and what they leave is known by then.
const A_MOMENT: Duration = Duration::from_secs(1);

/// A try that has its places, and nobody to wait for it.
struct Try {
    store: Arc<dyn Store>,
    hashing: Arc<Hashing>,
    tenant: Arc<TenantSnapshot>,
    username: String,
    password: TypedPassword,
    keys: Keys,
    counted: Counted,
    now: Timestamp,
    client: Arc<Client>,
    request_id: HeaderValue,
    place: Place,
    _under_way: UnderWay,
}

/// Tries `username` and `password`. It is counted as a failure of the account before the password is looked
/// at, and judged by what was counted before it: else many tries at once would all be made before the first
/// is counted. Who has to wait anyway is refused by a look alone, which writes nothing.
///
/// From the count on it is a task of its own, which goes on when the client hangs up: else whoever hangs up
/// during the hash would have guessed without being counted for his address. The two places, which the task
/// holds, bound how many there are. A wrong password is told to the audit stream there.
pub(crate) async fn attempt(
    exchange: &Exchange<'_>,
    client: &Arc<Client>,
    username: &str,
    password: &Zeroizing<String>,
) -> Result<Attempt, StoreError> {
    let (provider, tenant, now) = (exchange.provider, &exchange.tenant, exchange.provider.now());
    let (store, key) = (provider.store(), &tenant.issuer.key);
    let keys = throttle::keys(key, username, exchange.peer());
    let counted = Counted::of(&store.login_failures(key, &keys.all(), now).await?)?;
    if let Some(wait) = throttle::wait(&counted, now) {
        return Ok(Attempt::Throttled(wait));
    }
    let Some(place) = provider.hashing().place() else { return Ok(Attempt::Busy) };
    let Some(under_way) = provider.hashing().under_way().enter(keys.address(), throttle::at_once(&counted)) else {
        return Ok(Attempt::Throttled(A_MOMENT));
    };
    let this = Try {
        store: provider.shared_store(),
        hashing: Arc::clone(provider.hashing()),
        tenant: Arc::clone(tenant),
        username: username.to_owned(),
        password: TypedPassword::new(password.as_bytes()),
        keys,
        counted,
        now,
        client: Arc::clone(client),
        request_id: exchange.request_id.clone(),
        place,
        _under_way: under_way,
    };
    match tokio::spawn(this.run()).await {
        Ok(attempt) => attempt,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The process ends.
            Err(_) => Ok(Attempt::Busy),
        },
    }
}

/// Whom a try is aimed at, for the audit stream, if there is such an account: a name that is nobody's may be a password
/// in the wrong field.
pub(crate) fn aimed_at<'t>(tenant: &'t TenantSnapshot, username: &str) -> &'t str {
    tenant.users.named(username).map_or("", |user| &user.subject)
}

impl Try {
    async fn run(self) -> Result<Attempt, StoreError> {
        let (store, key, now) = (&self.store, &self.tenant.issuer.key, self.now);
        let account = self.keys.of_account();
        let forget_at = now.saturating_add(throttle::FORGET_AFTER).unwrap_or(now);
        let before = store.login_tried(key, &account, now, forget_at).await?;
        if throttle::is_overtaken(&self.counted.with_account(&before)?, now) {
            store.take_login_back(key, &account, &before).await?;
            return Ok(Attempt::Throttled(A_MOMENT));
        }
        match self.hashing.verify(&self.tenant, &self.username, self.password, self.place).await {
            Outcome::Verified(user) => {
                store.forget_failures(key, &account).await?;
                Ok(Attempt::Verified(user))
            }
            Outcome::Refused => {
                let audit = Audit { at: now, tenant: &self.tenant.issuer.slug, request_id: &self.request_id };
                audit.login(&self.client, aimed_at(&self.tenant, &self.username), audit::Outcome::Refused);
                store.login_tried(key, &[self.keys.address()], now, forget_at).await?;
                Ok(Attempt::Refused)
            }
        }
    }
}
