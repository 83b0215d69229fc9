//! The authorization request, in a query or in a form.

use crate::openapi::model::{Field, Kind, Schema};

/// The contract's parameters, then ours.
pub(crate) const REQUEST: &[Field] = &[
    Field::required("response_type", Kind::Text, "code"),
    Field::required("client_id", Kind::Text, "Who asks."),
    Field::required("redirect_uri", Kind::Text, "Where the answer goes: registered, and compared exactly."),
    Field::required("scope", Kind::Text, "What is asked for, separated by spaces."),
    Field::text("state", "Comes back with the answer."),
    Field::text("nonce", "Stands in the ID token."),
    Field::text("code_challenge", "BASE64URL(SHA256(code_verifier)) (RFC 7636 §4.2)."),
    Field::text("code_challenge_method", "S256"),
    Field::text("prompt", "none, login, consent and select_account, separated by spaces."),
    Field::text("login_hint", "What the person may type as a user name."),
    Field::text("acr_values", "Authentication contexts wished for, the best first."),
    Field::text(
        "idp_hint",
        "The upstream identity provider to log in at, by its name. This release has none: `invalid_request`.",
    ),
    Field::text("response_mode", "query, fragment or form_post."),
    Field::text("max_age", "How long ago the login may be, seconds."),
    Field::text("id_token_hint", "An ID token that names the person."),
    Field::text("ui_locales", "Languages for the pages, the best first."),
    Field::text("claims", "JSON (OpenID Connect Core 1.0 §5.5)."),
    Field::text("display", "page. Others are treated so too."),
    Field::text("resource", "The API that the access token is for (RFC 8707). May be repeated."),
    Field::text("audience", "The same by another name. May be repeated."),
];

/// The same in a form.
pub(crate) const AUTHORIZE_REQUEST: Schema =
    Schema { name: "AuthorizeRequest", description: "An authorization request as a form.", fields: REQUEST };
