//! A logout request on its way from a POST to a GET.

use std::time::Duration;

use claviger_jose::Purpose;

use crate::handle::{self, NoHandle, Use};
use crate::interaction::failure::Failure;
use crate::web::exchange::Exchange;

/// Proxies refuse long request lines, and one with an ID token is long.
const LONGEST: usize = 4096;
/// A browser follows at once.
const LIFETIME: Duration = Duration::from_secs(60);

/// The form as text.
pub(crate) async fn seal(form: &[u8], exchange: &Exchange<'_>) -> Result<String, Failure> {
    let now = exchange.provider.now();
    let end = now.saturating_add(LIFETIME).unwrap_or(now);
    let sealed = handle::seal(exchange.provider, &exchange.tenant, (Purpose::StoredRequest, LONGEST), form, end).await;
    // A form is within the seal's bounds, so that only the key or the store can be missing.
    sealed.map_err(|_| Failure::Unavailable)
}

/// The form that `text` is.
pub(crate) async fn open(text: &str, exchange: &Exchange<'_>) -> Result<Vec<u8>, Failure> {
    let opened = handle::open(exchange.provider, &exchange.tenant, Purpose::StoredRequest, text, Use::Once).await;
    match opened {
        Ok(form) => Ok(form.as_bytes().to_vec()),
        Err(NoHandle::Unknown) => Err(Failure::Used),
        Err(NoHandle::Store(_)) => Err(Failure::Unavailable),
    }
}
