//! The end of a flow: a code for the client, or a `session_id` for a login page of somebody's own,
//! which it exchanges for the code.

use std::time::Duration;

use claviger_jose::Purpose;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::authorize::redirect_uri;
use crate::authorize::response::AuthorizationResponse;
use crate::flow::Flow;
use crate::store::{ClientKey, Id, Session};
use crate::tenant::snapshot::TenantSnapshot;
use crate::token::code::Code;
use crate::token::person::PersonGrant;
use crate::web::exchange::Exchange;

/// So long a login page may take to exchange its `session_id`.
const LIFETIME: Duration = Duration::from_secs(120);

/// A flow in which nothing is left to do.
#[derive(Serialize, Deserialize)]
pub(crate) struct Finished {
    /// Single use.
    #[serde(rename = "i")]
    pub(crate) id: Id,
    /// When it ends, seconds.
    #[serde(rename = "e")]
    expires_at: i64,
    /// Who asked.
    #[serde(rename = "k")]
    client: String,
    /// What was asked, and granted.
    #[serde(rename = "f")]
    pub(crate) flow: Flow,
    /// The session in which it was.
    #[serde(rename = "s")]
    session: Id,
    #[serde(rename = "u")]
    subject: String,
    #[serde(rename = "t")]
    authenticated_at: i64,
    #[serde(rename = "a")]
    acr: String,
    #[serde(rename = "m")]
    amr: Vec<String>,
}

impl Finished {
    /// `flow` is finished, in `session`.
    pub(crate) fn new(flow: Flow, client: &ClientKey, session: &Session, now: Timestamp) -> Self {
        Self {
            id: Id::random(),
            expires_at: now.saturating_add(LIFETIME).unwrap_or(now).as_second(),
            client: client.as_str().to_owned(),
            flow,
            session: session.id,
            subject: session.subject.clone(),
            authenticated_at: session.authenticated_at.as_second(),
            acr: session.acr.clone(),
            amr: session.amr.clone(),
        }
    }

    /// When it ends.
    pub(crate) fn expires_at(&self) -> Timestamp {
        Timestamp::from_second(self.expires_at).unwrap_or(Timestamp::MIN)
    }

    /// As `session_id`.
    pub(crate) fn seal(&self, exchange: &Exchange<'_>) -> Result<String, Failure> {
        let sealer = exchange.tenant.issuer.sealer()?;
        let plain = serde_json::to_vec(self).map_err(|_| Failure::Unavailable)?;
        sealer.seal(Purpose::LoginStep, b"", &plain).map_err(|_| Failure::Unavailable)
    }

    /// The one that `session_id` is, if this tenant sealed it; in time or not.
    pub(crate) fn open(session_id: &str, exchange: &Exchange<'_>) -> Option<Self> {
        let opened = exchange.tenant.issuer.sealer.as_ref()?.open(Purpose::LoginStep, b"", session_id).ok()?;
        serde_json::from_slice(opened.as_bytes()).ok()
    }

    /// Whether its client is there still, and still goes by this redirect URI.
    pub(crate) fn is_current(&self, tenant: &TenantSnapshot) -> bool {
        let request = &self.flow.request;
        let client = tenant.clients.get(&request.client_id).filter(|client| client.key.as_str() == self.client);
        client.is_some_and(|client| redirect_uri::find(client, request.redirect_uri.as_str()).is_some())
    }

    /// The answer to the client, with a code.
    pub(crate) async fn answer(self, exchange: &Exchange<'_>) -> Result<AuthorizationResponse, Failure> {
        let (provider, tenant, now) = (exchange.provider, &exchange.tenant, exchange.provider.now());
        let Self { client, flow: Flow { request, .. }, session, subject, authenticated_at, acr, amr, .. } = self;
        let destination = request.destination(&tenant.issuer.url);
        let code = Code {
            client: ClientKey::from_stored(&client),
            redirect_uri: request.redirect_uri.as_str().to_owned(),
            challenge: request.code_challenge,
            expires_at: Code::end(tenant, now),
            grant: PersonGrant {
                id: Id::random(),
                subject,
                session,
                authenticated_at: Timestamp::from_second(authenticated_at).unwrap_or(now),
                acr,
                amr,
                scopes: request.scopes,
                audience: request.audience,
                nonce: request.nonce,
                claims: request.claims,
                claim_scopes: request.claim_scopes,
            },
        };
        let code = code.seal(provider, tenant).await?;
        Ok(destination.code(code))
    }
}
