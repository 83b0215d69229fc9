//! From the authorization request to its code, and what is known of the person.

use crate::openapi::model::{Answer, Body, FORM, Field, HTML, JSON, Kind, Operation};
use crate::openapi::schemas::AUTHORIZATION_REQUEST;

const AUTHORIZE_ANSWERS: &[Answer] = &[
    Answer::of("200", "The next step of the login, for whoever accepts JSON and not HTML.", JSON),
    Answer::empty("303", "To the next page, or to redirect_uri with code or error, state and iss."),
    Answer::of("400", "The application or its redirect_uri is not known: a page, or JSON where asked for.", HTML),
];

/// `GET /oauth/authorize`
pub(crate) const AUTHORIZE: Operation = Operation {
    summary: "Authorize",
    description: "Begins a login (RFC 6749 §3.1), or answers at once. A missing client_id or redirect_uri is 422, as \
                  a page or, where asked for, as JSON; once both are known to belong together, every fault is told \
                  by a redirect.",
    query: AUTHORIZATION_REQUEST,
    answers: AUTHORIZE_ANSWERS,
    ..Operation::CONTRACT
};

/// `POST /oauth/authorize`
pub(crate) const AUTHORIZE_POST: Operation = Operation {
    summary: "Authorize, by a form",
    description: "The same, with the parameters in the body (OpenID Connect Core 1.0 §3.1.2.1).",
    body: Some(Body::form("AuthorizeRequest")),
    answers: &[
        Answer::empty("303", "To a GET that goes on with the request, or to redirect_uri with error, state and iss."),
        Answer::of("400", "The application or its redirect_uri is not known: a page, or JSON where asked for.", HTML),
        Answer::json("422", "client_id or redirect_uri is missing.", "HTTPValidationError"),
    ],
    ..Operation::NONE
};

/// `POST /oauth/authorize/complete`
pub(crate) const COMPLETE: Operation = Operation {
    summary: "Authorize Complete",
    description: "A login page of somebody's own exchanges the session_id of a finished login for the code. Needs the \
                  flow's cookie, and every parameter has to be that of the authorization request.",
    body: Some(Body { media_types: &[JSON], schema: "AuthorizeCompleteRequest", required: true }),
    answers: &[
        Answer::json("200", "The code, and where to take it.", "AuthorizeCompleteResponse"),
        Answer::json("400", "The login is not finished, was used, or the parameters differ.", "OAuthError"),
        Answer::json("403", "Another site's page sent this.", "OAuthError"),
    ],
    ..Operation::CONTRACT
};

const BEARER: Field = Field::required("authorization", Kind::Text, "Bearer and an access token (RFC 6750 §2.1).");
const USERINFO_ANSWERS: &[Answer] = &[
    Answer::of("200", "The claims that were granted; sub is always there.", JSON),
    Answer::empty("400", "The token was sent in more than one way. WWW-Authenticate says so."),
    Answer::empty("401", "There is no live token. WWW-Authenticate says what is wrong."),
    Answer::empty("403", "The token is not a person's, or lacks openid."),
];

/// `GET /oauth/userinfo`
pub(crate) const USERINFO: Operation = Operation {
    summary: "Userinfo",
    description: "Claims about the person whose access token is sent (OpenID Connect Core 1.0 §5.3).",
    authorization: Some(BEARER),
    answers: USERINFO_ANSWERS,
    ..Operation::CONTRACT
};

/// `POST /oauth/userinfo`
pub(crate) const USERINFO_POST: Operation = Operation {
    description: "The same by POST. The token may stand in a form instead, as access_token (RFC 6750 §2.2).",
    body: Some(Body { media_types: &[FORM], schema: "UserinfoRequest", required: false }),
    ..USERINFO
};
