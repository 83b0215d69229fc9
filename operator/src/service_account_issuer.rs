//! Who issues the tokens of the cluster's ServiceAccounts: what the API server says of it, read. Pure.
//!
//! The two bodies come from the API server itself, so they are believed; but nothing of them is
//! published unseen: of each key what is public, and no more.

use claviger_crds::published::ServiceAccountIssuerDocument;
use claviger_jose::ForeignKeys;
use serde_json::{Map, Value, json};

/// The issuer of the cluster's ServiceAccount tokens, with its keys.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceAccountIssuer {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Its public keys, as a JWK Set (RFC 7517 §5), in an order of its own.
    pub jwks: Value,
}

/// Why an answer of the API server says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The discovery document is none.
    #[error("the API server's discovery document names no issuer")]
    Discovery,
    /// The keys are none.
    #[error("the API server's keys are no JWK Set")]
    Keys,
    /// There is none that a signature could be verified with.
    #[error("the API server names no public key that verifies here: RSA, P-256, P-384 or Ed25519")]
    NoKey,
    /// There are more than anybody needs.
    #[error("the API server names more than {KEYS} keys")]
    TooManyKeys,
}

/// More keys than any cluster has.
const KEYS: usize = 100;
/// `iss` is compared by every pod for every token.
const LONGEST_ISSUER: usize = 1024;
/// What is public of a key, whatever its kind (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2). `key_ops` and
/// certificates are nobody's need here.
const PUBLIC: [&str; 8] = ["kid", "use", "alg", "crv", "x", "y", "n", "e"];

/// Reads the body of `/.well-known/openid-configuration` and that of `/openid/v1/jwks`. Of the first
/// only `issuer` is used: its `jwks_uri` may be an address that this pod does not reach.
///
/// # Errors
/// [`Unreadable`]
pub(crate) fn read(discovery: &[u8], jwks: &[u8]) -> Result<ServiceAccountIssuer, Unreadable> {
    let discovery: Value = serde_json::from_slice(discovery).map_err(|_| Unreadable::Discovery)?;
    let issuer = discovery["issuer"].as_str().filter(|issuer| {
        (1..=LONGEST_ISSUER).contains(&issuer.len()) && issuer.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let issuer = issuer.ok_or(Unreadable::Discovery)?.to_owned();
    let jwks: Value = serde_json::from_slice(jwks).map_err(|_| Unreadable::Keys)?;
    let listed = jwks["keys"].as_array().ok_or(Unreadable::Keys)?;
    if listed.len() > KEYS {
        return Err(Unreadable::TooManyKeys);
    }
    let mut keys: Vec<Value> = listed.iter().filter_map(public).collect();
    // Where it signs by another algorithm alone, every pod would be refused, and nothing would say why.
    let set = json!({ "keys": keys }).to_string();
    if ForeignKeys::parse(set.as_bytes()).is_ok_and(|usable| usable.is_empty()) {
        return Err(Unreadable::NoKey);
    }
    // Several API servers may list the same keys in another order.
    keys.sort_by_cached_key(|key| (key["kid"].as_str().map(str::to_owned), key.to_string()));
    keys.dedup();
    Ok(ServiceAccountIssuer { issuer, jwks: json!({ "keys": keys }) })
}

/// What is public of a key for signatures; none of a symmetric one, and of one for encryption.
fn public(key: &Value) -> Option<Value> {
    let kind = key["kty"].as_str().filter(|kind| ["RSA", "EC", "OKP"].contains(kind))?;
    if key.get("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let members = PUBLIC.iter().filter_map(|name| Some(((*name).to_owned(), key.get(*name)?.as_str()?.into())));
    let members: Map<String, Value> = members.chain([("kty".to_owned(), kind.into())]).collect();
    Some(Value::Object(members))
}

/// The identifiers of keys, as far as they have one.
pub(crate) fn kids(jwks: &Value) -> Vec<String> {
    let keys = jwks["keys"].as_array().into_iter().flatten();
    keys.filter_map(|key| key["kid"].as_str()).map(str::to_owned).collect()
}

impl ServiceAccountIssuer {
    /// Whether a document says the same, whenever it began.
    pub(crate) fn is(&self, document: &ServiceAccountIssuerDocument) -> bool {
        self.issuer == document.issuer && self.jwks == document.jwks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISCOVERY: &[u8] = br#"{"issuer":"https://cluster.example","jwks_uri":"https://elsewhere.example/keys"}"#;

    /// RFC 7517, appendix A.1.
    fn key(kid: &str) -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "kid": kid})
    }

    fn with(key: &Value, members: Value) -> Value {
        let (mut key, Value::Object(members)) = (key.clone(), members) else { panic!("no object") };
        key.as_object_mut().unwrap().extend(members);
        key
    }

    fn keys(keys: &Value) -> Result<Value, Unreadable> {
        let jwks = json!({ "keys": keys }).to_string();
        read(DISCOVERY, jwks.as_bytes()).map(|read| read.jwks["keys"].clone())
    }

    #[test]
    fn the_issuer_is_what_the_cluster_calls_itself() {
        let jwks = br#"{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"a","use":"sig","alg":"ES256"}]}"#;
        let read = read(DISCOVERY, jwks).unwrap();
        assert_eq!(read.issuer, "https://cluster.example");
        assert_eq!(kids(&read.jwks), ["a"]);
    }

    #[test]
    fn of_a_key_nothing_is_kept_that_is_not_public() {
        let private = json!([with(&key("a"), json!({"d": "c2VjcmV0", "x5c": ["b"]}))]);
        assert_eq!(keys(&private).unwrap(), json!([key("a")]));
    }

    #[test]
    fn a_symmetric_key_and_one_for_encryption_are_left_out() {
        let others = json!([{"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc"}]);
        assert_eq!(keys(&others), Err(Unreadable::NoKey));
    }

    #[test]
    fn the_order_in_which_an_api_server_lists_its_keys_means_nothing() {
        assert_eq!(keys(&json!([key("a"), key("b")])), keys(&json!([key("b"), key("a"), key("b")])));
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        let jwks = json!({"keys": [key("a")]}).to_string();
        let jwks = jwks.as_bytes();
        for discovery in ["", "[]", "{}", r#"{"issuer":""}"#, r#"{"issuer":7}"#, r#"{"issuer":"a b"}"#] {
            assert_eq!(read(discovery.as_bytes(), jwks), Err(Unreadable::Discovery), "{discovery}");
        }
        assert_eq!(read(DISCOVERY, b"<html>"), Err(Unreadable::Keys));
        assert_eq!(read(DISCOVERY, b"{}"), Err(Unreadable::Keys));
        assert_eq!(keys(&json!([])), Err(Unreadable::NoKey));
        let other = with(&key("a"), json!({"crv": "P-521", "alg": "ES512"}));
        assert_eq!(keys(&json!([other])), Err(Unreadable::NoKey), "nobody here verifies by that");
        assert_eq!(keys(&json!([other, key("b")])).unwrap().as_array().map(Vec::len), Some(2));
        assert_eq!(keys(&Value::Array(vec![json!({}); KEYS + 1])), Err(Unreadable::TooManyKeys));
    }
}
