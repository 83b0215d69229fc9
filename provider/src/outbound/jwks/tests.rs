use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::time::{advance, sleep};

use super::*;

const URI: &str = "https://client.example/jwks";
const DOWN: OutboundError = OutboundError::Status(StatusCode::BAD_GATEWAY);

/// A server: it answers after a second what it was told, and counts.
#[derive(Default)]
struct Server {
    asked: AtomicUsize,
    answer: std::sync::Mutex<Option<Fetched>>,
}

impl Source for Server {
    fn fetch<'a>(&'a self, _: &'a str, limit: usize) -> BoxFuture<'a, Result<Fetched, OutboundError>> {
        assert_eq!(limit, 65_536);
        async {
            self.asked.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_secs(1)).await;
            self.answer.lock().unwrap().clone().ok_or(DOWN)
        }
        .boxed()
    }
}

impl Server {
    fn serves(&self, kids: &[&str], max_age: Option<u64>) {
        let body = serde_json::json!({ "keys": kids }).to_string().into_bytes();
        *self.answer.lock().unwrap() = Some(Fetched { body, max_age: max_age.map(Duration::from_secs) });
    }

    fn fails(&self) {
        *self.answer.lock().unwrap() = None;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

type Kids = Vec<String>;

fn parse(body: &[u8]) -> Result<Kids, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Kids,
    }
    serde_json::from_slice::<Set>(body).map(|set| set.keys).map_err(|_| "no kid".to_owned())
}

fn cache() -> (Arc<Server>, Arc<KeySets<Kids>>) {
    let server = Arc::new(Server::default());
    let sets = KeySets::new(Arc::clone(&server) as Arc<dyn Source>, parse);
    (server, Arc::new(sets))
}

async fn has(sets: &KeySets<Kids>, kid: &str) -> Result<bool, JwksError> {
    Ok(sets.find(URI, |kids| kids.iter().any(|each| each == kid).then_some(())).await?.is_some())
}

async fn pass(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_at_once_make_one_fetch() {
    let (server, sets) = cache();
    server.serves(&["a"], None);
    let asking: Vec<_> = (0..50).map(|_| has(&sets, "a")).collect();
    for found in futures::future::join_all(asking).await {
        assert_eq!(found, Ok(true));
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_a_server_that_fails_make_one_fetch() {
    let (server, sets) = cache();
    let asking: Vec<_> = (0..50).map(|_| has(&sets, "a")).collect();
    for found in futures::future::join_all(asking).await {
        assert_eq!(found, Err(DOWN.into()));
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_leaves_does_not_make_another_fetch() {
    let (server, sets) = cache();
    server.serves(&["a"], None);
    for _ in 0..20 {
        let left = tokio::time::timeout(Duration::from_millis(10), has(&sets, "a")).await;
        assert!(left.is_err(), "the server takes a second");
    }
    assert_eq!(has(&sets, "a").await, Ok(true));
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_set_is_fresh_for_its_max_age_within_a_minute_and_an_hour() {
    for (max_age, fresh) in [(None, 300), (Some(0), 60), (Some(59), 60), (Some(600), 600), (Some(86_400), 3600)] {
        let (server, sets) = cache();
        server.serves(&["a"], max_age);
        assert_eq!(has(&sets, "a").await, Ok(true));
        pass(fresh - 1).await;
        assert_eq!(has(&sets, "a").await, Ok(true));
        assert_eq!(server.asked(), 1, "{max_age:?}");
        pass(1).await;
        assert_eq!(has(&sets, "a").await, Ok(true));
        assert_eq!(server.asked(), 2, "{max_age:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_withdrawn_is_gone_when_the_set_is_not_fresh() {
    let (server, sets) = cache();
    server.serves(&["a", "b"], None);
    assert_eq!(has(&sets, "a").await, Ok(true));
    server.serves(&["b"], None);
    pass(300).await;
    assert_eq!(has(&sets, "a").await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_looked_for_at_once_and_then_once_a_minute() {
    let (server, sets) = cache();
    server.serves(&["a"], Some(3600));
    assert_eq!(has(&sets, "a").await, Ok(true));
    pass(1).await;
    server.serves(&["a", "b"], Some(3600));
    assert_eq!(has(&sets, "b").await, Ok(true), "rotated just after it was fetched");
    assert_eq!(server.asked(), 2);
    for _ in 0..10 {
        pass(5).await;
        assert_eq!(has(&sets, "c").await, Ok(false));
    }
    assert_eq!(server.asked(), 2);
    pass(10).await;
    let asking: Vec<_> = (0..50).map(|_| has(&sets, "c")).collect();
    assert!(futures::future::join_all(asking).await.into_iter().all(|found| found == Ok(false)));
    assert_eq!(server.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_set_that_was_fetched_for_this_call_is_not_fetched_again() {
    let (server, sets) = cache();
    server.serves(&["a"], None);
    let asking: Vec<_> = (0..50).map(|_| has(&sets, "c")).collect();
    assert!(futures::future::join_all(asking).await.into_iter().all(|found| found == Ok(false)));
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_with_a_known_key_waits_while_an_unknown_one_is_looked_for() {
    let (server, sets) = cache();
    server.serves(&["a"], None);
    assert_eq!(has(&sets, "a").await, Ok(true));
    pass(1).await;
    let strange = tokio::spawn({
        let sets = Arc::clone(&sets);
        async move { has(&sets, "c").await }
    });
    sleep(Duration::from_millis(10)).await;
    assert_eq!(server.asked(), 2, "it is being looked for");
    let known = tokio::time::timeout(Duration::from_millis(1), has(&sets, "a")).await;
    assert_eq!(known, Ok(Ok(true)));
    assert_eq!(strange.await.unwrap(), Ok(false));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_left_alone_for_ten_seconds() {
    let (server, sets) = cache();
    assert_eq!(has(&sets, "a").await, Err(DOWN.into()));
    server.serves(&["a"], None);
    pass(9).await;
    assert_eq!(has(&sets, "a").await, Err(DOWN.into()));
    assert_eq!(server.asked(), 1);
    pass(1).await;
    assert_eq!(has(&sets, "a").await, Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_set_is_used_for_an_hour_more_while_its_server_fails() {
    let (server, sets) = cache();
    server.serves(&["a"], None);
    assert_eq!(has(&sets, "a").await, Ok(true));
    server.fails();
    pass(300).await;
    assert_eq!(has(&sets, "a").await, Ok(true));
    assert_eq!(server.asked(), 2);
    // The failure, and not that the key is unknown: it may be in the set that cannot be fetched.
    assert_eq!(has(&sets, "b").await, Err(DOWN.into()));
    assert_eq!(server.asked(), 2);
    pass(3590).await;
    assert_eq!(has(&sets, "a").await, Ok(true));
    assert_eq!(server.asked(), 3);
    pass(10).await;
    assert_eq!(has(&sets, "a").await, Err(DOWN.into()));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_set_is_a_failure_and_is_not_quoted() {
    let (server, sets) = cache();
    let answers: [(&str, JwksError); 4] = [
        ("top secret", JwksError::Unusable("it is no JWK set".to_owned())),
        (r#"{"keys": "secret"}"#, JwksError::Unusable("it is no JWK set".to_owned())),
        (r#"{"keys": [1]}"#, JwksError::Unusable("no kid".to_owned())),
        (r#"{"keys": []}"#, JwksError::TooManyKeys),
    ];
    for (body, error) in answers {
        match error {
            JwksError::TooManyKeys => server.serves(&["a"; 101], None),
            _ => *server.answer.lock().unwrap() = Some(Fetched { body: body.into(), max_age: None }),
        }
        assert_eq!(has(&sets, "a").await, Err(error));
        pass(10).await;
    }
    server.serves(&["a"; 100], None);
    assert_eq!(has(&sets, "a").await, Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_parser_that_panics_is_a_failure_like_any_other() {
    let server = Arc::new(Server::default());
    server.serves(&["a"], None);
    let sets: KeySets<Kids> = KeySets::new(Arc::clone(&server) as Arc<dyn Source>, |_| panic!("on purpose"));
    assert_eq!(has(&sets, "a").await, Err(OutboundError::Broken.into()));
    assert_eq!(has(&sets, "a").await, Err(OutboundError::Broken.into()));
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_uri_that_is_too_long_is_not_remembered() {
    let (server, sets) = cache();
    let uri = format!("https://client.example/{}", "a".repeat(URL_LENGTH));
    assert_eq!(sets.find(&uri, |_| Some(())).await, Err(OutboundError::Refused(Refusal::TooLong).into()));
    assert_eq!(server.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_set_that_was_used_longest_ago_makes_room() {
    let entries: Entries<Kids> = Entries::new(2);
    let a = entries.entry("a", Instant::now());
    pass(1).await;
    let b = entries.entry("b", Instant::now());
    pass(1).await;
    assert!(Arc::ptr_eq(&a, &entries.entry("a", Instant::now())));
    pass(1).await;
    entries.entry("c", Instant::now());
    assert!(Arc::ptr_eq(&a, &entries.entry("a", Instant::now())));
    assert!(!Arc::ptr_eq(&b, &entries.entry("b", Instant::now())), "it made room");
}
