//! The `prompt` parameter (OpenID Connect Core 1.0 §3.1.2.1).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::refusal::AuthorizationError;

/// What the client wants the person to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Prompt {
    /// Nothing: an answer without a page, or an error.
    #[serde(rename = "n")]
    None,
    /// To log in, though there is a session.
    #[serde(rename = "l")]
    Login,
    /// For consent, though it was given.
    #[serde(rename = "c")]
    Consent,
    /// Which account it shall be.
    #[serde(rename = "s")]
    SelectAccount,
}

impl Prompt {
    /// Those that are served, for discovery too.
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// As `prompt` has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

/// Reads `text`. `create` is refused as any other value that discovery does not name (Initiating User
/// Registration via OpenID Connect 1.0 §4.1): nobody can register here.
pub(crate) fn parse(text: &str) -> Result<BTreeSet<Prompt>, AuthorizationError> {
    let mut prompts = BTreeSet::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let known = Prompt::ALL.into_iter().find(|prompt| prompt.as_str() == word);
        let unknown = || AuthorizationError::invalid_request("prompt has a value that is not supported here");
        prompts.insert(known.ok_or_else(unknown)?);
    }
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(AuthorizationError::invalid_request("prompt=none allows no other value beside it"));
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_a_set() {
        assert_eq!(parse("").unwrap(), BTreeSet::new());
        assert_eq!(parse("none none").unwrap(), BTreeSet::from([Prompt::None]));
        assert_eq!(parse("consent  login").unwrap(), BTreeSet::from([Prompt::Login, Prompt::Consent]));
        assert_eq!(parse("select_account").unwrap(), BTreeSet::from([Prompt::SelectAccount]));
    }

    #[test]
    fn none_stands_alone_and_the_rest_is_known() {
        for text in ["none login", "consent none", "create", "login create", "LOGIN", "login,consent", "x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
