//! The pages' stylesheet and scripts.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::web::document;
use crate::web::exchange::Exchange;
use crate::web::page::assets::{self, Asset, Script};

/// The stylesheet, in the tenant's colour.
pub(crate) fn stylesheet(exchange: &Exchange<'_>) -> Response {
    let asset = assets::stylesheet(exchange.tenant.issuer.login.branding.accent.as_deref());
    answer(&exchange.parts.headers, asset)
}

/// A script.
pub(crate) fn script(exchange: &Exchange<'_>, script: Script) -> Response {
    answer(&exchange.parts.headers, script.asset())
}

/// `asset`, or 304 where the requester has it.
pub(crate) fn answer(request: &HeaderMap, asset: Asset) -> Response {
    let known = document::has(request, &asset.etag);
    let mut headers = HeaderMap::new();
    headers.insert(ETAG, asset.etag);
    headers.insert(CACHE_CONTROL, asset.cache_control);
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        headers.insert(CONTENT_TYPE, asset.content_type);
        // A file that nothing but these pages uses.
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
        Response::new(Body::from(asset.body))
    };
    *response.headers_mut() = headers;
    response
}
