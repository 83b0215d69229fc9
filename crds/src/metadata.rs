//! What every parser takes from an object's metadata.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use crate::fault::Faults;
use crate::names::{self, ObjectName};

/// The part of `metadata` that the valid values carry.
pub(crate) struct Metadata {
    pub(crate) name: ObjectName,
    pub(crate) uid: String,
    pub(crate) generation: i64,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) paused: bool,
    pub(crate) rotate_at: Option<Timestamp>,
    pub(crate) accept_stored_ring: Option<u64>,
}

impl Metadata {
    /// Reads the metadata of an object that came from the API server or from a file.
    pub(crate) fn parse(metadata: &ObjectMeta, faults: &mut Faults) -> Self {
        let name = metadata.name.clone().unwrap_or_default();
        let namespace = metadata.namespace.clone().unwrap_or_default();
        faults.demand(crate::types::is_dns_subdomain(&name), "metadata.name", "must be the name of an object");
        faults.demand(crate::types::is_dns_label(&namespace), "metadata.namespace", "must be the name of a namespace");
        let annotation = |key| metadata.annotations.as_ref().and_then(|all| all.get(key)).map(String::as_str);
        let paused = match annotation(names::ANNOTATION_PAUSED) {
            None | Some("false") => false,
            Some("true") => true,
            // Whoever writes "yes" means to stop the operator; a typing error must not let it go on.
            Some(_) => {
                faults.add(annotation_path(names::ANNOTATION_PAUSED), "must be true or false");
                true
            }
        };
        let mut fault = |key, must: &str| faults.add(annotation_path(key), must);
        let rotate_at = annotation(names::ANNOTATION_ROTATE_AT).and_then(|text| {
            text.parse().map_err(|_| fault(names::ANNOTATION_ROTATE_AT, "must be an RFC 3339 time")).ok()
        });
        let accept_stored_ring = annotation(names::ANNOTATION_ACCEPT_STORED_RING).and_then(|text| {
            text.parse().map_err(|_| fault(names::ANNOTATION_ACCEPT_STORED_RING, "must be a revision: a number")).ok()
        });
        Self {
            name: ObjectName::new(namespace, name),
            uid: metadata.uid.clone().unwrap_or_default(),
            generation: metadata.generation.unwrap_or_default(),
            created_at: metadata.creation_timestamp.as_ref().map(|time| time.0),
            paused,
            rotate_at,
            accept_stored_ring,
        }
    }
}

fn annotation_path(key: &str) -> String {
    format!("metadata.annotations[{key}]")
}
