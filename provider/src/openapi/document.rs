//! The document: routes and their descriptions in OpenAPI's words.

use http::Method;
use serde_json::{Map, Value, json};

use super::model::{Answer, Body, Field, Kind, Operation, Schema};
use super::{operations, schemas};
use crate::router::{self, Endpoint, Place, Route};

/// What every operation below a slug begins with.
const TENANT_SLUG: Field = Field::required("tenant_slug", Kind::Text, "Which tenant.");

/// OpenAPI 3.1 of every path at `place`.
pub(super) fn document(place: Place) -> Value {
    let mut paths = Map::new();
    for (path, route) in router::paths(place) {
        let described = methods(route).into_iter().filter_map(|method| {
            let description = operations::of(route.endpoint, &method)?;
            Some((method.as_str().to_ascii_lowercase(), operation(&path, &method, description)))
        });
        let item: Map<String, Value> = described.collect();
        paths.insert(path, item.into());
    }
    let schemas: Map<String, Value> = schemas::ALL.iter().map(|it| (it.name.to_owned(), object(it))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Claviger",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "OpenID Connect and OAuth 2.0 of the tenants that are served here.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "client_secret_basic": {"type": "http", "scheme": "basic"},
                "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    })
}

/// The methods that are described. What is not served has those of the contract.
pub(super) fn methods(route: &Route) -> Vec<Method> {
    if route.endpoint == Endpoint::NotServed { vec![Method::POST] } else { route.methods.described() }
}

fn operation(path: &str, method: &Method, described: &Operation) -> Value {
    let mut parameters = Vec::new();
    if path.contains("{tenant_slug}") {
        parameters.push(parameter("path", &TENANT_SLUG));
    }
    parameters.extend(described.query.iter().map(|field| parameter("query", field)));
    parameters.extend(described.authorization.iter().map(|field| parameter("header", field)));
    let mut operation = json!({
        "operationId": operation_id(path, method, described.summary),
        "summary": described.summary,
        "description": described.description,
        "parameters": parameters,
        "responses": answers(described),
    });
    if let Some(body) = &described.body {
        operation["requestBody"] = request_body(body);
    }
    // A parameter called `authorization` is ignored by OpenAPI's tools: this is what they read.
    match described.authorization {
        Some(Field { required: true, .. }) => operation["security"] = json!([{"access_token": []}]),
        Some(_) => operation["security"] = json!([{"client_secret_basic": []}, {}]),
        None => {}
    }
    if !described.served {
        operation["x-claviger-served"] = json!(false);
    }
    operation
}

/// Made as those of the contract are: `Body_` and it is the name of a form there.
fn operation_id(path: &str, method: &Method, summary: &str) -> String {
    let name = format!("{}{path}_{method}", summary.replace(',', ""));
    name.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '_' }).collect()
}

fn parameter(place: &str, field: &Field) -> Value {
    let mut parameter =
        json!({"name": field.name, "in": place, "required": field.required, "schema": kind(field.kind)});
    if !field.description.is_empty() {
        parameter["description"] = field.description.into();
    }
    parameter
}

fn request_body(body: &Body) -> Value {
    let media = |media_type: &&str| ((*media_type).to_owned(), json!({"schema": reference(body.schema)}));
    let content: Map<String, Value> = body.media_types.iter().map(media).collect();
    json!({"required": body.required, "content": content})
}

fn answers(described: &Operation) -> Map<String, Value> {
    let invalid = Answer::json("422", "A required field is missing or of the wrong type.", "HTTPValidationError");
    let not_served = Answer::json("404", "This release does not serve it.", "OAuthError");
    let mut answers: Vec<&Answer> = Operation::ANY_TENANT.iter().collect();
    answers.extend(described.answers);
    answers.extend(described.in_contract.then_some(&invalid));
    answers.extend((!described.served).then_some(&not_served));
    answers.into_iter().map(|answer| (answer.status.to_owned(), response(answer))).collect()
}

fn response(answer: &Answer) -> Value {
    let mut response = json!({"description": answer.description});
    if let Some((media_type, schema)) = answer.content {
        let schema = schema.map_or_else(|| json!({}), reference);
        response["content"] = json!({media_type: {"schema": schema}});
    }
    response
}

fn object(schema: &Schema) -> Value {
    let property = |field: &Field| {
        let mut property = kind(field.kind);
        if let Some(default) = field.default {
            property["default"] = default.into();
        }
        if !field.description.is_empty() {
            property["description"] = field.description.into();
        }
        (field.name.to_owned(), property)
    };
    let properties: Map<String, Value> = schema.fields.iter().map(property).collect();
    let required: Vec<&str> = schema.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut object = json!({"type": "object", "title": schema.name, "properties": properties});
    if !required.is_empty() {
        object["required"] = required.into();
    }
    if !schema.description.is_empty() {
        object["description"] = schema.description.into();
    }
    object
}

fn kind(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({"type": "string"}),
        Kind::TextOrNull => json!({"type": ["string", "null"]}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::IntegerOrNull => json!({"type": ["integer", "null"]}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::TextsOrNull => json!({"type": ["array", "null"], "items": {"type": "string"}}),
        Kind::TextsOrIntegers => json!({"type": "array", "items": {"type": ["string", "integer"]}}),
        Kind::ObjectOrNull => json!({"type": ["object", "null"]}),
        Kind::TextByName => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        Kind::Each(schema) => json!({"type": "array", "items": reference(schema)}),
    }
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}
