//! The namespaces, the ServiceAccounts, and the Roles that the chart ships, bound to them: the
//! rules are read from the chart's own files.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{OPERATOR, PUBLISHED};
use crate::repository::root;

/// The operator's ServiceAccount, in its own namespace.
pub const OPERATOR_ACCOUNT: &str = "claviger-operator";
/// The providers' ServiceAccount, there too.
pub const PROVIDER_ACCOUNT: &str = "claviger-provider";

/// All of it as one manifest.
pub(super) fn manifest() -> Result<String> {
    let mut items = Vec::new();
    for namespace in [OPERATOR, PUBLISHED] {
        items.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
    }
    for account in [OPERATOR_ACCOUNT, PROVIDER_ACCOUNT] {
        let metadata = json!({"name": account, "namespace": OPERATOR});
        items.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}));
    }
    items.extend(role(OPERATOR_ACCOUNT, "operator-cluster", None)?);
    items.extend(role(OPERATOR_ACCOUNT, "operator-own-namespace", Some(OPERATOR))?);
    items.extend(role(OPERATOR_ACCOUNT, "operator-published-namespace", Some(PUBLISHED))?);
    items.extend(role(PROVIDER_ACCOUNT, "provider-published-namespace", Some(PUBLISHED))?);
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
}

/// A Role of `namespace`, or a ClusterRole, with the rules in `file`, and its binding to `account`.
fn role(account: &str, file: &str, namespace: Option<&str>) -> Result<[Value; 2]> {
    let path = root().join("charts/claviger/files/rbac").join(format!("{file}.yaml"));
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let rules: Value = serde_saphyr::from_str(&text).with_context(|| path.display().to_string())?;
    let (role, binding) =
        if namespace.is_some() { ("Role", "RoleBinding") } else { ("ClusterRole", "ClusterRoleBinding") };
    let mut metadata = json!({"name": file});
    if let Some(namespace) = namespace {
        metadata["namespace"] = namespace.into();
    }
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    let subject = json!({"kind": "ServiceAccount", "name": account, "namespace": OPERATOR});
    let reference = json!({"apiGroup": group, "kind": role, "name": file});
    Ok([
        json!({"apiVersion": version, "kind": role, "metadata": metadata, "rules": rules}),
        json!({"apiVersion": version, "kind": binding, "metadata": metadata, "roleRef": reference, "subjects": [subject]}),
    ])
}
