//! One request for one tenant, as endpoints get it.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::HeaderValue;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use http::request::Parts;

use super::client_address::ClientAddress;
use super::form_encoding::decode;
use super::page::Site;
use super::page::language::Language;
use crate::audit::Audit;
use crate::provider::Provider;
use crate::server::Peer;
use crate::tenant::snapshot::TenantSnapshot;

/// Whose address is not known: all of them count as one.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What an endpoint answers.
pub(crate) struct Exchange<'a> {
    /// Clock, readiness, counters.
    pub(crate) provider: &'a Provider,
    /// The tenant as it was when the request came: one request sees one moment.
    pub(crate) tenant: Arc<TenantSnapshot>,
    /// For logs.
    pub(crate) request_id: &'a HeaderValue,
    /// Method and headers. The body goes apart, to the one endpoint that reads it.
    pub(crate) parts: Parts,
}

impl<'a> Exchange<'a> {
    /// Where its events go.
    pub(crate) fn audit(&self) -> Audit<'_> {
        Audit { at: self.provider.now(), tenant: &self.tenant.issuer.slug, request_id: self.request_id }
    }

    /// The value of `name` in the query, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let pairs = self.parts.uri.query().unwrap_or_default().split('&');
        let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(other, _)| *other == name);
        value.and_then(|(_, value)| decode(value.as_bytes()).ok()).map(Cow::into_owned)
    }

    /// Whether the requester would rather have JSON than a page: programs say so, browsers ask for HTML.
    pub(crate) fn wants_json(&self) -> bool {
        let mut accept = self.parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut json = false;
        let html = accept.any(|text| {
            json |= text.contains("application/json");
            text.contains("text/html")
        });
        json && !html
    }

    /// The language of a page: what the request asks for, else what the browser prefers.
    pub(crate) fn language(&self, ui_locales: &[String]) -> Language {
        let accepted = self.parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Language::negotiate(Some(ui_locales.join(" ")).as_deref(), accepted)
    }

    /// What every page shows of the tenant.
    pub(crate) fn site(&self, ui_locales: &[String]) -> Site<'_> {
        let issuer = &self.tenant.issuer;
        let logo = issuer.login.branding.logo.as_deref();
        Site::new(&issuer.url, &issuer.display_name, logo, self.language(ui_locales))
    }

    /// Where the request comes from.
    pub(crate) fn peer(&self) -> ClientAddress {
        let peer = self.parts.extensions.get::<Peer>().map_or(NOBODY, |Peer(address)| *address);
        ClientAddress::of(peer, &self.parts.headers, self.provider.trusted_proxies())
    }
}
