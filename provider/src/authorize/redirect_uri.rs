//! Whether a redirect URI is one of a client's.
//!
//! Compared byte for byte (RFC 9700 §4.1.3): no decoding, no normalisation, no prefix, for each of
//! those was somebody's open redirect. One exception: a public client's loopback URI may have any
//! port, since a native application listens on whichever is free (RFC 8252 §7.3). That holds for
//! `localhost` as for the addresses (RFC 9700 §4.1.3 demands it); none stands for another.

use std::fmt;

use claviger_crds::published::ApplicationType;
use claviger_crds::types;
use serde::{Deserialize, Serialize};

pub(crate) use claviger_crds::types::RedirectUriKind;

use crate::tenant::oauth_client::Client;

/// The hosts whose port does not count.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// A redirect URI that was found registered, as it was sent. Only [`find`] makes one; it is read
/// back from sealed handles alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RedirectUri(String);

impl RedirectUri {
    /// As it was sent: visible ASCII without a fragment.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// `asked`, if it is one of the redirect URIs of `client`, and where it leads.
pub(crate) fn find(client: &Client, asked: &str) -> Option<(RedirectUri, RedirectUriKind)> {
    // Whatever was published: what no registration may be is no redirect URI.
    let kind = asked.parse::<types::RedirectUri>().ok()?.kind();
    let is_registered = client
        .redirect_uris
        .iter()
        .any(|registered| registered == asked || (client.is_public() && is_same_but_for_the_port(registered, asked)));
    // RFC 8252 §7.1: such a scheme means an application on the person's device.
    let fits = kind != RedirectUriKind::PrivateUse || client.application_type == ApplicationType::Native;
    (is_registered && fits).then(|| (RedirectUri(asked.to_owned()), kind))
}

/// Both are loopback URIs of the same host, path and query.
fn is_same_but_for_the_port(registered: &str, asked: &str) -> bool {
    matches!((without_port(registered), without_port(asked)), (Some(one), Some(other)) if one == other)
}

/// Host and the rest of a loopback URI.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let authority_on = uri.strip_prefix("http://")?;
    let host = LOOPBACK.into_iter().find(|host| authority_on.starts_with(host))?;
    let after = &authority_on[host.len()..];
    let rest = match after.strip_prefix(':') {
        None => after,
        Some(port_on) => {
            let end = port_on.find(|c: char| !c.is_ascii_digit()).unwrap_or(port_on.len());
            // Zero is no port, and neither is what does not fit.
            port_on[..end].parse::<u16>().ok().filter(|port| *port != 0)?;
            &port_on[end..]
        }
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::authorize::fixture::client;

    fn public(uris: &[&str]) -> Client {
        client(json!({ "redirectUris": uris, "authentication": { "method": "none" }, "applicationType": "native" }))
    }

    fn accepts(client: &Client, asked: &str) -> bool {
        find(client, asked).is_some()
    }

    #[test]
    fn a_redirect_uri_is_compared_byte_for_byte() {
        let client = client(json!({ "redirectUris": ["https://shop.example/cb?x=1"] }));
        assert!(accepts(&client, "https://shop.example/cb?x=1"));
        for asked in [
            "",
            "https://shop.example/cb",
            "https://shop.example/cb?x=1&y=2",
            "https://shop.example/cb?x=1#",
            "https://shop.example/cb?x=1#f",
            "https://shop.example/cb/?x=1",
            "https://shop.example/cb/../cb?x=1",
            "https://shop.example/%63b?x=1",
            "https://shop.example/CB?x=1",
            "https://SHOP.example/cb?x=1",
            "HTTPS://shop.example/cb?x=1",
            "http://shop.example/cb?x=1",
            "https://shop.example./cb?x=1",
            "https://shop.example:443/cb?x=1",
            "https://ada@shop.example/cb?x=1",
            "https://shop.example@evil.example/cb?x=1",
            "https://shop.example\\@evil.example/cb?x=1",
            "https://shop.example.evil.example/cb?x=1",
            "https://evil.example/https://shop.example/cb?x=1",
            " https://shop.example/cb?x=1",
            "https://shop.example/cb?x=1 ",
            "https://shop.example/cb?x=1\n",
            "//shop.example/cb?x=1",
            "/cb?x=1",
            "javascript:alert(1)",
        ] {
            assert!(!accepts(&client, asked), "{asked}");
        }
    }

    #[test]
    fn a_public_client_listens_on_any_port_of_loopback() {
        let client = public(&["http://127.0.0.1/cb", "http://[::1]:8000/cb?a=b", "http://localhost"]);
        for asked in [
            "http://127.0.0.1/cb",
            "http://127.0.0.1:1/cb",
            "http://127.0.0.1:65535/cb",
            "http://[::1]/cb?a=b",
            "http://[::1]:9/cb?a=b",
            "http://localhost:8080",
        ] {
            assert_eq!(find(&client, asked).map(|found| found.1), Some(RedirectUriKind::Loopback), "{asked}");
        }
        for asked in [
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:00080/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:+80/cb",
            "http://127.0.0.1:80:81/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1:80%40evil.example/cb",
            "http://127.0.0.1:80\\@evil.example/cb",
            "http://127.0.0.1:80.evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1@evil.example/cb",
            "http://127.0.0.1./cb",
            "http://127.0.0.2:80/cb",
            "http://127.1:80/cb",
            "http://0x7f000001:80/cb",
            "http://localhost:80/cb",
            "http://[::1]:80/cb",
            "http://[::ffff:127.0.0.1]:80/cb",
            "http://[0:0:0:0:0:0:0:1]:9/cb?a=b",
            "https://127.0.0.1:80/cb",
            "http://127.0.0.1:80/cb/",
            "http://127.0.0.1:80/cb?x",
            "http://127.0.0.1:80/cb#x",
            "http://127.0.0.1:80/x/../cb",
            "http://LOCALHOST:80",
            "http://localhost.:80",
            "http://localhost:80/",
        ] {
            assert!(!accepts(&client, asked), "{asked}");
        }
    }

    #[test]
    fn the_port_of_a_confidential_client_and_of_another_host_counts() {
        let confidential = client(json!({ "redirectUris": ["http://127.0.0.1/cb"] }));
        assert!(accepts(&confidential, "http://127.0.0.1/cb"));
        assert!(!accepts(&confidential, "http://127.0.0.1:80/cb"));
        assert!(!accepts(&public(&["https://shop.example/cb"]), "https://shop.example:8443/cb"));
    }

    #[test]
    fn private_use_schemes_are_exact_and_for_native_applications() {
        let native = public(&["com.example.app:/cb"]);
        assert!(accepts(&native, "com.example.app:/cb"));
        for asked in ["com.example.app:/cb2", "com.example.app://cb", "COM.example.app:/cb", "com.example.app:cb"] {
            assert!(!accepts(&native, asked), "{asked}");
        }
        let web = client(json!({ "redirectUris": ["com.example.app:/cb"], "authentication": { "method": "none" } }));
        assert!(!accepts(&web, "com.example.app:/cb"));
    }

    #[test]
    fn what_no_registration_may_be_is_not_accepted_though_it_was_published() {
        let uris = ["https://shop.example/cb#f", "javascript:alert(1)", "http://shop.example/cb", "https://*.example/"];
        let client = client(json!({ "redirectUris": uris }));
        assert!(uris.iter().all(|uri| !accepts(&client, uri)));
    }

    /// Pieces from which parsers that disagree are led astray.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("http://"),
            Just("https://"),
            Just("127.0.0.1"),
            Just("[::1]"),
            Just("localhost"),
            Just("evil.example"),
            Just(":"),
            Just("80"),
            Just("@"),
            Just("\\"),
            Just("/"),
            Just("?"),
            Just("#"),
            Just("%2f"),
            Just("%40"),
            Just("."),
            Just(".."),
            Just("cb"),
            Just("CB"),
            Just(" "),
            Just("\t"),
            Just("\u{3002}"),
            Just("٨"),
            Just(""),
        ];
        proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_leads_to_this_machine_as_registered(asked in prop_oneof![
            hostile(),
            hostile().prop_map(|tail| format!("http://127.0.0.1{tail}")),
            hostile().prop_map(|tail| format!("http://127.0.0.1:80{tail}")),
            hostile().prop_map(|tail| format!("http://[::1]{tail}/cb")),
        ]) {
            let client = public(&["http://127.0.0.1/cb", "http://[::1]/cb"]);
            if accepts(&client, &asked) {
                let rest = asked.strip_prefix("http://127.0.0.1").or_else(|| asked.strip_prefix("http://[::1]"));
                let port = rest.and_then(|rest| rest.strip_suffix("/cb"));
                let port = port.expect("the registered host and path");
                prop_assert!(port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()));
            }
        }

        #[test]
        fn every_port_is_accepted(port in 1_u16..) {
            let client = public(&["http://127.0.0.1/cb"]);
            let asked = format!("http://127.0.0.1:{port}/cb");
            prop_assert!(accepts(&client, &asked));
        }

        #[test]
        fn a_confidential_client_gets_what_is_registered_or_nothing(asked in hostile()) {
            let client = client(json!({ "redirectUris": ["http://127.0.0.1/cb", "https://evil.example/cb"] }));
            let is_registered = asked == "http://127.0.0.1/cb" || asked == "https://evil.example/cb";
            prop_assert_eq!(accepts(&client, &asked), is_registered);
        }
    }
}
