//! What a log says of a page that ends a way. The page promises that the application's operator can find out why, by
//! the request ID; the person and the application are not told all of it.
//!
//! Anybody can have such pages made. So of each kind, at each tenant, a few in a minute are said at the level that is on
//! by default, and the others at a finer one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::authorize::refusal::PageError;
use crate::now_and_then::NowAndThen;
use crate::store::TenantKey;
use crate::web::exchange::Exchange;
use crate::web::page::error::Fault;
use crate::web::same_origin::Foreign;

/// Lines of one kind in [`EVERY`].
const MOST: u32 = 10;
/// See [`MOST`].
const EVERY: Duration = Duration::from_secs(60);
/// For tenants. Those that share a place share its lines.
const PLACES: usize = 16;
/// Characters of what a request brought. A redirect URI that is longer is known by its beginning.
const SHOWN: usize = 200;

/// What was said lately, of each kind at each place.
#[derive(Debug)]
pub(crate) struct Told(Vec<NowAndThen>);

impl Told {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        Self((0..PLACES * Fault::ALL.len()).map(|_| NowAndThen::new(MOST, EVERY)).collect())
    }

    /// Whether one of that kind may be said, and how many were not said before it.
    fn turn(&self, tenant: &TenantKey, fault: Fault, now: Instant) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        tenant.hash(&mut hasher);
        let [.., last] = hasher.finish().to_le_bytes();
        let place = usize::from(last) % PLACES;
        self.0.get(place * Fault::ALL.len() + fault as usize)?.turn(now)
    }
}

/// What a request brought that helps whoever looks for the reason.
#[derive(Default)]
struct About<'a> {
    client: Option<&'a str>,
    redirect_uri: Option<&'a str>,
    origin: Option<&'a str>,
}

impl<'a> About<'a> {
    fn of(failure: &'a Failure) -> Self {
        match failure {
            Failure::Request(PageError::NotRegistered { client_id, redirect_uri, .. }) => {
                Self { client: Some(cut(client_id)), redirect_uri: Some(cut(redirect_uri)), origin: None }
            }
            Failure::ClientGone(client_id) => Self { client: Some(cut(client_id)), ..Self::default() },
            Failure::Foreign(Foreign { origin }) => Self { origin: origin.as_deref().map(cut), ..Self::default() },
            _ => Self::default(),
        }
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(SHOWN).map_or(text, |(end, _)| &text[..end])
}

/// Says why `failure` is all that is answered.
pub(crate) fn tell(exchange: &Exchange<'_>, failure: &Failure) {
    let (request_id, tenant, path) = (exchange.request_id, &*exchange.tenant.issuer.slug, exchange.parts.uri.path());
    let (code, reason, About { client, redirect_uri, origin }) = (failure.code(), failure.reason(), About::of(failure));
    let turn = exchange.provider.told().turn(&exchange.tenant.issuer.key, failure.fault(), Instant::now());
    macro_rules! say {
        ($level:ident) => {
            tracing::$level!(
                ?request_id,
                tenant,
                path,
                code,
                reason = &*reason,
                client,
                redirect_uri,
                origin,
                unsaid = turn,
                "a login or logout does not go on"
            )
        };
    }
    if turn.is_some() { say!(info) } else { say!(debug) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_at_one_tenant_hides_nothing_of_another_kind_or_another_tenant() {
        let (told, now) = (Told::nothing(), Instant::now());
        let (acme, other) = (TenantKey::new("a", "acme", "acme"), TenantKey::new("b", "other", "other"));
        let flood: Vec<bool> = (0..100).map(|_| told.turn(&acme, Fault::UnknownClient, now).is_some()).collect();
        assert_eq!(flood.iter().filter(|said| **said).count(), 10);
        assert_eq!(told.turn(&acme, Fault::Foreign, now), Some(0));
        assert_eq!(told.turn(&other, Fault::UnknownClient, now), Some(0));
        assert_eq!(told.turn(&acme, Fault::UnknownClient, now + EVERY), Some(90));
    }

    #[test]
    fn every_kind_has_a_place() {
        for (number, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, number, "{fault:?}");
        }
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        let (short, long) = ("é".repeat(SHOWN), "é".repeat(SHOWN + 1));
        assert_eq!((cut(&short), cut(&long)), (&*short, &*short));
    }
}
