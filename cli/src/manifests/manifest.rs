//! One object of a file: its kind, its name, and where it stands.

use std::fmt;
use std::path::Path;

use claviger_crds::names::{GROUP, ObjectName, VERSION};
use claviger_operator::cluster::Kind;
use serde_json::{Map, Value};

use super::text::{Document, Lines};
use super::{Fault, Note, Place};

/// What an object is. The order is the one in which objects are taken in: what others name first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sort {
    /// A Namespace, for its labels.
    Namespace,
    /// A Secret that our objects may name.
    Secret,
    /// A ServiceAccount that a client may name.
    ServiceAccount,
    /// One of ours.
    Resource(Kind),
}

/// The kinds of ours.
const KINDS: [Kind; 5] = [Kind::Tenant, Kind::SigningKey, Kind::OAuthClient, Kind::User, Kind::IdentityProvider];

/// The kind of ours with this name.
fn kind(name: &str) -> Option<Kind> {
    KINDS.into_iter().find(|known| known.as_str() == name)
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespace => "Namespace",
            Self::Secret => "Secret",
            Self::ServiceAccount => "ServiceAccount",
            Self::Resource(kind) => kind.as_str(),
        })
    }
}

/// One object of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manifest {
    /// What it is.
    pub(crate) sort: Sort,
    /// Its name; a Namespace has no namespace.
    pub(crate) name: ObjectName,
    /// All of it, with `metadata.namespace` filled in and without `status`.
    pub(crate) value: Value,
    /// Where it begins.
    pub(crate) place: Place,
    /// Where its fields stand.
    pub(crate) lines: Lines,
}

impl Manifest {
    /// `Kind namespace/name`, or `Namespace name`.
    pub(crate) fn title(&self) -> String {
        title(self.sort, &self.name)
    }

    /// A fault of this object at the field `path`.
    pub(crate) fn fault(&self, path: impl Into<String>, message: impl Into<String>) -> Fault {
        let path = path.into();
        let place = Place { file: self.place.file.clone(), line: self.lines.of(&path).or(self.place.line) };
        Fault { place, object: Some(self.title()), path, message: message.into() }
    }
}

/// `Kind namespace/name`, or `Namespace name`.
pub(crate) fn title(sort: Sort, name: &ObjectName) -> String {
    if sort == Sort::Namespace { format!("{sort} {}", name.name) } else { format!("{sort} {name}") }
}

/// What a document turned out to hold.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) manifests: Vec<Manifest>,
    pub(super) faults: Vec<Fault>,
    pub(super) notes: Vec<Note>,
}

impl Found {
    /// Takes in one document of `file`: an object, or a List of them.
    pub(super) fn take(&mut self, file: &Path, document: Document) {
        let Document { value, lines } = document;
        if value.get("kind").and_then(Value::as_str) == Some("List") {
            // What `kubectl get -o yaml` prints.
            let items = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            for (at, item) in items.into_iter().enumerate() {
                let prefix = format!("items[{at}]");
                self.object(file, item, lines.below(&prefix));
            }
        } else {
            self.object(file, value, lines);
        }
    }

    fn object(&mut self, file: &Path, value: Value, lines: Lines) {
        let place = Place { file: file.to_owned(), line: lines.of("") };
        match manifest(value, place.clone(), lines) {
            Ok(Judged::Ours(manifest)) => self.manifests.push(*manifest),
            Ok(Judged::Foreign(kind)) => {
                let message = format!("{kind} is not used here");
                self.notes.push(Note { place, message });
            }
            Err(fault) => self.faults.push(*fault),
        }
    }
}

enum Judged {
    Ours(Box<Manifest>),
    Foreign(String),
}

fn manifest(value: Value, place: Place, lines: Lines) -> Result<Judged, Box<Fault>> {
    let fault = |path: &str, object: Option<&str>, message: String| {
        let place = Place { file: place.file.clone(), line: lines.of(path) };
        Box::new(Fault { place, object: object.map(str::to_owned), path: path.to_owned(), message })
    };
    let Value::Object(mut map) = value else {
        return Err(fault("", None, "not a Kubernetes object: expected apiVersion, kind and metadata".into()));
    };
    let text = |map: &Map<String, Value>, key: &str| {
        let found = map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        found.map(str::to_owned).ok_or_else(|| fault(key, None, format!("{key} is missing or not a string")))
    };
    let (api_version, kind) = (text(&map, "apiVersion")?, text(&map, "kind")?);
    let sort = match sort(&api_version, &kind) {
        Ok(Some(sort)) => sort,
        Ok(None) => return Ok(Judged::Foreign(format!("{kind} ({api_version})"))),
        Err(message) => return Err(fault("apiVersion", Some(&kind), message)),
    };
    let kind = sort.to_string();
    let Some(Value::Object(metadata)) = map.get_mut("metadata") else {
        return Err(fault("metadata", Some(&kind), "metadata is missing".into()));
    };
    let part = |key: &str, default: Option<&str>, legal: fn(&str) -> bool| {
        let path = format!("metadata.{key}");
        match (metadata.get(key), default) {
            (None | Some(Value::Null), Some(default)) => Ok(default.to_owned()),
            (Some(Value::String(text)), _) if legal(text) => Ok(text.clone()),
            (None | Some(Value::Null), None) => Err(fault(&path, Some(&kind), format!("{path} is missing"))),
            _ => Err(fault(&path, Some(&kind), format!("{path} is not a legal name"))),
        }
    };
    let name = if sort == Sort::Namespace {
        ObjectName::new("", part("name", None, is_label)?)
    } else {
        // As kubectl does where no namespace is named.
        let namespace = part("namespace", Some("default"), is_label)?;
        ObjectName::new(namespace, part("name", None, is_subdomain)?)
    };
    if sort != Sort::Namespace {
        metadata.insert("namespace".into(), name.namespace.clone().into());
    }
    map.remove("status");
    Ok(Judged::Ours(Box::new(Manifest { sort, name, value: Value::Object(map), place, lines })))
}

/// Which sort of object this is, `None` for a foreign one.
fn sort(api_version: &str, kind: &str) -> Result<Option<Sort>, String> {
    let ours = format!("{GROUP}/{VERSION}");
    if api_version == "v1" {
        return Ok(match kind {
            "Namespace" => Some(Sort::Namespace),
            "Secret" => Some(Sort::Secret),
            "ServiceAccount" => Some(Sort::ServiceAccount),
            _ => None,
        });
    }
    if api_version.split('/').next() != Some(GROUP) {
        return Ok(None);
    }
    if api_version != ours {
        return Err(format!("{api_version} is not served; expected {ours}"));
    }
    self::kind(kind).map(|kind| Some(Sort::Resource(kind))).ok_or_else(|| format!("{ours} has no kind {kind}"))
}

/// A DNS label (RFC 1123): the form of a Namespace's name.
fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

/// A DNS subdomain (RFC 1123): the form of an object's name.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(legal) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::super::text::documents;
    use super::*;

    fn found(text: &str) -> Found {
        let mut found = Found::default();
        for document in documents(text).expect("it is YAML") {
            found.take(Path::new("a.yaml"), document);
        }
        found
    }

    #[test]
    fn an_object_without_a_namespace_is_in_default() {
        let found = found("apiVersion: claviger.dev/v1alpha1\nkind: Tenant\nmetadata: {name: acme}\nstatus: {x: 1}\n");
        let [manifest] = &found.manifests[..] else { panic!("{found:?}") };
        assert_eq!(manifest.title(), "Tenant default/acme");
        assert_eq!(manifest.value["metadata"]["namespace"], "default");
        assert!(manifest.value.get("status").is_none());
    }

    #[test]
    fn the_objects_of_a_list_keep_their_lines() {
        let found = found(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: a\n- 5\n",
        );
        let [manifest] = &found.manifests[..] else { panic!("{found:?}") };
        assert_eq!((manifest.title().as_str(), manifest.place.line), ("Secret default/a", Some(4)));
        assert_eq!(manifest.lines.of("metadata.name"), Some(7));
        let [fault] = &found.faults[..] else { panic!("{found:?}") };
        assert_eq!(fault.place.line, Some(8));
    }

    #[test]
    fn what_is_not_ours_is_noted_and_what_claims_to_be_is_a_fault() {
        let foreign = found("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n");
        assert_eq!((foreign.manifests.len(), foreign.faults.len(), foreign.notes.len()), (0, 0, 1));
        for text in [
            "apiVersion: claviger.dev/v1\nkind: Tenant\nmetadata: {name: a}\n",
            "apiVersion: claviger.dev/v1alpha1\nkind: Tenent\nmetadata: {name: a}\n",
            "apiVersion: claviger.dev/v1alpha1\nkind: Tenant\nmetadata: {generateName: a}\n",
            "apiVersion: claviger.dev/v1alpha1\nkind: Tenant\nmetadata: {name: A_b}\n",
            "apiVersion: claviger.dev/v1alpha1\nkind: Tenant\nmetadata: {name: a, namespace: a.b}\n",
            "kind: Tenant\nmetadata: {name: a}\n",
            "just text\n",
        ] {
            let found = found(text);
            assert_eq!((found.manifests.len(), found.faults.len()), (0, 1), "{text}: {found:?}");
        }
    }
}
