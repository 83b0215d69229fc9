//! The internal port: is the process alive, may it get traffic, what has it counted.
//!
//! Owns `/healthz`, `/readyz` and `/metrics`; never exposed. It decides nothing: readiness is told
//! by whoever calls [`router`].

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// Whether requests should be sent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Not everything that is published has been loaded yet.
    Loading,
    /// Everything has, and a change of the store's schema waits for something.
    HeldUp,
    /// Everything has.
    Ready,
    /// It is shutting down.
    Leaving,
}

/// The media type of [`encode`]'s text.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The routes of the internal port.
pub fn router(readiness: impl Fn() -> Readiness + Clone + Send + Sync + 'static, metrics: Arc<Registry>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || std::future::ready(ready(readiness()))))
        .route("/metrics", get(move || std::future::ready(text(&metrics))))
}

fn ready(readiness: Readiness) -> (StatusCode, &'static str) {
    match readiness {
        Readiness::Ready => (StatusCode::OK, "ready\n"),
        Readiness::Loading => (StatusCode::SERVICE_UNAVAILABLE, "loading what is published\n"),
        Readiness::HeldUp => {
            (StatusCode::SERVICE_UNAVAILABLE, "the store's schema cannot be changed yet: see the log\n")
        }
        Readiness::Leaving => (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
    }
}

fn text(metrics: &Registry) -> Response {
    let mut text = String::new();
    match encode(&mut text, metrics) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(std::fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use prometheus_client::metrics::counter::Counter;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(readiness: Readiness, path: &str) -> (StatusCode, String) {
        let mut registry = Registry::default();
        let counter = Counter::<u64>::default();
        counter.inc_by(7);
        registry.register("tokens", "Tokens", counter);
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(move || readiness, Arc::new(registry)).oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_pod_is_ready_between_loading_and_leaving_and_alive_throughout() {
        for (readiness, status) in [
            (Readiness::Loading, StatusCode::SERVICE_UNAVAILABLE),
            (Readiness::HeldUp, StatusCode::SERVICE_UNAVAILABLE),
            (Readiness::Ready, StatusCode::OK),
            (Readiness::Leaving, StatusCode::SERVICE_UNAVAILABLE),
        ] {
            assert_eq!(get(readiness, "/readyz").await.0, status, "{readiness:?}");
            assert_eq!(get(readiness, "/healthz").await.0, StatusCode::OK, "{readiness:?}");
        }
    }

    #[tokio::test]
    async fn metrics_show_what_was_counted() {
        let (status, text) = get(Readiness::Ready, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("tokens_total 7"), "{text}");
    }
}
