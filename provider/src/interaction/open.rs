//! How a request comes to its interaction: the flow that it names, in the browser where it began.

use std::sync::Arc;

use super::Interaction;
use super::failure::Failure;
use super::way_back::WayBack;
use crate::authorize::redirect_uri;
use crate::authorize::request::AuthorizationRequest;
use crate::flow::cookie::{self, NotThisBrowser};
use crate::flow::{Flow, handle};
use crate::session;
use crate::web::exchange::Exchange;

impl<'a> Interaction<'a> {
    /// A flow that begins with `request`.
    pub(crate) async fn begin(exchange: &'a Exchange<'a>, request: AuthorizationRequest) -> Result<Self, Failure> {
        let flow = Flow::begin(request, exchange.provider.now());
        Self::with(exchange, flow, None).await
    }

    /// The flow that `text` seals, if it is this browser's.
    pub(crate) async fn open(exchange: &'a Exchange<'a>, text: &str) -> Result<Self, Failure> {
        let flow = handle::open(exchange.provider, &exchange.tenant, text).await?;
        if flow.is_over(exchange.provider.now()) {
            return Err(Failure::Over(WayBack::of(&flow, &exchange.tenant)));
        }
        match cookie::check(&exchange.parts.headers, &exchange.tenant, &flow) {
            Ok(_own) => {}
            Err(NotThisBrowser::Finished) => return Err(Failure::Finished(WayBack::of(&flow, &exchange.tenant))),
            Err(other) => return Err(other.into()),
        }
        let came = Some((flow.clone(), text.to_owned()));
        Self::with(exchange, flow, came).await
    }

    async fn with(exchange: &'a Exchange<'a>, flow: Flow, came: Option<(Flow, String)>) -> Result<Self, Failure> {
        // It, or where its answer goes, may have been withdrawn since the flow began.
        let gone = || Failure::ClientGone(flow.request.client_id.clone());
        let client = exchange.tenant.clients.get(&flow.request.client_id).ok_or_else(gone)?;
        redirect_uri::find(client, flow.request.redirect_uri.as_str()).ok_or_else(gone)?;
        let session = session::load(exchange).await?;
        Ok(Self { exchange, client: Arc::clone(client), flow, session, came })
    }
}
