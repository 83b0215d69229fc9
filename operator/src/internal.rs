//! The internal port: is the process alive, may it take over, what has it counted.
//!
//! Owns `/healthz`, `/readyz` and `/metrics`; never exposed. Whoever runs the operator tells the
//! [`Stage`]. Small enough for the HTTP library alone; clients are few and get little time.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// How far the process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The API has not yet answered about the lease: nobody should count on this process.
    Starting,
    /// Another process leads.
    StandingBy,
    /// This one does.
    Leading,
    /// It is shutting down.
    Leaving,
}

/// Connections at once. One more ends the oldest: whoever holds many must not keep the kubelet's
/// probe from its answer, and an answer takes no longer than its writing.
const CONNECTIONS: usize = 64;
/// For the head of a request, and between two.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// After the listener failed.
const PAUSE: Duration = Duration::from_millis(100);
/// The media type of [`encode`]'s text.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Answers on `listener` for ever.
pub(crate) async fn serve(listener: TcpListener, stage: watch::Receiver<Stage>, metrics: Arc<Registry>) {
    let mut connections = JoinSet::new();
    let mut oldest_first = VecDeque::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the internal port cannot accept connections");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        oldest_first.retain(|connection: &AbortHandle| !connection.is_finished());
        if oldest_first.len() >= CONNECTIONS
            && let Some(oldest) = oldest_first.pop_front()
        {
            oldest.abort();
        }
        let (stage, metrics) = (stage.clone(), Arc::clone(&metrics));
        let answer = move |request: Request<hyper::body::Incoming>| {
            let response = answer(request.method(), request.uri().path(), *stage.borrow(), &metrics);
            std::future::ready(Ok::<_, Infallible>(response))
        };
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
        let connection = builder.serve_connection(TokioIo::new(stream), service_fn(answer));
        // How a client leaves is its own business.
        oldest_first.push_back(connections.spawn(async move { drop(connection.await) }));
    }
}

fn answer(method: &Method, path: &str, stage: Stage, metrics: &Registry) -> Response<Full<Bytes>> {
    let (status, kind, body) = match path {
        "/healthz" | "/readyz" | "/metrics" if !matches!(*method, Method::GET | Method::HEAD) => {
            (StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET only\n".to_owned())
        }
        "/healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" => {
            let (status, text) = ready(stage);
            (status, TEXT, text.to_owned())
        }
        "/metrics" => {
            let mut text = String::new();
            match encode(&mut text, metrics) {
                Ok(()) => (StatusCode::OK, OPENMETRICS, text),
                Err(std::fmt::Error) => (StatusCode::INTERNAL_SERVER_ERROR, TEXT, String::new()),
            }
        }
        _ => (StatusCode::NOT_FOUND, TEXT, "not found\n".to_owned()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Standing by is ready: an update must not wait for the new process to lead, since the old one
/// leads until it is ended.
fn ready(stage: Stage) -> (StatusCode, &'static str) {
    match stage {
        Stage::Starting => (StatusCode::SERVICE_UNAVAILABLE, "the API has not answered yet\n"),
        Stage::StandingBy => (StatusCode::OK, "standing by\n"),
        Stage::Leading => (StatusCode::OK, "leading\n"),
        Stage::Leaving => (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use prometheus_client::metrics::counter::Counter;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    fn registry() -> Registry {
        let mut registry = Registry::default();
        let counter = Counter::<u64>::default();
        counter.inc_by(7);
        registry.register("writes", "Writes", counter);
        registry
    }

    fn get(stage: Stage, path: &str) -> StatusCode {
        answer(&Method::GET, path, stage, &registry()).status()
    }

    #[test]
    fn who_stands_by_is_ready_and_who_starts_or_leaves_is_only_alive() {
        for (stage, ready) in [
            (Stage::Starting, StatusCode::SERVICE_UNAVAILABLE),
            (Stage::StandingBy, StatusCode::OK),
            (Stage::Leading, StatusCode::OK),
            (Stage::Leaving, StatusCode::SERVICE_UNAVAILABLE),
        ] {
            assert_eq!(get(stage, "/readyz"), ready, "{stage:?}");
            assert_eq!(get(stage, "/healthz"), StatusCode::OK, "{stage:?}");
        }
    }

    #[tokio::test]
    async fn metrics_show_what_was_counted() {
        let response = answer(&Method::GET, "/metrics", Stage::Leading, &registry());
        assert_eq!(response.headers()[header::CONTENT_TYPE], OPENMETRICS);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(std::str::from_utf8(&body).unwrap().contains("writes_total 7"));
    }

    #[test]
    fn nothing_else_is_there_and_nothing_is_written() {
        assert_eq!(get(Stage::Leading, "/"), StatusCode::NOT_FOUND);
        let refused = answer(&Method::POST, "/metrics", Stage::Leading, &registry());
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn it_answers_on_a_socket_however_many_others_are_held() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stage, stages) = watch::channel(Stage::StandingBy);
        let serving = serve(listener, stages, Arc::new(registry()));
        let asking = async {
            // Others hold as many connections as there may be, and say nothing.
            let mut held = Vec::new();
            for _ in 0..2 * CONNECTIONS {
                held.push(TcpStream::connect(address).await.unwrap());
            }
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            stream.write_all(request).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            drop(held);
            answer
        };
        let answer = tokio::select! {
            () = serving => unreachable!("it serves for ever"),
            answer = asking => answer,
        };
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("standing by\n"), "{answer}");
    }
}
