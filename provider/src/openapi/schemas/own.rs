//! Objects that the contract leaves open.

use crate::openapi::model::{Field, Kind, Schema};

const FLOW: Field = Field::required("flow", Kind::Text, "The login that is going on, sealed.");

/// The contract's parameters, then ours.
pub(crate) const LOGOUT_REQUEST: &[Field] = &[
    Field::text("id_token_hint", "An ID token of the session that shall end."),
    Field::text("post_logout_redirect_uri", "Where to go on: registered, and compared exactly."),
    Field::text("state", "Comes back with post_logout_redirect_uri."),
    Field::text("client_id", "Who asks, where there is no hint."),
    Field::text("logout_hint", "Who is meant: a username, sub or sid. Where it is another's the person is asked."),
    Field::text("ui_locales", "Languages for the pages, the best first."),
];

pub(crate) const AUTHORIZE_COMPLETE_RESPONSE: Schema = Schema {
    name: "AuthorizeCompleteResponse",
    description: "The authorization response, and where to take it.",
    fields: &[
        Field::required("code", Kind::Text, "For the token endpoint, once."),
        Field::optional("state", Kind::Text, "That of the authorization request, where it had one."),
        Field::required("iss", Kind::Text, "The issuer (RFC 9207)."),
        Field::required("redirect_uri", Kind::Text, ""),
        Field::required("response_mode", Kind::Text, "query, fragment or form_post."),
        Field::optional("redirect_to", Kind::Text, "The whole URL. Absent where a form is to be posted."),
        Field::required("parameters", Kind::TextByName, "What the URL or the form bears."),
    ],
};

pub(crate) const CONSENT_ANSWER: Schema = Schema {
    name: "ConsentAnswer",
    description: "",
    fields: &[
        FLOW,
        Field::required("username", Kind::Text, "Who was asked, as the step before named him."),
        Field::required("decision", Kind::Text, "allow or deny."),
    ],
};

pub(crate) const LOGIN_ANSWER: Schema = Schema {
    name: "LoginAnswer",
    description: "",
    fields: &[
        FLOW,
        Field::text("username", "What the person calls himself."),
        Field::text("password", "And proves it by."),
        Field::text("decision", "cancel, of whoever does not want to log in: the client is told access_denied."),
    ],
};

pub(crate) const LOGIN_STATEMENT: Schema = Schema {
    name: "LoginStatement",
    description: "Who has logged in, by subject or by username; or decision=cancel.",
    fields: &[
        Field::required("flow", Kind::Text, "The one with which the browser came."),
        Field::text("subject", "sub of the account."),
        Field::text("username", "Its user name, instead of subject."),
        Field::text("amr", "How the person has shown it just now: RFC 8176 values, separated by spaces."),
        Field::text("acr", "What that is worth; one word."),
        Field::text("decision", "cancel: the person does not want to log in."),
        Field::text("client_id", "Where the client does not authenticate by HTTP Basic."),
        Field::text("client_secret", "Where the client does not authenticate by HTTP Basic."),
        Field::text("client_assertion", "Of private_key_jwt (RFC 7523 §2.2)."),
        Field::text("client_assertion_type", "Of private_key_jwt (RFC 7523 §2.2)."),
    ],
};

pub(crate) const LOGIN_STATEMENT_RESPONSE: Schema = Schema {
    name: "LoginStatementResponse",
    description: "",
    fields: &[
        Field::required("redirect_to", Kind::Text, "Where to send the browser, as it stands."),
        Field::required("expires_in", Kind::Integer, "Seconds."),
    ],
};

pub(crate) const LOGOUT: Schema =
    Schema { name: "LogoutRequest", description: "A logout request as a form.", fields: LOGOUT_REQUEST };

pub(crate) const LOGOUT_ANSWER: Schema = Schema {
    name: "LogoutAnswer",
    description: "",
    fields: &[
        Field::required("flow", Kind::Text, "The logout request, sealed."),
        Field::required("decision", Kind::Text, "yes or no."),
    ],
};

pub(crate) const OAUTH_ERROR: Schema = Schema {
    name: "OAuthError",
    description: "An error of OAuth (RFC 6749 §5.2).",
    fields: &[
        Field::required("error", Kind::Text, "For programs."),
        Field::required("error_description", Kind::Text, "For people."),
    ],
};

pub(crate) const SELECT_ACCOUNT_ANSWER: Schema = Schema {
    name: "SelectAccountAnswer",
    description: "",
    fields: &[FLOW, Field::required("choice", Kind::Text, "continue or another.")],
};

pub(crate) const TOKEN_RESPONSE: Schema = Schema {
    name: "TokenResponse",
    description: "Tokens (RFC 6749 §5.1).",
    fields: &[
        Field::required("access_token", Kind::Text, "A JWT (RFC 9068)."),
        Field::required("token_type", Kind::Text, "Bearer"),
        Field::required("expires_in", Kind::Integer, "Seconds."),
        Field::optional("refresh_token", Kind::Text, "Where one was granted."),
        Field::optional("id_token", Kind::Text, "Where openid was granted."),
        Field::optional("scope", Kind::Text, "What was granted, separated by spaces."),
        Field::optional("issued_token_type", Kind::Text, "Of an exchange: what the access token is (RFC 8693 §2.2.1)."),
    ],
};

pub(crate) const USERINFO_REQUEST: Schema = Schema {
    name: "UserinfoRequest",
    description: "",
    fields: &[Field::text("access_token", "Where the header does not have it.")],
};
