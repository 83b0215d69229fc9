//! Every route is described, and what is said of it holds together.

use std::collections::HashSet;

use serde_json::Value;

use super::document::{document, methods};
use super::{Files, operations, page, stylesheet};
use crate::router::{self, Place};

const PLACES: [Place; 2] = [Place::Slug, Place::Host];

#[test]
fn every_route_is_described() {
    for (path, route) in PLACES.into_iter().flat_map(router::paths) {
        let methods = methods(route);
        assert!(!methods.is_empty(), "{path}");
        for method in methods {
            let operation = operations::of(route.endpoint, &method).unwrap_or_else(|| panic!("{method} {path}"));
            assert!(!operation.summary.is_empty() && !operation.description.is_empty(), "{method} {path}");
            assert!(operation.answers.iter().any(|it| it.status.starts_with(['2', '3'])), "{method} {path}");
        }
    }
}

#[test]
fn the_paths_of_the_document_are_those_of_the_router() {
    for place in PLACES {
        let document = document(place);
        let described: HashSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let paths = router::paths(place);
        assert_eq!(described, paths.iter().map(|(path, ..)| path.as_str()).collect());
        assert_eq!(paths.iter().any(|(path, ..)| path.contains("{tenant_slug}")), place == Place::Slug);
    }
}

#[test]
fn operation_ids_are_unique_and_each_parameter_stands_once() {
    for place in PLACES {
        let (document, mut ids) = (document(place), HashSet::new());
        for operation in operations_of(&document) {
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{}", operation["operationId"]);
            let parameters = operation["parameters"].as_array().unwrap();
            let names: HashSet<_> =
                parameters.iter().map(|it| (it["in"].to_string(), it["name"].to_string())).collect();
            assert_eq!(names.len(), parameters.len(), "{}", operation["operationId"]);
        }
    }
}

#[test]
fn every_schema_is_used_and_every_reference_leads_to_one() {
    let document = document(Place::Slug);
    let schemas: HashSet<String> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    let mut named = HashSet::new();
    collect_references(&document, &mut named);
    assert_eq!(named, schemas);
}

#[test]
fn what_the_contract_calls_a_form_is_named_after_its_operation() {
    let document = document(Place::Slug);
    let mut seen = 0;
    for operation in operations_of(&document) {
        let mut named = HashSet::new();
        collect_references(&operation["requestBody"], &mut named);
        for name in named.iter().filter_map(|name| name.strip_prefix("Body_")) {
            assert_eq!(operation["operationId"], name);
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_page_shows_every_operation_and_schema_and_loads_its_stylesheet_alone() {
    for place in PLACES {
        let document = document(place);
        let html = page::render(&document).unwrap();
        for operation in operations_of(&document) {
            assert!(html.contains(&format!("<section id={}", operation["operationId"])), "{operation}");
        }
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(html.contains(&format!("id=\"schema-{name}\"")), "{name}");
            for field in schema["properties"].as_object().unwrap().keys() {
                assert!(html.contains(&format!("<code>{field}</code>")), "{name}.{field}");
            }
        }
        assert!(!html.contains("<script") && !html.contains("style=") && !html.contains("http"), "{html}");
        assert_eq!(html.matches("<link ").count(), 1);
    }
}

#[test]
fn the_stylesheet_loads_nothing() {
    let css = stylesheet();
    let css = std::str::from_utf8(&css.body).unwrap();
    assert!(!css.contains("url(") && !css.contains("@import"));
}

#[test]
fn each_place_has_a_document_of_its_own() {
    let [slug, host] = PLACES.map(Files::new);
    assert_ne!(slug.document.etag, host.document.etag);
    assert!(!slug.page.body.is_empty() && slug.page.etag != host.page.etag);
}

fn operations_of(document: &Value) -> impl Iterator<Item = &Value> {
    document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
}

fn collect_references(value: &Value, into: &mut HashSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| name == "$ref") {
                    Some(reference) => drop(into.insert(reference.rsplit('/').next().unwrap().to_owned())),
                    None => collect_references(value, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        _ => {}
    }
}
