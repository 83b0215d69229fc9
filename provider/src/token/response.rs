//! The token endpoint's answer (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3).

use serde::Serialize;

use super::access_token::AccessToken;

/// A successful answer.
pub(crate) struct TokenResponse {
    /// A JWS, so letters that JSON takes as they are (RFC 7515 §7.1): nobody looks through it for others.
    access_token: String,
    rest: Rest,
}

/// What stands behind the access token, in this order.
#[derive(Serialize)]
struct Rest {
    token_type: &'static str,
    expires_in: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// RFC 8693 §2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

impl TokenResponse {
    /// Of an exchange: what was issued.
    pub(crate) fn with_issued_token_type(self, issued_token_type: Option<&'static str>) -> Self {
        Self { rest: Rest { issued_token_type, ..self.rest }, ..self }
    }

    /// With an access token alone. A client is always told which scopes a person granted, for they
    /// may be fewer than it asked for (RFC 6749 §3.3).
    pub(crate) fn new(access_token: AccessToken) -> Self {
        let AccessToken { token, expires_in, scope, of_person } = access_token;
        let rest = Rest {
            token_type: "Bearer",
            expires_in,
            refresh_token: None,
            id_token: None,
            scope: Some(scope).filter(|scope| of_person || !scope.is_empty()),
            issued_token_type: None,
        };
        Self { access_token: token, rest }
    }

    /// And this refresh token.
    pub(crate) fn with_refresh_token(self, refresh_token: Option<String>) -> Self {
        Self { rest: Rest { refresh_token, ..self.rest }, ..self }
    }

    /// And this ID token.
    pub(crate) fn with_id_token(self, id_token: Option<String>) -> Self {
        Self { rest: Rest { id_token, ..self.rest }, ..self }
    }

    /// The body.
    pub(crate) fn into_json(self) -> Vec<u8> {
        let Self { access_token, rest } = self;
        let texts = [&rest.refresh_token, &rest.id_token, &rest.scope].into_iter().flatten();
        let length = access_token.len() + texts.map(String::len).sum::<usize>();
        let mut body = Vec::with_capacity(length + 128);
        body.extend_from_slice(br#"{"access_token":""#);
        body.extend_from_slice(access_token.as_bytes());
        body.push(b'"');
        let brace = body.len();
        // Text and a number always serialise, and memory can always be written.
        let _written = serde_json::to_writer(&mut body, &rest);
        // The object of the others goes on where this one stands.
        if let Some(brace) = body.get_mut(brace) {
            *brace = b',';
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access_token(scope: &str, of_person: bool) -> AccessToken {
        AccessToken { token: "a".to_owned(), expires_in: 600, scope: scope.to_owned(), of_person }
    }

    fn text(response: TokenResponse) -> String {
        String::from_utf8(response.into_json()).unwrap()
    }

    #[test]
    fn everything_stands_in_one_order() {
        let response = TokenResponse::new(access_token("openid email", true))
            .with_id_token(Some("i".to_owned()))
            .with_refresh_token(Some("r".to_owned()));
        let expected = r#"{"access_token":"a","token_type":"Bearer","expires_in":600,"refresh_token":"r","id_token":"i","scope":"openid email"}"#;
        assert_eq!(text(response), expected);
    }

    #[test]
    fn a_client_for_itself_is_told_no_empty_scope_and_of_a_person_always() {
        let bare = r#"{"access_token":"a","token_type":"Bearer","expires_in":600"#;
        assert_eq!(text(TokenResponse::new(access_token("", false))), format!("{bare}}}"));
        assert_eq!(text(TokenResponse::new(access_token("", true))), format!(r#"{bare},"scope":""}}"#));
        assert_eq!(text(TokenResponse::new(access_token("x", false))), format!(r#"{bare},"scope":"x"}}"#));
    }
}
