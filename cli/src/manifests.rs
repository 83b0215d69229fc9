//! A folder of YAML as objects: where each stands, what could not be read, and why.
//!
//! Used by `lint` and by `dev`. It knows the outer shape of a manifest (`apiVersion`, `kind`,
//! `metadata`) and no more; [`crate::admission`] judges what is inside.

mod folder;
mod manifest;
mod text;

use std::fmt;
use std::path::PathBuf;

use claviger_crds::names::ObjectName;
use serde_json::Value;

pub(crate) use self::folder::{File, Listing, Stamp, is_empty, read, stamp};
pub(crate) use self::manifest::{Manifest, Sort, title};

/// The object that a `…Ref` of the object `own` names: of its own namespace, unless it says another.
pub(crate) fn referred(own: &ObjectName, reference: &Value) -> ObjectName {
    let namespace = reference["namespace"].as_str().unwrap_or(&own.namespace);
    ObjectName::new(namespace, reference["name"].as_str().unwrap_or_default())
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// The file, as the user would open it.
    pub(crate) file: PathBuf,
    /// The line, from 1; none where the file as a whole is meant.
    pub(crate) line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            None => write!(f, "{}", self.file.display()),
            Some(line) => write!(f, "{}:{line}", self.file.display()),
        }
    }
}

/// What is wrong, and where. Holds no value of any Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// File and line.
    pub(crate) place: Place,
    /// The object, as `Kind namespace/name`; none where the file cannot be read as objects.
    pub(crate) object: Option<String>,
    /// The field; empty where the object as a whole is meant.
    pub(crate) path: String,
    /// One sentence for a person.
    pub(crate) message: String,
}

impl Fault {
    /// Whether both speak of one field of one object.
    pub(crate) fn is_about_what(&self, other: &Self) -> bool {
        (&self.place.file, &self.object, &self.path) == (&other.place.file, &other.object, &other.path)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        // Some rules name their field themselves.
        if !self.path.is_empty() && !self.message.starts_with(&self.path) {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Something that is no fault, but that a person should know: a kind that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Note {
    /// File and line.
    pub(crate) place: Place,
    /// One sentence.
    pub(crate) message: String,
}
