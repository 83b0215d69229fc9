//! An address that the provider or a browser calls.

use schemars::{Schema, json_schema};
use url::Url;

use super::redirect_uri::is_loopback_authority;
use super::text::{Unusable, is_visible_ascii, text_type};

text_type! {
    /// An absolute `https` URI, or `http` on loopback for laptops, without a fragment and without a
    /// user name. Whether the provider may call it is decided when it connects.
    EndpointUri, check = check, schema = schema
}

const EXPECTED: &str = "must be an https URI (http on loopback) without a fragment and without a user name";

fn check(text: &str) -> Result<(), Unusable> {
    is_endpoint(text).then_some(()).ok_or(Unusable(EXPECTED))
}

/// Whether `text` is an absolute web address of the kind that may be named in a spec.
pub(crate) fn is_endpoint(text: &str) -> bool {
    if text.len() > 1024 || !is_visible_ascii(text) || text.contains(['#', '\\', '"', '<', '>']) {
        return false;
    }
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    !authority.is_empty()
        && !authority.contains('@')
        && (scheme == "https" || scheme == "http" && is_loopback_authority(authority))
        && Url::parse(text).is_ok_and(|url| url.host().is_some())
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 1024,
        "x-kubernetes-validations": [{
            "rule": "self.matches('^(https://[^/?#@\"<> \\\\\\\\]+|http://(localhost|127[.]0[.]0[.]1|\\\\[::1\\\\])(:[0-9]{1,5})?)([/?][!$-;=?-\\\\[\\\\]-~]*)?$') && isURL(self)",
            "message": EXPECTED,
        }],
    })
}
