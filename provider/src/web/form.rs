//! A form in a request's body: read with bounds, split once, repeats refused.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::error::{ErrorCode, OAuthError};
use super::form_encoding::decode;
use super::media_type;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";
/// An assertion with keys in it is a few KiB.
const LARGEST: usize = 64 * 1024;
/// Repeats are looked for among all pairs, so that there may not be many.
const MOST: usize = 64;
/// For a body whose head has come.
const PATIENCE: Duration = Duration::from_secs(10);
/// RFC 8707 §2 and RFC 8693 §2.1: these may be repeated, and nothing else (RFC 6749 §3.2).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// The pairs of a form.
pub(crate) struct Form<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Reads the body, if it is a form.
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, OAuthError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LARGEST) {
        return Err(too_large());
    }
    let is_form = media_type::is(headers, MEDIA_TYPE);
    if is_form == Some(false) {
        return Err(wrong_media_type());
    }
    let bytes = bytes(body).await?;
    // Nothing at all is an empty form, whose required fields are missing.
    if is_form.is_none() && !bytes.is_empty() {
        return Err(wrong_media_type());
    }
    Ok(bytes)
}

/// Reads the body of a POST that may have none, and nothing of a GET.
pub(crate) async fn read_if_any(parts: &Parts, body: Body) -> Result<Bytes, OAuthError> {
    let has_form = parts.method == Method::POST && media_type::is(&parts.headers, MEDIA_TYPE) == Some(true);
    if has_form { read(&parts.headers, body).await } else { Ok(Bytes::new()) }
}

/// Reads a body whatever it is, within the bounds.
pub(crate) async fn bytes(body: Body) -> Result<Bytes, OAuthError> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await {
        Err(_) => Err(OAuthError::new(ErrorCode::TooSlow, "the body did not come in time")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(OAuthError::new(ErrorCode::InvalidRequest, "the body could not be read")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

fn too_large() -> OAuthError {
    OAuthError::new(ErrorCode::TooLarge, "the body is larger than 64 KiB")
}

fn wrong_media_type() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, "the body has to be application/x-www-form-urlencoded")
}

/// Names alone: the values are passwords, secrets and tokens.
impl fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

impl<'a> Form<'a> {
    /// Splits `body` into its pairs.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, OAuthError> {
        let malformed = |_| OAuthError::new(ErrorCode::InvalidRequest, "the body is not form-encoded UTF-8");
        let mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(8);
        let mut rest = body;
        while !rest.is_empty() {
            let (pair, more) = split_at_first(b'&', rest);
            rest = more;
            if pair.is_empty() {
                continue;
            }
            let (name, value) = split_at_first(b'=', pair);
            let (name, value) = (decode(name).map_err(malformed)?, decode(value).map_err(malformed)?);
            if pairs.len() == MOST {
                return Err(OAuthError::new(ErrorCode::InvalidRequest, "there are too many parameters"));
            }
            if !REPEATABLE.contains(&&*name) && pairs.iter().any(|(other, _)| *other == name) {
                return Err(repeated(&name));
            }
            pairs.push((name, value));
        }
        Ok(Self { pairs })
    }

    /// The value of `name`. One without a value is treated as omitted (RFC 6749 §3.2).
    pub(crate) fn get<'f>(&'f self, name: &'f str) -> Option<&'f str> {
        self.all(name).next()
    }

    /// The values of `name`, which may be repeated.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let named = self.pairs.iter().filter(move |(other, value)| other == name && !value.is_empty());
        named.map(|(_, value)| &**value)
    }
}

/// What stands before and after the first `byte`; all and nothing where there is none.
fn split_at_first(byte: u8, text: &[u8]) -> (&[u8], &[u8]) {
    memchr::memchr(byte, text).map_or((text, &[]), |at| (&text[..at], &text[at + 1..]))
}

/// Names it only where it is a parameter's name and nothing that a log or a page could misread.
fn repeated(name: &str) -> OAuthError {
    let plain = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let description =
        if plain { Cow::Owned(format!("{name} is repeated")) } else { Cow::Borrowed("a parameter is repeated") };
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_they_stand_and_empty_ones_are_none() {
        for (body, pairs) in [
            ("", &[][..]),
            ("&&", &[]),
            ("a=1&b=2", &[("a", "1"), ("b", "2")]),
            ("&a=1&&b=2&", &[("a", "1"), ("b", "2")]),
            ("a", &[("a", "")]),
            ("a=", &[("a", "")]),
            ("=1", &[("", "1")]),
            ("a==1=", &[("a", "=1=")]),
            ("a%26=1%3D%26", &[("a&", "1=&")]),
            ("a+b=c+d", &[("a b", "c d")]),
        ] {
            let form = Form::parse(body.as_bytes()).unwrap();
            let read: Vec<(&str, &str)> = form.pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(read, pairs, "{body}");
        }
        for body in ["a=1&a=2", "a&a", "=1&=2", "a=%", "a=%ff"] {
            assert!(Form::parse(body.as_bytes()).is_err(), "{body}");
        }
    }
}
