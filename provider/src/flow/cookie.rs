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

/// Proof that a flow is this browser's; only [`check`] makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnFlow(());

/// The flow is not this browser's, or it keeps no cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotThisBrowser;

/// Sets the cookie of `flow`, and ends the first of too many.
pub(crate) fn set(headers: &mut HeaderMap, request: &HeaderMap, tenant: &TenantSnapshot, flow: &Flow) {
    let cookies = Cookies::read(request);
    let tags = cookies.below(&common(tenant));
    for tag in tags.iter().take((tags.len() + 1).saturating_sub(MOST)).filter(|tag| is_tag(tag)) {
        named(tenant, tag).clear(headers);
    }
    let id = flow.id.to_string();
    let sealer = tenant.issuer.sealer.as_ref();
    let sealed = sealer.and_then(|sealer| sealer.seal(Purpose::FlowCookie, b"", flow.id.as_bytes()).ok());
    if let Some(sealed) = sealed {
        named(tenant, tag(&id)).set(headers, &sealed, Some(LIFETIME.as_secs()));
    }
}

/// Ends the cookie of `flow`.
pub(crate) fn clear(headers: &mut HeaderMap, tenant: &TenantSnapshot, flow: &Flow) {
    named(tenant, tag(&flow.id.to_string())).clear(headers);
}

/// Whether the request comes from the browser in which `flow` began.
pub(crate) fn check(request: &HeaderMap, tenant: &TenantSnapshot, flow: &Flow) -> Result<OwnFlow, NotThisBrowser> {
    let id = flow.id.to_string();
    let cookies = Cookies::read(request);
    let sealed = cookies.get(&named(tenant, tag(&id))).ok_or(NotThisBrowser)?;
    let sealer = tenant.issuer.sealer.as_ref().ok_or(NotThisBrowser)?;
    let opened = sealer.open(Purpose::FlowCookie, b"", sealed).map_err(|_| NotThisBrowser)?;
    if *opened.as_bytes() == flow.id.as_bytes()[..] { Ok(OwnFlow(())) } else { Err(NotThisBrowser) }
}

fn common(tenant: &TenantSnapshot) -> CookieName {
    CookieName::new("flow", &tenant.issuer.slug, tenant.issuer.secure)
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
