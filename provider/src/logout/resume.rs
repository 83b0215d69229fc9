//! A logout request on its way from a POST to a GET: sealed, and kept in the store where it is long, as
//! one with an ID token is.

use claviger_jose::Purpose;

use crate::interaction::failure::Failure;
use crate::store::Id;
use crate::web::exchange::Exchange;
use std::time::Duration;

/// Longer than this it is kept: proxies refuse long request lines.
const LONGEST: usize = 4096;
const KEPT: &str = "k.";
/// A browser follows at once.
const LIFETIME: Duration = Duration::from_secs(60);

/// The form as text.
pub(crate) async fn seal(form: &[u8], exchange: &Exchange<'_>) -> Result<String, Failure> {
    let sealer = exchange.tenant.issuer.sealer.as_ref().ok_or(Failure::Unavailable)?;
    let sealed = sealer.seal(Purpose::StoredRequest, b"", form).map_err(|_| Failure::Unavailable)?;
    if sealed.len() <= LONGEST {
        return Ok(sealed);
    }
    let (id, now) = (Id::random(), exchange.provider.now());
    let end = now.saturating_add(LIFETIME).unwrap_or(now);
    exchange.provider.store().keep(&exchange.tenant.issuer.key, id, sealed.as_bytes(), end).await?;
    Ok(format!("{KEPT}{id}"))
}

/// The form that `text` is.
pub(crate) async fn open(text: &str, exchange: &Exchange<'_>) -> Result<Vec<u8>, Failure> {
    let sealer = exchange.tenant.issuer.sealer.as_ref().ok_or(Failure::Unavailable)?;
    let kept = match text.strip_prefix(KEPT) {
        None => None,
        Some(id) => {
            let id = Id::parse(id).ok_or(Failure::Used)?;
            let (store, now) = (exchange.provider.store(), exchange.provider.now());
            let kept = store.take_kept(&exchange.tenant.issuer.key, id, now).await?;
            Some(kept.and_then(|kept| String::from_utf8(kept).ok()).ok_or(Failure::Used)?)
        }
    };
    let opened = sealer.open(Purpose::StoredRequest, b"", kept.as_deref().unwrap_or(text));
    Ok(opened.map_err(|_| Failure::Used)?.as_bytes().to_vec())
}
