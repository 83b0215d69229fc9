//! How one object names another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::Faults;
use crate::names::ObjectName;
use crate::types::{DataKey, KubernetesName, NamespaceName};

/// Names a Tenant, maybe of another namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantRef {
    /// Name of the Tenant.
    #[schemars(with = "KubernetesName")]
    pub name: String,
    /// Namespace of the Tenant. Default: this object's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<NamespaceName>")]
    pub namespace: Option<String>,
}

/// Names a Tenant of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalTenantRef {
    /// Name of the Tenant, in this object's own namespace.
    #[schemars(with = "KubernetesName")]
    pub name: String,
}

/// Names an OAuthClient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientRef {
    /// Name of the OAuthClient.
    #[schemars(with = "KubernetesName")]
    pub name: String,
    /// Namespace of the OAuthClient. Default: this object's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<NamespaceName>")]
    pub namespace: Option<String>,
}

/// Names an entry of a Secret of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret, in this object's own namespace.
    #[schemars(with = "KubernetesName")]
    pub name: String,
    /// Key of the Secret's data. The field that uses this says its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DataKey>")]
    pub key: Option<String>,
}

/// An entry of a Secret, parsed. The namespace is that of the object that names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretKey {
    /// Name of the Secret.
    pub name: String,
    /// Key of its data.
    pub key: String,
}

impl TenantRef {
    pub(crate) fn parse(&self, path: &str, own: &ObjectName, faults: &mut Faults) -> ObjectName {
        parse_name(path, &self.name, self.namespace.as_ref(), own, faults)
    }
}

impl ClientRef {
    pub(crate) fn parse(&self, path: &str, own: &ObjectName, faults: &mut Faults) -> ObjectName {
        parse_name(path, &self.name, self.namespace.as_ref(), own, faults)
    }
}

impl LocalTenantRef {
    pub(crate) fn parse(&self, path: &str, own: &ObjectName, faults: &mut Faults) -> ObjectName {
        parse_name(path, &self.name, None, own, faults)
    }
}

impl SecretKeyRef {
    pub(crate) fn parse(&self, path: &str, default_key: &str, faults: &mut Faults) -> SecretKey {
        let name = faults.parse::<KubernetesName>(&format!("{path}.name"), &self.name);
        let key = faults.parse_optional::<DataKey>(&format!("{path}.key"), self.key.as_ref());
        SecretKey {
            name: name.map(String::from).unwrap_or_default(),
            key: key.map_or_else(|| default_key.to_owned(), String::from),
        }
    }
}

pub(crate) fn parse_name(
    path: &str,
    name: &str,
    namespace: Option<&String>,
    own: &ObjectName,
    faults: &mut Faults,
) -> ObjectName {
    faults.parse::<KubernetesName>(&format!("{path}.name"), name);
    faults.parse_optional::<NamespaceName>(&format!("{path}.namespace"), namespace);
    ObjectName::new(namespace.unwrap_or(&own.namespace), name)
}
