//! What a page of a login sends: a form from the built-in pages, JSON from a page of somebody's own.
//! Never from another origin's page.

use std::fmt;

use axum::body::Body;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::web::exchange::Exchange;
use crate::web::form::{self, Form};
use crate::web::json_body;
use crate::web::same_origin::SameOrigin;

/// As JSON has it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    flow: Option<String>,
    username: Option<String>,
    password: Option<String>,
    decision: Option<String>,
    choice: Option<String>,
}

/// The fields of every step, each where it was sent.
pub(crate) struct Submitted {
    /// The flow, sealed.
    pub(crate) flow: Option<String>,
    /// What the person calls himself; of a consent, whom the page has asked.
    pub(crate) username: Option<String>,
    /// And proves it by.
    pub(crate) password: Option<Zeroizing<String>>,
    /// `allow` or `deny`.
    pub(crate) decision: Option<String>,
    /// `continue` or `another`.
    pub(crate) choice: Option<String>,
}

impl Submitted {
    /// Reads the body. The proof says that no foreign page sent it.
    pub(crate) async fn read(exchange: &Exchange<'_>, body: Body) -> Result<(Self, SameOrigin), Failure> {
        let headers = &exchange.parts.headers;
        let proof = SameOrigin::check(headers, &exchange.tenant.issuer.url)?;
        if json_body::is_json(headers) {
            let bytes = json_body::read(body).await.map_err(Failure::Body)?;
            let Wire { flow, username, password, decision, choice } =
                json_body::parse(&bytes).map_err(Failure::Body)?;
            let password = password.map(Zeroizing::new);
            return Ok((Self { flow, username, password, decision, choice }, proof));
        }
        let bytes = form::read(headers, body).await.map_err(Failure::Body)?;
        let form = Form::parse(&bytes).map_err(Failure::Body)?;
        let text = |name| form.get(name).map(str::to_owned);
        let submitted = Self {
            flow: text("flow"),
            username: text("username"),
            password: text("password").map(Zeroizing::new),
            decision: text("decision"),
            choice: text("choice"),
        };
        Ok((submitted, proof))
    }

    /// The flow.
    pub(crate) fn flow(&self) -> Result<&str, Failure> {
        self.flow.as_deref().ok_or(Failure::Missing("flow"))
    }
}

/// Names no value: one is a password.
impl fmt::Debug for Submitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitted").finish_non_exhaustive()
    }
}
