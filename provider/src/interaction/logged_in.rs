//! The end of a login, wherever it was: somebody has shown who he is, or has given it up.

use axum::response::Response;

use super::failure::Failure;
use super::{Interaction, answer};
use crate::audit::Outcome;
use crate::password::verify::VerifiedUser;
use crate::session::{self, Authentication};

impl Interaction<'_> {
    /// `user` has shown who he is: the browser gets a session, and what comes next.
    pub(crate) async fn logged_in(mut self, user: VerifiedUser, by: Authentication) -> Result<Response, Failure> {
        let exchange = self.exchange;
        let before = self.session.take();
        let subject_before = before.as_ref().map(|before| before.row().subject.clone());
        let session = session::begin(exchange.provider, &exchange.tenant, user, by, before).await?;
        // Another person's session at this browser ended by it; no client asked for that.
        if let Some(another) = subject_before.filter(|before| *before != session.row().subject) {
            exchange.audit().logout(None, &another);
        }
        exchange.audit().login(&self.client, &session.row().subject, Outcome::Ok);
        self.flow.authenticated = Some(session.row().id);
        self.flow.selected = Some(session.row().id);
        self.session = Some(session.clone());
        // The session is there, under a handle that only this answer tells, whatever comes of the rest.
        let mut response = answer::next(&self).await.unwrap_or_else(|failure| failure.into_response(exchange));
        session::set_cookie(response.headers_mut(), &exchange.tenant, &session);
        Ok(response)
    }

    /// The person has given it up: the client is told `access_denied`.
    pub(crate) async fn cancelled(mut self) -> Result<Response, Failure> {
        self.exchange.audit().login(&self.client, "", Outcome::Cancelled);
        self.flow.denied = true;
        answer::next(&self).await
    }
}
