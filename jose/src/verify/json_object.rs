//! JSON objects whose members are unique.
//!
//! Of two members of one name every parser takes another one (RFC 7515 §4, RFC 7519 §4): what one
//! checks is then not what the next one uses.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// No header and no set of claims has more; a hostile one costs no more than that.
const MEMBERS: usize = 128;

/// What is taken from an object as it is read.
pub(crate) trait Members: Default {
    /// Takes the value of the member `name` from `object`, which has just told the name.
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<(), A::Error>;
}

/// Reads `text`; `None` when it is anything but one JSON object with unique members.
pub(crate) fn read<M: Members>(text: &str) -> Option<M> {
    serde_json::from_str::<Unique<M>>(text).ok().map(|unique| unique.0)
}

struct Unique<M>(M);

struct UniqueVisitor<M>(PhantomData<M>);

impl<'de, M: Members> Deserialize<'de> for Unique<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueVisitor(PhantomData)).map(Self)
    }
}

impl<'de, M: Members> Visitor<'de> for UniqueVisitor<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with unique members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<M, A::Error> {
        let mut members = M::default();
        // A dozen: to look through them costs less than any other way to know them.
        let mut names: Vec<Cow<'de, str>> = Vec::with_capacity(16);
        while let Some(Text(name)) = object.next_key::<Text<'de>>()? {
            members.take(&name, &mut object)?;
            if names.contains(&name) || names.len() == MEMBERS {
                return Err(de::Error::custom("a repeated member, or too many"));
            }
            names.push(name);
        }
        Ok(members)
    }
}

/// A name or a text, copied only where it is written with escapes.
pub(crate) struct Text<'de>(pub(crate) Cow<'de, str>);

struct TextVisitor;

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Self)
    }
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
