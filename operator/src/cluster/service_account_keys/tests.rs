use std::convert::Infallible;
use std::sync::Mutex;

use claviger_crds::published::acknowledgement::Frame;
use http::Response;

use super::*;
use crate::engine::Options;
use crate::testing::{ManualClock, World, hello};

const JWKS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"a"}]}"#;

/// An API server that answers with what stands here, and counts readings of its keys.
#[derive(Default)]
struct Api {
    status: Mutex<u16>,
    keys: Mutex<String>,
    readings: Mutex<Vec<Instant>>,
}

impl Api {
    fn answers(status: u16, keys: &str) -> Arc<Self> {
        let api = Arc::new(Self::default());
        api.says(status, keys);
        api
    }

    fn says(&self, status: u16, keys: &str) {
        *self.status.lock().unwrap() = status;
        keys.clone_into(&mut self.keys.lock().unwrap());
    }

    fn client(self: &Arc<Self>) -> Client {
        let api = Arc::clone(self);
        let service = tower::service_fn(move |request: Request<Body>| {
            let body = match request.uri().path() {
                DISCOVERY => {
                    r#"{"issuer":"https://managed.example/cluster","jwks_uri":"https://10.0.0.1:6443/openid/v1/jwks"}"#
                        .to_owned()
                }
                KEYS => {
                    api.readings.lock().unwrap().push(Instant::now());
                    api.keys.lock().unwrap().clone()
                }
                other => panic!("asked for {other}"),
            };
            let response = Response::builder().status(*api.status.lock().unwrap()).body(Body::from(body.into_bytes()));
            async move { Ok::<_, Infallible>(response.unwrap()) }
        });
        Client::new(service, "default")
    }
}

fn engine() -> Arc<Engine> {
    let clock = ManualClock::new();
    let options = Options {
        external_url: "https://login.example".to_owned(),
        operator_namespace: "claviger-system".to_owned(),
        published_namespace: "claviger-published".to_owned(),
        workers: 1,
    };
    let world = Arc::new(World::new(clock.clone()));
    Engine::new(world, options, Arc::new(clock), crate::metrics::Metrics::unregistered())
}

fn issuer(engine: &Engine) -> Option<String> {
    engine.context().with(|state| state.index.cluster_issuer(None).map(str::to_owned))
}

#[tokio::test]
async fn the_issuer_is_what_the_api_server_says_and_the_keys_are_asked_of_none_but_it() {
    let (api, engine) = (Api::answers(200, JWKS), engine());
    ServiceAccountKeys::new(api.client(), Arc::clone(&engine)).read().await;
    assert_eq!(issuer(&engine).as_deref(), Some("https://managed.example/cluster"));
}

#[tokio::test]
async fn what_is_known_stays_when_nothing_can_be_read() {
    let (api, engine) = (Api::answers(200, JWKS), engine());
    let mut keys = ServiceAccountKeys::new(api.client(), Arc::clone(&engine));
    keys.read().await;
    let endless = " ".repeat(LONGEST + 1);
    let broken = [
        (403, JWKS, "nonResourceURLs"),
        (404, JWKS, "no https URL"),
        (200, "{}", "no JWK Set"),
        (200, &endless, "longer"),
    ];
    for (status, body, reason) in broken {
        api.says(status, body);
        keys.read().await;
        let told = keys.failing.clone().unwrap_or_default();
        assert!(told.contains(reason), "{told}");
        assert_eq!(issuer(&engine).as_deref(), Some("https://managed.example/cluster"), "{reason}");
    }
    api.says(200, JWKS);
    keys.read().await;
    assert_eq!(keys.failing, None);
}

#[tokio::test(start_paused = true)]
async fn keys_are_read_again_and_again_and_soon_after_a_failure() {
    let (api, engine) = (Api::answers(200, JWKS), engine());
    let mut keys = ServiceAccountKeys::new(api.client(), engine);
    let began = Instant::now();
    let _ = timeout(Duration::from_secs(3600), keys.run()).await;
    let readings = api.readings.lock().unwrap().len();
    assert!((10..=15).contains(&readings), "{readings} in an hour");
    api.says(403, JWKS);
    let _ = timeout(Duration::from_secs(3600), keys.run()).await;
    let more = api.readings.lock().unwrap().len() - readings;
    assert!((90..=150).contains(&more), "{more} in an hour of failures");
    assert!(began.elapsed() >= Duration::from_secs(7200));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_makes_it_read_at_once_and_a_flood_of_them_not_more_than_each_ten_seconds() {
    let (api, engine) = (Api::answers(200, JWKS), engine());
    let mut keys = ServiceAccountKeys::new(api.client(), Arc::clone(&engine));
    engine.acknowledge("pod-a", hello("pod-a", "2026-03-01T12:00:00Z".parse().unwrap()));
    let flood = async {
        loop {
            engine.acknowledge("pod-a", Frame::UnknownServiceAccountKey);
            sleep(Duration::from_millis(100)).await;
        }
    };
    let minute = async {
        tokio::select! { () = flood => {}, () = keys.run() => {} }
    };
    let _ = timeout(Duration::from_secs(61), minute).await;
    let readings = api.readings.lock().unwrap().clone();
    assert_eq!(readings.len(), 6, "in a minute");
    assert!(readings.windows(2).all(|pair| pair[1] - pair[0] >= LEAST));
}
