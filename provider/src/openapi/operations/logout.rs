//! The ends of sessions.

use crate::openapi::model::{Answer, Body, Field, HTML, Kind, Operation};
use crate::openapi::schemas::LOGOUT_REQUEST;

const BAD: Answer = Answer::of("400", "The request is not valid, and nobody is logged out.", HTML);

/// `GET /oauth/logout`
pub(crate) const LOGOUT: Operation = Operation {
    summary: "Logout",
    description: "The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0 §2). Without a hint of the session \
                  that is live here, the person is asked first.",
    query: LOGOUT_REQUEST,
    answers: &[
        Answer::of("200", "A page that asks, or says that the session is over.", HTML),
        Answer::empty("303", "To post_logout_redirect_uri, with state."),
        BAD,
    ],
    ..Operation::CONTRACT
};

/// `POST /oauth/logout`
pub(crate) const LOGOUT_POST: Operation = Operation {
    summary: "Logout, by a form",
    description: "The same, with the parameters in the body.",
    body: Some(Body::form("LogoutRequest")),
    answers: &[Answer::empty("303", "To a GET that goes on with the request."), BAD],
    ..Operation::NONE
};

/// `GET /oauth/logout/resume`
pub(crate) const RESUME: Operation = Operation {
    summary: "Logout, after a form",
    description: "Where a POST to the end-session endpoint leads, so that the browser brings its cookies.",
    query: &[Field::required("flow", Kind::Text, "The request, sealed; after a minute the person is asked.")],
    answers: LOGOUT.answers,
    ..Operation::NONE
};

/// `POST /oauth/logout/confirm`
pub(crate) const CONFIRM: Operation = Operation {
    summary: "Logout, the answer",
    description: "What the page that asks before a logout sends.",
    body: Some(Body::form("LogoutAnswer")),
    answers: &[
        Answer::of(
            "200",
            "A page that says whether the session is over, or asks again: the question was too old.",
            HTML,
        ),
        Answer::empty("303", "To post_logout_redirect_uri, with state."),
        BAD,
        Answer::of("403", "Another site's page sent this.", HTML),
    ],
    ..Operation::NONE
};

/// `POST /backchannel-logout`
pub(crate) const BACKCHANNEL: Operation = Operation {
    summary: "Backchannel Logout",
    description: "Takes an upstream identity provider's logout token (OpenID Connect Back-Channel Logout 1.0 §2.5). \
                  Not served by this release, which has no upstream identity providers: it is answered with 404. It \
                  stands here because the contract has it.",
    body: Some(Body::form("Body_backchannel_logout_api_v1_auth_tenants__tenant_slug__backchannel_logout_post")),
    answers: &[
        Answer::of("200", "The sessions are over. Not in this release.", "application/json"),
        Answer::json("400", "The logout token is not valid. Not in this release.", "OAuthError"),
    ],
    served: false,
    ..Operation::CONTRACT
};
