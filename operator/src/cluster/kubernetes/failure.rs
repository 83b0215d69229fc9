//! What an answer of the API server means to the caller. Pure.

use kube::core::Status;

use crate::cluster::ClusterError;

/// More of a message than this is of no use to anybody.
const LONGEST: usize = 300;

pub(super) fn classify(error: &kube::Error) -> ClusterError {
    match error {
        kube::Error::Api(status) => answered(status),
        // What could not be sent or read. The text names addresses and causes, never a body.
        kube::Error::SerdeError(_) => ClusterError::Unavailable("the answer cannot be read".to_owned()),
        other => ClusterError::Unavailable(shortened(&other.to_string())),
    }
}

fn answered(status: &Status) -> ClusterError {
    match status.code {
        404 => ClusterError::NotFound,
        409 if status.reason == "AlreadyExists" => ClusterError::AlreadyExists,
        409 => ClusterError::Conflict,
        403 if causes(status).any(|(reason, _)| reason == "NamespaceTerminating") => ClusterError::NotFound,
        401 | 403 => ClusterError::Denied(shortened(&status.message)),
        // The message quotes values of the object, which may be secret; the fields do not.
        400 | 413 | 422 => {
            let fields: Vec<&str> = causes(status).map(|(_, field)| field).filter(|field| !field.is_empty()).collect();
            ClusterError::Invalid(shortened(&format!("{} {}", status.reason, fields.join(", "))))
        }
        code => ClusterError::Unavailable(format!("{code} {}", status.reason)),
    }
}

/// Reason and field of each cause.
fn causes(status: &Status) -> impl Iterator<Item = (&str, &str)> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.map(|cause| (cause.reason.as_str(), cause.field.as_str()))
}

fn shortened(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn after(status: Value) -> ClusterError {
        let status: Status = serde_json::from_value(status).unwrap();
        classify(&kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn a_conflict_is_told_from_a_name_that_is_taken() {
        assert_eq!(after(json!({"code": 409, "reason": "AlreadyExists"})), ClusterError::AlreadyExists);
        assert_eq!(after(json!({"code": 409, "reason": "Conflict"})), ClusterError::Conflict);
    }

    #[test]
    fn what_is_gone_is_not_found_also_when_its_namespace_is_going() {
        assert_eq!(after(json!({"code": 404, "reason": "NotFound"})), ClusterError::NotFound);
        let terminating = json!({
            "code": 403, "reason": "Forbidden", "message": "unable to create new content",
            "details": {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]},
        });
        assert_eq!(after(terminating), ClusterError::NotFound);
    }

    #[test]
    fn a_denial_says_what_was_denied() {
        let denied = json!({"code": 403, "reason": "Forbidden", "message": "secrets is forbidden"});
        assert_eq!(after(denied), ClusterError::Denied("secrets is forbidden".to_owned()));
    }

    #[test]
    fn a_refusal_names_fields_and_quotes_no_value() {
        let refused = json!({
            "code": 422, "reason": "Invalid", "message": "data: Invalid value: \"hunter2\"",
            "details": {"causes": [{"reason": "FieldValueInvalid", "message": "hunter2", "field": "data"}]},
        });
        assert_eq!(after(refused), ClusterError::Invalid("Invalid data".to_owned()));
    }

    #[test]
    fn an_overloaded_or_failing_server_is_unavailable() {
        for code in [410, 429, 500, 502, 503, 504] {
            assert_eq!(after(json!({"code": code})).category(), "unavailable", "{code}");
        }
    }
}
