//! The state of a cluster, comparable between two runs.

use claviger_crds::published::Stored;

use super::{Harness, PUBLISHED, Resource};

/// What a person and a provider can tell of everything, but for what is random and for times.
pub(crate) fn outcome(harness: &Harness) -> Vec<String> {
    let objects = harness.world.objects();
    let mut outcome = Vec::new();
    for (name, secret) in &objects.secrets {
        let keys: Vec<&String> = secret.data.iter().flatten().map(|(key, _)| key).collect();
        let labels = secret.metadata.labels.as_ref();
        outcome.push(format!("{name} {labels:?} {keys:?}"));
        if name.namespace == PUBLISHED {
            let document = Stored::from_secret(secret).unwrap().document;
            outcome.push(format!("{name} {}", plain(serde_json::to_value(&document).unwrap())));
        }
    }
    outcome.extend(objects.tenants.values().map(conditions_of));
    outcome.extend(objects.signing_keys.values().map(conditions_of));
    outcome.extend(objects.clients.values().map(conditions_of));
    outcome.extend(objects.users.values().map(conditions_of));
    outcome
}

fn conditions_of<K: Resource>(object: &K) -> String {
    let mut object = object.clone();
    let conditions = super::part(&object, "status").get("conditions").cloned().unwrap_or_default();
    let name = super::name_of(object.metadata_mut());
    format!("{name} {}", plain(conditions))
}

/// Blots out what is random or a time, and keeps whether it is there.
fn plain(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    const BLOTTED: [&str; 13] = [
        "id",
        "key",
        "kid",
        "publicKey",
        "privateKey",
        "hash",
        "passwordHash",
        "uid",
        "resourceVersion",
        "lastTransitionTime",
        "message",
        "withdrawnAt",
        "expiresAt",
    ];
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| {
                let blotted = BLOTTED.contains(&key.as_str()) || key.ends_with("At");
                (key, if blotted { Value::Bool(true) } else { plain(value) })
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        other => other,
    }
}
