use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;

type Answer = BoxFuture<'static, Response<axum::body::Body>>;

/// An API server that gives the answers that a test has for it, in order, and then none.
#[derive(Clone, Default)]
struct ApiServer {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ApiServer {
    fn with(answers: Vec<Answer>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into())), ..Self::default() }
    }

    fn secrets(&self, health: &WatchHealth) -> Secrets {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            server.asked.lock().unwrap().push(request.uri().to_string());
            let answer = server.answers.lock().unwrap().pop_front();
            async move {
                match answer {
                    Some(answer) => Ok::<_, std::convert::Infallible>(answer.await),
                    None => std::future::pending().await,
                }
            }
        });
        Secrets::new(Client::new(service, "default"), "published", health.clone(), || Timestamp::UNIX_EPOCH)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(status: StatusCode, body: axum::body::Body) -> Answer {
    async move { Response::builder().status(status).body(body).unwrap() }.boxed()
}

fn object(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "resourceVersion": "7"}})
}

fn page(names: &[&str], more: Option<&str>) -> Answer {
    let items: Vec<Value> = names.iter().map(|name| object(name)).collect();
    let metadata = json!({"resourceVersion": "5", "continue": more});
    let list = json!({"apiVersion": "v1", "kind": "SecretList", "metadata": metadata, "items": items});
    answer(StatusCode::OK, list.to_string().into())
}

/// A watch that tells these and then stays open.
fn watch(events: &[Value]) -> Answer {
    let lines: Vec<_> = events.iter().map(|event| Ok::<_, std::convert::Infallible>(format!("{event}\n"))).collect();
    answer(
        StatusCode::OK,
        axum::body::Body::from_stream(futures::stream::iter(lines).chain(futures::stream::pending())),
    )
}

fn unavailable() -> Answer {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "away", "code": 503});
    answer(StatusCode::SERVICE_UNAVAILABLE, status.to_string().into())
}

fn name(event: &Event<Secret>) -> String {
    match event {
        Event::Init => "list".to_owned(),
        Event::InitApply(secret) => format!("listed {}", secret.metadata.name.as_deref().unwrap()),
        Event::InitDone => "done".to_owned(),
        Event::Apply(secret) => format!("applied {}", secret.metadata.name.as_deref().unwrap()),
        Event::Delete(secret) => format!("deleted {}", secret.metadata.name.as_deref().unwrap()),
    }
}

async fn take(stream: impl Stream<Item = Event<Secret>>, count: usize) -> Vec<String> {
    let events = pin!(stream.take(count).map(|event| name(&event)).collect::<Vec<_>>());
    tokio::time::timeout(Duration::from_secs(600), events).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_list_comes_in_pages_from_a_quorum_and_the_watch_goes_on_from_it() {
    let changes = [json!({"type": "ADDED", "object": object("c")}), json!({"type": "DELETED", "object": object("a")})];
    let server = ApiServer::with(vec![page(&["a"], Some("more")), page(&["b"], None), watch(&changes)]);
    let events = take(server.secrets(&WatchHealth::default()).labelled("claviger.dev/document"), 6).await;
    assert_eq!(events, ["list", "listed a", "listed b", "done", "applied c", "deleted a"]);
    let asked = server.asked();
    assert!(asked[0].starts_with("/api/v1/namespaces/published/secrets?"), "{asked:?}");
    assert!(asked[0].contains("limit=500") && asked[0].contains("labelSelector=claviger.dev%2Fdocument"), "{asked:?}");
    assert!(!asked[0].contains("resourceVersion"), "from a quorum, not from a cache: {asked:?}");
    assert!(asked[1].contains("continue=more"), "{asked:?}");
    assert!(asked[2].contains("watch=true") && asked[2].contains("resourceVersion=5"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_watched_by_its_name_without_the_right_to_more() {
    let server = ApiServer::with(vec![page(&["acknowledgement-tls"], None)]);
    take(server.secrets(&WatchHealth::default()).named("acknowledgement-tls"), 3).await;
    assert!(server.asked()[0].contains("fieldSelector=metadata.name%3Dacknowledgement-tls"), "{:?}", server.asked());
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_fails_or_never_answers_is_asked_again_and_shows_as_away_meanwhile() {
    let never = || futures::future::pending().boxed();
    let server = ApiServer::with(vec![unavailable(), never(), unavailable(), page(&["a"], None), never(), watch(&[])]);
    let health = WatchHealth::default();
    // Each attempt begins a list.
    let stream =
        server.secrets(&health).labelled("any").filter(|event| std::future::ready(!matches!(event, Event::Init)));
    let mut stream = pin!(stream);
    assert!(tokio::time::timeout(Duration::from_millis(10), stream.next()).await.is_err());
    assert!(!health.is_connected());
    assert_eq!(take(stream.by_ref(), 2).await, ["listed a", "done"]);
    assert!(health.is_connected());
    // The watch does not start: that shows, and it is tried again.
    let watching = tokio::time::timeout(ANSWER_TIMEOUT + Duration::from_millis(10), stream.next());
    assert!(watching.await.is_err());
    assert!(!health.is_connected());
    let watching = tokio::time::timeout(Duration::from_secs(20), stream.next());
    assert!(watching.await.is_err());
    assert!(health.is_connected());
    assert_eq!(server.asked().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_stops_in_the_middle_begins_the_list_anew() {
    let cut = axum::body::Body::from_stream(
        futures::stream::iter([Ok::<_, std::convert::Infallible>("{\"items\":[")]).chain(futures::stream::pending()),
    );
    let server = ApiServer::with(vec![answer(StatusCode::OK, cut), page(&["a"], None)]);
    let events = take(server.secrets(&WatchHealth::default()).labelled("any"), 4).await;
    assert_eq!(events, ["list", "list", "listed a", "done"]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_watch_is_begun_anew_from_where_it_was() {
    let change = [json!({"type": "ADDED", "object": object("b")})];
    let server = ApiServer::with(vec![page(&["a"], None), watch(&[]), watch(&change)]);
    let begun = Instant::now();
    assert_eq!(take(server.secrets(&WatchHealth::default()).labelled("any"), 4).await.last().unwrap(), "applied b");
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
    assert!(server.asked()[2].contains("resourceVersion=5"), "{:?}", server.asked());
}

#[tokio::test]
async fn a_problem_is_told_without_what_a_secret_holds() {
    let error = serde_json::from_str::<u64>("\"a private key\"").unwrap_err();
    assert!(error.to_string().contains("a private key"), "else there is nothing to hide");
    let told = describe(&watcher::Error::InitialListFailed(kube::Error::SerdeError(error)));
    assert!(!told.contains("a private key") && told.contains("line 1"), "{told}");
}
