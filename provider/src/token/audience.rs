//! `aud` of somebody else's token (RFC 7519 §4.1.3): a text, or several.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// Whom a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Audiences {
    /// Exactly one.
    One(String),
    /// Several, or none.
    Many(Vec<String>),
}

impl Audiences {
    /// Whether `audience` is one of them.
    pub(crate) fn has(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }

    /// Whether each of them is such, and there is one: what is also for another could be replayed there.
    pub(crate) fn all(&self, such: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(one) => such(one),
            Self::Many(many) => !many.is_empty() && many.iter().all(|one| such(one)),
        }
    }
}

/// Read as it stands: an untagged enum keeps a copy of it and tries one form after the other.
impl<'de> Deserialize<'de> for Audiences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AudiencesVisitor)
    }
}

struct AudiencesVisitor;

impl<'de> Visitor<'de> for AudiencesVisitor {
    type Value = Audiences;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audience, or a list of audiences")
    }

    fn visit_str<E>(self, audience: &str) -> Result<Audiences, E> {
        Ok(Audiences::One(audience.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Audiences, A::Error> {
        let mut audiences = Vec::new();
        while let Some(audience) = list.next_element()? {
            audiences.push(audience);
        }
        Ok(Audiences::Many(audiences))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_a_text_or_a_list_of_texts_and_nothing_else() {
        let read = |text| serde_json::from_str::<Audiences>(text).ok();
        let many = |audiences: &[&str]| Some(Audiences::Many(audiences.iter().map(|&one| one.to_owned()).collect()));
        assert_eq!(read(r#""a\u00e9""#), Some(Audiences::One("aé".to_owned())));
        assert_eq!(read(r#"["a","b"]"#), many(&["a", "b"]));
        assert_eq!(read("[]"), many(&[]));
        for other in ["null", "1", "true", r#"{"a":"b"}"#, "[1]", r#"["a",null]"#, r#"[["a"]]"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
