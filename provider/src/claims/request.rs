//! The `claims` parameter (OpenID Connect Core 1.0 §5.5), parsed and bounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Bytes of the parameter.
const LONGEST: usize = 4 * 1024;
/// Claims in each of the two members.
const MOST: usize = 50;
/// Bytes of a claim's name.
const LONGEST_NAME: usize = 128;
/// Acceptable values of one claim.
const MOST_VALUES: usize = 10;

/// Claims by their names.
pub(crate) type Requested = BTreeMap<String, ClaimRequest>;

/// What a client asks for claim by claim. Serialised it is short, for codes and grants carry it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClaimsRequest {
    /// From UserInfo.
    #[serde(default, rename = "u", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) userinfo: Requested,
    /// In the ID token.
    #[serde(default, rename = "i", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) id_token: Requested,
}

/// How one claim is asked for (§5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClaimRequest {
    /// Whether the client says that it needs it. A claim that is not there is left out all the same.
    #[serde(default, rename = "e", skip_serializing_if = "is_false")]
    pub(crate) essential: bool,
    /// The values of which it must have one; any where there is none. `value` is one of these.
    #[serde(default, rename = "v", skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<Value>,
}

/// Why the parameter is refused (`invalid_request`), as half a sentence that may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("claims {0}")]
pub(crate) struct InvalidClaims(pub(crate) &'static str);

impl ClaimsRequest {
    /// Reads the parameter. Members that nobody defined are ignored (§5.5).
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidClaims> {
        if text.len() > LONGEST {
            return Err(InvalidClaims("is longer than 4 KiB"));
        }
        let members: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| InvalidClaims("is not a JSON object"))?;
        let member = |name| members.get(name).map_or(Ok(Requested::new()), requested);
        Ok(Self { userinfo: member("userinfo")?, id_token: member("id_token")? })
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// Whether a person with this `sub` may be the one that is asked for: the request has to fail
    /// for every other (§5.5.1).
    pub(crate) fn allows_subject(&self, subject: &str) -> bool {
        let allows = |asked: &Requested| asked.get("sub").is_none_or(|sub| sub.allows(&Value::from(subject)));
        allows(&self.userinfo) && allows(&self.id_token)
    }
}

impl ClaimsRequest {
    /// The `acr` values of which one must be reached (§5.5.1.1).
    pub(crate) fn essential_acr(&self) -> Option<Vec<&str>> {
        let acr = self.id_token.get("acr").filter(|acr| acr.essential && !acr.values.is_empty())?;
        Some(acr.values.iter().filter_map(Value::as_str).collect())
    }
}

impl ClaimRequest {
    /// Whether `value` is one of those asked for.
    pub(crate) fn allows(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }

    fn parse(request: &Value) -> Result<Self, InvalidClaims> {
        let members = match request {
            Value::Null => return Ok(Self::default()),
            Value::Object(members) => members,
            _ => return Err(InvalidClaims("asks for a claim by neither null nor an object")),
        };
        let essential = match members.get("essential") {
            None => false,
            Some(Value::Bool(essential)) => *essential,
            Some(_) => return Err(InvalidClaims("has an essential that is no boolean")),
        };
        let values = match (members.get("value"), members.get("values")) {
            (None, None) => Vec::new(),
            (Some(value), None) => vec![value.clone()],
            // None at all would allow no value: then why ask?
            (None, Some(Value::Array(values))) if (1..=MOST_VALUES).contains(&values.len()) => values.clone(),
            (None, Some(_)) => return Err(InvalidClaims("has values that are no array of 1 to 10")),
            (Some(_), Some(_)) => return Err(InvalidClaims("has value and values for one claim")),
        };
        Ok(Self { essential, values })
    }
}

fn requested(member: &Value) -> Result<Requested, InvalidClaims> {
    let claims = match member {
        Value::Null => return Ok(Requested::new()),
        Value::Object(claims) => claims,
        _ => return Err(InvalidClaims("has a member that is no object")),
    };
    if claims.len() > MOST {
        return Err(InvalidClaims("asks for more than 50 claims"));
    }
    let mut requested = Requested::new();
    for (name, request) in claims {
        if !(1..=LONGEST_NAME).contains(&name.len()) {
            return Err(InvalidClaims("asks for a claim whose name is empty or too long"));
        }
        requested.insert(name.clone(), ClaimRequest::parse(request)?);
    }
    Ok(requested)
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<ClaimsRequest, InvalidClaims> {
        ClaimsRequest::parse(&value.to_string())
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let request = parse(&json!({
            "userinfo": {
                "given_name": {"essential": true},
                "nickname": null,
                "http://example.info/claims/groups": null,
            },
            "id_token": {
                "auth_time": {"essential": true},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]},
                "locale": {"value": "de", "purpose": "unknown members are ignored"},
            },
            "later": 1,
        }))
        .unwrap();
        assert!(request.userinfo["given_name"].essential);
        assert_eq!(request.userinfo["nickname"], ClaimRequest::default());
        assert_eq!(request.id_token["acr"].values, [json!("urn:mace:incommon:iap:silver")]);
        assert_eq!(request.id_token["locale"].values, [json!("de")]);
        assert_eq!(request.userinfo.len() + request.id_token.len(), 6);
        assert!(!request.is_empty());
        assert!(parse(&json!({"userinfo": null})).unwrap().is_empty());
    }

    #[test]
    fn it_is_short_when_serialised_and_reads_back() {
        let request =
            parse(&json!({"userinfo": {"email": null}, "id_token": {"acr": {"essential": true, "value": "1"}}}));
        let text = serde_json::to_string(request.as_ref().unwrap()).unwrap();
        assert_eq!(text, r#"{"u":{"email":{}},"i":{"acr":{"e":true,"v":["1"]}}}"#);
        assert_eq!(serde_json::from_str::<ClaimsRequest>(&text).unwrap(), request.unwrap());
        assert_eq!(serde_json::to_string(&ClaimsRequest::default()).unwrap(), "{}");
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in ["", "[]", "null", "{", r#""userinfo""#, r#"{"userinfo":[]}"#, r#"{"id_token":"x"}"#] {
            assert!(ClaimsRequest::parse(text).is_err(), "{text}");
        }
        for claim in [
            json!(true),
            json!("x"),
            json!({"essential": "true"}),
            json!({"values": "x"}),
            json!({"values": []}),
            json!({"value": 1, "values": [1]}),
        ] {
            assert!(parse(&json!({"userinfo": {"a": claim}})).is_err(), "{claim}");
        }
    }

    #[test]
    fn everything_in_it_has_a_bound() {
        let many = |count: usize| (0..count).map(|n| (format!("c{n}"), Value::Null)).collect::<Map<_, _>>();
        assert!(parse(&json!({"userinfo": many(50), "id_token": many(50)})).is_ok());
        assert!(parse(&json!({"userinfo": many(51)})).is_err());
        assert!(parse(&json!({"id_token": many(51)})).is_err());
        let values = |count: usize| json!({"userinfo": {"a": {"values": (0..count).collect::<Vec<_>>()}}});
        assert!(parse(&values(10)).is_ok());
        assert!(parse(&values(11)).is_err());
        let named = |length: usize| parse(&json!({"userinfo": {"n".repeat(length): null}}));
        assert!(named(128).is_ok());
        assert!(named(129).is_err());
        assert!(named(0).is_err());
        assert!(ClaimsRequest::parse(&format!("{{}}{}", " ".repeat(LONGEST - 2))).is_ok());
        assert!(ClaimsRequest::parse(&format!("{{}}{}", " ".repeat(LONGEST - 1))).is_err());
        assert!(ClaimsRequest::parse(&"[".repeat(4_000)).is_err(), "nested deeply");
    }

    #[test]
    fn a_subject_is_allowed_unless_another_is_asked_for() {
        for (member, sub, allowed) in [
            ("userinfo", json!(null), true),
            ("userinfo", json!({"value": "ada"}), true),
            ("userinfo", json!({"value": "bob"}), false),
            ("id_token", json!({"values": ["bob", "ada"]}), true),
            ("id_token", json!({"value": "bob"}), false),
            ("id_token", json!({"value": null}), false),
        ] {
            let request = parse(&json!({member: {"sub": sub}})).unwrap();
            assert_eq!(request.allows_subject("ada"), allowed, "{member} {sub}");
        }
        assert!(ClaimsRequest::default().allows_subject("ada"));
    }
}
