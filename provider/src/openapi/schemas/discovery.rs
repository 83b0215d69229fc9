//! The discovery document.

use crate::openapi::model::{Field, Kind, Schema};

const fn texts(name: &'static str) -> Field {
    Field::required(name, Kind::Texts, "")
}

const fn address(name: &'static str) -> Field {
    Field::required(name, Kind::Text, "")
}

const fn more(name: &'static str) -> Field {
    Field::optional(name, Kind::Texts, "")
}

const fn flag(name: &'static str) -> Field {
    Field::optional(name, Kind::Boolean, "")
}

/// The contract's fields, then ours.
pub(crate) const OPENID_CONFIGURATION: Schema = Schema {
    name: "OpenIDConfiguration",
    description: "OpenID Connect Discovery document.",
    fields: &[
        address("issuer"),
        address("authorization_endpoint"),
        address("token_endpoint"),
        address("userinfo_endpoint"),
        address("jwks_uri"),
        address("end_session_endpoint"),
        address("revocation_endpoint"),
        address("introspection_endpoint"),
        texts("scopes_supported"),
        texts("response_types_supported"),
        texts("response_modes_supported"),
        texts("grant_types_supported"),
        texts("subject_types_supported"),
        texts("id_token_signing_alg_values_supported"),
        texts("token_endpoint_auth_methods_supported"),
        texts("claims_supported"),
        texts("code_challenge_methods_supported"),
        Field::true_by_default("backchannel_logout_supported", "Whether clients are told of logouts."),
        Field::true_by_default("backchannel_logout_session_supported", "Whether they are told sid."),
        Field::text("backchannel_logout_uri", "Absent while no upstream identity provider may call it."),
        more("token_endpoint_auth_signing_alg_values_supported"),
        more("introspection_endpoint_auth_methods_supported"),
        more("introspection_endpoint_auth_signing_alg_values_supported"),
        more("revocation_endpoint_auth_methods_supported"),
        more("revocation_endpoint_auth_signing_alg_values_supported"),
        more("claim_types_supported"),
        flag("claims_parameter_supported"),
        flag("request_parameter_supported"),
        flag("request_uri_parameter_supported"),
        flag("authorization_response_iss_parameter_supported"),
        more("acr_values_supported"),
        more("prompt_values_supported"),
        more("display_values_supported"),
        more("ui_locales_supported"),
        flag("frontchannel_logout_supported"),
        flag("frontchannel_logout_session_supported"),
    ],
};
