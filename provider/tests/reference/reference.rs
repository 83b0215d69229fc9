//! The reference file, parsed: its tables are regular, and whatever is not as expected panics.

use std::collections::BTreeMap;

/// The copy in the project, byte for byte.
const TEXT: &str = include_str!("../../../docs/reference/oidc-api-reference.md");

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    pub(crate) operations: Vec<Operation>,
    pub(crate) schemas: BTreeMap<String, Vec<Field>>,
}

#[derive(Debug, Default)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) parameters: Vec<Field>,
    /// Media type and schema.
    pub(crate) body: Option<(String, String)>,
    pub(crate) body_required: bool,
    pub(crate) responses: Vec<Response>,
}

/// A parameter or a field.
#[derive(Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// `path`, `query` or `header`; nothing of a schema's field.
    pub(crate) place: String,
    pub(crate) required: bool,
    pub(crate) kind: Kind,
    pub(crate) default: Option<bool>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: String,
    pub(crate) media_type: String,
    pub(crate) kind: Kind,
}

/// A type of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Any,
    /// `string` | `null`: names in their order.
    OneOf(Vec<String>),
    /// array of something.
    Array(Box<Self>),
    /// array of something, or `null`.
    ArrayOrNull(Box<Self>),
    /// A schema of the file.
    Schema(String),
}

impl Operation {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Reads the whole file.
pub(crate) fn read() -> Reference {
    let (_, rest) = TEXT.split_once("\n## Endpoints\n").unwrap();
    let (endpoints, schemas) = rest.split_once("\n## Schemas\n").unwrap();
    let operations: Vec<Operation> = endpoints.split("\n### ").skip(1).map(operation).collect();
    let schemas = schemas.split("\n### ").skip(1).map(schema).collect();
    // The file counts paths with their methods, itself.
    let announced = format!("{} endpoints.", operations.len());
    assert!(TEXT.contains(&announced), "the file announces another number than {announced}");
    Reference { operations, schemas }
}

/// `**GET** `/path``, `_Summary_`, sentences, and sections with tables.
fn operation(text: &str) -> Operation {
    let (heading, rest) = text.split_once('\n').unwrap();
    let (method, path) = heading.split_once(' ').unwrap();
    let mut operation = Operation {
        method: method.trim_matches('*').to_owned(),
        path: code(path),
        summary: rest.trim_start().lines().next().unwrap().trim_matches('_').to_owned(),
        ..Operation::default()
    };
    let sections: Vec<&str> = rest.split("\n**").skip(1).collect();
    for section in sections {
        let (title, content) = section.split_once(":**\n").unwrap_or_else(|| panic!("no section: {section}"));
        match title {
            "Parameters" => operation.parameters = rows(content, &PARAMETERS).into_iter().map(parameter).collect(),
            "Request body" => {
                operation.body_required = content.contains("\nRequired.\n");
                let line = content.lines().find_map(|line| line.strip_prefix("- ")).unwrap();
                let (media_type, schema) = line.split_once(" → ").unwrap();
                operation.body = Some((code(media_type), linked(schema)));
            }
            "Responses" => operation.responses = rows(content, &["Status", "Body"]).into_iter().map(response).collect(),
            other => panic!("a section that this test does not know: {other}"),
        }
    }
    operation
}

const PARAMETERS: [&str; 5] = ["Name", "In", "Required", "Type", "Description"];
const FIELDS: [&str; 4] = ["Field", "Type", "Required", "Description"];

fn parameter(cells: Vec<String>) -> Field {
    let [name, place, required, kind, description] = cells.try_into().unwrap();
    Field { name: code(&name), place, required: yes(&required), kind: parse(&kind), default: default(&description) }
}

fn schema(text: &str) -> (String, Vec<Field>) {
    let (name, content) = text.split_once('\n').unwrap();
    let field = |cells: Vec<String>| {
        let [name, kind, required, description] = cells.try_into().unwrap();
        let default = default(&description);
        Field { name: code(&name), place: String::new(), required: yes(&required), kind: parse(&kind), default }
    };
    (code(name), rows(content, &FIELDS).into_iter().map(field).collect())
}

fn response(cells: Vec<String>) -> Response {
    let [status, body] = cells.try_into().unwrap();
    let (media_type, kind) = body.split_once(" → ").unwrap();
    Response { status: code(&status), media_type: code(media_type), kind: parse(kind) }
}

/// The cells of the one table in `text`, whose columns are these.
fn rows(text: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut lines = text.lines().filter(|line| line.starts_with('|')).map(cells);
    assert_eq!(lines.next().unwrap(), columns);
    assert!(lines.next().unwrap().iter().all(|cell| cell == "---"));
    lines.collect()
}

/// A `|` within a cell is written `\|`.
fn cells(line: &str) -> Vec<String> {
    let line = line.replace("\\|", "\u{0}");
    let cells = line.trim().strip_prefix('|').unwrap().strip_suffix('|').unwrap().split('|');
    cells.map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

fn yes(text: &str) -> bool {
    match text {
        "yes" => true,
        "no" => false,
        other => panic!("neither yes nor no: {other}"),
    }
}

/// `Default: `True``; nothing else stands in this column.
fn default(description: &str) -> Option<bool> {
    match description {
        "" => None,
        "Default: `True`" => Some(true),
        "Default: `False`" => Some(false),
        other => panic!("a description that this test does not know: {other}"),
    }
}

fn parse(text: &str) -> Kind {
    if text == "_any_" {
        return Kind::Any;
    }
    if let Some(items) = text.strip_prefix("array of ") {
        // "array of string | null" is an array or nothing: an array of nulls has no use here.
        return match items.strip_suffix(" | `null`") {
            Some(items) => Kind::ArrayOrNull(Box::new(parse(items))),
            None => Kind::Array(Box::new(parse(items))),
        };
    }
    if text.starts_with('[') {
        return Kind::Schema(linked(text));
    }
    Kind::OneOf(text.split(" | ").map(code).collect())
}

/// `` `text` ``
fn code(text: &str) -> String {
    let inner = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    inner.unwrap_or_else(|| panic!("not in backquotes: {text}")).to_owned()
}

/// ``[`Name`](#anchor)``
fn linked(text: &str) -> String {
    code(text.strip_prefix('[').unwrap().split_once(']').unwrap().0)
}
