//! How an object stands, as its conditions say.

use serde_json::Value;

/// How an object stands, as its `Ready` condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether it is live.
    pub(crate) ready: bool,
    /// Why, or why not: `Reason: message`.
    pub(crate) why: String,
}

/// Reads the standing of an object; `None` while its newest generation is not judged, or while it
/// is on its way to the provider.
pub(crate) fn standing(object: &Value) -> Option<Standing> {
    let ready = condition(object, "Ready")?;
    let text = |key: &str| ready.get(key).and_then(Value::as_str).unwrap_or_default();
    if !is_judged(object) || text("reason") == "Pending" {
        return None;
    }
    let why = match text("message") {
        "" => text("reason").to_owned(),
        message => format!("{}: {message}", text("reason")),
    };
    Some(Standing { ready: text("status") == "True", why })
}

/// Whether the newest generation of an object is judged, live or not.
pub(crate) fn is_judged(object: &Value) -> bool {
    let generation = &object["metadata"]["generation"];
    condition(object, "Ready").is_some_and(|ready| ready["observedGeneration"] == *generation)
}

/// One condition of an object.
pub(crate) fn condition<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}
