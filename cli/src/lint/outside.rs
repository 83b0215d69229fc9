//! What may be outside the folder, and so is no fault: lint sees one repository, a cluster is made
//! of many. A reference leads outside when its namespace is not declared in the folder, or when what
//! it names is there and could not be judged. Pure.

use claviger_crds::names::ObjectName;
use claviger_operator::cluster::Kind;
use serde_json::Value;

use super::{Admitted, Unseen};
use crate::manifests::{Sort, referred};

/// Whether what a condition of the object `name` misses may be outside the folder.
pub(super) fn is_outside(verdict: &Value, kind: Kind, name: &ObjectName, admitted: &Admitted, unseen: &Unseen) -> bool {
    let Some((_, object)) = admitted.get(&(Sort::Resource(kind), name.clone())) else { return false };
    let spec = &object["spec"];
    let declares = |namespace: &str| declares_namespace(admitted, namespace);
    match verdict["reason"].as_str().unwrap_or_default() {
        // A Secret does not belong into Git.
        "SecretNotFound" => true,
        "TenantNotFound" => {
            let tenant = referred(name, &spec["tenantRef"]);
            !declares(&tenant.namespace) || unseen.may_hold(Sort::Resource(Kind::Tenant), &tenant)
        }
        "SigningKeyNotFound" if unseen.may_hold_any(Sort::Resource(Kind::SigningKey)) => true,
        // A ring is in its Tenant's namespace.
        "SigningKeyNotFound" if kind == Kind::Tenant => !declares(&name.namespace),
        "SigningKeyNotFound" => !declares(&referred(name, &spec["tenantRef"]).namespace),
        "ClientNotFound" => !declares(&referred(name, &spec["login"]["ui"]["clientRef"]).namespace),
        // Its labels decide, and we do not know them.
        "NotAllowedByTenant" => !declares(&name.namespace),
        // It belongs to whoever deploys the workload.
        "ServiceAccountNotFound" => true,
        // One that is here says whom it lets name it.
        "ServiceAccountNotAllowed" => !accounts(name, spec).any(|account| {
            let message = verdict["message"].as_str().unwrap_or_default();
            let refused = refused(message).any(|part| part.trim_end_matches('.') == account.to_string());
            refused && admitted.contains_key(&(Sort::ServiceAccount, account))
        }),
        "AudienceNotGranted" | "ExchangeNotGranted" => {
            let message = verdict["message"].as_str().unwrap_or_default();
            !refused(message).any(|audience| is_refused_here(audience, name, object, admitted))
        }
        // Where this is said every audience that is asked for is granted, so all its scopes are
        // known, and so are the Tenant's.
        _ => false,
    }
}

/// The ServiceAccounts that a client names.
fn accounts<'a>(client: &'a ObjectName, spec: &'a Value) -> impl Iterator<Item = ObjectName> + 'a {
    let named = spec["authentication"]["serviceAccounts"].as_array().into_iter().flatten();
    named.map(|account| referred(client, account))
}

/// What the folder would have to hold for a verdict that leads outside.
pub(super) fn missing(verdict: &Value, name: &ObjectName, object: &Value) -> String {
    let spec = &object["spec"];
    let at = |name: &ObjectName| format!("{}/{}", name.namespace, name.name);
    match verdict["reason"].as_str().unwrap_or_default() {
        "TenantNotFound" => format!("Tenant {} is not in this folder", at(&referred(name, &spec["tenantRef"]))),
        "ClientNotFound" => {
            let client = referred(name, &spec["login"]["ui"]["clientRef"]);
            format!("OAuthClient {} is not in this folder", at(&client))
        }
        "NotAllowedByTenant" => {
            format!(
                "Namespace {}, whose labels decide whether the Tenant lets it in, is not in this folder",
                name.namespace
            )
        }
        "ServiceAccountNotFound" | "ServiceAccountNotAllowed" => {
            "a ServiceAccount that it names is not in this folder".to_owned()
        }
        "AudienceNotGranted" | "ExchangeNotGranted" => {
            "an API that is asked for is not in this folder, or the Namespace is not whose labels \
            decide whether that lets the client in"
                .to_owned()
        }
        _ => format!("it is not in this folder: {}", verdict["message"].as_str().unwrap_or_default()),
    }
}

/// Whether the folder declares the Namespace.
pub(super) fn declares_namespace(admitted: &Admitted, name: &str) -> bool {
    admitted.contains_key(&(Sort::Namespace, ObjectName::new("", name)))
}

/// The audiences that a message names; an audience holds neither spaces nor commas.
fn refused(message: &str) -> impl Iterator<Item = &str> {
    message.split([' ', ',']).filter(|part| !part.is_empty())
}

/// Whether the folder holds the API of `audience`, and all that its refusal rests on: the labels of
/// both namespaces.
fn is_refused_here(audience: &str, name: &ObjectName, client: &Value, admitted: &Admitted) -> bool {
    let tenant = referred(name, &client["spec"]["tenantRef"]);
    let mut apis = admitted.iter().filter(|((sort, api), (_, value))| {
        *sort == Sort::Resource(Kind::OAuthClient)
            && value["spec"]["resourceServer"]["audience"] == audience
            && referred(api, &value["spec"]["tenantRef"]) == tenant
            && declares_namespace(admitted, &api.namespace)
    });
    declares_namespace(admitted, &name.namespace) && apis.next().is_some()
}
