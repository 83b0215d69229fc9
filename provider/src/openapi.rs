//! The description of the API, made of the route table once: `/openapi.json` (OpenAPI 3.1), and a page
//! that shows the same document to people. No script, and nothing from elsewhere.
//!
//! Both are no tenant's. At a host that one tenant has to itself its paths have no slug, and so they
//! stand in what is served there.

mod document;
mod model;
mod operations;
mod page;
mod schemas;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::response::Response;
use http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderValue};

use crate::endpoint::assets;
use crate::router::Place;
use crate::web::page::assets::Asset;

/// Where the document is.
pub(crate) const DOCUMENT: &str = "/openapi.json";
/// Where the page is.
pub(crate) const PAGE: &str = "/api";
/// What the page links to.
pub(crate) const STYLESHEET: &str = "/api/style.css";

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

static AT_SLUG: LazyLock<Files> = LazyLock::new(|| Files::new(Place::Slug));
static AT_HOST: LazyLock<Files> = LazyLock::new(|| Files::new(Place::Host));

/// What describes the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// For programs.
    Document,
    /// For people.
    Page,
    /// The page's.
    Stylesheet,
}

struct Files {
    document: Asset,
    page: Asset,
}

/// `resource` as it is at `place`.
pub(crate) fn respond(place: Place, resource: Resource, request: &HeaderMap) -> Response {
    let files: &Files = match place {
        Place::Slug => &AT_SLUG,
        Place::Host => &AT_HOST,
    };
    match resource {
        Resource::Document => assets::answer(request, files.document.clone()),
        Resource::Stylesheet => assets::answer(request, stylesheet()),
        Resource::Page => {
            let mut response = assets::answer(request, files.page.clone());
            let headers = response.headers_mut();
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
            headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
            // For browsers that do not know `frame-ancestors`.
            headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
            response
        }
    }
}

fn stylesheet() -> Asset {
    let source = include_str!("../assets/api.css");
    Asset::new(source.as_bytes().into(), "text/css; charset=utf-8")
}

impl Files {
    fn new(place: Place) -> Self {
        let document = document::document(place);
        // Maps and text always serialise, and so does what is made of them.
        let json = serde_json::to_vec(&document).unwrap_or_default();
        let page = page::render(&document).unwrap_or_default();
        Self {
            document: Asset::new(json.into(), "application/json"),
            page: Asset::new(page.into(), "text/html; charset=utf-8"),
        }
    }
}
