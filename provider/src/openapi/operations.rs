//! What each route does, by endpoint and method.

mod logout;
mod metadata;
mod pages;
mod person;
mod token;

use http::Method;

use super::model::Operation;
use crate::router::Endpoint;

/// The description of `method` at `endpoint`. None fails a test for every route that is served.
pub(crate) fn of(endpoint: Endpoint, method: &Method) -> Option<&'static Operation> {
    let is_post = *method == Method::POST;
    Some(match endpoint {
        Endpoint::Discovery => &metadata::DISCOVERY,
        Endpoint::Jwks => &metadata::JWKS,
        Endpoint::Authorize if is_post => &person::AUTHORIZE_POST,
        Endpoint::Authorize => &person::AUTHORIZE,
        Endpoint::AuthorizeResume => &pages::AUTHORIZE_RESUME,
        Endpoint::Complete => &person::COMPLETE,
        Endpoint::Token => &token::TOKEN,
        Endpoint::Userinfo if is_post => &person::USERINFO_POST,
        Endpoint::Userinfo => &person::USERINFO,
        Endpoint::Introspect => &token::INTROSPECT,
        Endpoint::Revoke => &token::REVOKE,
        Endpoint::Logout if is_post => &logout::LOGOUT_POST,
        Endpoint::Logout => &logout::LOGOUT,
        Endpoint::LogoutResume => &logout::RESUME,
        Endpoint::LogoutConfirm => &logout::CONFIRM,
        Endpoint::NotServed => &logout::BACKCHANNEL,
        Endpoint::Login if is_post => &pages::LOGIN_POST,
        Endpoint::Login => &pages::LOGIN,
        Endpoint::LoginStatement => &token::LOGIN_STATEMENT,
        Endpoint::LoginReturn => &pages::LOGIN_RETURN,
        Endpoint::SelectAccount if is_post => &pages::SELECT_ACCOUNT_POST,
        Endpoint::SelectAccount => &pages::SELECT_ACCOUNT,
        Endpoint::Consent if is_post => &pages::CONSENT_POST,
        Endpoint::Consent => &pages::CONSENT,
        Endpoint::Stylesheet => &pages::STYLESHEET,
        Endpoint::FormPostScript => &pages::FORM_POST_SCRIPT,
        Endpoint::FrontChannelScript => &pages::FRONT_CHANNEL_SCRIPT,
        Endpoint::Api | Endpoint::None => return None,
    })
}
