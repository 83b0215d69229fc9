//! `GET oauth/login/return`: a browser comes back from the tenant's own login UI.

use axum::response::Response;

use crate::interaction::Interaction;
use crate::interaction::failure::Failure;
use crate::interaction::way_back::WayBack;
use crate::login_ui::{Stated, Statement};
use crate::password::verify::VerifiedUser;
use crate::session::Authentication;
use crate::web::exchange::Exchange;

/// What comes next.
pub(crate) async fn respond(exchange: &Exchange<'_>) -> Response {
    come_back(exchange).await.unwrap_or_else(|failure| failure.into_response(exchange))
}

/// 1. The flow, in its browser. 2. The statement, of this flow. 3. Its use. 4. The session.
async fn come_back(exchange: &Exchange<'_>) -> Result<Response, Failure> {
    let (provider, tenant) = (exchange.provider, &exchange.tenant);
    let flow = exchange.query("flow").ok_or(Failure::Missing("flow"))?;
    let text = exchange.query("statement").ok_or(Failure::Missing("statement"))?;
    let interaction = Interaction::open(exchange, &flow).await?;
    if tenant.issuer.login.ui.is_none() {
        // It was withdrawn meanwhile, and with it what it has stated.
        return Err(Failure::NoFlow);
    }
    let (way_back, now) = (|| WayBack::of(&interaction.flow, tenant), provider.now());
    let statement = Statement::open(&text, tenant, &interaction.flow).ok_or(Failure::NotOurs("statement"))?;
    if statement.expires_at() <= now {
        return Err(Failure::Late("statement", way_back()));
    }
    if !provider.store().consume_login(&tenant.issuer.key, statement.id, statement.expires_at()).await? {
        return Err(Failure::Used);
    }
    let at = statement.made_at(now);
    match statement.what {
        Stated::Cancelled => interaction.cancelled().await,
        Stated::LoggedIn(person) => {
            // Whoever comes here has shown at the UI that the account is his: he is told what became of it.
            let user = VerifiedUser::stated(tenant, &person).ok_or(Failure::AccountGone)?;
            if !user.user().counts(at.as_second(), now.as_second()) {
                return Err(Failure::Late("statement", way_back()));
            }
            interaction.logged_in(user, Authentication { at, amr: person.amr, acr: person.acr }).await
        }
    }
}
