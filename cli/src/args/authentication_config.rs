//! Settings of `claviger authentication-config`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

/// Print the kube-apiserver configuration by which a cluster accepts a Tenant's tokens.
///
/// It is an AuthenticationConfiguration, for kube-apiserver's --authentication-config; its one entry can
/// be added to a file that is there. Names that begin with `system:` or `kubeadm:` are Kubernetes' own: no
/// token can bear them. Of access tokens only a client's own are accepted; people use ID tokens.
#[derive(Debug, Args)]
pub(crate) struct AuthenticationConfigArgs {
    /// The Tenant's issuer, letter by letter; https
    #[arg(long, env = "CLAVIGER_ISSUER", value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) issuer: String,
    /// Whose tokens are accepted: the ID of an OAuthClient that is for this cluster alone, the audience of
    /// its ID tokens; or an API's audience, that of access tokens. May be repeated
    #[arg(
        long,
        env = "CLAVIGER_CLIENT_ID",
        value_name = "ID",
        required = true,
        value_delimiter = ',',
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) client_id: Vec<String>,
    /// Certificates (PEM) of the CAs that the issuer's server has; they stand in what is printed
    /// [default: the system's of the API server]
    #[arg(long, env = "CLAVIGER_CA_BUNDLE", value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// The claim that is the user's name
    #[arg(long, env = "CLAVIGER_USERNAME_CLAIM", value_name = "CLAIM", default_value = "sub")]
    pub(crate) username_claim: String,
    /// What stands before it [default: the Tenant's slug, or the issuer, and a colon]
    #[arg(long, env = "CLAVIGER_USERNAME_PREFIX", value_name = "TEXT")]
    pub(crate) username_prefix: Option<String>,
    /// The claim that is the user's groups
    #[arg(long, env = "CLAVIGER_GROUPS_CLAIM", value_name = "CLAIM", default_value = "groups")]
    pub(crate) groups_claim: String,
    /// What stands before each [default: that of the username]
    #[arg(long, env = "CLAVIGER_GROUPS_PREFIX", value_name = "TEXT")]
    pub(crate) groups_prefix: Option<String>,
    /// Version of apiserver.config.k8s.io; Kubernetes has v1 since 1.34
    #[arg(long, env = "CLAVIGER_API_VERSION", value_name = "VERSION", default_value = "v1")]
    pub(crate) api_version: ConfigVersion,
}

/// A version of apiserver.config.k8s.io.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigVersion {
    /// Since Kubernetes 1.34.
    #[value(name = "v1")]
    V1,
    /// Since Kubernetes 1.30.
    #[value(name = "v1beta1")]
    V1Beta1,
}
