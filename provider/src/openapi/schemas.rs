//! The objects that are sent and answered. Those of the contract come first and have its names; what
//! they have beside its fields may always be left out.

mod authorization;
mod contract;
mod discovery;
mod own;

use super::model::{Field, Schema};

/// `GET /oauth/authorize`, in the query.
pub(crate) const AUTHORIZATION_REQUEST: &[Field] = authorization::REQUEST;
/// `GET /oauth/logout`, in the query.
pub(crate) const LOGOUT_REQUEST: &[Field] = own::LOGOUT_REQUEST;

/// All of them.
pub(crate) const ALL: &[Schema] = &[
    contract::AUTHORIZE_COMPLETE_REQUEST,
    contract::BACKCHANNEL_LOGOUT,
    contract::INTROSPECT,
    contract::REVOKE,
    contract::TOKEN,
    contract::HTTP_VALIDATION_ERROR,
    discovery::OPENID_CONFIGURATION,
    contract::TOKEN_INTROSPECTION_RESPONSE,
    contract::VALIDATION_ERROR,
    authorization::AUTHORIZE_REQUEST,
    own::AUTHORIZE_COMPLETE_RESPONSE,
    own::CONSENT_ANSWER,
    own::LOGIN_ANSWER,
    own::LOGIN_STATEMENT,
    own::LOGIN_STATEMENT_RESPONSE,
    own::LOGOUT,
    own::LOGOUT_ANSWER,
    own::OAUTH_ERROR,
    own::SELECT_ACCOUNT_ANSWER,
    own::TOKEN_RESPONSE,
    own::USERINFO_REQUEST,
];
