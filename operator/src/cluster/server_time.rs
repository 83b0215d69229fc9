//! The API server's clock against ours: every answer bears its time.

use std::time::Duration;

use http::{Request, Response, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use kube::Client;
use kube::client::Body;
use tokio::time::timeout;

use crate::clock::Clock;

const LIMIT: Duration = Duration::from_secs(5);
/// HTTP dates are written by one pattern (RFC 9110 §5.6.7), which this reads.
const DATES: DateTimeParser = DateTimeParser::new();

/// The API server's clock less ours, whole seconds; `None` when it did not say, or took so long
/// that the answer means nothing.
pub(crate) async fn offset(client: &Client, clock: &dyn Clock) -> Option<i64> {
    let request = Request::get("/version").body(Body::empty()).ok()?;
    let before = clock.now();
    let response = timeout(LIMIT, client.send(request)).await.ok()?.ok()?;
    let after = clock.now();
    let took = after.monotonic.saturating_sub(before.monotonic);
    let ours = before.wall.checked_add(took / 2).ok()?;
    Some(date(&response)?.as_second() - ours.as_second())
}

fn date<T>(response: &Response<T>) -> Option<Timestamp> {
    DATES.parse_timestamp(response.headers().get(header::DATE)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::testing::ManualClock;

    fn api(date: &'static str) -> Client {
        let service = tower::service_fn(move |_: Request<Body>| async move {
            // Who may not read the version is told the time all the same.
            let refused = Response::builder().status(403).header(header::DATE, date).body(Body::empty());
            Ok::<_, Infallible>(refused.unwrap())
        });
        Client::new(service, "default")
    }

    #[tokio::test]
    async fn the_difference_is_told_in_whole_seconds() {
        let clock = ManualClock::new();
        assert_eq!(offset(&api("Sun, 01 Mar 2026 12:00:00 GMT"), &clock).await, Some(0));
        assert_eq!(offset(&api("Sun, 01 Mar 2026 12:01:30 GMT"), &clock).await, Some(90));
        assert_eq!(offset(&api("Sun, 01 Mar 2026 11:59:00 GMT"), &clock).await, Some(-60));
    }

    #[tokio::test]
    async fn an_answer_without_a_date_says_nothing() {
        assert_eq!(offset(&api("yesterday"), &ManualClock::new()).await, None);
    }
}
