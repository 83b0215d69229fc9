//! Writes and the leadership that they rest on.

use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::Timestamp;
use kube::client::Body;
use tokio::time::Instant;

use super::*;
use crate::clock::{Clock, Moment};
use crate::metrics::Metrics;
use crate::settings::Rate;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Moment {
        Moment { wall: Timestamp::UNIX_EPOCH, monotonic: Duration::from_secs(100) }
    }
}

/// Of an API server that never answers.
fn cluster(led_since: u64) -> KubernetesCluster {
    let silent =
        tower::service_fn(|_: http::Request<Body>| std::future::pending::<Result<http::Response<Body>, kube::Error>>());
    let leadership = Leadership::new(Arc::new(Stopped), Duration::from_secs(led_since), Duration::from_secs(10));
    let turns = Turns::new(
        Rate { per_second: NonZeroU32::new(10).unwrap(), burst: NonZeroU32::new(2).unwrap() },
        Metrics::unregistered(),
    );
    KubernetesCluster::new(Client::new(silent, "default"), leadership, turns, "me")
}

async fn creation(cluster: &KubernetesCluster) -> Duration {
    let began = Instant::now();
    assert!(matches!(cluster.create_secret(Secret::default()).await, Err(ClusterError::Unavailable(_))));
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_write_is_given_up_when_the_leadership_may_be_another_s() {
    assert_eq!(creation(&cluster(93)).await.as_secs(), 3);
    assert_eq!(creation(&cluster(100)).await.as_secs(), 10);
    assert_eq!(creation(&cluster(90)).await, Duration::ZERO, "not even begun");
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_the_rate_wait_for_their_turn() {
    // Nobody leads, so each write is refused as soon as it may begin.
    let cluster = cluster(90);
    let began = Instant::now();
    let mut times = Vec::new();
    for _ in 0..5 {
        creation(&cluster).await;
        times.push(began.elapsed().as_millis() / 100);
    }
    assert_eq!(times, [0, 0, 1, 2, 3]);
}
