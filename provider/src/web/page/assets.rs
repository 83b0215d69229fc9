//! The files that pages link to: the stylesheet with the tenant's colour, and two small scripts.
//! They are in the program.

use std::sync::LazyLock;

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

/// The stylesheet, without a colour.
const RULES: &str = include_str!("../../../assets/pages.css");

/// What is the same for every tenant, with its ETags: made once.
struct Files {
    form_post: Asset,
    front_channel: Asset,
    stylesheet: Asset,
    /// Of the stylesheet's rules: with a colour it is the ETag of the whole.
    rules: String,
}

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let script = |source: &'static str| Asset::new(source.as_bytes().into(), "text/javascript; charset=utf-8");
    Files {
        form_post: script(include_str!("../../../assets/form-post.js")),
        front_channel: script(include_str!("../../../assets/front-channel.js")),
        stylesheet: Asset::new((Accent::default().declarations() + RULES).into(), STYLES),
        rules: digest(RULES.as_bytes()),
    }
});

const STYLES: &str = "text/css; charset=utf-8";

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
        match self {
            Self::FormPost => FILES.form_post.clone(),
            Self::FrontChannel => FILES.front_channel.clone(),
        }
    }
}

/// The stylesheet in a tenant's colour, or ours where it has none that is one. A colour is written
/// before the rules and digested nowhere: so there is nothing to keep for each tenant.
pub(crate) fn stylesheet(accent: Option<&str>) -> Asset {
    let Some(accent) = accent.and_then(|accent| accent.parse::<Accent>().ok()) else {
        return FILES.stylesheet.clone();
    };
    let etag = etag(&format!("{}-{accent}", FILES.rules));
    Asset { etag, body: (accent.declarations() + RULES).into(), ..FILES.stylesheet.clone() }
}

/// Some of a digest, as text.
fn digest(bytes: &[u8]) -> String {
    let digest = Digest::of(bytes).to_string();
    digest.trim_start_matches("sha256:").get(..32).unwrap_or_default().to_owned()
}

/// Digits and hyphens are a header's.
fn etag(text: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{text}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

impl Asset {
    /// With an ETag of its bytes.
    pub(crate) fn new(body: Bytes, content_type: &'static str) -> Self {
        Self {
            etag: etag(&digest(&body)),
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
        assert_ne!(own.etag, stylesheet(None).etag);
    }

    #[test]
    fn what_is_no_colour_never_reaches_the_stylesheet() {
        let ours = stylesheet(None);
        for accent in ["red", "#fff;}*{display:none", "url(https://evil.example)", ""] {
            assert_eq!(stylesheet(Some(accent)).body, ours.body, "{accent}");
        }
    }

    #[test]
    fn what_every_tenant_has_alike_is_made_once() {
        let alike = |make: fn() -> Asset| make().body.as_ptr() == make().body.as_ptr();
        assert!(alike(|| stylesheet(None)));
        assert!(alike(|| Script::FormPost.asset()) && alike(|| Script::FrontChannel.asset()));
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
