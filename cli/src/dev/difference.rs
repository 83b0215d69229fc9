//! What changed between two forms of an object, field by field.

use std::collections::BTreeSet;

use serde_json::Value;

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// `spec.lifetimes.accessToken`
    pub(super) path: String,
    /// Before and after, where both may be shown; short.
    pub(super) values: Option<(String, String)>,
}

/// The fields in which `before` and `after` differ, by their paths. With `shown`, their values too.
pub(super) fn differences(before: &Value, after: &Value, shown: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(Some(before), Some(after), "", shown, &mut found);
    found
}

fn walk(before: Option<&Value>, after: Option<&Value>, path: &str, shown: bool, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (before, after) {
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            walk(before.get(key), after.get(key), &path, shown, found);
        }
        return;
    }
    let values = shown.then(|| (short(before), short(after)));
    found.push(Difference { path: path.to_owned(), values });
}

fn short(value: Option<&Value>) -> String {
    const MOST: usize = 60;
    let text = match value {
        None => return "unset".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() <= MOST { text } else { format!("{}…", text.chars().take(MOST).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        let before = json!({"spec": {"a": "10m", "b": [1], "c": {"d": 1}}});
        let after = json!({"spec": {"a": "5m", "b": [1], "e": true}});
        let found = differences(&before, &after, true);
        let shown: Vec<String> = found
            .into_iter()
            .map(|difference| {
                let (before, after) = difference.values.expect("shown");
                format!("{}: {before} -> {after}", difference.path)
            })
            .collect();
        assert_eq!(shown, ["spec.a: 10m -> 5m", "spec.c: {\"d\":1} -> unset", "spec.e: unset -> true"]);
    }

    #[test]
    fn what_may_not_be_shown_is_not() {
        let found = differences(&json!({"data": {"password": "old"}}), &json!({"data": {"password": "new"}}), false);
        assert_eq!(found, [Difference { path: "data.password".to_owned(), values: None }]);
    }
}
