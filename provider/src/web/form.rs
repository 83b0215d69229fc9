//! A form in a request's body: read with bounds, split once, repeats refused.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::Semaphore;

use super::error::{ErrorCode, OAuthError};
use super::form_encoding::decode;
use super::media_type;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";
/// An assertion with keys in it is a few KiB.
const LARGEST: usize = 64 * 1024;
/// Nearly every body is smaller.
const SMALL: usize = 8 * 1024;
/// Bodies above that are read, so many at once: strangers who send them slowly must not hold more memory than the pod has.
static LARGE: Semaphore = Semaphore::const_new(1024);
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
    let body = collect(Limited::new(body, LARGEST), &LARGE);
    let late = |_| OAuthError::new(ErrorCode::TooSlow, "the body did not come in time");
    tokio::time::timeout(PATIENCE, body).await.map_err(late)?
}

async fn collect(mut body: Limited<Body>, large: &Semaphore) -> Result<Bytes, OAuthError> {
    let (mut first, mut rest, mut room) = (Bytes::new(), Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| unread(&*error))?.into_data() else { continue };
        if room.is_none() && first.len() + rest.len() + data.len() > SMALL {
            room = Some(large.try_acquire().map_err(|_| busy())?);
        }
        if first.is_empty() {
            // Most come in one piece, which is not copied.
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { [&first[..], &rest].concat().into() })
}

fn unread(error: &(dyn Error + 'static)) -> OAuthError {
    if error.is::<LengthLimitError>() {
        return too_large();
    }
    OAuthError::new(ErrorCode::InvalidRequest, "the body could not be read")
}

fn busy() -> OAuthError {
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "too many large bodies are on their way")
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
    use futures::{FutureExt as _, StreamExt as _};

    use super::*;

    fn pieces(sizes: &[usize]) -> Limited<Body> {
        let pieces: Vec<_> = sizes.iter().map(|size| Ok::<_, fmt::Error>(vec![b'a'; *size])).collect();
        Limited::new(Body::from_stream(futures::stream::iter(pieces)), LARGEST)
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_large_bodies_and_for_every_small_one() {
        let large = Semaphore::new(1);
        let length = async |body| collect(body, &large).await.map(|bytes| bytes.len());
        let first = Body::from_stream(
            futures::stream::iter([Ok::<_, fmt::Error>(vec![b'a'; SMALL + 1])]).chain(futures::stream::pending()),
        );
        let mut first = Box::pin(length(Limited::new(first, LARGEST)));
        assert!(first.as_mut().now_or_never().is_none(), "it goes on");
        for (sizes, expected) in [
            (&[][..], Ok(0)),
            (&[SMALL], Ok(SMALL)),
            (&[1, SMALL - 1], Ok(SMALL)),
            (&[SMALL, 1], Err(ErrorCode::TemporarilyUnavailable)),
            (&[SMALL + 1], Err(ErrorCode::TemporarilyUnavailable)),
        ] {
            assert_eq!(length(pieces(sizes)).await.map_err(|error| error.code), expected, "{sizes:?}");
        }
        drop(first);
        assert_eq!(length(pieces(&[SMALL, 1, SMALL])).await.map_err(|error| error.code), Ok(2 * SMALL + 1));
    }

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
