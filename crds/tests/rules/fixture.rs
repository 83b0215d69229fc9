//! Reads the fixtures.

use std::fs;
use std::path::Path;

use claviger_crds::{Fault, IdentityProvider, OAuthClient, SigningKey, Tenant, User};
use claviger_crds::{identity_provider, oauth_client, signing_key, tenant, user};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One file.
pub(crate) struct Fixture {
    /// Where it is.
    pub(crate) path: String,
    /// Kind of the object.
    pub(crate) kind: String,
    /// What is said when it is refused.
    pub(crate) refusal: String,
    /// What there was before.
    pub(crate) old: Option<Value>,
    /// What is applied.
    pub(crate) object: Value,
}

pub(crate) fn accepted() -> Vec<Fixture> {
    read("accepted")
}

pub(crate) fn refused() -> Vec<Fixture> {
    let fixtures = read("refused");
    assert!(fixtures.iter().all(|fixture| !fixture.refusal.is_empty()), "each says why");
    fixtures
}

fn read(folder: &str) -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut fixtures = Vec::new();
    for kind in fs::read_dir(root).expect("fixtures") {
        for file in fs::read_dir(kind.expect("a folder").path()).expect("a folder") {
            let path = file.expect("a file").path();
            let text = fs::read_to_string(&path).expect("text");
            let refusal = text.strip_prefix("# refused: ").and_then(|text| text.lines().next()).unwrap_or_default();
            let mut documents: Vec<Value> = text
                .split("\n---\n")
                .map(|text| serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
                .collect();
            let object = documents.pop().expect("an object");
            fixtures.push(Fixture {
                path: path.display().to_string(),
                refusal: refusal.to_owned(),
                old: documents.pop(),
                ..Fixture::of(object["kind"].as_str().expect("a kind"), object.clone())
            });
        }
    }
    assert!(fixtures.len() > 50, "the fixtures were found");
    fixtures
}

impl Fixture {
    /// A fixture that is in no file.
    pub(crate) fn of(kind: &str, object: Value) -> Self {
        Self { path: String::new(), kind: kind.to_owned(), refusal: String::new(), old: None, object }
    }

    /// What the kind's parser says of the object.
    pub(crate) fn parse(&self) -> Result<(), Vec<String>> {
        match self.kind.as_str() {
            "Tenant" => self.parse_as::<Tenant, _>(tenant::parse),
            "OAuthClient" => self.parse_as::<OAuthClient, _>(oauth_client::parse),
            "SigningKey" => self.parse_as::<SigningKey, _>(signing_key::parse),
            "IdentityProvider" => self.parse_as::<IdentityProvider, _>(identity_provider::parse),
            "User" => self.parse_as::<User, _>(user::parse),
            other => panic!("{other} is none of the kinds"),
        }
    }

    fn parse_as<T: DeserializeOwned, V>(&self, parse: fn(&T) -> Result<V, Vec<Fault>>) -> Result<(), Vec<String>> {
        let object: T = serde_json::from_value(self.object.clone()).map_err(|error| vec![error.to_string()])?;
        parse(&object).map(|_| ()).map_err(|faults| faults.iter().map(Fault::to_string).collect())
    }
}
