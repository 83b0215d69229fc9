//! What a request says that its body is.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Whether `headers` call the body `essence`, a media type without its parameters; none where they do not say.
pub(crate) fn is(headers: &HeaderMap, essence: &str) -> Option<bool> {
    let media_type = headers.get(CONTENT_TYPE)?.as_bytes();
    let said = media_type.split(|byte| *byte == b';').next().unwrap_or_default();
    Some(said.trim_ascii().eq_ignore_ascii_case(essence.as_bytes()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_media_type_is_known_with_parameters_and_in_any_case() {
        let of = |text| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]);
            is(&headers, "application/json")
        };
        assert_eq!(is(&HeaderMap::new(), "application/json"), None);
        for text in ["application/json", "Application/JSON", "application/json; charset=utf-8", " application/json ;x"]
        {
            assert_eq!(of(text), Some(true), "{text}");
        }
        for text in ["", "application/jsonx", "text/html;application/json", "application/x-www-form-urlencoded"] {
            assert_eq!(of(text), Some(false), "{text}");
        }
    }
}
