//! What the API server would say of an object, without an API server: the schema's structure first,
//! then its CEL rules. For `claviger lint` and `claviger dev`; the tests hold it to what a real API
//! server says.

mod pattern;
mod structure;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use serde_json::Value;

use crate::fault::{Fault, Faults};
use crate::names;

struct KindSchema {
    structure: Value,
    rules: CompiledSchema,
}

static SCHEMAS: LazyLock<BTreeMap<String, KindSchema>> = LazyLock::new(|| {
    crate::all_crds()
        .into_iter()
        .filter_map(|crd| {
            let schema = crd.spec.versions.first()?.schema.as_ref()?.open_api_v3_schema.as_ref()?;
            let structure = serde_json::to_value(schema).ok()?;
            let rules = compile_schema(&structure);
            Some((crd.spec.names.kind.clone(), KindSchema { structure, rules }))
        })
        .collect()
});

/// Whether `kind` is one of ours.
pub fn knows(kind: &str) -> bool {
    SCHEMAS.contains_key(kind)
}

/// What is wrong with `object` as a `kind` by its schema alone: unknown fields, wrong types, and
/// every CEL rule; with `old`, what it would be an update of, those on changes too. `status` is not
/// looked at. Rules run only over an object of the right structure, as on the API server.
pub fn schema(kind: &str, object: &Value, old: Option<&Value>) -> Vec<Fault> {
    let mut faults = Faults::default();
    let Some(KindSchema { structure, rules }) = SCHEMAS.get(kind) else {
        faults.add("kind", "is none of this group");
        return faults.into_vec();
    };
    let group_version = format!("{}/{}", names::GROUP, names::VERSION);
    if object.get("apiVersion").and_then(Value::as_str) != Some(&group_version) {
        faults.add("apiVersion", format!("must be {group_version}"));
    }
    let object = prepare(structure, object);
    structure::check_metadata(&object, &mut faults);
    structure::check(structure, &object, "", &mut faults);
    if faults.is_empty() {
        let old = old.map(|old| prepare(structure, old));
        if let Err(errors) = Validator::new().validate_compiled(rules, &object, old.as_ref()) {
            for error in errors.into_vec() {
                let path = error.field_path.trim_start_matches('.');
                faults.add(if path.is_empty() { "metadata, spec" } else { path }, error.message);
            }
        }
    }
    faults.into_vec()
}

/// The object as the API server has it before it validates: without status and without nulls.
fn prepare(structure: &Value, object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("status");
    }
    structure::prune_nulls(structure, &mut object);
    object
}
