//! Names of Kubernetes objects.

use schemars::{Schema, json_schema};

use super::text::{Unusable, is_dns_label, is_dns_subdomain, text_type};

text_type! {
    /// `metadata.name` of an object: a DNS subdomain.
    KubernetesName, check = check_name, schema = name_schema
}

text_type! {
    /// The name of a namespace: a DNS label.
    NamespaceName, check = check_namespace, schema = namespace_schema
}

fn check_name(text: &str) -> Result<(), Unusable> {
    is_dns_subdomain(text).then_some(()).ok_or(Unusable(
        "must be the name of an object: at most 253 lower-case letters, digits, inner hyphens and dots",
    ))
}

fn check_namespace(text: &str) -> Result<(), Unusable> {
    is_dns_label(text)
        .then_some(())
        .ok_or(Unusable("must be the name of a namespace: at most 63 lower-case letters, digits and inner hyphens"))
}

fn name_schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 253,
        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    })
}

fn namespace_schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 63,
        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    })
}
