//! What the schema's patterns mean, for people who do not read regular expressions.

/// Patterns of the schema, each in words.
const MEANT: [(&str, &str); 5] = [
    (r"^([0-9]{1,5}(h|m|s)){1,3}$", "a duration such as 2160h, 10m or 1h30m; there is no unit longer than an hour"),
    (r"^[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}$", "a fingerprint such as 3fa1-90bc-77de, as status.secrets shows it"),
    (
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "lower case letters, digits, - and ., with a letter or digit at both ends",
    ),
    (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "lower case letters, digits and -, with a letter or digit at both ends"),
    (r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$", "letters, digits, ., _, @, + and -, and a letter or digit first"),
];

/// What `pattern` means, if that is not plain from the pattern itself.
pub(super) fn meant(pattern: &str) -> Option<&'static str> {
    MEANT.iter().find(|(known, _)| *known == pattern).map(|(_, meant)| *meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_pattern_of_the_schema() {
        let schema: String = crate::all_crds().iter().map(|crd| serde_json::to_string(crd).unwrap()).collect();
        for (pattern, _) in MEANT {
            let written = serde_json::to_string(pattern).unwrap();
            assert!(schema.contains(&written), "{pattern}");
        }
        assert_eq!(meant("^x$"), None);
    }
}
