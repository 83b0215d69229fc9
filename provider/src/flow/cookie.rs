//! The cookie that ties a flow to the browser in which it began: one a flow, few a browser.
//!
//! Without it, whoever sees a flow's URL could have a victim log in to his flow, or finish another's.

use http::HeaderMap;

use super::{Flow, LIFETIME};
use crate::tenant::snapshot::TenantSnapshot;
use crate::web::cookie::{CookieName, Cookies};
use claviger_jose::Purpose;

/// More flows than this at once are nobody's: the first ones of the request give way.
const MOST: usize = 8;
/// Of the flow's ID, in the cookie's name: enough to tell one flow from another.
const TAG: usize = 8;
/// Seconds for which a browser remembers its last finished flows: so long the back button is told the
/// truth.
const REMEMBERED: u64 = 10 * 60;
/// What the cookie of finished flows is sealed with, so that it is none of a flow.
const FINISHED: &[u8] = b"finished";
/// Bytes of an ID.
const ID: usize = 16;

/// Proof that a flow is this browser's; only [`check`] makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnFlow(());

/// Why a flow does not go on in this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotThisBrowser {
    /// It was finished here: the back button, or a second click.
    Finished,
    /// The browser sent cookies, and not this flow's: it began elsewhere, or its cookie is gone.
    Elsewhere,
    /// The browser sent no cookie at all.
    NoCookies,
}

/// Sets the cookie of `flow`, and ends the first of too many.
pub(crate) fn set(headers: &mut HeaderMap, request: &HeaderMap, tenant: &TenantSnapshot, flow: &Flow) {
    let (cookies, id) = (Cookies::read(request), flow.id.to_string());
    // A flow that goes on takes nobody's place: it has its own.
    let is_another = |other: &&str| is_tag(other) && *other != tag(&id);
    let others: Vec<&str> = cookies.below(&common(tenant)).into_iter().filter(is_another).collect();
    for other in others.iter().take((others.len() + 1).saturating_sub(MOST)) {
        named(tenant, other).clear(headers);
    }
    let sealer = tenant.issuer.sealer.as_ref();
    let sealed = sealer.and_then(|sealer| sealer.seal(Purpose::FlowCookie, b"", flow.id.as_bytes()).ok());
    if let Some(sealed) = sealed {
        named(tenant, tag(&id)).set(headers, &sealed, Some(LIFETIME.as_secs()));
    }
}

/// Ends the cookie of `flow`, which has its answer, and has the browser remember that. Not of a flow that
/// began with this very request: it was never on a page, and a client that asks with `prompt=none` again
/// and again would drive the others out.
pub(crate) fn finish(headers: &mut HeaderMap, request: &HeaderMap, tenant: &TenantSnapshot, flow: &Flow) {
    let (cookies, own) = (Cookies::read(request), named(tenant, tag(&flow.id.to_string())));
    own.clear(headers);
    if cookies.get(&own).is_none() {
        return;
    }
    let mut ids = flow.id.as_bytes().to_vec();
    ids.extend(finished(&cookies, tenant).into_iter().flatten().take(ID * (MOST - 1)));
    let sealer = tenant.issuer.sealer.as_ref();
    if let Some(sealed) = sealer.and_then(|sealer| sealer.seal(Purpose::FlowCookie, FINISHED, &ids).ok()) {
        of_finished(tenant).set(headers, &sealed, Some(REMEMBERED));
    }
}

/// The IDs of the flows that were finished last, one after another.
fn finished(cookies: &Cookies<'_>, tenant: &TenantSnapshot) -> Option<Vec<u8>> {
    let sealed = cookies.get(&of_finished(tenant))?;
    let opened = tenant.issuer.sealer.as_ref()?.open(Purpose::FlowCookie, FINISHED, sealed).ok()?;
    Some(opened.as_bytes().to_vec())
}

/// Whether the request comes from the browser in which `flow` began.
pub(crate) fn check(request: &HeaderMap, tenant: &TenantSnapshot, flow: &Flow) -> Result<OwnFlow, NotThisBrowser> {
    let id = flow.id.to_string();
    let cookies = Cookies::read(request);
    let sealer = tenant.issuer.sealer.as_ref();
    let opened = cookies
        .get(&named(tenant, tag(&id)))
        .and_then(|sealed| sealer?.open(Purpose::FlowCookie, b"", sealed).ok())
        .is_some_and(|opened| *opened.as_bytes() == flow.id.as_bytes()[..]);
    if opened {
        return Ok(OwnFlow(()));
    }
    let ids = finished(&cookies, tenant).unwrap_or_default();
    Err(if ids.chunks_exact(ID).any(|id| id == flow.id.as_bytes()) {
        NotThisBrowser::Finished
    } else if cookies.is_empty() {
        NotThisBrowser::NoCookies
    } else {
        NotThisBrowser::Elsewhere
    })
}

fn common(tenant: &TenantSnapshot) -> CookieName {
    CookieName::new("flow", &tenant.issuer.slug, tenant.issuer.secure)
}

fn of_finished(tenant: &TenantSnapshot) -> CookieName {
    CookieName::new("finished", &tenant.issuer.slug, tenant.issuer.secure)
}

fn named(tenant: &TenantSnapshot, tag: &str) -> CookieName {
    CookieName::new("flow", &format!("{}-{tag}", tenant.issuer.slug), tenant.issuer.secure)
}

fn tag(id: &str) -> &str {
    id.get(..TAG).unwrap_or(id)
}

/// A slug may end in what looks like a tag of another tenant's: only tags are ours to end.
fn is_tag(text: &str) -> bool {
    text.len() == TAG && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
