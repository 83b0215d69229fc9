//! Writes and the leadership that they rest on.

use std::sync::Arc;

use jiff::Timestamp;
use kube::client::Body;
use tokio::time::Instant;

use super::*;
use crate::clock::{Clock, Moment};

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
    KubernetesCluster::new(Client::new(silent, "default"), leadership, "me")
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
