//! How an object stands, as its conditions say.

use serde_json::Value;

/// How an object stands, as its `Ready` condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether it is live.
    pub(crate) ready: bool,
    /// Why, or why not: `Reason: message`.
    pub(crate) why: String,
    /// Of a SigningKey whose keys do not change as its spec says: why.
    pub(crate) blocked: Option<String>,
}

/// Reads the standing of an object; `None` while its newest generation is not judged, or while it
/// is on its way to the provider.
pub(crate) fn standing(object: &Value) -> Option<Standing> {
    let ready = condition(object, "Ready")?;
    if !is_judged(object) || ready["reason"] == "Pending" {
        return None;
    }
    let blocked = condition(object, "RotationBlocked").filter(|blocked| holds(blocked)).map(why);
    Some(Standing { ready: holds(ready), why: why(ready), blocked })
}

fn holds(condition: &Value) -> bool {
    condition["status"] == "True"
}

fn why(condition: &Value) -> String {
    let text = |key: &str| condition[key].as_str().unwrap_or_default();
    match text("message") {
        "" => text("reason").to_owned(),
        message => format!("{}: {message}", text("reason")),
    }
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
