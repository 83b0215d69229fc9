//! YAML text as values that remember their lines.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::Spanned;

/// The lines of a document's fields, by path (`spec.redirectUris[0]`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines(BTreeMap<String, u64>);

impl Lines {
    /// The line of the field at `path`, or of the nearest one around it: what is missing has none.
    pub(crate) fn of(&self, path: &str) -> Option<u64> {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            if path.is_empty() {
                return None;
            }
            let cut = if path.ends_with(']') { path.rfind('[') } else { path.rfind(['.', '[']) };
            path = cut.map_or("", |at| &path[..at]);
        }
    }

    /// The lines of what is at `prefix`, with paths that begin there.
    pub(crate) fn below(&self, prefix: &str) -> Self {
        let inside = self.0.iter().filter_map(|(path, line)| {
            let rest = path.strip_prefix(prefix)?;
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            Some((rest.to_owned(), *line))
        });
        Self(inside.collect())
    }
}

/// One YAML document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    /// Its content.
    pub(crate) value: Value,
    /// Where its fields stand.
    pub(crate) lines: Lines,
}

/// Why a text is not YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotYaml {
    /// Line, from 1, where it is known.
    pub(crate) line: Option<u64>,
    /// What is wrong there.
    pub(crate) message: String,
}

/// Reads every document of `text`; empty ones are left out.
///
/// # Errors
/// [`NotYaml`], with the first line that makes no sense.
pub(crate) fn documents(text: &str) -> Result<Vec<Document>, NotYaml> {
    let options = serde_saphyr::options! { with_snippet: false };
    let roots: Vec<Spanned<Node>> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        NotYaml { line: error.location().map(|location| location.line()), message: first_line(&error.to_string()) }
    })?;
    Ok(roots.into_iter().map(document).collect())
}

/// Errors may come with a picture of the text, which could show a Secret: the first line is enough.
fn first_line(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or("not YAML").trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn document(root: Spanned<Node>) -> Document {
    let mut lines = Lines::default();
    let line = match &root.value {
        // A block mapping begins where its first key does, comments and markers left out.
        Node::Map(entries) => entries.first().map_or(root.referenced.line(), |(key, _)| key.referenced.line()),
        _ => root.referenced.line(),
    };
    lines.0.insert(String::new(), line);
    let value = root.value.into_value("", &mut lines);
    Document { value, lines }
}

/// A YAML node whose children know where they stand.
enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl Node {
    fn into_value(self, path: &str, lines: &mut Lines) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Text(value) => Value::String(value),
            Self::List(items) => Value::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| {
                        let path = format!("{path}[{at}]");
                        lines.0.insert(path.clone(), item.referenced.line());
                        item.value.into_value(&path, lines)
                    })
                    .collect(),
            ),
            Self::Map(entries) => Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let path = if path.is_empty() { key.value.clone() } else { format!("{path}.{}", key.value) };
                        lines.0.insert(path.clone(), key.referenced.line());
                        (key.value, value.value.into_value(&path, lines))
                    })
                    .collect(),
            ),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Number::from_f64(value).map(Node::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "\
# a comment
---
kind: A
spec:
  number: 10
  duration: 10m
  list:
    - one
    - name: two
      on: true
---
# nothing in this one
---
kind: B
text: |
  a
  b
";

    #[test]
    fn every_document_comes_with_the_lines_of_its_fields() {
        let documents = documents(TEXT).expect("it is YAML");
        assert_eq!(documents.len(), 2);
        let [a, b] = [&documents[0], &documents[1]];
        let spec = json!({"number": 10, "duration": "10m", "list": ["one", {"name": "two", "on": true}]});
        assert_eq!(a.value, json!({"kind": "A", "spec": spec}));
        assert_eq!(b.value, json!({"kind": "B", "text": "a\nb\n"}));
        for (path, line) in [("", 3), ("kind", 3), ("spec.duration", 6), ("spec.list[0]", 8), ("spec.list[1].on", 10)] {
            assert_eq!(a.lines.of(path), Some(line), "{path}");
        }
        assert_eq!(b.lines.of(""), Some(14));
    }

    #[test]
    fn what_is_missing_stands_where_its_parent_does() {
        let documents = documents(TEXT).expect("it is YAML");
        let lines = &documents[0].lines;
        assert_eq!(lines.of("spec.tenantRef.name"), Some(4));
        assert_eq!(lines.of("spec.list[1].deep[3].er"), Some(9));
        assert_eq!(lines.of("metadata.name"), Some(3));
    }

    #[test]
    fn a_fault_names_its_line_and_shows_nothing_of_the_text() {
        for (text, line) in [
            ("kind: A\nspec: [1, 2\nx: hunter2-secret\n", 2..=4),
            ("kind: A\nkind: hunter2-secret\n", 2..=2),
            ("a: 1\n b: hunter2-secret\n", 2..=2),
        ] {
            let fault = documents(text).expect_err(text);
            assert!(fault.line.is_some_and(|at| line.contains(&at)), "{text}: {fault:?}");
            assert!(!fault.message.contains("hunter2") && !fault.message.contains('\n'), "{fault:?}");
        }
    }
}
