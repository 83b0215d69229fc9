//! Where somebody goes on whose login is over: the application that began it.
//!
//! A flow is sealed, so what it names was registered when it began; what is shown is what the client
//! registers now. No address that a request brought becomes a link.

use crate::authorize::redirect_uri;
use crate::flow::Flow;
use crate::tenant::snapshot::TenantSnapshot;
use crate::web::page::destination::WebAddress;

/// A page of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WayBack {
    /// The application's name.
    pub(crate) client: String,
    /// Where the page is.
    pub(crate) at: String,
}

impl WayBack {
    /// That of `flow`; none where its client is gone, or is an application on the device, which has no
    /// page. It is the page for people who have logged out, if one stands beside the redirect URI, else
    /// the root of its host: the redirect URI itself answers to a code alone.
    pub(crate) fn of(flow: &Flow, tenant: &TenantSnapshot) -> Option<Self> {
        let request = &flow.request;
        let client = tenant.clients.get(&request.client_id).filter(|_| !request.native)?;
        redirect_uri::find(client, request.redirect_uri.as_str())?;
        let origin = WebAddress::parse(request.redirect_uri.as_str())?.origin();
        let is_beside = |uri: &&String| WebAddress::parse(uri).is_some_and(|uri| uri.origin() == origin);
        let beside = client.post_logout_redirect_uris.iter().find(is_beside);
        let at = beside.cloned().unwrap_or_else(|| format!("{origin}/"));
        Some(Self { client: client.display_name.clone(), at })
    }
}
