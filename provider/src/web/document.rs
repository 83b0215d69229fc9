//! Answers with bytes that were made when the tenant's documents were read.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::exchange::Exchange;
use crate::internal::Readiness;
use crate::tenant::snapshot::StaticDocument;

/// The most headers that an answer of this kind bears: room for them is made once.
const HEADERS: usize = 12;

/// `document`, or 304 where the requester has it (RFC 9110 §13.1.2).
pub(crate) fn respond(exchange: &Exchange<'_>, document: &StaticDocument) -> Response {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    let cache_control = match exchange.provider.readiness() {
        Readiness::Ready | Readiness::HeldUp => document.cache_control.clone(),
        // What a pod says last may be old when it is read: nobody is to keep it.
        Readiness::Loading | Readiness::Leaving => HeaderValue::from_static("no-store"),
    };
    headers.insert(CACHE_CONTROL, cache_control);
    headers.insert(ETAG, document.etag.clone());
    let mut response = if has(&exchange.parts.headers, &document.etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Response::new(Body::from(document.body.clone()))
    };
    *response.headers_mut() = headers;
    response
}

/// Whether the requester has what bears `etag`: compared weakly, as RFC 9110 §13.1.2 says.
pub(crate) fn has(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let etag = etag.as_bytes();
    headers.get_all(IF_NONE_MATCH).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag)
    })
}
