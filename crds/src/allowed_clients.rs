//! Which namespaces' clients a Tenant or an API lets in: one side of the handshake, as in the
//! Gateway API's `allowedRoutes`.

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use kube::core::Selector;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::Faults;

/// Which clients are let in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedClientsSpec {
    /// The namespaces whose OAuthClients are let in. Default: this object's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<AllowedNamespaces>,
}

/// Which namespaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.selector) == (has(self.from) && self.from == 'Selector')")
    .message("selector is needed where from is Selector, and only there"))]
pub struct AllowedNamespaces {
    /// Same: this object's own namespace. Selector: those whose labels match `selector`. All:
    /// every namespace. Default: Same. May be changed; a client that is no longer let in stops
    /// being served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<FromNamespaces>,
    /// Labels of namespaces, where `from` is Selector. An empty one selects every namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// Where allowed clients come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the field says it; a variant's doc would split the schema's enum")]
pub enum FromNamespaces {
    #[default]
    Same,
    Selector,
    All,
}

/// Which namespaces' clients are let in, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowedClients {
    /// Those of the object's own namespace.
    #[default]
    Same,
    /// Those of namespaces whose labels match.
    Selector(Selector),
    /// All.
    All,
}

impl AllowedClientsSpec {
    /// Parses what stands at `path`.
    pub(crate) fn parse(spec: Option<&Self>, path: &str, faults: &mut Faults) -> AllowedClients {
        let Some(namespaces) = spec.and_then(|spec| spec.namespaces.as_ref()) else { return AllowedClients::Same };
        let path = format!("{path}.namespaces");
        match (namespaces.from.unwrap_or_default(), &namespaces.selector) {
            (FromNamespaces::Same, None) => AllowedClients::Same,
            (FromNamespaces::All, None) => AllowedClients::All,
            (FromNamespaces::Selector, Some(selector)) => match Selector::try_from(selector.clone()) {
                Ok(selector) => AllowedClients::Selector(selector),
                Err(error) => {
                    faults.add(format!("{path}.selector"), format!("is not a label selector: {error}"));
                    AllowedClients::Same
                }
            },
            _ => {
                faults.add(path, "selector is needed where from is Selector, and only there");
                AllowedClients::Same
            }
        }
    }
}
