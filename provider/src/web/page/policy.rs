//! The Content-Security-Policy of a page: nothing but what that page needs.

use super::Page;
use super::assets::{STYLESHEET, Script};
use super::destination::WebAddress;

/// Front ends refuse headers of more than a few KiB.
const LONGEST_FRAMES: usize = 3 * 1024;

/// The policy of `page`. There is no `form-action`: Chromium applies it to every redirect that
/// follows a post, and those lead to the applications.
pub(super) fn of(page: &impl Page) -> String {
    let site = page.site();
    let mut policy = format!("default-src 'none'; style-src {}", own(site.issuer, STYLESHEET));
    if let Some(script) = page.script() {
        policy += &format!("; script-src {}", own(site.issuer, Script::path(script)));
    }
    if let Some(logo) = site.logo.and_then(|logo| logo.source()) {
        policy += &format!("; img-src {logo}");
    }
    if !page.frames().is_empty() {
        policy += &format!("; frame-src {}", frames(page.frames()));
    }
    policy + "; base-uri 'none'; frame-ancestors 'none'"
}

/// A path of our own. What the grammar has no words for (an IPv6 address) becomes the whole origin.
fn own(issuer: &str, path: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:%".contains(&byte);
    match WebAddress::parse(issuer).and_then(|issuer| issuer.source()) {
        Some(_) if issuer.bytes().all(legal) => format!("{issuer}{path}"),
        Some(_) | None => "'self'".to_owned(),
    }
}

/// The frames' origins, each once. Where they are too many to name, any secure one.
fn frames(frames: &[WebAddress<'_>]) -> String {
    let mut sources: Vec<&str> = frames.iter().filter_map(WebAddress::source).collect();
    sources.sort_unstable();
    sources.dedup();
    let sources = sources.join(" ");
    match sources.len() {
        0 => "'none'".to_owned(),
        1..=LONGEST_FRAMES => sources,
        _ => "https:".to_owned(),
    }
}
