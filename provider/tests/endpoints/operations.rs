//! What there is to ask, by `/openapi.json`, which is made of the route table: a table of tests that
//! is compared with it misses no endpoint and no parameter that comes later.

use serde_json::Value;

use crate::fixture::*;

/// A method of an endpoint.
pub(crate) struct Operation {
    /// `POST /oauth/token`: below the issuer.
    pub(crate) name: String,
    /// What can be sent: `query id_token_hint`, `body code`, `header authorization`.
    pub(crate) fields: Vec<String>,
}

/// Every operation of a tenant below its slug.
pub(crate) async fn operations(fixture: &Fixture) -> Vec<Operation> {
    let document = fixture.get("/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let below = path.replace("/api/v1/auth/tenants/{tenant_slug}", "");
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{} {below}", method.to_uppercase());
            operations.push(Operation { name, fields: fields(&document, operation) });
        }
    }
    assert!(operations.len() > 20, "{}", operations.len());
    operations
}

fn fields(document: &Value, operation: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let parameters = operation["parameters"].as_array().unwrap().iter();
    let parameters = parameters.filter(|parameter| parameter["in"] != "path");
    let mut fields: Vec<String> =
        parameters.map(|parameter| format!("{} {}", text(&parameter["in"]), text(&parameter["name"]))).collect();
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        let schema = content.values().next().unwrap()["schema"]["$ref"].as_str().unwrap();
        let schema = document.pointer(schema.trim_start_matches('#')).unwrap();
        fields.extend(schema["properties"].as_object().unwrap().keys().map(|name| format!("body {name}")));
    }
    fields
}
