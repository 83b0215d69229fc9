//! The parameters of an authorization request, from a query or a form: split once, with bounds.
//!
//! What is wrong with a parameter is remembered, not refused at once: the client and its redirect URI
//! decide whether it is told on a page or by a redirect. A parameter with a flaw has no value.

use std::borrow::Cow;
use std::fmt;

use super::refusal::PageError;
use crate::web::form_encoding::decode;

/// All of them together, in bytes.
const LARGEST: usize = 64 * 1024;
/// Repeats are looked for among all pairs, so that there may not be many.
const MOST: usize = 64;
/// Only their presence matters.
const ANY: usize = LARGEST;

/// The parameters that are read, each with the bytes that it may have. Others are ignored
/// (RFC 6749 §3.1). What is kept travels in a sealed handle, hence the bounds.
const KNOWN: [(&str, usize); 23] = [
    ("client_id", 256),
    // Registered ones have 1024, and a port may be added.
    ("redirect_uri", 1100),
    ("response_type", 64),
    ("response_mode", 32),
    ("scope", 4096),
    ("state", 2048),
    ("nonce", 1024),
    ("code_challenge", 128),
    ("code_challenge_method", 16),
    ("prompt", 128),
    ("max_age", 16),
    ("login_hint", 512),
    // An ID token with many groups is long; as long as one may be that is verified at all.
    ("id_token_hint", 48 * 1024),
    ("acr_values", 1024),
    ("ui_locales", 512),
    ("claims", 4096),
    ("display", 16),
    ("idp_hint", 128),
    ("resource", 1024),
    ("audience", 1024),
    ("request", ANY),
    ("request_uri", ANY),
    ("registration", ANY),
];

/// RFC 8707 §2: these may be repeated, and nothing else (RFC 6749 §3.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// Where parameters stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// GET.
    Query,
    /// POST.
    Body,
}

/// Why a parameter has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It came more than once (RFC 6749 §3.1).
    Repeated,
    /// It is not form-encoded UTF-8, or holds control characters.
    Unreadable,
    /// It is longer than any use needs.
    TooLong,
}

/// The parameters of one request.
pub(crate) struct Parameters<'a> {
    source: Source,
    pairs: Vec<(&'static str, Cow<'a, str>)>,
    flaws: Vec<(&'static str, Flaw)>,
    has_unreadable_name: bool,
}

impl Source {
    /// As `loc` of a validation error has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

impl<'a> Parameters<'a> {
    /// Splits `text`.
    pub(crate) fn parse(source: Source, text: &'a [u8]) -> Result<Self, PageError> {
        if text.len() > LARGEST {
            return Err(PageError::Unusable("the request is larger than 64 KiB"));
        }
        let mut parameters =
            Self { source, pairs: Vec::with_capacity(16), flaws: Vec::new(), has_unreadable_name: false };
        for (at, pair) in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).enumerate() {
            if at == MOST {
                return Err(PageError::Unusable("there are too many parameters"));
            }
            parameters.take(pair);
        }
        Ok(parameters)
    }

    fn take(&mut self, pair: &'a [u8]) {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        let Ok(name) = decode(name) else {
            self.has_unreadable_name = true;
            return;
        };
        let Some((name, longest)) = KNOWN.into_iter().find(|(known, _)| *known == name) else { return };
        let is_again = self.pairs.iter().any(|(other, _)| *other == name) || self.flaw(name).is_some();
        if is_again && !REPEATABLE.contains(&name) {
            return self.flaws.push((name, Flaw::Repeated));
        }
        match readable(name, value) {
            None => self.flaws.push((name, Flaw::Unreadable)),
            Some(value) if value.len() > longest => self.flaws.push((name, Flaw::TooLong)),
            Some(value) => self.pairs.push((name, value)),
        }
    }

    /// Where they stand.
    pub(crate) fn source(&self) -> Source {
        self.source
    }

    /// The value of `name`, if it has one without a flaw. One without a value is treated as omitted
    /// (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of `name`, which may be repeated.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let is_sound = self.flaw(name).is_none();
        let named = self.pairs.iter().filter(move |(other, value)| is_sound && *other == name && !value.is_empty());
        named.map(|(_, value)| &**value)
    }

    /// What is wrong with `name`.
    pub(crate) fn flaw(&self, name: &str) -> Option<Flaw> {
        self.flaws.iter().rev().find(|(other, _)| *other == name).map(|(_, flaw)| *flaw)
    }

    /// Whatever is wrong first, for people.
    pub(crate) fn first_flaw(&self) -> Option<String> {
        match self.flaws.first() {
            Some((name, flaw)) => Some(format!("{name} {}", flaw.verdict())),
            None => self.has_unreadable_name.then(|| "the name of a parameter is not form-encoded UTF-8".to_owned()),
        }
    }
}

/// `claims` is JSON, which may bear line feeds. Elsewhere a control character has no use but to
/// confuse whoever logs or shows the value (RFC 6749 appendix A).
fn readable<'a>(name: &str, value: &'a [u8]) -> Option<Cow<'a, str>> {
    let value = decode(value).ok()?;
    (name == "claims" || !value.contains(char::is_control)).then_some(value)
}

impl Flaw {
    fn verdict(self) -> &'static str {
        match self {
            Self::Repeated => "is repeated",
            Self::Unreadable => "is not form-encoded UTF-8 without control characters",
            Self::TooLong => "is too long",
        }
    }
}

/// Names alone: values are states, nonces and what somebody is called.
impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Parameters<'_> {
        Parameters::parse(Source::Query, text.as_bytes()).unwrap()
    }

    #[test]
    fn values_are_decoded_and_empty_ones_are_omitted() {
        let parameters = parse("client_id=a%2Fb&state=&scope=openid+email&&nonce");
        assert_eq!(parameters.get("client_id"), Some("a/b"));
        assert_eq!(parameters.get("scope"), Some("openid email"));
        assert_eq!((parameters.get("state"), parameters.get("nonce")), (None, None));
        assert_eq!(parameters.first_flaw(), None);
    }

    #[test]
    fn unknown_parameters_are_ignored_repeated_or_not() {
        let parameters = parse("utm=1&utm=2&utm=%zz&client_id=a");
        assert_eq!((parameters.get("utm"), parameters.first_flaw()), (None, None));
    }

    #[test]
    fn a_flaw_leaves_no_value_behind() {
        let long = format!("state={}", "s".repeat(2049));
        for (text, name, flaw) in [
            ("state=a&state=a", "state", Flaw::Repeated),
            ("state=&state=a", "state", Flaw::Repeated),
            ("state=%zz&state=a", "state", Flaw::Repeated),
            ("client_id=a&client%5Fid=b", "client_id", Flaw::Repeated),
            ("nonce=%e2%82", "nonce", Flaw::Unreadable),
            ("nonce=a%0Ab", "nonce", Flaw::Unreadable),
            ("redirect_uri=https://a%00b", "redirect_uri", Flaw::Unreadable),
            ("resource=a&resource=%zz", "resource", Flaw::Unreadable),
            (&long, "state", Flaw::TooLong),
        ] {
            let parameters = parse(text);
            assert_eq!((parameters.flaw(name), parameters.get(name)), (Some(flaw), None), "{text}");
            assert!(parameters.first_flaw().unwrap().starts_with(name), "{text}");
        }
    }

    #[test]
    fn resource_and_audience_alone_may_be_repeated() {
        let parameters = parse("resource=a&resource=b&audience=c&audience=c");
        assert_eq!(parameters.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(parameters.all("audience").count(), 2);
    }

    #[test]
    fn json_may_have_line_feeds() {
        assert_eq!(parse("claims=%7B%0A%7D").get("claims"), Some("{\n}"));
    }

    #[test]
    fn an_unreadable_name_is_a_flaw() {
        assert!(parse("client_id=a&%zz=1").first_flaw().is_some());
    }

    #[test]
    fn there_is_a_bound_to_the_pairs_and_to_all() {
        assert!(Parameters::parse(Source::Query, "a=1&".repeat(64).as_bytes()).is_ok());
        assert!(Parameters::parse(Source::Query, "a=1&".repeat(65).as_bytes()).is_err());
        assert!(Parameters::parse(Source::Body, &vec![b'a'; LARGEST + 1]).is_err());
    }

    proptest! {
        #[test]
        fn no_input_panics_and_no_value_exceeds_its_bound(text in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(parameters) = Parameters::parse(Source::Body, &text) {
                for (name, longest) in KNOWN {
                    prop_assert!(parameters.all(name).all(|value| value.len() <= longest));
                }
            }
        }
    }
}
