//! How long an answer may be kept (RFC 9111, as a private cache reads it).

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, HeaderMap};

/// What `Cache-Control` says, less the time that the answer already spent in caches; nothing if it
/// says nothing. A date in `Expires` is not read: it would need the other side's clock to be right.
pub(super) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut found = None;
    for directive in values.flat_map(|value| value.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            // The first one counts (RFC 9111, section 4.2.1).
            "max-age" if found.is_none() => found = seconds(value.trim().trim_matches('"')),
            _ => {}
        }
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()).and_then(|age| seconds(age.trim()));
    found.map(|found| found.saturating_sub(age.unwrap_or_default()))
}

/// Digits only; what is too large for a number is very long (RFC 9111, section 1.2.2).
fn seconds(digits: &str) -> Option<Duration> {
    let digital = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digital.then(|| Duration::from_secs(digits.parse().map_or(u64::from(u32::MAX), <u64 as From<u32>>::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        max_age(&map).map(|age| age.as_secs())
    }

    #[test]
    fn the_lifetime_is_what_the_headers_say() {
        type Case = (&'static [(&'static str, &'static str)], Option<u64>);
        let cases: &[Case] = &[
            (&[], None),
            (&[("cache-control", "public")], None),
            (&[("cache-control", "max-age=300")], Some(300)),
            (&[("cache-control", "public, Max-Age = \"300\" , must-revalidate")], Some(300)),
            (&[("cache-control", "max-age=300, max-age=900")], Some(300)),
            (&[("cache-control", "public"), ("cache-control", "max-age=60")], Some(60)),
            (&[("cache-control", "max-age=300"), ("age", "100")], Some(200)),
            (&[("cache-control", "max-age=300"), ("age", "500")], Some(0)),
            (&[("cache-control", "max-age=300"), ("age", "old")], Some(300)),
            (&[("cache-control", "no-store, max-age=300")], Some(0)),
            (&[("cache-control", "max-age=300, no-cache=\"set-cookie\"")], Some(0)),
            (&[("cache-control", "s-maxage=300")], None),
            (&[("cache-control", "max-age=-1")], None),
            (&[("cache-control", "max-age=")], None),
            (&[("cache-control", "max-age=99999999999999999999999")], Some(u64::from(u32::MAX))),
        ];
        for (headers, expected) in cases {
            assert_eq!(of(headers), *expected, "{headers:?}");
        }
    }
}
