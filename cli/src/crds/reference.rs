//! The custom resources as a page to read: every field, its type, whether it must be there, what it
//! is for and which rules it has. Pure text, from the same schema as the API server's.

use std::fmt::Write as _;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};

const HEAD: &str = "\
# Custom resources

Every field of every kind, from the schema that the API server judges by (`make generate` writes this page).
On a cluster `kubectl explain oauthclient.spec` says the same. A field whose description names no default has none.
";

/// The whole page.
pub(super) fn page(definitions: &[CustomResourceDefinition]) -> String {
    let mut out = HEAD.to_owned();
    for definition in definitions {
        for version in &definition.spec.versions {
            let Some(schema) = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref()) else {
                continue;
            };
            let (kind, short) = (&definition.spec.names.kind, definition.spec.names.short_names.as_deref());
            let short = short.unwrap_or_default().join("`, `");
            // Writing into a String does not fail.
            let _ = write!(out, "\n## {kind}\n\n`apiVersion: {}/{}`", definition.spec.group, version.name);
            let _ = writeln!(out, ", short `{short}`. {}", flat(schema.description.as_deref()));
            rules(&mut out, schema);
            for part in ["spec", "status"] {
                if let Some(schema) = schema.properties.as_ref().and_then(|properties| properties.get(part)) {
                    out.push_str("\n| field | type | what it is |\n| --- | --- | --- |\n");
                    row(&mut out, part, schema, false);
                    fields(&mut out, part, schema);
                }
            }
        }
    }
    out
}

/// The rules between the fields of a whole kind.
fn rules(out: &mut String, schema: &JSONSchemaProps) {
    let rules = messages(schema);
    if !rules.is_empty() {
        let _ = writeln!(out, "\n{}.", rules.join("; "));
    }
}

fn fields(out: &mut String, path: &str, schema: &JSONSchemaProps) {
    for (name, field) in schema.properties.iter().flatten() {
        let required = schema.required.as_ref().is_some_and(|required| required.contains(name));
        below(out, &format!("{path}.{name}"), field, required);
    }
}

fn below(out: &mut String, path: &str, schema: &JSONSchemaProps, required: bool) {
    row(out, path, schema, required);
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
        let path = format!("{path}[]");
        if item.properties.is_some() {
            row(out, &path, item, false);
        }
        fields(out, &path, item);
    }
    fields(out, path, schema);
}

fn row(out: &mut String, path: &str, schema: &JSONSchemaProps, required: bool) {
    let mut what = vec![flat(schema.description.as_deref())];
    if let Some(default) = schema.default.as_ref().filter(|_| !says_default(schema)) {
        what.push(format!("Default: `{}`.", default.0));
    }
    let item = match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(item)) if item.properties.is_none() => messages(item),
        _ => Vec::new(),
    };
    let rules: Vec<String> = messages(schema).into_iter().chain(item).collect();
    if !rules.is_empty() {
        what.push(format!("Rule: {}.", rules.join("; ")));
    }
    what.retain(|text| !text.is_empty());
    let required = if required { ", required" } else { "" };
    let _ = writeln!(out, "| `{path}` | {}{required} | {} |", kind(schema), what.join(" ").replace('|', "\\|"));
}

fn says_default(schema: &JSONSchemaProps) -> bool {
    schema.description.as_ref().is_some_and(|description| description.contains("Default"))
}

/// `string`, `RS256 or ES256`, `array of string`, …
fn kind(schema: &JSONSchemaProps) -> String {
    if let Some(values) = &schema.enum_ {
        let values: Vec<String> =
            values.iter().map(|value| format!("`{}`", value.0.to_string().trim_matches('"'))).collect();
        return values.join(", ");
    }
    match (&schema.items, schema.type_.as_deref()) {
        (Some(JSONSchemaPropsOrArray::Schema(item)), _) => format!("array of {}", kind(item)),
        (_, Some("object")) if schema.additional_properties.is_some() => "map".to_owned(),
        (_, Some(name)) => name.to_owned(),
        (_, None) if schema.x_kubernetes_int_or_string == Some(true) => "integer or string".to_owned(),
        (_, None) => "any".to_owned(),
    }
}

fn messages(schema: &JSONSchemaProps) -> Vec<String> {
    let rules = schema.x_kubernetes_validations.iter().flatten();
    rules.filter_map(|rule| rule.message.clone()).collect()
}

fn flat(text: Option<&str>) -> String {
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_line_with_what_it_is() {
        let page = page(&claviger_crds::all_crds());
        for kind in ["Tenant", "OAuthClient", "SigningKey", "IdentityProvider", "User"] {
            assert!(page.contains(&format!("\n## {kind}\n")), "{kind}");
        }
        for line in
            ["| `spec.tenantRef.name` | string, required |", "| `spec.authentication.privateKeyJwt.jwks.keys[].kty` |"]
        {
            assert!(page.contains(line), "{line}");
        }
        let silent: Vec<&str> =
            page.lines().filter(|line| line.starts_with("| `spec") && line.ends_with("|  |")).collect();
        assert!(silent.is_empty(), "fields without a word on them: {silent:#?}");
    }
}
