//! Where a tenant is served.

use claviger_crds::tenant::ValidTenant;

/// An issuer identifier (OpenID Connect Discovery 1.0 §3), without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer(String);

impl Issuer {
    /// The issuer of `tenant`: at the root of its own host, or under the installation's address.
    pub(crate) fn of(tenant: &ValidTenant, external_url: &str) -> Self {
        let host = tenant.host.as_ref().map(ToString::to_string);
        Self::at(tenant.slug.as_str(), host.as_deref(), external_url)
    }

    /// The issuer of the tenant `slug`, at the root of `host` where it has one.
    pub(crate) fn at(slug: &str, host: Option<&str>, external_url: &str) -> Self {
        let external_url = external_url.trim_end_matches('/');
        Self(match host {
            Some(host) => {
                let scheme = external_url.split_once("://").map_or("https", |(scheme, _)| scheme);
                format!("{scheme}://{host}")
            }
            None => format!("{external_url}/api/v1/auth/tenants/{slug}"),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Address of the discovery document (OpenID Connect Discovery 1.0 §4).
    pub(crate) fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0)
    }

    /// Address of the token endpoint.
    pub(crate) fn token_url(&self) -> String {
        format!("{}/oauth/token", self.0)
    }
}
