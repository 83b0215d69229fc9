//! The page that asks what a client may have, and what it sends.

use axum::body::Body;
use axum::response::Response;
use http::Method;

use crate::authorize::decide;
use crate::interaction::failure::Failure;
use crate::interaction::submitted::Submitted;
use crate::interaction::{Interaction, Next, Todo, answer, show};
use crate::web::exchange::Exchange;

/// The page, or what comes after it.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    let result = if exchange.parts.method == Method::POST {
        decide(exchange, body).await
    } else {
        show::page(exchange, show::Which::Consent).await
    };
    result.unwrap_or_else(|failure| failure.into_response(exchange))
}

async fn decide(exchange: &Exchange<'_>, body: Body) -> Result<Response, Failure> {
    let (submitted, _same_origin) = Submitted::read(exchange, body).await?;
    let interaction = Interaction::open(exchange, submitted.flow()?).await?;
    // A yes counts only for what was asked: not before the login, and for these scopes.
    let Next::Do(Todo::Consent(_), _) = interaction.next().await? else { return answer::next(&interaction).await };
    // And only of whoever was asked: another person may have logged in since, in another tab.
    let asked = submitted.username.as_deref().ok_or(Failure::Missing("username"))?;
    if interaction.session.as_ref().is_none_or(|session| session.user().username != asked) {
        return answer::next(&interaction).await;
    }
    match submitted.decision.as_deref() {
        Some("allow") => allow(interaction).await,
        Some("deny") => deny(interaction).await,
        _ => Err(Failure::Missing("decision")),
    }
}

async fn allow(mut interaction: Interaction<'_>) -> Result<Response, Failure> {
    let session = interaction.session.as_ref().ok_or(Failure::Unavailable)?;
    let (exchange, client) = (interaction.exchange, interaction.client.clone());
    let (subject, session) = (session.row().subject.clone(), session.row().id);
    let scopes = decide::consent_entries(&interaction.flow.request, &client);
    let (store, tenant) = (exchange.provider.store(), &exchange.tenant.issuer.key);
    store.remember_consent(tenant, &subject, &client.key, &scopes, exchange.provider.now()).await?;
    exchange.audit().consent(&client, &subject, true);
    interaction.flow.consented = Some(session);
    answer::next(&interaction).await
}

async fn deny(mut interaction: Interaction<'_>) -> Result<Response, Failure> {
    let subject = interaction.session.as_ref().map_or("", |session| session.row().subject.as_str());
    interaction.exchange.audit().consent(&interaction.client, subject, false);
    interaction.flow.denied = true;
    answer::next(&interaction).await
}
