//! Addresses of the pages that log a person out in his own browser.

use claviger_crds::published::FrontchannelLogoutDocument;
use url::Url;

use crate::store::Id;

/// The page of `registered`, with `iss` and `sid` where it needs them (Front-Channel Logout 1.0 §2).
pub(crate) fn address(registered: &FrontchannelLogoutDocument, issuer: &str, session: Id) -> Option<String> {
    let mut address = Url::parse(&registered.uri).ok()?;
    if registered.session_required {
        address.query_pairs_mut().append_pair("iss", issuer).append_pair("sid", &session.to_string());
    }
    Some(address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(uri: &str, session_required: bool) -> String {
        let registered = FrontchannelLogoutDocument { uri: uri.to_owned(), session_required };
        address(&registered, "https://login.example/t", Id::from_bytes([1; 16])).unwrap()
    }

    #[test]
    fn issuer_and_session_are_added_to_what_is_registered() {
        let sid = "01".repeat(16);
        assert_eq!(
            address_of("https://a.example/out?x=1", true),
            format!("https://a.example/out?x=1&iss=https%3A%2F%2Flogin.example%2Ft&sid={sid}")
        );
        assert_eq!(address_of("https://a.example/out?x=1", false), "https://a.example/out?x=1");
    }
}
