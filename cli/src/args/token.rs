//! Settings of `claviger token`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

/// Get an access token for a workload, by the ServiceAccount token that is mounted into its pod.
///
/// The token endpoint is found by the issuer's discovery document. The token is printed alone, or
/// written to --output, which with --watch is kept fresh. Nothing is stored that could be stolen: the
/// kubelet renews the ServiceAccount token, and it is read anew each time.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The Tenant's issuer, letter by letter. https, or http on loopback
    #[arg(long, env = "CLAVIGER_ISSUER", value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) issuer: String,
    /// How the token is got. client-credentials: as the client that the ServiceAccount is. jwt-bearer: for
    /// the subject of the file's token, by a client that needs no proof (a CI job). token-exchange: for
    /// the subject of another token
    #[arg(long, env = "CLAVIGER_GRANT", value_name = "GRANT", default_value = "client-credentials")]
    pub(crate) grant: GrantName,
    /// File of the token that proves who asks; its audience is the issuer
    #[arg(long, env = "CLAVIGER_TOKEN_FILE", value_name = "FILE", default_value = "/var/run/secrets/tokens/claviger")]
    pub(crate) token_file: PathBuf,
    /// The client's ID; needed where a ServiceAccount is several clients, and by jwt-bearer
    #[arg(
        long,
        env = "CLAVIGER_CLIENT_ID",
        value_name = "ID",
        required_if_eq("grant", "jwt-bearer"),
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) client_id: Option<String>,
    /// The API that the token is for [default: that of the scopes, else the client's first]
    #[arg(long, env = "CLAVIGER_AUDIENCE", value_name = "AUDIENCE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) audience: Option<String>,
    /// Scopes to ask for, separated by spaces [default: the client's of that API]
    #[arg(long, env = "CLAVIGER_SCOPE", value_name = "SCOPES", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) scope: Option<String>,
    /// Certificates (PEM) of CAs that the issuer's server may have besides the system's; read anew each time
    #[arg(long, env = "CLAVIGER_CA_BUNDLE", value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Write the token to this file, for this user alone, whole or not at all
    #[arg(long, env = "CLAVIGER_OUTPUT", value_name = "FILE", conflicts_with = "exec_credential", help_heading = OUTPUT)]
    pub(crate) output: Option<PathBuf>,
    /// Stay, and write a new token there when two thirds of the old one's time are over. What fails is tried
    /// again until a signal; only a file that cannot be written ends it
    #[arg(long, env = "CLAVIGER_WATCH", requires = "output", help_heading = OUTPUT)]
    pub(crate) watch: bool,
    /// Print it as kubectl wants it of a credential plugin (client.authentication.k8s.io)
    #[arg(long, env = "CLAVIGER_EXEC_CREDENTIAL", help_heading = OUTPUT)]
    pub(crate) exec_credential: bool,
    /// File of the token that is exchanged
    #[arg(
        long,
        env = "CLAVIGER_SUBJECT_TOKEN_FILE",
        value_name = "FILE",
        required_if_eq("grant", "token-exchange"),
        help_heading = EXCHANGE
    )]
    pub(crate) subject_token_file: Option<PathBuf>,
    /// What it is: access-token, id-token, refresh-token, jwt (a ServiceAccount's, a trusted issuer's), or
    /// a URN
    #[arg(
        long,
        env = "CLAVIGER_SUBJECT_TOKEN_TYPE",
        value_name = "TYPE",
        required_if_eq("grant", "token-exchange"),
        value_parser = token_type,
        help_heading = EXCHANGE
    )]
    pub(crate) subject_token_type: Option<String>,
    /// File of the token of who acts for the subject
    #[arg(
        long,
        env = "CLAVIGER_ACTOR_TOKEN_FILE",
        value_name = "FILE",
        requires = "actor_token_type",
        help_heading = EXCHANGE
    )]
    pub(crate) actor_token_file: Option<PathBuf>,
    /// What that is
    #[arg(
        long,
        env = "CLAVIGER_ACTOR_TOKEN_TYPE",
        value_name = "TYPE",
        requires = "actor_token_file",
        value_parser = token_type,
        help_heading = EXCHANGE
    )]
    pub(crate) actor_token_type: Option<String>,
}

const OUTPUT: &str = "Where it goes";
const EXCHANGE: &str = "Token exchange";

/// How a token is got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GrantName {
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 7523 §2.1.
    JwtBearer,
    /// RFC 8693.
    TokenExchange,
}

/// The URN of a kind of token (RFC 8693 §3).
fn token_type(text: &str) -> Result<String, String> {
    match text {
        "access-token" | "id-token" | "refresh-token" | "jwt" => {
            Ok(format!("urn:ietf:params:oauth:token-type:{}", text.replace('-', "_")))
        }
        urn if urn.starts_with("urn:") => Ok(urn.to_owned()),
        _ => Err("write access-token, id-token, refresh-token, jwt, or a URN".to_owned()),
    }
}

/// What kubectl tells a credential plugin, in the variable that it has for that.
#[allow(clippy::disallowed_methods, reason = "this is the one home of the environment")]
pub(crate) fn exec_info() -> Option<String> {
    std::env::var("KUBERNETES_EXEC_INFO").ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Command, Line};
    use super::*;

    fn parsed(arguments: &str) -> Result<TokenArgs, String> {
        let line = format!("claviger token --issuer https://login.example {arguments}");
        match Line::try_parse_from(line.split_whitespace()) {
            Ok(Line { command: Command::Token(args), .. }) => Ok(args),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_kind_of_token_has_a_short_name_or_is_a_urn() {
        for (written, urn) in [
            ("access-token", "urn:ietf:params:oauth:token-type:access_token"),
            ("id-token", "urn:ietf:params:oauth:token-type:id_token"),
            ("refresh-token", "urn:ietf:params:oauth:token-type:refresh_token"),
            ("jwt", "urn:ietf:params:oauth:token-type:jwt"),
            ("urn:example:mine", "urn:example:mine"),
        ] {
            assert_eq!(token_type(written).as_deref(), Ok(urn));
        }
        for bad in ["", "saml2", "access_token", "JWT"] {
            assert!(token_type(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_grant_needs_must_be_there_and_what_excludes_each_other_must_not() {
        for good in [
            "",
            "--output /t --watch",
            "--exec-credential",
            "--grant jwt-bearer --client-id ci",
            "--grant token-exchange --subject-token-file /s --subject-token-type jwt",
        ] {
            assert!(parsed(good).is_ok(), "{good}: {:?}", parsed(good));
        }
        for (bad, missing) in [
            ("--watch", "--output"),
            ("--output /t --exec-credential", "--exec-credential"),
            ("--grant jwt-bearer", "--client-id"),
            ("--grant token-exchange", "--subject-token-file"),
            ("--grant token-exchange --subject-token-file /s", "--subject-token-type"),
            ("--actor-token-file /a", "--actor-token-type"),
        ] {
            let error = parsed(bad).expect_err(bad);
            assert!(error.contains(missing), "{bad}: {error}");
        }
    }
}
