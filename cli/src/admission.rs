//! Admission: what an API server would refuse, refused here too, with the same rules.
//!
//! The schema and its CEL rules are those of the CustomResourceDefinitions; then the kind's one
//! parser checks what neither can say. `lint` and `dev` both judge by this. Pure: no I/O, no clock.

use claviger_crds::identity_provider::IdentityProvider;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use claviger_crds::{Fault as Complaint, validate};
use claviger_operator::cluster::Kind;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::manifests::{Fault, Manifest, Sort};

/// Judges `manifest` as an API server would judge its creation, or its update from `old`. Returns
/// the object as it would be stored.
///
/// # Errors
/// Every fault that could be found, in the order of their places.
pub(crate) fn judge(manifest: &Manifest, old: Option<&Value>) -> Result<Value, Vec<Fault>> {
    let judged = match manifest.sort {
        Sort::Resource(kind) => resource(kind, &manifest.value, old),
        Sort::Namespace => typed::<k8s_openapi::api::core::v1::Namespace>(&manifest.value),
        Sort::Secret => typed::<k8s_openapi::api::core::v1::Secret>(&manifest.value),
        Sort::ServiceAccount => typed::<k8s_openapi::api::core::v1::ServiceAccount>(&manifest.value),
    };
    judged.map_err(|complaints| {
        let of = |complaint: Complaint| manifest.fault(complaint.path, complaint.message);
        let mut faults: Vec<Fault> = complaints.into_iter().map(of).collect();
        faults.sort();
        faults.dedup();
        faults
    })
}

fn resource(kind: Kind, value: &Value, old: Option<&Value>) -> Result<Value, Vec<Complaint>> {
    let mut value = value.clone();
    without_nulls(&mut value);
    let mut complaints = validate::schema(kind.as_str(), &value, old);
    if complaints.is_empty() {
        complaints = parsed(kind, &value);
    }
    if complaints.is_empty() { Ok(value) } else { Err(complaints) }
}

/// A field that is null is not set, as on the API server.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// What the kind's own parser has to say.
fn parsed(kind: Kind, value: &Value) -> Vec<Complaint> {
    match kind {
        Kind::Tenant => by::<Tenant, _>(value, claviger_crds::tenant::parse),
        Kind::OAuthClient => by::<OAuthClient, _>(value, claviger_crds::oauth_client::parse),
        Kind::SigningKey => by::<SigningKey, _>(value, claviger_crds::signing_key::parse),
        Kind::User => by::<User, _>(value, claviger_crds::user::parse),
        Kind::IdentityProvider => by::<IdentityProvider, _>(value, claviger_crds::identity_provider::parse),
    }
}

fn by<T: DeserializeOwned, V>(value: &Value, parse: impl Fn(&T) -> Result<V, Vec<Complaint>>) -> Vec<Complaint> {
    let object = match serde_json::from_value::<T>(value.clone()) {
        Ok(object) => object,
        Err(error) => return vec![whole(error.to_string())],
    };
    parse(&object).err().unwrap_or_default()
}

/// Objects of Kubernetes' own: their types are all that is checked.
fn typed<T: DeserializeOwned>(value: &Value) -> Result<Value, Vec<Complaint>> {
    match serde_json::from_value::<T>(value.clone()) {
        Ok(_) => Ok(value.clone()),
        // The error could quote a value, and this may be a Secret.
        Err(_) => Err(vec![whole("the fields are not those of this kind".to_owned())]),
    }
}

fn whole(message: String) -> Complaint {
    Complaint { path: String::new(), message }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn judged(file: &str, from: &str, to: &str) -> Vec<String> {
        let dir = std::env::temp_dir().join(format!("claviger-admission-{}-{}", std::process::id(), to.len()));
        std::fs::create_dir_all(&dir).expect("a temporary folder");
        let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart");
        let text = std::fs::read_to_string(quickstart.join(file)).expect("the quick start");
        assert!(text.contains(from), "{from}");
        std::fs::write(dir.join(file), text.replacen(from, to, 1)).expect("a file");
        let listing = crate::manifests::read(&dir).expect("the folder is there");
        let _ = std::fs::remove_dir_all(&dir);
        let manifests = listing.files.into_iter().flat_map(|file| file.manifests.expect("it is YAML"));
        let faults = manifests.filter_map(|manifest| judge(&manifest, None).err()).flatten();
        faults.map(|fault| format!("{}:{}", fault.place.line.expect("a line"), fault)).collect()
    }

    #[test]
    fn the_rules_of_the_definitions_are_judged_here_too() {
        for (file, from, to, object, path) in [
            ("10-tenant.yaml", "displayName: Acme", "displyName: Acme", "Tenant identity/acme", "spec.displyName"),
            ("10-tenant.yaml", "RS256 #", "HS256 #", "SigningKey identity/acme-rs256", "spec.algorithm"),
            ("10-tenant.yaml", "2160h", "1h", "SigningKey identity/acme-rs256", "spec.rotation"),
            ("10-tenant.yaml", "10m", "90h", "Tenant identity/acme", "spec.lifetimes.accessToken"),
            ("30-shop.yaml", "secret: {}", "{secret: {}, none: {}}", "OAuthClient shop/orders", "spec.authentication"),
            ("30-shop.yaml", "secret: {}", "{}", "OAuthClient shop/orders", "spec.authentication"),
        ] {
            let faults = judged(file, from, to);
            let wanted = format!("{object}: {path}: ");
            assert!(faults.iter().any(|fault| fault.contains(&wanted)), "{wanted}\n{faults:#?}");
        }
        for file in ["00-namespaces.yaml", "10-tenant.yaml", "20-user.yaml", "30-shop.yaml"] {
            assert_eq!(judged(file, "name", "name"), Vec::<String>::new(), "{file}");
        }
    }
}
