//! Settings of `claviger operator`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::str::FromStr;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};

/// Run the operator: custom resources to published configuration.
///
/// Finds the API server as kubectl does: KUBECONFIG, ~/.kube/config, or the Pod's ServiceAccount.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("providers").args(["provider_service", "provider"]))]
pub(crate) struct OperatorArgs {
    /// URL under which the provider is reached from outside, the start of every issuer
    #[arg(long, env = "CLAVIGER_EXTERNAL_URL", value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) external_url: String,
    /// Namespace of this operator: keys, the lease and the internal CA are kept here
    #[arg(long, env = "CLAVIGER_OPERATOR_NAMESPACE", value_name = "NAME", default_value = "claviger-system")]
    pub(crate) operator_namespace: String,
    /// Namespace of the published Secrets
    #[arg(long, env = "CLAVIGER_PUBLISHED_NAMESPACE", value_name = "NAME", default_value = "claviger-published")]
    pub(crate) published_namespace: String,
    /// Service whose EndpointSlices name the provider pods: NAME in the operator's namespace, or
    /// NAMESPACE/NAME
    #[arg(long, env = "CLAVIGER_PROVIDER_SERVICE", value_name = "SERVICE")]
    pub(crate) provider_service: Option<ServiceName>,
    /// A provider's acknowledgement port, for providers that no Service names; may be repeated
    #[arg(long, env = "CLAVIGER_PROVIDER", value_name = "HOST:PORT", value_delimiter = ',')]
    pub(crate) provider: Vec<String>,
    /// Name of this operator in the leader election [default: made up]
    #[arg(long, env = "CLAVIGER_IDENTITY", value_name = "NAME")]
    pub(crate) identity: Option<String>,
    /// Address of health, readiness and metrics; never exposed
    #[arg(long, env = "CLAVIGER_INTERNAL_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:9090")]
    pub(crate) internal_listen: SocketAddr,
    /// Calls to the API server a second, without watches and leader election
    #[arg(long, env = "CLAVIGER_KUBE_API_QPS", value_name = "NUMBER", default_value = "200")]
    pub(crate) kube_api_qps: NonZeroU32,
    /// Calls to the API server at once, after a rest
    #[arg(long, env = "CLAVIGER_KUBE_API_BURST", value_name = "NUMBER", default_value = "300")]
    pub(crate) kube_api_burst: NonZeroU32,
}

/// `NAME` or `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceName {
    /// The operator's own where it is not said.
    pub(crate) namespace: Option<String>,
    /// Name of the Service.
    pub(crate) name: String,
}

impl FromStr for ServiceName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = match text.split_once('/') {
            None => (None, text),
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
        };
        let empty = name.is_empty() || namespace.as_deref() == Some("");
        if empty || name.contains('/') {
            return Err("expected NAME or NAMESPACE/NAME");
        }
        Ok(Self { namespace, name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_may_be_named_with_its_namespace() {
        let name = |namespace: Option<&str>, name: &str| ServiceName {
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        assert_eq!("provider".parse(), Ok(name(None, "provider")));
        assert_eq!("claviger/provider".parse(), Ok(name(Some("claviger"), "provider")));
        for bad in ["", "/", "a/", "/b", "a/b/c"] {
            assert!(bad.parse::<ServiceName>().is_err(), "{bad:?}");
        }
    }
}
