//! What is sent to the token endpoint.

use std::path::Path;

use anyhow::{Context as _, ensure};
use claviger_crds::published::SecretText;

use super::file;
use crate::args::{GrantName, TokenArgs};

const JWT_BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The tokens that are shown.
pub(super) struct Evidence {
    own: SecretText,
    subject: Option<SecretText>,
    actor: Option<SecretText>,
}

impl Evidence {
    /// Reads the files that `args` name.
    ///
    /// # Errors
    /// Which file cannot be read, or holds no token, and what should be there.
    pub(super) fn read(args: &TokenArgs) -> anyhow::Result<Self> {
        let own = file::token(&args.token_file).with_context(|| {
            format!(
                "--token-file: no token in {}; in a pod it is a projected volume with a serviceAccountToken whose \
                 audience is {}",
                args.token_file.display(),
                args.issuer
            )
        })?;
        let read = |flag: &'static str, path: Option<&Path>| {
            let read =
                |path: &Path| file::token(path).with_context(|| format!("{flag}: no token in {}", path.display()));
            path.map(read).transpose()
        };
        Ok(Self {
            own,
            subject: read("--subject-token-file", args.subject_token_file.as_deref())?,
            actor: read("--actor-token-file", args.actor_token_file.as_deref())?,
        })
    }

    /// What no message may hold.
    pub(super) fn secrets(&self) -> Vec<&str> {
        [Some(&self.own), self.subject.as_ref(), self.actor.as_ref()]
            .into_iter()
            .flatten()
            .map(SecretText::expose)
            .collect()
    }
}

/// What the flags must fit that the command line itself does not check.
///
/// # Errors
/// Which flag does not go with which.
pub(super) fn check(args: &TokenArgs) -> anyhow::Result<()> {
    let exchanged = args.subject_token_file.is_some() || args.actor_token_file.is_some();
    // Somebody believes to have exchanged a token, and got one of his own.
    ensure!(
        args.grant == GrantName::TokenExchange || !exchanged,
        "--subject-token-file and --actor-token-file are for --grant token-exchange"
    );
    Ok(())
}

/// The form: the grant, who asks, and what for.
pub(super) fn form<'a>(args: &'a TokenArgs, evidence: &'a Evidence) -> Vec<(&'static str, &'a str)> {
    let own = evidence.own.expose();
    let assertion = [("client_assertion_type", JWT_BEARER_ASSERTION), ("client_assertion", own)];
    let mut form = Vec::new();
    match args.grant {
        GrantName::ClientCredentials => {
            form.push(("grant_type", "client_credentials"));
            form.extend(assertion);
        }
        // RFC 7523 §2.1: the file's token is the grant itself.
        GrantName::JwtBearer => form.extend([("grant_type", JWT_BEARER), ("assertion", own)]),
        GrantName::TokenExchange => {
            form.push(("grant_type", TOKEN_EXCHANGE));
            form.extend(assertion);
            let subject = (&evidence.subject, &args.subject_token_type);
            form.extend(token(("subject_token", "subject_token_type"), subject));
            form.extend(token(("actor_token", "actor_token_type"), (&evidence.actor, &args.actor_token_type)));
        }
    }
    let asked = [("client_id", &args.client_id), ("audience", &args.audience), ("scope", &args.scope)];
    form.extend(asked.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    form
}

/// A token and its type, where there is one (RFC 8693 §2.1: never one without the other).
fn token<'a>(
    names: (&'static str, &'static str),
    (token, kind): (&'a Option<SecretText>, &'a Option<String>),
) -> Vec<(&'static str, &'a str)> {
    match (token, kind) {
        (Some(token), Some(kind)) => vec![(names.0, token.expose()), (names.1, kind)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Command, Line};

    fn args(more: &str) -> TokenArgs {
        let line = format!("claviger token --issuer https://login.example {more}");
        match Line::try_parse_from(line.split_whitespace()).expect("a command line").command {
            Command::Token(args) => args,
            other => panic!("{other:?}"),
        }
    }

    fn sent(more: &str) -> Vec<(String, String)> {
        let secret = |text: &str| SecretText::new(text.to_owned());
        let evidence = Evidence { own: secret("OWN"), subject: Some(secret("SUBJECT")), actor: Some(secret("ACTOR")) };
        let args = args(more);
        form(&args, &evidence).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn pairs(text: &str) -> Vec<(String, String)> {
        let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        text.split_whitespace().map(|text| pair(text).expect("a pair")).collect()
    }

    #[test]
    fn a_workload_shows_its_service_account_token_as_the_clients_assertion() {
        let expected = "grant_type=client_credentials \
            client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer client_assertion=OWN";
        assert_eq!(sent(""), pairs(expected));
        let expected = format!("{expected} client_id=shop.reports audience=https://orders.example scope=orders:read");
        assert_eq!(
            sent("--client-id shop.reports --audience https://orders.example --scope orders:read"),
            pairs(&expected)
        );
    }

    #[test]
    fn a_ci_job_shows_its_token_as_the_grant_and_no_proof_of_a_client() {
        let expected = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer assertion=OWN client_id=ci";
        assert_eq!(sent("--grant jwt-bearer --client-id ci"), pairs(expected));
    }

    #[test]
    fn an_exchange_shows_the_client_the_subject_and_where_it_is_wanted_the_actor() {
        let exchange = "--grant token-exchange --subject-token-file /s --subject-token-type access-token";
        let expected = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
            client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer client_assertion=OWN \
            subject_token=SUBJECT subject_token_type=urn:ietf:params:oauth:token-type:access_token";
        assert_eq!(sent(exchange), pairs(expected));
        assert_eq!(
            sent(&format!("{exchange} --actor-token-file /a --actor-token-type jwt")),
            pairs(&format!("{expected} actor_token=ACTOR actor_token_type=urn:ietf:params:oauth:token-type:jwt"))
        );
    }

    #[test]
    fn a_subject_without_an_exchange_is_a_mistake_that_is_told() {
        for more in [
            "--subject-token-file /s --subject-token-type jwt",
            "--grant jwt-bearer --client-id ci --actor-token-file /a --actor-token-type jwt",
        ] {
            let error = check(&args(more)).expect_err(more).to_string();
            assert!(error.contains("--grant token-exchange"), "{error}");
        }
    }
}
