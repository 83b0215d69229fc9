//! The standard claims of a person (OpenID Connect Core 1.0 §5.1).

#![allow(unreachable_pub, reason = "KubeSchema expands to a public struct inside a function")]

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::civil::Date;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::Faults;
use crate::types::EndpointUri;

/// What is known of a person. Every field is optional, plain text and may be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.emailVerified) || has(self.email)").message("emailVerified needs email"))]
#[x_kube(validation = Rule::new("!has(self.phoneNumberVerified) || has(self.phoneNumber)").message("phoneNumberVerified needs phoneNumber"))]
pub struct ProfileSpec {
    /// Full name, in the order that the person likes (`name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub name: Option<String>,
    /// Given names (`given_name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub given_name: Option<String>,
    /// Surnames (`family_name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub family_name: Option<String>,
    /// Middle names (`middle_name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub middle_name: Option<String>,
    /// Casual name (`nickname`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub nickname: Option<String>,
    /// Short name that the person likes to be called by (`preferred_username`). Default: the user
    /// name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub preferred_username: Option<String>,
    /// Address of the person's profile page (`profile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<EndpointUri>")]
    pub profile: Option<String>,
    /// Address of a picture of the person (`picture`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<EndpointUri>")]
    pub picture: Option<String>,
    /// Address of the person's own page (`website`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<EndpointUri>")]
    pub website: Option<String>,
    /// Mail address (`email`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[^@\\x00-\\x20\\x7f]+@[^@\\x00-\\x20\\x7f]+$"), length(max = 254))]
    pub email: Option<String>,
    /// Whether someone made sure that the mail address is the person's (`email_verified`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Gender (`gender`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub gender: Option<String>,
    /// Birthday (`birthdate`): YYYY-MM-DD, the year 0000 where it is not told, or YYYY alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        regex(
            pattern = "^([0-9]{4}(-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])))?|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$"
        ),
        length(max = 10)
    )]
    pub birthdate: Option<String>,
    /// Time zone by its IANA name, such as Europe/Berlin (`zoneinfo`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"), length(max = 64))]
    pub zoneinfo: Option<String>,
    /// Language tag (BCP 47), such as de-CH (`locale`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$"), length(max = 64))]
    pub locale: Option<String>,
    /// Telephone number, best as E.164, such as +41441234567 (`phone_number`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub phone_number: Option<String>,
    /// Whether someone made sure that the number is the person's (`phone_number_verified`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
    /// Postal address (`address`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressSpec>,
    /// When these facts last changed (`updated_at`), RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time_schema")]
    pub updated_at: Option<String>,
}

/// A postal address (OpenID Connect Core 1.0 §5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressSpec {
    /// The whole of it as on an envelope, with line breaks (`formatted`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub formatted: Option<String>,
    /// Street and number, may have line breaks (`street_address`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub street_address: Option<String>,
    /// City (`locality`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub locality: Option<String>,
    /// State, canton, province (`region`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub region: Option<String>,
    /// Postal code (`postal_code`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub postal_code: Option<String>,
    /// Country (`country`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::display_name")]
    pub country: Option<String>,
}

pub(super) fn date_time_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "format": "date-time", "maxLength": 40 })
}

impl ProfileSpec {
    /// Adds these facts to `claims`, by their names on the wire.
    pub(crate) fn parse(&self, path: &str, claims: &mut BTreeMap<String, Value>, faults: &mut Faults) {
        let Self {
            name,
            given_name,
            family_name,
            middle_name,
            nickname,
            preferred_username,
            profile,
            picture,
            website,
            email,
            email_verified,
            gender,
            birthdate,
            zoneinfo,
            locale,
            phone_number,
            phone_number_verified,
            address,
            updated_at,
        } = self;
        let texts = [
            ("name", "name", name, Form::Line),
            ("given_name", "givenName", given_name, Form::Line),
            ("family_name", "familyName", family_name, Form::Line),
            ("middle_name", "middleName", middle_name, Form::Line),
            ("nickname", "nickname", nickname, Form::Line),
            ("preferred_username", "preferredUsername", preferred_username, Form::Line),
            ("profile", "profile", profile, Form::Uri),
            ("picture", "picture", picture, Form::Uri),
            ("website", "website", website, Form::Uri),
            ("email", "email", email, Form::Email),
            ("gender", "gender", gender, Form::Line),
            ("birthdate", "birthdate", birthdate, Form::Birthdate),
            ("zoneinfo", "zoneinfo", zoneinfo, Form::Zone),
            ("locale", "locale", locale, Form::Locale),
            ("phone_number", "phoneNumber", phone_number, Form::Line),
        ];
        parse_texts(path, &texts, claims, faults);
        for (claim, field, verified, of, of_field) in [
            ("email_verified", "emailVerified", email_verified, email, "email"),
            ("phone_number_verified", "phoneNumberVerified", phone_number_verified, phone_number, "phoneNumber"),
        ] {
            if let Some(verified) = verified {
                faults.demand(of.is_some(), path, &format!("{field} needs {of_field}"));
                claims.insert(claim.to_owned(), (*verified).into());
            }
        }
        if let Some(seconds) = updated_at.as_ref().and_then(|text| parse_time(path, text, faults)) {
            claims.insert("updated_at".to_owned(), seconds.into());
        }
        if let Some(address) = address {
            claims.insert("address".to_owned(), address.parse(&format!("{path}.address"), faults));
        }
    }
}

/// A claim that is text: its name on the wire and in the spec, what stands there, what it may be.
type TextClaim<'a> = (&'a str, &'a str, &'a Option<String>, Form);

fn parse_texts(path: &str, texts: &[TextClaim<'_>], claims: &mut BTreeMap<String, Value>, faults: &mut Faults) {
    for (claim, field, text, form) in texts {
        if let Some(text) = text {
            form.check(&format!("{path}.{field}"), text, faults);
            claims.insert((*claim).to_owned(), text.as_str().into());
        }
    }
}

/// Seconds since the epoch, as the claim has them.
fn parse_time(path: &str, text: &str, faults: &mut Faults) -> Option<i64> {
    let time = text.parse::<Timestamp>();
    faults.demand(time.is_ok(), &format!("{path}.updatedAt"), "must be an RFC 3339 time");
    time.ok().map(|time| time.as_second())
}

impl AddressSpec {
    fn parse(&self, path: &str, faults: &mut Faults) -> Value {
        let Self { formatted, street_address, locality, region, postal_code, country } = self;
        let mut members = serde_json::Map::new();
        for (member, field, text, form) in [
            ("formatted", "formatted", formatted, Form::Lines(1000)),
            ("street_address", "streetAddress", street_address, Form::Lines(500)),
            ("locality", "locality", locality, Form::Line),
            ("region", "region", region, Form::Line),
            ("postal_code", "postalCode", postal_code, Form::Line),
            ("country", "country", country, Form::Line),
        ] {
            if let Some(text) = text {
                form.check(&format!("{path}.{field}"), text, faults);
                members.insert(member.to_owned(), text.as_str().into());
            }
        }
        Value::Object(members)
    }
}

/// What text a claim may have: the same as its pattern in the schema.
#[derive(Clone, Copy)]
enum Form {
    Line,
    Lines(usize),
    Uri,
    Email,
    Birthdate,
    Zone,
    Locale,
}

impl Form {
    fn check(self, path: &str, text: &str, faults: &mut Faults) {
        let visible = |text: &str| !text.is_empty() && text.chars().all(|c| !c.is_control() && c != ' ');
        let words = |text: &str, separators: &[char], legal: &[u8]| {
            text.len() <= 64
                && text.split(separators).all(|word| {
                    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || legal.contains(&byte))
                })
        };
        match self {
            Self::Line => {
                faults.demand(!text.is_empty(), path, "must not be empty");
                faults.plain_text(path, text, 200);
            }
            Self::Lines(most) => {
                faults.demand(text.chars().count() <= most, path, &format!("must be at most {most} characters"))
            }
            Self::Uri => {
                faults.parse::<EndpointUri>(path, text);
            }
            Self::Email => {
                let usable = text.chars().count() <= 254
                    && text
                        .split_once('@')
                        .is_some_and(|(local, domain)| visible(local) && visible(domain) && !domain.contains('@'));
                faults.demand(usable, path, "must be a mail address");
            }
            Self::Birthdate => faults.demand(is_birthdate(text), path, "must be a day, YYYY-MM-DD, or a year, YYYY"),
            Self::Zone => faults.demand(
                words(text, &['/'], b"_+-"),
                path,
                "must be the name of a time zone, such as Europe/Berlin",
            ),
            Self::Locale => faults.demand(words(text, &['-', '_'], b""), path, "must be a language tag, such as de-CH"),
        }
    }
}

/// `YYYY`, or `YYYY-MM-DD` of a day that there is; the year 0000 says that the year is not told, and has a
/// 29 February.
fn is_birthdate(text: &str) -> bool {
    let has_form = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    match text.len() {
        4 => has_form,
        10 => has_form && text.parse::<Date>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birthdate_is_a_day_that_there_is_or_a_year() {
        for text in ["1815-12-10", "1815", "0000", "0000-02-29", "2000-02-29", "2024-02-29", "0000-12-31", "9999-01-01"]
        {
            assert!(is_birthdate(text), "{text}");
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-02-30",
            "2024-04-31",
            "2024-06-31",
            "2024-09-31",
            "2024-11-31",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-01-32",
            "2024-1-01",
            "24-01-01",
            "2024-01",
            "20240101",
            "2024-01-01T00",
            "2024/01/01",
            "+024-01-01",
            "02024",
            "202",
            "",
            "２０２４",
        ] {
            assert!(!is_birthdate(text), "{text}");
        }
    }

    #[test]
    fn the_schema_knows_the_same_days() {
        for year in [0, 4, 1899, 1900, 1996, 2000, 2023, 2024, 2100, 9999] {
            for month in 0..=13 {
                for day in 0..=32 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let user = serde_json::json!({
                        "apiVersion": "claviger.dev/v1alpha1", "kind": "User", "metadata": {"name": "ada", "namespace": "identity"},
                        "spec": {"tenantRef": {"name": "acme"}, "profile": {"birthdate": text}},
                    });
                    let faults = crate::validate::schema("User", &user, None);
                    assert_eq!(faults.is_empty(), is_birthdate(&text), "{text}: {faults:?}");
                }
            }
        }
    }
}
