//! What a text must be, with room for the parts that do not matter.

use schemars::{Schema, json_schema};

use super::text::{Unusable, text_type};

/// Of a pattern: each star may cost a pass over the text.
const MOST_STARS: usize = 5;

text_type! {
    /// A text in which `*` stands for any text, also none. All else is compared exactly. At most 512
    /// characters, five of them stars.
    TextPattern, check = check, schema = schema
}

impl TextPattern {
    /// Whether `text` fits.
    pub fn fits(&self, text: &str) -> bool {
        fits(&self.0, text)
    }
}

/// The parts between the stars, one after the other: the first at the beginning, the last at the end, and
/// each of the others as early as it can be, which leaves the most room to those that follow.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let (inner, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(text) = text.strip_prefix(first) else { return false };
    let Some(mut text) = text.strip_suffix(last) else { return false };
    for part in inner.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}

fn check(text: &str) -> Result<(), Unusable> {
    let usable = (1..=512).contains(&text.chars().count())
        && !text.chars().any(char::is_control)
        && text.matches('*').count() <= MOST_STARS;
    usable.then_some(()).ok_or(Unusable("must be 1 to 512 characters of plain text, at most five of them *"))
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 512,
        "pattern": "^[^*\\x00-\\x1f\\x7f-\\x{9f}]*([*][^*\\x00-\\x1f\\x7f-\\x{9f}]*){0,5}$",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_all_else_itself() {
        for (pattern, text, expected) in [
            ("repo:acme/shop", "repo:acme/shop", true),
            ("repo:acme/shop", "repo:acme/shop2", false),
            ("repo:acme/*", "repo:acme/", true),
            ("repo:acme/*", "repo:acme/shop:ref:refs/heads/main", true),
            ("repo:acme/*", "repo:acme-evil/shop", false),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/main", true),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/other", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**", "x", true),
            ("*é*", "caféx", true),
            ("?.[", "?.[", true),
            ("?.[", "ab[", false),
        ] {
            assert_eq!(pattern.parse::<TextPattern>().unwrap().fits(text), expected, "{pattern} {text}");
        }
        for bad in ["", "a\nb", "******", &"x".repeat(513)] {
            assert!(bad.parse::<TextPattern>().is_err(), "{bad}");
        }
    }
}
