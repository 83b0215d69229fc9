//! `claviger authentication-config`: what kube-apiserver needs to accept a Tenant's tokens.

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use url::Url;

use crate::args::{AuthenticationConfigArgs, ConfigVersion};
use crate::ca_bundle::CaBundle;
use crate::output::Output;

/// What comes before a Tenant's slug in its issuer, unless it has a host of its own.
const TENANTS: &str = "/api/v1/auth/tenants/";
/// Names that begin so are the cluster's own: `system:masters` may do everything, and what kubeadm sets up
/// lets `kubeadm:cluster-admins` do so too.
const RESERVED: [&str; 2] = ["system:", "kubeadm:"];

/// Prints it.
pub(crate) fn run(args: &AuthenticationConfigArgs, output: &Output) -> anyhow::Result<ExitCode> {
    let bundle = args.ca_bundle.as_deref().map(CaBundle::read).transpose()?;
    let configuration = configuration(args, bundle)?;
    if let Some(warning) = warning(&configuration) {
        output.problem(&format!("claviger: {warning}"));
    }
    output.print(&text(&configuration)?);
    Ok(ExitCode::SUCCESS)
}

/// The file, as `apiserver.config.k8s.io` has it; fields in the order in which people write them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    api_version: &'static str,
    kind: &'static str,
    jwt: [Authenticator; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Authenticator {
    issuer: IssuerEntry,
    claim_validation_rules: [Rule; 2],
    claim_mappings: Mappings,
    user_validation_rules: [Rule; 2],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IssuerEntry {
    url: String,
    audiences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience_match_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_authority: Option<String>,
}

#[derive(Debug, Serialize)]
struct Mappings {
    username: Mapping,
    groups: Mapping,
}

#[derive(Debug, Serialize)]
struct Mapping {
    claim: String,
    prefix: String,
}

#[derive(Debug, Serialize)]
struct Rule {
    expression: &'static str,
    message: &'static str,
}

/// kube-apiserver does not look at `typ`. An access token about a person, which any client gets that may ask
/// for the API's audience, would be that person at the cluster. Only access tokens have `client_id` (RFC 9068
/// §2.2), and only in a client's own is it the `sub`. A logout token, which whoever is told of a logout gets, is about a
/// person and for the client too (OpenID Connect Back-Channel Logout 1.0 §2.4): only that one has `events`.
const CLAIM_RULES: [Rule; 2] = [
    Rule {
        expression: "!has(claims.client_id) || claims.sub == claims.client_id",
        message: "an access token must be a client's own; people use ID tokens",
    },
    Rule { expression: "!has(claims.events)", message: "a logout token is nobody's login" },
];

/// Whoever declares Users and groups of the tenant must not be able to make administrators of clusters,
/// whatever prefix a person writes into the file later.
const USER_RULES: [Rule; 2] = [
    Rule {
        expression: "!user.username.startsWith('system:') && !user.username.startsWith('kubeadm:')",
        message: "a username must not begin with system: or kubeadm:, which are the cluster's own",
    },
    Rule {
        expression: "user.groups.all(group, !group.startsWith('system:') && !group.startsWith('kubeadm:'))",
        message: "a group must not begin with system: or kubeadm:, which are the cluster's own",
    },
];

/// What a person should know of a configuration that is as it was asked for.
fn warning(configuration: &Configuration) -> Option<&'static str> {
    let [authenticator] = &configuration.jwt;
    authenticator.claim_mappings.groups.prefix.is_empty().then_some(
        "warning: --groups-prefix is empty, so whoever writes Users of the Tenant can claim every group that is bound \
         in that cluster",
    )
}

fn configuration(args: &AuthenticationConfigArgs, bundle: Option<CaBundle>) -> anyhow::Result<Configuration> {
    let url = issuer(&args.issuer)?;
    let username = Mapping {
        claim: args.username_claim.clone(),
        prefix: args.username_prefix.clone().unwrap_or_else(|| default_prefix(&args.issuer, &url)),
    };
    let prefix = args.groups_prefix.clone().unwrap_or_else(|| username.prefix.clone());
    let groups = Mapping { claim: args.groups_claim.clone(), prefix };
    for (flag, mapping) in [("username", &username), ("groups", &groups)] {
        ensure!(!mapping.claim.is_empty(), "--{flag}-claim: name a claim");
        ensure!(
            !RESERVED.iter().any(|reserved| mapping.prefix.starts_with(reserved)),
            "--{flag}-prefix: names that begin with {} are the cluster's own",
            RESERVED.join(" or ")
        );
    }
    let entry = IssuerEntry {
        url: args.issuer.clone(),
        audiences: args.client_id.clone(),
        // kube-apiserver demands it where there are several, and takes it with one too.
        audience_match_policy: (args.client_id.len() > 1).then_some("MatchAny"),
        certificate_authority: bundle.map(|bundle| bundle.pem),
    };
    let mappings = Mappings { username, groups };
    Ok(Configuration {
        api_version: match args.api_version {
            ConfigVersion::V1 => "apiserver.config.k8s.io/v1",
            ConfigVersion::V1Beta1 => "apiserver.config.k8s.io/v1beta1",
        },
        kind: "AuthenticationConfiguration",
        jwt: [Authenticator {
            issuer: entry,
            claim_validation_rules: CLAIM_RULES,
            claim_mappings: mappings,
            user_validation_rules: USER_RULES,
        }],
    })
}

/// Checks what kube-apiserver would refuse at its start, which is no time to find out.
fn issuer(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).context("--issuer: write a URL such as https://login.example")?;
    ensure!(
        url.scheme() == "https",
        "--issuer: kube-apiserver accepts https issuers alone; on a laptop claviger dev --tls is one"
    );
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    ensure!(plain, "--issuer: an issuer has no query, fragment, user or password");
    Ok(url)
}

/// `acme:` for the Tenant `acme`. A Tenant with a host of its own has no slug in its issuer; and one whose
/// slug is `system` or `kubeadm` must not be taken for Kubernetes.
fn default_prefix(issuer: &str, url: &Url) -> String {
    let slug = url.path().strip_prefix(TENANTS).filter(|slug| !slug.is_empty() && !slug.contains('/'));
    match slug {
        Some(slug) if !RESERVED.contains(&format!("{slug}:").as_str()) => format!("{slug}:"),
        _ => format!("{issuer}:"),
    }
}

fn text(configuration: &Configuration) -> anyhow::Result<String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: true };
    Ok(serde_saphyr::to_string_with_options(configuration, options)?)
}

#[cfg(test)]
mod tests;
