//! Delivers logout tokens: what the store says is due, a few at once and fewer to one receiver, again and
//! again until the client has it, has said no for minutes, or an hour is over. A pod that dies leaves it to the
//! others.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::queue::Queue;
use super::{PATIENCE, token};
use crate::audit::{self, LogoutDelivery};
use crate::internal::Readiness;
use crate::provider::Provider;
use crate::store::{DueLogout, LogoutOutcome};

/// So many are taken from the store in one go.
const BATCH: u32 = 128;
/// So long others leave what was taken alone.
const LEASE: Duration = Duration::from_secs(30);
/// An attempt that begins later than this before the end of its lease could meet another pod's: an
/// outbound call takes five seconds at most.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How often the store is asked, where nothing wakes this.
const EVERY: Duration = Duration::from_secs(5);
/// The first wait after a failure; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// And at most this.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A 400 says of the token that it is bad, or that the logout has failed there (§2.8), and nothing tells one from the
/// other. Whoever answers so is asked again for so long after the logout: a session store that was restarted is back by
/// then, and one who will never take it has been asked eight times.
const WHILE_REFUSED: Duration = Duration::from_secs(300);

/// One that this pod has taken.
struct Taken {
    due: DueLogout,
    /// After this it is too late to begin: it is left to whoever takes it next.
    until: Timestamp,
}

/// Delivers until `shutdown`; what has begun by then is brought to its end.
pub(crate) async fn deliver(provider: Arc<Provider>, shutdown: CancellationToken) {
    let (mut queue, mut running) = (Queue::default(), FuturesUnordered::new());
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = true;
    while !shutdown.is_cancelled() {
        while look && queue.has_room() {
            look = take(&provider, &mut queue).await;
        }
        while let Some((receiver, taken)) = queue.next() {
            let provider = &provider;
            running.push(async move {
                if provider.now() < taken.until {
                    attempt(provider, taken.due).await;
                }
                receiver
            });
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            Some(receiver) = running.next() => queue.done(&receiver),
            () = provider.logouts_due().notified() => look = true,
            _ = ticks.tick() => {
                look = true;
                let now = provider.now();
                queue.retain(|taken: &Taken| now < taken.until);
            }
        }
    }
    while running.next().await.is_some() {}
}

/// Takes what is due. Whether there may be more.
async fn take(provider: &Provider, queue: &mut Queue<Taken>) -> bool {
    if provider.readiness() == Readiness::Loading {
        // Nobody is known yet: every client would be taken for one that is gone, and never be told.
        return false;
    }
    let now = provider.now();
    let lease = now.saturating_add(LEASE).unwrap_or(now);
    let until = lease.saturating_sub(ATTEMPT).unwrap_or(now);
    // The store says itself that it is away.
    let Ok(due) = provider.store().claim_logouts(now, lease, BATCH).await else { return false };
    let more = u32::try_from(due.len()).unwrap_or(u32::MAX) == BATCH;
    for due in due {
        // One that finds no room is taken again when its lease is over.
        queue.push(&receiver(provider, &due), Taken { due, until });
    }
    more
}

/// Whose server it goes to: clients can share one.
fn receiver(provider: &Provider, due: &DueLogout) -> String {
    let tenant = provider.directory().by_key(&due.tenant);
    let client = tenant.as_ref().and_then(|tenant| tenant.clients.get(due.logout.client.client_id()));
    let registered = client.and_then(|client| client.backchannel_logout.as_ref());
    let url = registered.and_then(|registered| Url::parse(&registered.uri).ok());
    let place = url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    place.map(|(host, port)| format!("{host}:{port}")).unwrap_or_default()
}

async fn attempt(provider: &Provider, due: DueLogout) {
    let (result, outcome) = judge(try_once(provider, &due).await, &due, provider.now());
    provider.counters().logout_delivery(result);
    audit::logout_delivery(provider.now(), &due, result);
    // If this is lost, the lease ends and the client hears of it twice, under one `jti`.
    let _noted = provider.store().logout_attempted(&due.tenant, due.logout.id, outcome).await;
}

/// Whom nobody has told until `over` is not told any more: every pod was away, or the receiver kept the queue
/// full. That is the end of it, and no silent one.
pub(crate) async fn give_up_late(provider: &Provider, over: Timestamp, most: u32) {
    // The store says itself that it is away.
    for due in provider.store().forget_late_logouts(over, most).await.unwrap_or_default() {
        provider.counters().logout_delivery(LogoutDelivery::GivenUp);
        audit::logout_given_up(provider.now(), &due);
    }
}

/// Why a client was not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// There is nobody to tell any more.
    Gone,
    /// It has read the token and says no.
    Refused,
    /// It may take it later.
    ForNow,
}

/// What an attempt at `due` comes to.
fn judge(tried: Result<(), Failure>, due: &DueLogout, now: Timestamp) -> (LogoutDelivery, LogoutOutcome) {
    let may_pass = match tried {
        Ok(()) => return (LogoutDelivery::Delivered, LogoutOutcome::Done),
        Err(Failure::Gone) => false,
        Err(Failure::Refused) => {
            let left = due.logout.expires_at.as_second() - now.as_second();
            left > (PATIENCE - WHILE_REFUSED).as_secs().cast_signed()
        }
        Err(Failure::ForNow) => true,
    };
    if !may_pass {
        return (LogoutDelivery::Refused, LogoutOutcome::Done);
    }
    match next_attempt(due, now) {
        Some(at) => (LogoutDelivery::Retried, LogoutOutcome::Later(at)),
        None => (LogoutDelivery::GivenUp, LogoutOutcome::Done),
    }
}

async fn try_once(provider: &Provider, due: &DueLogout) -> Result<(), Failure> {
    // Another pod may know it before this one does.
    let tenant = provider.directory().by_key(&due.tenant).ok_or(Failure::ForNow)?;
    let key = &due.logout.client;
    let client = tenant.clients.get(key.client_id()).filter(|client| client.key == *key).ok_or(Failure::Gone)?;
    let registered = client.backchannel_logout.as_ref().ok_or(Failure::Gone)?;
    let token = token::issue(&due.logout, client, &tenant.issuer, provider.now()).ok_or(Failure::ForNow)?;
    let status = provider.outbound().post_form(&registered.uri, &[("logout_token", &token)]).await;
    match status {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) if status == http::StatusCode::BAD_REQUEST => Err(Failure::Refused),
        Ok(_) | Err(_) => Err(Failure::ForNow),
    }
}

/// When to try again; none where it is too late by then.
fn next_attempt(due: &DueLogout, now: Timestamp) -> Option<Timestamp> {
    let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(due.attempts.min(16))).min(LONGEST_WAIT);
    let at = now.saturating_add(wait).ok()?;
    (at < due.logout.expires_at).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ClientKey, Id, NewLogout, TenantKey};

    fn due(attempts: u32, expires_in: i64) -> DueLogout {
        let logout = NewLogout {
            id: Id::from_bytes([1; 16]),
            client: ClientKey::new("shop", "shop", "shop.app"),
            subject: "ada".to_owned(),
            session: Id::from_bytes([2; 16]),
            expires_at: Timestamp::from_second(1000 + expires_in).unwrap(),
        };
        DueLogout { tenant: TenantKey::new("identity", "acme", "acme"), logout, attempts }
    }

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_five_minutes() {
        let now = Timestamp::from_second(1000).unwrap();
        let wait = |attempts| next_attempt(&due(attempts, 3600), now).unwrap().as_second() - 1000;
        assert_eq!([0, 1, 2, 3, 7, 8, 40].map(wait), [2, 4, 8, 16, 256, 300, 300]);
    }

    #[test]
    fn who_says_no_is_asked_for_five_minutes_and_one_who_is_gone_not_again() {
        let now = Timestamp::from_second(1000).unwrap();
        let after = |failure, attempts, since: i64| judge(Err(failure), &due(attempts, 3600 - since), now).0;
        let (again, enough) = (LogoutDelivery::Retried, LogoutDelivery::Refused);
        assert_eq!([0, 299, 300].map(|since| after(Failure::Refused, 9, since)), [again, again, enough]);
        assert_eq!(after(Failure::ForNow, 40, 2000), again, "whoever says nothing is told for an hour");
        assert_eq!(after(Failure::Gone, 0, 0), enough);
        assert_eq!(judge(Ok(()), &due(0, 3600), now), (LogoutDelivery::Delivered, LogoutOutcome::Done));
    }

    #[test]
    fn what_would_come_too_late_is_given_up() {
        let now = Timestamp::from_second(1000).unwrap();
        assert_eq!(next_attempt(&due(8, 300), now), None);
        assert!(next_attempt(&due(8, 301), now).is_some());
    }
}
