//! What the token endpoint answered (RFC 6749 §5).

use std::fmt;
use std::time::Duration;

use claviger_crds::published::SecretText;
use serde::Deserialize;
use url::Url;

/// Of what a server says of itself, no more is shown.
const SHOWN: usize = 300;
/// No access token is taken to be good for longer, whatever a server says: times are added to it.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// An access token.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: SecretText,
    /// `expires_in`, up to thirty days: from when it was asked for.
    pub(super) lifetime: Option<Duration>,
}

/// Why there is no token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The server says why.
    Refused {
        /// RFC 6749 §5.2.
        error: String,
        /// For people.
        description: Option<String>,
        /// What to do.
        advice: Option<&'static str>,
    },
    /// Something in between, or a server in need.
    Status(u16),
    /// 200 with something else.
    Unreadable(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { error, description, advice } => {
                f.write_str(error)?;
                description.iter().try_for_each(|text| write!(f, ": {text}"))?;
                advice.iter().try_for_each(|text| write!(f, " ({text})"))
            }
            Self::Status(status) => write!(f, "HTTP status {status}; try again later, or look at that server"),
            Self::Unreadable(what) => write!(f, "the answer is no token: {what}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// With the place.
    pub(super) fn at(self, endpoint: &Url) -> anyhow::Error {
        anyhow::Error::new(self).context(format!("no token from {endpoint}"))
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretText,
    token_type: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
    error_description: Option<String>,
}

/// Reads an answer. None of `secrets` is in a refusal, even if the server sent it back.
///
/// # Errors
/// Why there is no token.
pub(super) fn read(answer: &Answer, secrets: &[&str]) -> Result<Token, Refusal> {
    if answer.status != 200 {
        return Err(refusal(answer, secrets));
    }
    let granted: Granted = serde_json::from_slice(&answer.body)
        .map_err(|_| Refusal::Unreadable("it lacks access_token or token_type, or is no JSON"))?;
    // Bearer is what a file can hold: a token that is bound to a key (DPoP) is of no use without it.
    // RFC 8693 §2.2.1 has N_A for what is no access token.
    if !["bearer", "n_a"].contains(&granted.token_type.to_ascii_lowercase().as_str()) {
        return Err(Refusal::Unreadable("its token_type is not Bearer"));
    }
    // RFC 6750 §2.1. Whoever reads the file puts it into a header: a line's end would begin another.
    let text = granted.access_token.expose();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::Unreadable("access_token has characters that no token has"));
    }
    let lifetime = granted.expires_in.map(|seconds| Duration::from_secs(seconds).min(LONGEST));
    Ok(Token { lifetime, text: granted.access_token })
}

fn refusal(answer: &Answer, secrets: &[&str]) -> Refusal {
    let Ok(denied) = serde_json::from_slice::<Denied>(&answer.body) else {
        return Refusal::Status(answer.status);
    };
    let clean = |text: &str| {
        let without = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        shown(&without)
    };
    Refusal::Refused {
        advice: advice(&denied.error),
        error: clean(&denied.error),
        description: denied.error_description.as_deref().map(clean),
    }
}

/// What somebody else wrote, fit for a terminal and short.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// What to do, by the error (RFC 6749 §5.2, RFC 8707 §2, RFC 8693 §2.2.2).
fn advice(error: &str) -> Option<&'static str> {
    Some(match error {
        "invalid_client" => {
            "the OAuthClient's authentication must name this ServiceAccount, and the token's audience be the issuer"
        }
        "unauthorized_client" => "the OAuthClient's grantTypes must have this grant",
        "unsupported_grant_type" => "the issuer does not serve this grant",
        "invalid_target" => "--audience must be one of the OAuthClient's audiences, and its owner must allow it",
        "invalid_scope" => "--scope must be among the OAuthClient's scopes, and of that API",
        "invalid_grant" => "the token that was shown is expired, for another audience, or not trusted",
        "temporarily_unavailable" | "slow_down" => "try again later",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(status: u16, body: &str) -> Result<Token, Refusal> {
        read(&Answer { status, body: body.as_bytes().to_vec() }, &["SECRET"])
    }

    #[test]
    fn a_token_comes_with_its_lifetime_where_the_server_says_it() {
        let token = read_text(200, r#"{"access_token":"a.b.c","token_type":"Bearer","expires_in":600}"#).expect("one");
        assert_eq!((token.text.expose(), token.lifetime), ("a.b.c", Some(Duration::from_secs(600))));
        let token = read_text(200, r#"{"access_token":"a.b.c","token_type":"bearer"}"#).expect("one");
        assert_eq!(token.lifetime, None);
        let body = format!(r#"{{"access_token":"a.b.c","token_type":"bearer","expires_in":{}}}"#, u64::MAX);
        assert_eq!(read_text(200, &body).expect("one").lifetime, Some(LONGEST));
    }

    #[test]
    fn what_is_no_bearer_token_is_not_passed_on() {
        for body in [
            "",
            "<html>",
            r#"{"access_token":"a.b.c"}"#,
            r#"{"access_token":"a.b.c","token_type":"DPoP"}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a b","token_type":"Bearer"}"#,
            r#"{"access_token":"a\r\nX-Admin: yes","token_type":"Bearer"}"#,
            r#"{"access_token":"a.b.c","token_type":"Bearer","expires_in":-1}"#,
        ] {
            assert!(matches!(read_text(200, body), Err(Refusal::Unreadable(_))), "{body}");
        }
    }

    #[test]
    fn the_servers_reason_is_shown_with_what_to_do_and_never_a_token() {
        let body = r#"{"error":"invalid_client","error_description":"SECRET is\n\u001b[31m expired"}"#;
        let told = read_text(401, body).expect_err("refused").to_string();
        assert!(told.starts_with("invalid_client: … is[31m expired (the OAuthClient's"), "{told}");
        let told = read_text(400, r#"{"error":"invalid_target"}"#).expect_err("refused").to_string();
        assert!(told.starts_with("invalid_target (--audience must be"), "{told}");
        let long = format!(r#"{{"error":"other","error_description":"{}"}}"#, "x".repeat(5000));
        assert!(read_text(400, &long).expect_err("refused").to_string().len() < 400);
    }

    #[test]
    fn a_server_that_says_nothing_is_told_by_its_status() {
        for status in [201, 404, 502, 503] {
            assert_eq!(read_text(status, "<html>").expect_err("refused"), Refusal::Status(status));
        }
    }
}
