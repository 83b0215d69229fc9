//! Whether a body is what a schema of the reference says.

use serde_json::Value;

use crate::reference::{Kind, Reference};

/// Everything that `body` has against the schema `name`.
pub(crate) fn differences(body: &Value, name: &str, reference: &Reference) -> Vec<String> {
    let mut differences = Vec::new();
    let Some(object) = body.as_object() else { return vec![format!("{name}: no object")] };
    for field in &reference.schemas[name] {
        match object.get(&field.name) {
            None if field.required => differences.push(format!("{name}.{} is missing", field.name)),
            None => {}
            Some(value) if is(value, &field.kind, reference) => {}
            Some(value) => differences.push(format!("{name}.{} is {value}, and not {:?}", field.name, field.kind)),
        }
    }
    differences
}

fn is(value: &Value, kind: &Kind, reference: &Reference) -> bool {
    let all =
        |items: &Kind| value.as_array().is_some_and(|values| values.iter().all(|value| is(value, items, reference)));
    match kind {
        Kind::Any => true,
        Kind::OneOf(names) => names.iter().any(|name| is_named(value, name)),
        Kind::Array(items) => all(items),
        Kind::ArrayOrNull(items) => value.is_null() || all(items),
        Kind::Schema(name) => differences(value, name, reference).is_empty(),
    }
}

fn is_named(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("a type that this test does not know: {other}"),
    }
}
