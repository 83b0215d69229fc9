//! What clients ask with a form of their own.

use crate::openapi::model::{Answer, Body, Field, Operation};

const AUTHORIZATION: Field =
    Field::text("authorization", "HTTP Basic with client ID and secret, both form-encoded (RFC 6749 §2.3.1).");
const REFUSED: Answer = Answer::json("400", "An error of RFC 6749 §5.2, such as invalid_grant.", "OAuthError");
const STRANGER: Answer = Answer::json("401", "invalid_client: the client did not authenticate.", "OAuthError");
const TOO_LARGE: Answer = Answer::json("413", "The body is larger than 64 KiB.", "OAuthError");

/// `POST /oauth/token`
pub(crate) const TOKEN: Operation = Operation {
    summary: "Token",
    description: "Exchanges an authorization code or a refresh token for tokens, issues a client an access token of \
                  its own (RFC 6749 §3.2), or one about somebody whose token it brings: token exchange (RFC 8693) and \
                  jwt-bearer (RFC 7523).",
    authorization: Some(AUTHORIZATION),
    body: Some(Body::form("Body_token_api_v1_auth_tenants__tenant_slug__oauth_token_post")),
    answers: &[Answer::json("200", "The tokens.", "TokenResponse"), REFUSED, STRANGER, TOO_LARGE],
    ..Operation::CONTRACT
};

/// `POST /oauth/introspect`
pub(crate) const INTROSPECT: Operation = Operation {
    summary: "Introspect",
    description: "What a token is worth now (RFC 7662), to the client that owns it or is its audience. Everybody else \
                  is told {\"active\": false}, as of a token that is nobody's.",
    authorization: Some(AUTHORIZATION),
    body: Some(Body::form("Body_introspect_api_v1_auth_tenants__tenant_slug__oauth_introspect_post")),
    answers: &[
        Answer::json("200", "What the token is worth.", "TokenIntrospectionResponse"),
        REFUSED,
        STRANGER,
        TOO_LARGE,
    ],
    ..Operation::CONTRACT
};

/// `POST /oauth/revoke`
pub(crate) const REVOKE: Operation = Operation {
    summary: "Revoke",
    description: "Gives an access token or a refresh token back (RFC 7009). Whether there was one is not told.",
    authorization: Some(AUTHORIZATION),
    body: Some(Body::form("Body_revoke_api_v1_auth_tenants__tenant_slug__oauth_revoke_post")),
    answers: &[Answer::empty("200", "Nothing is left of the token."), REFUSED, STRANGER, TOO_LARGE],
    ..Operation::CONTRACT
};

/// `POST /oauth/login/statement`
pub(crate) const LOGIN_STATEMENT: Operation = Operation {
    summary: "Login Statement",
    description: "The tenant's own login UI (login.ui) says who has logged in there, or that nobody has. Nobody else \
                  may: the client is the one that the Tenant names.",
    authorization: Some(AUTHORIZATION),
    body: Some(Body::form("LoginStatement")),
    answers: &[
        Answer::json("200", "Where the browser has to come back, within two minutes.", "LoginStatementResponse"),
        REFUSED,
        STRANGER,
        TOO_LARGE,
        Answer::json("422", "flow, amr or acr is missing.", "HTTPValidationError"),
    ],
    ..Operation::NONE
};
