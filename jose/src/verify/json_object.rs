//! JSON objects whose members are unique.
//!
//! Of two members of one name every parser takes another one (RFC 7515 §4, RFC 7519 §4): what one
//! checks is then not what the next one uses.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// No header and no set of claims has more; a hostile one costs no more than that.
const MEMBERS: usize = 256;

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
        let mut names = BTreeSet::new();
        while let Some(name) = object.next_key::<String>()? {
            members.take(&name, &mut object)?;
            if !names.insert(name) || names.len() > MEMBERS {
                return Err(de::Error::custom("a repeated member, or too many"));
            }
        }
        Ok(members)
    }
}
