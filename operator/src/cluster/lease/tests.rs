//! Elections over an API server in memory. Time is the runtime's, which the tests hold.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard};

use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::clock::Moment;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Well,
    /// Nobody answers.
    Away,
    /// Writes happen, and their answers are lost.
    Mute,
}

#[derive(Debug, Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    mood: Mood,
    writes: u32,
}

/// One Lease, with resourceVersions as the API server has them.
#[derive(Clone, Default)]
struct Api(Arc<Mutex<Server>>);

impl Api {
    fn lock(&self) -> MutexGuard<'_, Server> {
        self.0.lock().unwrap()
    }

    fn set(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    fn writes(&self) -> u32 {
        self.lock().writes
    }

    fn spec(&self) -> LeaseSpec {
        let lease: Lease = serde_json::from_value(self.lock().lease.clone().unwrap()).unwrap();
        lease.spec.unwrap()
    }

    fn holder(&self) -> String {
        holder(&self.spec()).to_owned()
    }

    fn candidate(&self, identity: &str) -> Election {
        let api = self.clone();
        let service = tower::service_fn(move |request| api.clone().answer(request));
        let clock = Arc::new(RuntimeClock(Instant::now()));
        Election::new(Client::new(service, "default"), "ns", identity.to_owned(), Timing::default(), clock)
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        if self.lock().mood == Mood::Away {
            std::future::pending::<()>().await;
        }
        let method = request.method().clone();
        let body = request.into_body().collect_bytes().await.unwrap();
        let mut server = self.lock();
        let (status, value) = server.handle(&method, serde_json::from_slice(&body).unwrap_or_default());
        let lost = server.mood == Mood::Mute && method != Method::GET;
        let (status, value) = if lost { failure(StatusCode::GATEWAY_TIMEOUT, "Timeout") } else { (status, value) };
        let body = Body::from(serde_json::to_vec(&value).unwrap());
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

impl Server {
    fn handle(&mut self, method: &Method, mut sent: Value) -> (StatusCode, Value) {
        let there = self.lease.as_ref().map(|lease| lease["metadata"]["resourceVersion"].clone());
        match (method, there) {
            (&Method::GET, Some(_)) => return (StatusCode::OK, self.lease.clone().unwrap()),
            (&Method::POST, None) => {}
            (&Method::POST, Some(_)) => return failure(StatusCode::CONFLICT, "AlreadyExists"),
            (&Method::PUT, Some(version)) if version == sent["metadata"]["resourceVersion"] => {}
            (&Method::PUT, Some(_)) => return failure(StatusCode::CONFLICT, "Conflict"),
            _ => return failure(StatusCode::NOT_FOUND, "NotFound"),
        }
        self.version += 1;
        self.writes += 1;
        sent["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(sent.clone());
        (StatusCode::OK, sent)
    }
}

fn failure(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    (
        status,
        json!({"kind": "Status", "status": "Failure", "code": status.as_u16(), "reason": reason, "message": reason}),
    )
}

struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> Moment {
        let monotonic = self.0.elapsed();
        Moment { wall: Timestamp::UNIX_EPOCH + monotonic, monotonic }
    }
}

async fn win(election: &mut Election) -> Leadership {
    election.win(|| {}, &CancellationToken::new()).await.unwrap()
}

/// Keeps the leadership in a task of its own, until it is lost or the token is cancelled.
fn keep(mut election: Election, leadership: &Leadership) -> (CancellationToken, tokio::task::JoinHandle<Election>) {
    let (stop, leadership) = (CancellationToken::new(), leadership.clone());
    let stopped = stop.clone();
    let task = tokio::spawn(async move {
        election.keep(&leadership, &stopped).await;
        election
    });
    (stop, task)
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_not_there_is_made_and_renewed() {
    let api = Api::default();
    let mut election = api.candidate("a");
    let leadership = win(&mut election).await;
    assert_eq!(api.holder(), "a");
    assert_eq!(api.spec().lease_duration_seconds, Some(15));
    let acquired = api.spec().acquire_time;
    let (stop, task) = keep(election, &leadership);
    sleep(60 * SECOND).await;
    assert!(leadership.is_current());
    assert!((28..=31).contains(&api.writes()), "{} writes in a minute", api.writes());
    assert_eq!(api.spec().acquire_time, acquired);
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_candidate_waits_while_the_leader_renews_and_says_that_the_api_answers() {
    let api = Api::default();
    let mut first = api.candidate("a");
    let leadership = win(&mut first).await;
    let _kept = keep(first, &leadership);
    let answers = std::sync::atomic::AtomicU32::new(0);
    let count = || {
        answers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    };
    let (mut second, never) = (api.candidate("b"), CancellationToken::new());
    let won = tokio::time::timeout(120 * SECOND, second.win(count, &never)).await;
    assert!(won.is_err() && leadership.is_current());
    assert!(answers.into_inner() > 50);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_vanished_is_followed_after_the_lease_s_duration_and_not_before() {
    let api = Api::default();
    let leadership = win(&mut api.candidate("a")).await;
    let began = Instant::now();
    win(&mut api.candidate("b")).await;
    assert!(began.elapsed() > 15 * SECOND && began.elapsed() <= 18 * SECOND, "{:?}", began.elapsed());
    assert!(!leadership.is_current(), "it knows by itself");
    assert_eq!((api.holder(), api.spec().lease_transitions), ("b".to_owned(), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_back_is_taken_at_the_next_look() {
    let api = Api::default();
    let mut first = api.candidate("a");
    let leadership = win(&mut first).await;
    let second = tokio::spawn({
        let mut second = api.candidate("b");
        async move { win(&mut second).await }
    });
    sleep(5 * SECOND).await;
    let began = Instant::now();
    first.release(&leadership).await;
    assert!(!leadership.is_current());
    second.await.unwrap();
    assert!(began.elapsed() <= 2 * SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_gives_up_before_anybody_may_follow_it() {
    let api = Api::default();
    let mut election = api.candidate("a");
    let leadership = win(&mut election).await;
    let (_stop, task) = keep(election, &leadership);
    sleep(5 * SECOND).await;
    api.set(Mood::Away);
    let began = Instant::now();
    leadership.lost().cancelled().await;
    // The last renewal may have been two seconds before.
    assert!(began.elapsed() >= 8 * SECOND && began.elapsed() < 13 * SECOND, "{:?}", began.elapsed());
    assert!(!leadership.is_current());
    let mut election = task.await.unwrap();
    api.set(Mood::Well);
    assert!(win(&mut election).await.is_current(), "it may lead again");
    assert!(!leadership.is_current(), "under a new leadership");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_paused_while_it_led_may_not_write_and_renews_nothing() {
    let api = Api::default();
    let mut election = api.candidate("a");
    let leadership = win(&mut election).await;
    let (_stop, task) = keep(election, &leadership);
    sleep(5 * SECOND).await;
    let writes = api.writes();
    advance(20 * SECOND).await;
    assert!(!leadership.is_current(), "before anything else has run");
    task.await.unwrap();
    assert_eq!(api.writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_somebody_took_gives_up_at_once() {
    let api = Api::default();
    let mut election = api.candidate("a");
    let leadership = win(&mut election).await;
    let (_stop, task) = keep(election, &leadership);
    sleep(3 * SECOND).await;
    {
        let mut server = api.lock();
        let mut theirs = server.lease.clone().unwrap();
        theirs["spec"]["holderIdentity"] = json!("b");
        server.handle(&Method::PUT, theirs);
    }
    let began = Instant::now();
    task.await.unwrap();
    assert!(began.elapsed() <= 2 * SECOND && !leadership.is_current());
    assert_eq!(api.holder(), "b");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_is_lost_costs_nothing_while_it_is_short() {
    let api = Api::default();
    let mut election = api.candidate("a");
    let leadership = win(&mut election).await;
    let (stop, task) = keep(election, &leadership);
    sleep(3 * SECOND).await;
    api.set(Mood::Mute);
    sleep(5 * SECOND).await;
    api.set(Mood::Well);
    sleep(60 * SECOND).await;
    assert!(leadership.is_current());
    assert_eq!(api.spec().lease_transitions, Some(0));
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_several_candidates_one_leads_at_a_time() {
    let api = Api::default();
    let leaders: Arc<Mutex<Vec<Leadership>>> = Arc::default();
    for identity in ["a", "b", "c"] {
        let (mut election, leaders) = (api.candidate(identity), Arc::clone(&leaders));
        tokio::spawn(async move {
            loop {
                let leadership = win(&mut election).await;
                leaders.lock().unwrap().push(leadership.clone());
                election.keep(&leadership, &CancellationToken::new()).await;
            }
        });
    }
    let mut led = 0;
    for step in 0..600_u32 {
        // Forty seconds well, twenty away.
        api.set(if step / 4 % 60 < 40 { Mood::Well } else { Mood::Away });
        sleep(SECOND / 4).await;
        let current = leaders.lock().unwrap().iter().filter(|leadership| leadership.is_current()).count();
        assert!(current <= 1, "{current} leaders after {step} steps");
        led += current;
    }
    assert!(led > 300, "somebody leads most of the time: {led} of 600");
}
