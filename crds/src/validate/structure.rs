//! The structural half of a schema: the keywords that the CRDs use, with the API server's meaning.
//! A keyword that is not known here is refused by a test, not skipped.

use k8s_openapi::jiff::Timestamp;
use kube::core::cel::cel::{Context, Program, Value as CelValue};
use serde_json::{Map, Value};

use super::pattern;
use crate::fault::Faults;

/// Every keyword that `check` understands or that says nothing about values.
#[cfg(test)]
pub(super) const KEYWORDS: [&str; 21] = [
    "description",
    "type",
    "format",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Members of `metadata` that the API server knows.
const METADATA: [&str; 15] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "generateName",
    "finalizers",
    "ownerReferences",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// Checks that `metadata` is there and holds what the API server knows.
pub(super) fn check_metadata(object: &Value, faults: &mut Faults) {
    let Some(metadata) = object.get("metadata").and_then(Value::as_object) else {
        faults.add("metadata", "is missing");
        return;
    };
    for member in metadata.keys().filter(|member| !METADATA.contains(&member.as_str())) {
        faults.add(format!("metadata.{member}"), "is an unknown field");
    }
    if !metadata.get("name").is_some_and(Value::is_string) {
        faults.add("metadata.name", "is missing");
    }
}

/// Takes out every null member that its schema does not allow: it means "not set".
pub(super) fn prune_nulls(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                members.retain(|member, value| !(value.is_null() && properties.contains_key(member)));
            }
            for (member, value) in members.iter_mut() {
                if let Some(schema) = member_schema(schema, member) {
                    prune_nulls(schema, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| prune_nulls(schema, item));
            }
        }
        _ => {}
    }
}

fn member_schema<'a>(schema: &'a Value, member: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(member))
        .or_else(|| schema.get("additionalProperties").filter(|schema| schema.is_object()))
}

/// Checks `value`, which stands at `path`.
pub(super) fn check(schema: &Value, value: &Value, path: &str, faults: &mut Faults) {
    if let Some(expected) = schema.get("type").and_then(Value::as_str)
        && !has_type(value, expected)
    {
        faults.add(path, format!("must be of type {expected}"));
        return;
    }
    match value {
        Value::Object(members) => check_object(schema, members, path, faults),
        Value::Array(items) => check_array(schema, items, path, faults),
        Value::String(text) => check_string(schema, text, path, faults),
        Value::Number(number) => check_number(schema, number.as_f64(), path, faults),
        Value::Bool(_) | Value::Null => {}
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array)
        && !values.contains(value)
    {
        let names: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        faults.add(path, format!("must be one of {}", names.join(", ")));
    }
}

fn has_type(value: &Value, expected: &str) -> bool {
    match expected {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => false,
    }
}

fn check_object(schema: &Value, members: &Map<String, Value>, path: &str, faults: &mut Faults) {
    check_count(schema, ["minProperties", "maxProperties"], members.len(), "entries", path, faults);
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(required) {
            faults.add(join(path, required), "is missing");
        }
    }
    let open = schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    // Every object has these, and no schema names them; see `check_metadata`.
    let implied = |member: &str| path.is_empty() && ["apiVersion", "kind", "metadata"].contains(&member);
    for (member, value) in members {
        match member_schema(schema, member) {
            Some(schema) => check(schema, value, &join(path, member), faults),
            None if open || implied(member) => {}
            None => faults.add(join(path, member), "is an unknown field"),
        }
    }
}

fn check_array(schema: &Value, items: &[Value], path: &str, faults: &mut Faults) {
    check_count(schema, ["minItems", "maxItems"], items.len(), "entries", path, faults);
    if let Some(schema) = schema.get("items") {
        for (at, item) in items.iter().enumerate() {
            check(schema, item, &format!("{path}[{at}]"), faults);
        }
    }
    let list_type = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
    let keys: Vec<&str> = schema
        .get("x-kubernetes-list-map-keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let same = |a: &Value, b: &Value| match list_type {
        Some("set") => a == b,
        Some("map") => keys.iter().all(|key| a.get(key) == b.get(key)),
        _ => false,
    };
    for (at, item) in items.iter().enumerate() {
        if items[..at].iter().any(|earlier| same(earlier, item)) {
            faults.add(format!("{path}[{at}]"), "must not be repeated");
        }
    }
}

fn check_string(schema: &Value, text: &str, path: &str, faults: &mut Faults) {
    check_count(schema, ["minLength", "maxLength"], text.chars().count(), "characters", path, faults);
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
        && !matches(pattern, text)
    {
        let meant = pattern::meant(pattern).map(|meant| format!(": {meant}")).unwrap_or_default();
        faults.add(path, format!("must match {pattern}{meant}"));
    }
    if schema.get("format").and_then(Value::as_str) == Some("date-time") && text.parse::<Timestamp>().is_err() {
        faults.add(path, "must be an RFC 3339 time");
    }
}

fn check_number(schema: &Value, number: Option<f64>, path: &str, faults: &mut Faults) {
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    if let (Some(number), Some(least)) = (number, limit("minimum"))
        && number < least
    {
        faults.add(path, format!("must be at least {least}"));
    }
    if let (Some(number), Some(most)) = (number, limit("maximum"))
        && number > most
    {
        faults.add(path, format!("must be at most {most}"));
    }
}

fn check_count(schema: &Value, [least, most]: [&str; 2], count: usize, unit: &str, path: &str, faults: &mut Faults) {
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    if let Some(least) = limit(least)
        && (count as u64) < least
    {
        faults.add(path, format!("must have at least {least} {unit}"));
    }
    if let Some(most) = limit(most)
        && count as u64 > most
    {
        faults.add(path, format!("must have at most {most} {unit}"));
    }
}

/// Whether `text` matches, in the dialect of the API server's rules; what cannot be judged does not
/// match.
fn matches(pattern: &str, text: &str) -> bool {
    let mut context = Context::default();
    context.add_variable_from_value("text", text);
    context.add_variable_from_value("pattern", pattern);
    let verdict = Program::compile("text.matches(pattern)").map(|program| program.execute(&context));
    matches!(verdict, Ok(Ok(CelValue::Bool(true))))
}

fn join(path: &str, member: &str) -> String {
    if path.is_empty() { member.to_owned() } else { format!("{path}.{member}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(schema: &Value, found: &mut Vec<String>) {
        let Some(members) = schema.as_object() else { return };
        found.extend(members.keys().cloned());
        for (keyword, part) in members {
            match keyword.as_str() {
                "properties" => part.as_object().unwrap().values().for_each(|schema| keywords(schema, found)),
                "items" | "additionalProperties" => keywords(part, found),
                _ => {}
            }
        }
    }

    #[test]
    fn no_schema_uses_a_keyword_that_this_does_not_check() {
        for crd in crate::all_crds() {
            let schema =
                serde_json::to_value(&crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema).unwrap();
            let mut found = Vec::new();
            keywords(&schema, &mut found);
            found.retain(|keyword| !KEYWORDS.contains(&keyword.as_str()));
            assert!(found.is_empty(), "{found:?} in {}", crd.spec.names.kind);
        }
    }

    #[test]
    fn patterns_are_judged_and_a_broken_one_matches_nothing() {
        assert!(matches("^[a-z]+$", "abc"));
        assert!(!matches("^[a-z]+$", "aBc"));
        assert!(!matches("[", "["));
    }
}
