//! The authorization response (RFC 6749 §4.1.2): a code or an error, carried back in one of three ways.
//!
//! `state` comes back as it was sent. `iss` (RFC 9207) is always there: it tells a client that talks
//! to several issuers which of them answered.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::redirect_uri::RedirectUri;
use super::refusal::AuthorizationError;
use crate::web::form_encoding::encode;

/// How parameters reach the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ResponseMode {
    /// In the query: the default of `code` (OAuth 2.0 Multiple Response Type Encoding Practices §2.1).
    #[default]
    #[serde(rename = "q")]
    Query,
    /// In the fragment (§2.1 there).
    #[serde(rename = "f")]
    Fragment,
    /// By a form that the browser posts (OAuth 2.0 Form Post Response Mode §2).
    #[serde(rename = "p")]
    FormPost,
}

/// Where an answer goes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// Found registered.
    pub(crate) redirect_uri: RedirectUri,
    /// How.
    pub(crate) mode: ResponseMode,
    /// As it was sent.
    pub(crate) state: Option<String>,
    /// `iss`.
    pub(crate) issuer: Arc<str>,
}

/// An answer.
#[derive(PartialEq, Eq)]
pub(crate) struct AuthorizationResponse {
    /// Where to.
    pub(crate) redirect_uri: RedirectUri,
    /// How.
    pub(crate) mode: ResponseMode,
    /// What, not yet encoded.
    pub(crate) parameters: Vec<(&'static str, String)>,
}

// === impl ResponseMode ===

impl ResponseMode {
    /// Those that are served.
    pub(crate) const ALL: [Self; 3] = [Self::Query, Self::Fragment, Self::FormPost];

    /// As `response_mode` has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// The one that `text` names.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

// === impl Destination ===

impl Destination {
    /// The answer with this code.
    pub(crate) fn code(self, code: String) -> AuthorizationResponse {
        self.answer(vec![("code", code)])
    }

    /// The answer with this error.
    pub(crate) fn error(self, error: AuthorizationError) -> AuthorizationResponse {
        let mut parameters = vec![("error", error.code.as_str().to_owned())];
        if !error.description.is_empty() {
            parameters.push(("error_description", error.description.into_owned()));
        }
        self.answer(parameters)
    }

    fn answer(self, mut parameters: Vec<(&'static str, String)>) -> AuthorizationResponse {
        parameters.extend(self.state.map(|state| ("state", state)));
        parameters.push(("iss", self.issuer.as_ref().to_owned()));
        AuthorizationResponse { redirect_uri: self.redirect_uri, mode: self.mode, parameters }
    }
}

/// Without `state`, which guards the client's session.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination").field("redirect_uri", &self.redirect_uri).field("mode", &self.mode).finish()
    }
}

// === impl AuthorizationResponse ===

impl AuthorizationResponse {
    /// `Location`: visible ASCII. None where a form posts the parameters to the redirect URI.
    pub(crate) fn location(&self) -> Option<String> {
        let uri = self.redirect_uri.as_str();
        let separator = match self.mode {
            ResponseMode::FormPost => return None,
            ResponseMode::Fragment => "#",
            // A query that was registered is kept (RFC 6749 §3.1.2).
            ResponseMode::Query if uri.ends_with(['?', '&']) => "",
            ResponseMode::Query if uri.contains('?') => "&",
            ResponseMode::Query => "?",
        };
        let mut location = format!("{uri}{separator}");
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            if at > 0 {
                location.push('&');
            }
            location.push_str(name);
            location.push('=');
            encode(value, &mut location);
        }
        Some(location)
    }
}

/// Without values: one of them is the code.
impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.parameters.iter().map(|(name, _)| *name).collect();
        f.debug_struct("AuthorizationResponse")
            .field("redirect_uri", &self.redirect_uri)
            .field("mode", &self.mode)
            .field("parameters", &names)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authorize::fixture::{ISSUER, client};
    use crate::authorize::redirect_uri;
    use crate::authorize::refusal::AuthorizationErrorCode;

    fn destination(uri: &str, mode: ResponseMode, state: Option<&str>) -> Destination {
        let client = client(json!({ "redirectUris": [uri] }));
        let (redirect_uri, _) = redirect_uri::find(&client, uri).unwrap();
        Destination { redirect_uri, mode, state: state.map(str::to_owned), issuer: ISSUER.into() }
    }

    const ISS: &str = "iss=https%3A%2F%2Flogin.example%2Fapi%2Fv1%2Fauth%2Ftenants%2Facme";

    #[test]
    fn parameters_follow_the_registered_query() {
        for (uri, before) in [
            ("https://shop.example/cb", "https://shop.example/cb?"),
            ("https://shop.example", "https://shop.example?"),
            ("https://shop.example/cb?", "https://shop.example/cb?"),
            ("https://shop.example/cb?a=b", "https://shop.example/cb?a=b&"),
            ("https://shop.example/cb?a=b&", "https://shop.example/cb?a=b&"),
        ] {
            let answer = destination(uri, ResponseMode::Query, None).code("c".to_owned());
            assert_eq!(answer.location(), Some(format!("{before}code=c&{ISS}")), "{uri}");
        }
    }

    #[test]
    fn a_fragment_stands_behind_the_query() {
        let answer = destination("https://shop.example/cb?a=b", ResponseMode::Fragment, Some("s"));
        let expected = format!("https://shop.example/cb?a=b#code=c&state=s&{ISS}");
        assert_eq!(answer.code("c".to_owned()).location(), Some(expected));
    }

    #[test]
    fn a_form_gets_the_parameters_as_they_are() {
        let answer =
            destination("https://shop.example/cb", ResponseMode::FormPost, Some("a b\"<")).code("c".to_owned());
        assert_eq!(answer.location(), None);
        let expected = [("code", "c".to_owned()), ("state", "a b\"<".to_owned()), ("iss", ISSUER.to_owned())];
        assert_eq!(answer.parameters, expected);
    }

    #[test]
    fn a_state_cannot_add_parameters_or_headers() {
        let answer = destination("https://shop.example/cb", ResponseMode::Query, Some("a&code=x#\r\nb +é"));
        let location = answer.code("c".to_owned()).location().unwrap();
        assert!(location.contains("&state=a%26code%3Dx%23%0D%0Ab%20%2B%C3%A9&iss="), "{location}");
    }

    #[test]
    fn an_error_says_what_and_from_whom() {
        let error = AuthorizationError::new(AuthorizationErrorCode::AccessDenied, "no");
        let answer = destination("https://shop.example/cb", ResponseMode::Query, Some("s")).error(error);
        let expected = format!("https://shop.example/cb?error=access_denied&error_description=no&state=s&{ISS}");
        assert_eq!(answer.location(), Some(expected));
    }

    #[test]
    fn debug_shows_neither_code_nor_state() {
        let destination = destination("https://shop.example/cb", ResponseMode::Query, Some("hidden"));
        assert!(!format!("{destination:?}").contains("hidden"));
        assert!(!format!("{:?}", destination.code("secret".to_owned())).contains("secret"));
    }
}
