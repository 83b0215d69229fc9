//! Parts of schemas that several fields share, and what is done to every schema before it is
//! printed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use schemars::{Schema, SchemaGenerator, json_schema};

/// A name for people: one line of plain text.
pub(crate) fn display_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00-\\x1f\\x7f-\\x{9f}]*$" })
}

/// A sentence for people: one line of plain text.
pub(crate) fn description(generator: &mut SchemaGenerator) -> Schema {
    display_name(generator)
}

/// Names of claims.
pub(crate) fn claim_names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 50,
        "x-kubernetes-list-type": "set",
        "items": { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z_][A-Za-z0-9_.:/-]*$" },
    })
}

/// How many clients.
pub(crate) fn client_count(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": 1_000_000 })
}

/// Names of the algorithms that sign.
pub(crate) fn algorithm(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["RS256", "PS256", "ES256", "ES384", "EdDSA"] })
}

/// A set of algorithms.
pub(crate) fn algorithms(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "minItems": 1,
        "maxItems": 5,
        "x-kubernetes-list-type": "set",
        "items": { "type": "string", "enum": ["RS256", "PS256", "ES256", "ES384", "EdDSA"] },
    })
}

/// Takes out of every schema below `crd` the titles, which are names of this program's types, and
/// `nullable`: an explicit null then means "not set", for the API server prunes it; with `nullable` it would be
/// kept, and a rule's `has()` would hold for it.
pub(crate) fn without_nulls(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        if let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            strip(schema);
        }
    }
    crd
}

fn strip(schema: &mut JSONSchemaProps) {
    schema.title = None;
    schema.nullable = None;
    // An optional enum lists null among its values; an enum of strings must not.
    if let Some(values) = &mut schema.enum_ {
        values.retain(|value| !value.0.is_null());
    }
    schema.properties.iter_mut().flat_map(|all| all.values_mut()).for_each(strip);
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(item)) => strip(item),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(strip),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        strip(values);
    }
}
