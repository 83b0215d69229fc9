//! A try to log in with a password: throttled, then counted, then checked.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::password::throttle::{self, Counted};
use crate::password::verify::{Outcome, TypedPassword, VerifiedUser};
use crate::store::StoreError;
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

/// Tries `username` and `password`. It is counted as a failure of the account before the password is looked
/// at, and judged by what was counted before it: else many tries at once would all be made before the first
/// is counted. Who has to wait anyway is refused by a look alone, which writes nothing.
pub(crate) async fn attempt(
    exchange: &Exchange<'_>,
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
    let Some(_under_way) = provider.hashing().crowd().enter(keys.address(), throttle::at_once(&counted)) else {
        return Ok(Attempt::Throttled(A_MOMENT));
    };
    let forget_at = now.saturating_add(throttle::FORGET_AFTER).unwrap_or(now);
    let before = store.login_tried(key, &keys.of_account(), now, forget_at).await?;
    if throttle::is_overtaken(&counted.with_account(&before)?, now) {
        store.take_login_back(key, &keys.of_account(), &before).await?;
        return Ok(Attempt::Throttled(A_MOMENT));
    }
    match provider.hashing().verify(tenant, username, TypedPassword::new(password.as_bytes()), place).await {
        Outcome::Verified(user) => {
            store.forget_failures(key, &keys.of_account()).await?;
            Ok(Attempt::Verified(user))
        }
        Outcome::Refused => {
            store.login_tried(key, &[keys.address()], now, forget_at).await?;
            Ok(Attempt::Refused)
        }
    }
}
