//! The document as a page.

use askama::Template;
use serde_json::{Map, Value};

/// What the page shows, read from the document alone: it cannot say anything else.
#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage<'a> {
    info: &'a Value,
    operations: Vec<Operation<'a>>,
    schemas: Vec<Schema<'a>>,
}

struct Operation<'a> {
    method: String,
    path: &'a str,
    id: &'a str,
    summary: &'a str,
    description: &'a str,
    served: bool,
    parameters: Vec<Row<'a>>,
    bodies: Vec<Body<'a>>,
    answers: Vec<Answer<'a>>,
}

struct Schema<'a> {
    name: &'a str,
    description: &'a str,
    fields: Vec<Row<'a>>,
}

/// A parameter or a field.
struct Row<'a> {
    name: &'a str,
    /// Of a parameter.
    place: &'a str,
    required: bool,
    kind: Kind<'a>,
    default: Option<String>,
    description: &'a str,
}

/// A type: words, and a schema of this page that ends them.
struct Kind<'a> {
    words: String,
    schema: Option<&'a str>,
}

struct Body<'a> {
    media_type: &'a str,
    kind: Kind<'a>,
}

struct Answer<'a> {
    status: &'a str,
    description: &'a str,
    bodies: Vec<Body<'a>>,
}

/// HTML of `document`.
pub(super) fn render(document: &Value) -> Result<String, askama::Error> {
    let mut operations = Vec::new();
    for (path, item) in entries(&document["paths"]) {
        let methods = entries(item).into_iter();
        operations.extend(methods.map(|(method, operation)| Operation::of(path, method, operation)));
    }
    let schemas = entries(&document["components"]["schemas"]).into_iter().map(Schema::of).collect();
    ApiPage { info: &document["info"], operations, schemas }.render()
}

fn entries(value: &Value) -> Vec<(&str, &Value)> {
    value.as_object().map(Map::iter).into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn bodies(content: &Value) -> Vec<Body<'_>> {
    let content = entries(content).into_iter();
    content.map(|(media_type, it)| Body { media_type, kind: Kind::of(&it["schema"]) }).collect()
}

impl<'a> Operation<'a> {
    fn of(path: &'a str, method: &str, operation: &'a Value) -> Self {
        let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| Row {
            name: text(parameter, "name"),
            place: text(parameter, "in"),
            required: parameter["required"] == true,
            kind: Kind::of(&parameter["schema"]),
            default: None,
            description: text(parameter, "description"),
        });
        let answers = entries(&operation["responses"]).into_iter().map(|(status, answer)| Answer {
            status,
            description: text(answer, "description"),
            bodies: bodies(&answer["content"]),
        });
        Self {
            method: method.to_ascii_uppercase(),
            path,
            id: text(operation, "operationId"),
            summary: text(operation, "summary"),
            description: text(operation, "description"),
            served: operation["x-claviger-served"] != false,
            parameters: parameters.collect(),
            bodies: bodies(&operation["requestBody"]["content"]),
            answers: answers.collect(),
        }
    }
}

impl<'a> Schema<'a> {
    fn of((name, schema): (&'a str, &'a Value)) -> Self {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let fields = entries(&schema["properties"]).into_iter().map(|(name, field)| Row {
            name,
            place: "",
            required: required.contains(&name),
            kind: Kind::of(field),
            default: field.get("default").map(Value::to_string),
            description: text(field, "description"),
        });
        Self { name, description: text(schema, "description"), fields: fields.collect() }
    }
}

impl<'a> Kind<'a> {
    fn of(schema: &'a Value) -> Self {
        if let Some(reference) = schema["$ref"].as_str() {
            return Self { words: String::new(), schema: reference.rsplit('/').next() };
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => return Self { words: "any".to_owned(), schema: None },
        };
        let words = types.join(" or ");
        match schema.get("items") {
            None => Self { words, schema: None },
            Some(items) => {
                let items = Self::of(items);
                Self { words: format!("{words} of {}", items.words), schema: items.schema }
            }
        }
    }
}
