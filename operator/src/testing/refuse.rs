//! What the API server refuses for good.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::Objects;
use crate::cluster::{ClusterError, StatusWrite};

/// The schema of `status`, by kind.
static STATUS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let crds = claviger_crds::all_crds().into_iter();
    crds.map(|crd| {
        let schema = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
        (crd.spec.names.kind, schema["openAPIV3Schema"]["properties"]["status"].clone())
    })
    .collect()
});

/// An object with illegal labels, or in a namespace whose quota is used up.
pub(super) fn object(objects: &Objects, metadata: &ObjectMeta) -> Result<(), ClusterError> {
    labels(metadata)?;
    match &objects.refused_in {
        Some((namespace, error)) if metadata.namespace.as_ref() == Some(namespace) => Err(error.clone()),
        _ => Ok(()),
    }
}

/// Values of labels: at most 63 characters, of which the first and the last are letters or digits.
fn labels(metadata: &ObjectMeta) -> Result<(), ClusterError> {
    let outer = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    let legal = |value: &str| {
        value.len() <= 63
            && outer(value.chars().next())
            && outer(value.chars().last())
            && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    match metadata.labels.iter().flatten().find(|(_, value)| !legal(value)) {
        Some((key, _)) => Err(ClusterError::Invalid(format!("metadata.labels {key}"))),
        None => Ok(()),
    }
}

/// A status with longer lists than its schema allows, or without what it demands.
pub(super) fn status(write: &StatusWrite) -> Result<(), ClusterError> {
    fits(&STATUS[write.kind.as_str()], &write.status, "status")
}

fn fits(schema: &Value, value: &Value, path: &str) -> Result<(), ClusterError> {
    let refused = |what: &str| Err(ClusterError::Invalid(format!("{path}: {what}")));
    match value {
        Value::Array(items) => {
            if schema["maxItems"].as_u64().is_some_and(|most| items.len() as u64 > most) {
                return refused("too many");
            }
            items.iter().try_for_each(|item| fits(&schema["items"], item, path))
        }
        Value::Object(members) => {
            let required = schema["required"].as_array().into_iter().flatten();
            for name in required.filter_map(Value::as_str) {
                if !members.contains_key(name) {
                    return refused(name);
                }
            }
            let inner = |(name, member): (&String, &Value)| {
                fits(&schema["properties"][name], member, &format!("{path}.{name}"))
            };
            members.iter().try_for_each(inner)
        }
        Value::String(text) => match schema["maxLength"].as_u64() {
            Some(most) if text.chars().count() as u64 > most => refused("too long"),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}
