//! The reference against `/openapi.json`.

use serde_json::{Value, json};

use crate::exceptions::{NOT_SERVED, OTHER_MEDIA_TYPE, is_served};
use crate::fixture::*;
use crate::reference::{self, Field, Kind, Operation};

async fn document() -> Value {
    let answer = Fixture::acme().get("/openapi.json").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

#[tokio::test]
async fn every_operation_of_the_reference_is_described_as_it_is_there() {
    let (document, reference) = (document().await, reference::read());
    assert_eq!(document["openapi"], "3.1.0");
    let mut differences = Vec::new();
    for operation in &reference.operations {
        let described = &document["paths"][&operation.path][operation.method.to_lowercase()];
        if described.is_null() {
            differences.push(format!("{}: not described", operation.name()));
            continue;
        }
        let mut differs = |what: String| differences.push(format!("{}: {what}", operation.name()));
        if described["summary"] != operation.summary {
            differs(format!("summary {}", described["summary"]));
        }
        if (described["x-claviger-served"] != false) != is_served(&operation.name()) {
            differs(format!("x-claviger-served {}", described["x-claviger-served"]));
        }
        compare_parameters(operation, described, &mut differs);
        compare_body(operation, described, &mut differs);
        compare_responses(operation, described, &mut differs);
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test]
async fn every_schema_of_the_reference_is_described_as_it_is_there() {
    let (document, reference) = (document().await, reference::read());
    let mut differences = Vec::new();
    for (name, fields) in &reference.schemas {
        let described = &document["components"]["schemas"][name];
        let required: Vec<&str> = texts(&described["required"]);
        let mut differs = |what: String| differences.push(format!("{name}: {what}"));
        for field in fields {
            let property = &described["properties"][&field.name];
            compare_type(field, property, &mut differs);
            if required.contains(&field.name.as_str()) != field.required {
                differs(format!("{} required", field.name));
            }
            if property["default"].as_bool() != field.default {
                differs(format!("{} default {}", field.name, property["default"]));
            }
        }
        // What is ours beside it is for nobody to send or to expect.
        for name in required.iter().filter(|name| fields.iter().all(|field| field.name != **name)) {
            differs(format!("{name} is required, and not in the reference"));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test]
async fn an_exception_is_made_for_what_there_is() {
    let (document, reference) = (document().await, reference::read());
    let names: Vec<String> = reference.operations.iter().map(Operation::name).collect();
    for (name, _) in NOT_SERVED {
        assert!(names.iter().any(|other| other == name), "{name}");
    }
    for (name, status, _) in OTHER_MEDIA_TYPE {
        let (method, path) = name.split_once(' ').unwrap();
        let described = &document["paths"][path][method.to_lowercase()]["responses"][status];
        assert!(described.is_object() && described["content"]["application/json"].is_null(), "{name} {described}");
    }
}

fn compare_parameters(operation: &Operation, described: &Value, differs: &mut impl FnMut(String)) {
    let parameters = described["parameters"].as_array().unwrap();
    let is = |parameter: &&Value, field: &Field| parameter["name"] == field.name && parameter["in"] == field.place;
    for field in &operation.parameters {
        let Some(parameter) = parameters.iter().find(|parameter| is(parameter, field)) else {
            differs(format!("no parameter {} in {}", field.name, field.place));
            continue;
        };
        if parameter["required"] != field.required {
            differs(format!("{} required {}", field.name, parameter["required"]));
        }
        compare_type(field, &parameter["schema"], differs);
        assert_eq!(field.default, None, "no parameter of the reference has a default");
    }
    for parameter in parameters {
        if parameter["required"] == true && !operation.parameters.iter().any(|field| is(&parameter, field)) {
            differs(format!("{} is required, and not in the reference", parameter["name"]));
        }
    }
}

fn compare_body(operation: &Operation, described: &Value, differs: &mut impl FnMut(String)) {
    let body = &described["requestBody"];
    match &operation.body {
        None if body["required"] == true => differs("a body is required, and not in the reference".to_owned()),
        None => {}
        Some((media_type, schema)) => {
            if body["content"][media_type]["schema"] != reference_to(schema) {
                differs(format!("body {body}"));
            }
            if body["required"] != operation.body_required {
                differs(format!("body required {}", body["required"]));
            }
        }
    }
}

fn compare_responses(operation: &Operation, described: &Value, differs: &mut impl FnMut(String)) {
    for response in &operation.responses {
        let other = &described["responses"][&response.status];
        let excepted =
            |(name, status, _): &&(&str, &str, &str)| *name == operation.name() && *status == response.status;
        if other.is_null() {
            differs(format!("no response {}", response.status));
        } else if OTHER_MEDIA_TYPE.iter().find(excepted).is_none() {
            let schema = &other["content"][&response.media_type]["schema"];
            // Of `_any_` we may say more.
            if !(schema.is_object() && (response.kind == Kind::Any || *schema == schema_of(&response.kind))) {
                differs(format!("response {} {other}", response.status));
            }
        }
    }
}

fn compare_type(field: &Field, described: &Value, differs: &mut impl FnMut(String)) {
    let mut described = described.clone();
    if let Some(schema) = described.as_object_mut() {
        schema.remove("description");
        schema.remove("default");
    }
    if described != schema_of(&field.kind) {
        differs(format!("{} is {described} and not {}", field.name, schema_of(&field.kind)));
    }
}

/// A type of the reference in OpenAPI's words.
fn schema_of(kind: &Kind) -> Value {
    match kind {
        Kind::Any => json!({}),
        Kind::OneOf(names) if names.len() == 1 => json!({"type": names[0]}),
        Kind::OneOf(names) => json!({"type": names}),
        Kind::Array(items) => json!({"type": "array", "items": schema_of(items)}),
        Kind::ArrayOrNull(items) => json!({"type": ["array", "null"], "items": schema_of(items)}),
        Kind::Schema(name) => reference_to(name),
    }
}

fn reference_to(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
