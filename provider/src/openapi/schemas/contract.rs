//! The objects of the contract, `docs/reference/oidc-api-reference.md`.

use crate::openapi::model::{Field, Kind, Schema};

const CLIENT_ID: Field = Field::text("client_id", "Who asks, where the header does not say it.");
const CLIENT_SECRET: Field = Field::text("client_secret", "The client's secret, where the header does not have it.");
const ASSERTION: Field = Field::text(
    "client_assertion",
    "A JWT that proves who the client is (RFC 7523 §2.2): one that it signed, or a ServiceAccount's token.",
);
const ASSERTION_TYPE: Field =
    Field::text("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
const HINT: Field = Field::text("token_type_hint", "access_token or refresh_token. Nothing depends on it.");

/// What [`INTROSPECT`] and [`REVOKE`] take.
const A_TOKEN: &[Field] = &[
    Field::required("token", Kind::Text, "An access token or a refresh token."),
    HINT,
    CLIENT_ID,
    CLIENT_SECRET,
    ASSERTION,
    ASSERTION_TYPE,
];

pub(crate) const AUTHORIZE_COMPLETE_REQUEST: Schema = Schema {
    name: "AuthorizeCompleteRequest",
    description: "A finished login, with every parameter of its authorization request.",
    fields: &[
        Field::required("session_id", Kind::Text, "Of the step done."),
        Field::required("client_id", Kind::Text, ""),
        Field::required("redirect_uri", Kind::Text, ""),
        Field::required("scope", Kind::Text, ""),
        Field::required("response_type", Kind::Text, "code"),
        Field::text("state", ""),
        Field::text("nonce", ""),
        Field::text("code_challenge", ""),
        Field::text("code_challenge_method", ""),
    ],
};

pub(crate) const BACKCHANNEL_LOGOUT: Schema = Schema {
    name: "Body_backchannel_logout_api_v1_auth_tenants__tenant_slug__backchannel_logout_post",
    description: "",
    fields: &[Field::required("logout_token", Kind::Text, "A JWT (OpenID Connect Back-Channel Logout 1.0 §2.4).")],
};

pub(crate) const INTROSPECT: Schema = Schema {
    name: "Body_introspect_api_v1_auth_tenants__tenant_slug__oauth_introspect_post",
    description: "",
    fields: A_TOKEN,
};

pub(crate) const REVOKE: Schema = Schema {
    name: "Body_revoke_api_v1_auth_tenants__tenant_slug__oauth_revoke_post",
    description: "",
    fields: A_TOKEN,
};

pub(crate) const TOKEN: Schema = Schema {
    name: "Body_token_api_v1_auth_tenants__tenant_slug__oauth_token_post",
    description: "",
    fields: &[
        Field::required(
            "grant_type",
            Kind::Text,
            "authorization_code, refresh_token, client_credentials, urn:ietf:params:oauth:grant-type:token-exchange or \
             urn:ietf:params:oauth:grant-type:jwt-bearer.",
        ),
        Field::text("code", "Of the authorization response."),
        Field::text("redirect_uri", "That of the authorization request."),
        Field::text("refresh_token", "The last that was issued."),
        CLIENT_ID,
        CLIENT_SECRET,
        Field::text("code_verifier", "What code_challenge was made of (RFC 7636 §4.1)."),
        Field::text("scope", "What is asked for, separated by spaces: no more than was granted."),
        Field::text("subject_token", "Of a token exchange: a token about whom the new one is to be (RFC 8693 §2.1)."),
        Field::text(
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:access_token, refresh_token, id_token or jwt.",
        ),
        Field::text("audience", "The API that the access token is for. May be repeated."),
        Field::text("requested_token_type", "urn:ietf:params:oauth:token-type:access_token (default) or jwt."),
        Field::text("resource", "The same as audience (RFC 8707). May be repeated."),
        Field::text("actor_token", "Of a token exchange: a token about who acts for the subject."),
        Field::text("actor_token_type", "As subject_token_type."),
        Field::text("assertion", "Of jwt-bearer: a JWT of an issuer that the tenant trusts (RFC 7523 §2.1)."),
        ASSERTION,
        ASSERTION_TYPE,
    ],
};

pub(crate) const HTTP_VALIDATION_ERROR: Schema = Schema {
    name: "HTTPValidationError",
    description: "A required field is missing, or a field is of the wrong type.",
    fields: &[
        Field::optional("detail", Kind::Each("ValidationError"), "Every fault."),
        Field::optional("error", Kind::Text, "invalid_request, for OAuth libraries."),
        Field::optional("error_description", Kind::Text, "For people."),
    ],
};

pub(crate) const VALIDATION_ERROR: Schema = Schema {
    name: "ValidationError",
    description: "",
    fields: &[
        Field::required("loc", Kind::TextsOrIntegers, "Where it is: place and field."),
        Field::required("msg", Kind::Text, "For people."),
        Field::required("type", Kind::Text, "For programs."),
    ],
};

pub(crate) const TOKEN_INTROSPECTION_RESPONSE: Schema = Schema {
    name: "TokenIntrospectionResponse",
    description: "Token introspection response. Of a token that is active, every field is there.",
    fields: &[
        Field::required("active", Kind::Boolean, "False: nothing else is told."),
        Field::text("sub", "The person, or the client itself."),
        Field::text("client_id", "Whom it was issued to."),
        Field::text("scope", "What was granted, separated by spaces."),
        Field::optional("exp", Kind::IntegerOrNull, "When it ends, in seconds since 1970."),
        Field::optional("iat", Kind::IntegerOrNull, "When it was issued, in seconds since 1970."),
        Field::text("iss", "The issuer."),
        Field::text("aud", "The API that it is for."),
        Field::text("token_type", "Bearer or refresh_token."),
        Field::text("tenant_id", "The tenant's slug."),
        Field::text("email", "With the scope email."),
        Field::optional("groups", Kind::TextsOrNull, "With the scope groups."),
        Field::text("username", "With the scope profile: what the person types to log in."),
        Field::text("jti", "The token's own name."),
        Field::optional("act", Kind::ObjectOrNull, "Who acts for the person (RFC 8693 §4.1)."),
    ],
};
