//! The acknowledgement port: the operator dials it and is told what this pod serves.
//!
//! Owns the route, the bound on streams and who may ask (mutual TLS, by name). What is told comes
//! from [`crate::served`].

mod certificate;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use claviger_crds::published::acknowledgement::{Frame, PATH};
use futures::{Stream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

pub(crate) use self::certificate::follow;

/// The name in the operator's client certificate (a DNS name among its alternative names).
pub const CLIENT_NAME: &str = "operator.claviger.internal";

/// An operator has one stream; a second operator during a hand-over, a retry before the old stream
/// is seen to be dead. More would be a fault or an attack.
const STREAMS: usize = 8;

/// The route of the acknowledgement port. Streams end when `shutdown` is cancelled.
pub(crate) fn router<S>(frames: impl Fn() -> S + Clone + Send + Sync + 'static, shutdown: CancellationToken) -> Router
where
    S: Stream<Item = Frame> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(STREAMS));
    let answer = move || {
        let response = match Arc::clone(&slots).try_acquire_owned() {
            Ok(slot) => stream(frames(), slot, shutdown.clone()),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        };
        std::future::ready(response)
    };
    Router::new().route(PATH, get(answer))
}

/// One JSON frame a line, until `shutdown`; `slot` is held as long.
fn stream(
    frames: impl Stream<Item = Frame> + Send + 'static,
    slot: OwnedSemaphorePermit,
    shutdown: CancellationToken,
) -> Response {
    let lines = frames.map(move |frame| {
        let _held = &slot;
        line(&frame)
    });
    let body = Body::from_stream(lines.take_until(shutdown.cancelled_owned()));
    ([(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn line(frame: &Frame) -> Result<Bytes, serde_json::Error> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    Ok(line.into())
}
