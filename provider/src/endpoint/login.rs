//! The login page, and what it sends.

use axum::body::Body;
use axum::response::Response;
use http::Method;

use crate::audit::Outcome;
use crate::interaction::failure::Failure;
use crate::interaction::submitted::Submitted;
use crate::interaction::{Interaction, Next, Todo, answer, show};
use crate::login::{Attempt, aimed_at, attempt};
use crate::session::Authentication;
use crate::web::exchange::Exchange;
use crate::web::login_error;
use crate::web::page::login::{Problem, SOON};

/// The page, or what comes after it.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    let result = if exchange.parts.method == Method::POST {
        log_in(exchange, body).await
    } else {
        show::page(exchange, show::Which::Login).await
    };
    result.unwrap_or_else(|failure| failure.into_response(exchange))
}

/// 1. The form, from a page of ours. 2. The flow, in its browser. 3. Whether the person gives it up.
/// 4. The password. 5. The session.
async fn log_in(exchange: &Exchange<'_>, body: Body) -> Result<Response, Failure> {
    let (submitted, _same_origin) = Submitted::read(exchange, body).await?;
    let interaction = Interaction::open(exchange, submitted.flow()?).await?;
    if submitted.decision.as_deref() == Some("cancel") {
        return interaction.cancelled().await;
    }
    if exchange.tenant.issuer.login.ui.is_some() {
        // The tenant's own page may ask for more than a password: nobody gets round it here.
        return answer::next(&interaction).await;
    }
    // A phone's keyboard puts a space behind the word that it proposes. No name has one at an end; what is counted and
    // looked up is the name without.
    let username = submitted.username.as_deref().unwrap_or_default().trim();
    let password = submitted.password.clone().unwrap_or_default();
    match attempt(exchange, &interaction.client, username, &password).await? {
        Attempt::Verified(user) => interaction.logged_in(user, Authentication::password(exchange.provider.now())).await,
        Attempt::Refused => refused(&interaction, username, Problem::Refused).await,
        Attempt::Throttled(wait) => refused(&interaction, username, Problem::Throttled(wait)).await,
        Attempt::Busy => refused(&interaction, username, Problem::Busy).await,
    }
}

/// The page again, which never says whether the account exists.
async fn refused(interaction: &Interaction<'_>, username: &str, problem: Problem) -> Result<Response, Failure> {
    let exchange = interaction.exchange;
    let outcome = match problem {
        // The attempt has told of it.
        Problem::Refused => None,
        Problem::Throttled(_) => Some(Outcome::Throttled),
        Problem::Busy => Some(Outcome::Busy),
    };
    if let Some(outcome) = outcome {
        exchange.audit().login(&interaction.client, aimed_at(&exchange.tenant, username), outcome);
    }
    if exchange.wants_json() {
        return Ok(match problem {
            Problem::Refused => login_error::login_failed(&exchange.tenant.issuer.url),
            Problem::Throttled(wait) => login_error::throttled(wait),
            Problem::Busy => login_error::busy(SOON),
        });
    }
    match interaction.next().await? {
        Next::Do(Todo::Login(proposed), sealed) => {
            Ok(show::login(interaction, &sealed, &proposed, Some(username), Some(problem)))
        }
        // Somebody has logged in meanwhile, in another tab.
        _ => answer::next(interaction).await,
    }
}
