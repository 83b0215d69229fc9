//! The pages of a login, and the files that they link to. A login page of somebody's own sends the
//! same fields as JSON, and is told the next step as JSON.

use crate::openapi::model::{Answer, Body, FORM, Field, HTML, JSON, Kind, Operation};

const FLOW: &[Field] = &[Field::required("flow", Kind::Text, "The login that is going on, sealed.")];
const SHOWN: &[Answer] = &[
    Answer::of("200", "The page, or the step as JSON for whoever accepts JSON and not HTML.", HTML),
    Answer::empty("303", "To another step."),
    Answer::of("400", "There is no such login in this browser.", HTML),
];
const TAKEN: &[Answer] = &[
    Answer::of("200", "The next step, for whoever accepts JSON and not HTML.", JSON),
    Answer::empty("303", "To the next step, or to the application."),
    Answer::of("400", "There is no such login in this browser, or a field is missing.", HTML),
    Answer::of("401", "Name or password is wrong, for whoever accepts JSON and not HTML; the page is 200.", JSON),
    Answer::of("403", "Another site's page sent this.", HTML),
    Answer::of("429", "Too many logins have failed: try again later.", HTML),
    Answer::of("503", "Too many are logging in at once, or the store is away: try again in a moment.", HTML),
];
const FILE: &[Answer] = &[
    Answer::of("200", "The file.", "text/javascript"),
    Answer::empty("304", "It is still the one that If-None-Match names."),
];

const fn shown(summary: &'static str) -> Operation {
    Operation { summary, description: "A page of the login.", query: FLOW, answers: SHOWN, ..Operation::NONE }
}

const fn taken(summary: &'static str, schema: &'static str) -> Operation {
    let body = Some(Body { media_types: &[FORM, JSON], schema, required: true });
    Operation { summary, description: "What a page of the login sends.", body, answers: TAKEN, ..Operation::NONE }
}

const fn script(summary: &'static str) -> Operation {
    Operation { summary, description: "A file of the pages.", answers: FILE, ..Operation::NONE }
}

pub(crate) const AUTHORIZE_RESUME: Operation = Operation {
    summary: "Authorize, after a form",
    description: "Where a POST to the authorization endpoint leads, so that the browser brings its cookies.",
    query: FLOW,
    answers: SHOWN,
    ..Operation::NONE
};
pub(crate) const LOGIN: Operation = shown("Login");
pub(crate) const LOGIN_POST: Operation = taken("Login, the answer", "LoginAnswer");
pub(crate) const LOGIN_RETURN: Operation = Operation {
    summary: "Login Return",
    description: "Where a browser comes back from the tenant's own login UI. Needs the flow's cookie.",
    query: &[FLOW[0], Field::required("statement", Kind::Text, "What the UI has stated, sealed; once.")],
    answers: TAKEN,
    ..Operation::NONE
};
pub(crate) const SELECT_ACCOUNT: Operation = shown("Select Account");
pub(crate) const SELECT_ACCOUNT_POST: Operation = taken("Select Account, the answer", "SelectAccountAnswer");
pub(crate) const CONSENT: Operation = shown("Consent");
pub(crate) const CONSENT_POST: Operation = taken("Consent, the answer", "ConsentAnswer");
pub(crate) const FORM_POST_SCRIPT: Operation = script("Script of response_mode=form_post");
pub(crate) const FRONT_CHANNEL_SCRIPT: Operation = script("Script of the page after a logout");
pub(crate) const STYLESHEET: Operation = Operation {
    answers: &[
        Answer::of("200", "The file.", "text/css"),
        Answer::empty("304", "It is still the one that If-None-Match names."),
    ],
    ..script("Stylesheet of the pages")
};
