//! `sub` of local accounts.

use aws_lc_rs::digest;
use schemars::{Schema, json_schema};

use super::Slug;
use super::text::{Unusable, is_dns_label, is_visible_ascii, text_type};

text_type! {
    /// The `sub` of a local account: locally unique and never reassigned (OpenID Connect Core 1.0
    /// §2), at most 255 visible ASCII characters.
    ///
    /// A declared one may come from the provider that an account moved from, so its form is free,
    /// with one exception: `<namespace>.<label>` is the form of the `client_id`s that application
    /// teams get, and a person must not look like one of them (RFC 9068 §5).
    Subject, check = check, schema = schema
}

/// What every derived subject begins with, and no `client_id` does.
pub(crate) const PREFIX: &str = "usr_";

/// The subject of the User `name` in the tenant `slug`: the same in a cluster rebuilt from Git,
/// different in each tenant, and telling nothing of either name.
pub fn subject(slug: &Slug, name: &str) -> Subject {
    let mut context = digest::Context::new(&digest::SHA256);
    // Each part with its length: no two pairs of names run together into the same bytes.
    for part in ["claviger local subject", slug.as_str(), name] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    Subject(format!("{PREFIX}{}", base32(&context.finish().as_ref()[..20])))
}

/// RFC 4648 §6 in lower case. Twenty bytes make exactly 32 characters without padding.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut group = [0_u8; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(group);
        for at in 0..(chunk.len() * 8).div_ceil(5) {
            text.push(char::from(ALPHABET[(bits >> (35 - 5 * at) & 31) as usize]));
        }
    }
    text
}

fn check(text: &str) -> Result<(), Unusable> {
    if !(1..=255).contains(&text.len()) || !is_visible_ascii(text) {
        return Err(Unusable("must be 1 to 255 visible ASCII characters"));
    }
    if text.split_once('.').is_some_and(|(namespace, label)| is_dns_label(namespace) && !label.is_empty()) {
        return Err(Unusable("must not have the form <namespace>.<name>, which is that of a client ID"));
    }
    if text.starts_with("system:") {
        return Err(Unusable("must not begin with system: that is the form of a ServiceAccount's subject"));
    }
    Ok(())
}

fn schema() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!-~]+$",
        "x-kubernetes-validations": [{
            "rule": "!self.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.].+$')",
            "message": "must not have the form <namespace>.<name>, which is that of a client ID",
        }, {
            "rule": "!self.startsWith('system:')",
            "message": "must not begin with system: that is the form of a ServiceAccount's subject",
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ClientId;

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    #[test]
    fn a_subject_is_the_same_for_the_same_names_and_no_other() {
        let ada = subject(&slug("acme"), "ada");
        assert_eq!(ada, subject(&slug("acme"), "ada"));
        assert_ne!(ada, subject(&slug("acme-a"), "da"));
        assert_ne!(ada, subject(&slug("acm"), "eada"));
        // Written down: another value would make every relying party forget every person.
        assert_eq!(ada.as_str(), "usr_ep2z5skita3mbm4omxczwpdwlhgchaeq");
    }

    #[test]
    fn no_client_id_has_the_form_of_a_derived_subject() {
        let ada = subject(&slug("acme"), "ada");
        assert!(ada.as_str().parse::<Subject>().is_ok());
        assert!(ada.as_str().parse::<ClientId>().is_err());
    }

    #[test]
    fn a_declared_subject_may_come_from_elsewhere_but_not_look_like_an_applications_client() {
        for good in
            ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "auth0|5f7c8ec7", "ada@acme.example", "CgNhZGESBWxvY2Fs", "X.Y"]
        {
            assert!(good.parse::<Subject>().is_ok(), "{good}");
        }
        for bad in ["", "shop.shop", "a.b.c", "with space", "é", &"x".repeat(256)] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (plain, text) in [("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("fooba", "mzxw6ytb")]
        {
            assert_eq!(base32(plain.as_bytes()), text);
        }
    }
}
