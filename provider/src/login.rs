//! A try to log in with a password: throttled, then checked, then counted.

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

/// Tries `username` and `password`. The account's failures are counted before the password is looked at
/// and forgotten if it was right: else many tries at once would all be made before the first is counted.
pub(crate) async fn attempt(
    exchange: &Exchange<'_>,
    username: &str,
    password: &Zeroizing<String>,
) -> Result<Attempt, StoreError> {
    let (provider, tenant, now) = (exchange.provider, &exchange.tenant, exchange.provider.now());
    let (store, key) = (provider.store(), &tenant.issuer.key);
    let keys = throttle::keys(key, username, exchange.peer());
    let failures = store.login_failures(key, &keys.all(), now).await?;
    let counted = Counted::of(&failures).ok_or(StoreError::Unreadable("the number of failures"))?;
    if let Some(wait) = throttle::wait(&counted, now) {
        return Ok(Attempt::Throttled(wait));
    }
    let Some(place) = provider.hashing().place() else { return Ok(Attempt::Busy) };
    let forget_at = now.saturating_add(throttle::FORGET_AFTER).unwrap_or(now);
    store.login_failed(key, &keys.of_account(), now, forget_at).await?;
    match provider.hashing().verify(tenant, username, TypedPassword::new(password.as_bytes()), place).await {
        Outcome::Verified(user) => {
            store.forget_failures(key, &keys.of_account()).await?;
            Ok(Attempt::Verified(user))
        }
        Outcome::Refused => {
            store.login_failed(key, &keys.of_address(), now, forget_at).await?;
            Ok(Attempt::Refused)
        }
    }
}
