//! The page that asks which account it shall be, and what it sends.

use axum::body::Body;
use axum::response::Response;
use http::Method;

use crate::authorize::prompt::Prompt;
use crate::interaction::failure::Failure;
use crate::interaction::submitted::Submitted;
use crate::interaction::{Interaction, answer, show};
use crate::web::exchange::Exchange;

/// The page, or what comes after it.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    let result = if exchange.parts.method == Method::POST {
        select(exchange, body).await
    } else {
        show::page(exchange, show::Which::SelectAccount).await
    };
    result.unwrap_or_else(|failure| failure.into_response(exchange))
}

async fn select(exchange: &Exchange<'_>, body: Body) -> Result<Response, Failure> {
    let (submitted, _same_origin) = Submitted::read(exchange, body).await?;
    let mut interaction = Interaction::open(exchange, submitted.flow()?).await?;
    match submitted.choice.as_deref() {
        Some("continue") => {
            interaction.flow.selected = interaction.session.as_ref().map(|session| session.row().id);
        }
        Some("another") => {
            // Whoever it shall be has to log in; who is logged in now stays so until then.
            interaction.flow.authenticated = None;
            interaction.flow.selected = None;
            interaction.flow.request.prompt.remove(&Prompt::SelectAccount);
            interaction.flow.request.prompt.insert(Prompt::Login);
            interaction.flow.another = true;
        }
        _ => return Err(Failure::Missing("choice")),
    }
    answer::next(&interaction).await
}
