//! The ID by which an answer is found in logs.

use std::sync::atomic::{AtomicU64, Ordering};

use claviger_jose::random;
use http::{HeaderMap, HeaderName, HeaderValue};

/// On requests and answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ones are no IDs.
const LONGEST: usize = 128;

/// Makes IDs: unique, not secret. So they are counted, beside a number that this process drew.
#[derive(Debug)]
pub(crate) struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// Of this process.
    pub(crate) fn new() -> Self {
        let process: [u8; 8] = random::bytes();
        Self { process: u64::from_be_bytes(process), next: AtomicU64::new(0) }
    }

    /// The ID that a request brought, if it is one, else a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(X_REQUEST_ID) {
            Some(id) if is_sane(id.as_bytes()) => id.clone(),
            Some(_) | None => self.make(),
        }
    }

    fn make(&self) -> HeaderValue {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = [b'-'; 33];
        for at in 0..16 {
            let shift = 60 - 4 * at;
            id[at] = DIGITS[(self.process >> shift & 15) as usize];
            id[17 + at] = DIGITS[(number >> shift & 15) as usize];
        }
        HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

/// It is written to logs: nothing in it may look like anything else there.
fn is_sane(id: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_differ() {
        let ids = RequestIds::new();
        let (first, second) = (ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
        assert_ne!(first, second);
        assert!(first.to_str().unwrap().ends_with("-0000000000000000"), "{first:?}");
        assert!(second.to_str().unwrap().ends_with("-0000000000000001"), "{second:?}");
    }

    #[test]
    fn an_id_that_could_forge_a_log_line_is_not_kept() {
        let ids = RequestIds::new();
        for (id, kept) in [
            ("4bf92f3577b34da6a3ce929d0e0e4736", true),
            ("Root=1-67891233-abcdef012345678912345678", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            (&"x".repeat(129), false),
        ] {
            let headers = HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_str(id).unwrap())]);
            assert_eq!(ids.of(&headers) == id, kept, "{id}");
        }
    }
}
