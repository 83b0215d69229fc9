//! The files that pages link to: the stylesheet with the tenant's colour, and two small scripts.
//! They are in the program.

use axum::body::Bytes;
use claviger_crds::published::Digest;
use http::HeaderValue;

use super::accent::Accent;

/// Below the issuer.
pub(crate) const STYLESHEET: &str = "/oauth/assets/pages.css";
/// Below the issuer.
pub(crate) const FORM_POST: &str = "/oauth/assets/form-post.js";
/// Below the issuer.
pub(crate) const FRONT_CHANNEL: &str = "/oauth/assets/front-channel.js";

/// A script that a page may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Sends the form of [`super::form_post`].
    FormPost,
    /// Moves on from [`super::logged_out`] once its frames are loaded.
    FrontChannel,
}

/// A file, with the headers that tell what it is.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    /// What is in it.
    pub(crate) body: Bytes,
    /// What it is.
    pub(crate) content_type: HeaderValue,
    /// Strong: of the very bytes.
    pub(crate) etag: HeaderValue,
    /// Short, for the address stays the same when a release or a colour changes it.
    pub(crate) cache_control: HeaderValue,
}

impl Script {
    /// Where it is, below the issuer.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::FormPost => FORM_POST,
            Self::FrontChannel => FRONT_CHANNEL,
        }
    }

    /// The file.
    pub(crate) fn asset(self) -> Asset {
        let source = match self {
            Self::FormPost => include_str!("../../../assets/form-post.js"),
            Self::FrontChannel => include_str!("../../../assets/front-channel.js"),
        };
        Asset::new(Bytes::from_static(source.as_bytes()), "text/javascript; charset=utf-8")
    }
}

/// The stylesheet in a tenant's colour, or ours where it has none that is one.
pub(crate) fn stylesheet(accent: Option<&str>) -> Asset {
    let accent: Accent = accent.and_then(|accent| accent.parse().ok()).unwrap_or_default();
    let css = accent.declarations() + include_str!("../../../assets/pages.css");
    Asset::new(css.into(), "text/css; charset=utf-8")
}

impl Asset {
    /// With an ETag of its bytes.
    pub(crate) fn new(body: Bytes, content_type: &'static str) -> Self {
        let digest = Digest::of(&body).to_string();
        let etag = digest.trim_start_matches("sha256:").get(..32).unwrap_or_default();
        Self {
            // Hexadecimal digits are a header's.
            etag: HeaderValue::from_str(&format!("\"{etag}\"")).unwrap_or(HeaderValue::from_static("\"\"")),
            content_type: HeaderValue::from_static(content_type),
            cache_control: HeaderValue::from_static("public, max-age=300"),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stylesheet_has_its_tenants_colour_and_an_etag_of_its_own() {
        let (own, other) = (stylesheet(Some("#00f")), stylesheet(Some("#080")));
        assert!(own.body.starts_with(b":root{--accent:#0000ff;"));
        assert_ne!(own.etag, other.etag);
        assert_eq!(own.etag, stylesheet(Some("#0000ff")).etag);
    }

    #[test]
    fn what_is_no_colour_never_reaches_the_stylesheet() {
        let ours = stylesheet(None);
        for accent in ["red", "#fff;}*{display:none", "url(https://evil.example)", ""] {
            assert_eq!(stylesheet(Some(accent)).body, ours.body, "{accent}");
        }
    }

    #[test]
    fn scripts_leave_nothing_behind_in_the_page() {
        for script in [Script::FormPost, Script::FrontChannel] {
            let asset = script.asset();
            let source = std::str::from_utf8(&asset.body).unwrap();
            let code: String = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            assert!(code.starts_with("(() => {") && code.ends_with("})();"), "{code}");
            assert!(!code.contains("innerHTML") && !code.contains("eval") && !code.contains("window."), "{code}");
            assert_eq!(asset.content_type, "text/javascript; charset=utf-8");
        }
    }
}
