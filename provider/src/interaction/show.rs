//! A page of a login, as long as it is what comes next; else the browser is sent on, so that a page
//! that was left behind (another tab, the back button) leads where the login is now.

use axum::response::Response;
use http::StatusCode;

use super::failure::Failure;
use super::{Interaction, Next, Proposed, Todo, answer};
use crate::grant::describe;
use crate::web::exchange::Exchange;
use crate::web::page::consent::{Consent, ReturnTo, Scope};
use crate::web::page::login::{Account, Login, Problem};
use crate::web::page::no_login::NoLogin;
use crate::web::page::select_account::SelectAccount;
use crate::web::page::{self, Site};

/// Which page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The login page.
    Login,
    /// The choice of an account.
    SelectAccount,
    /// The consent page.
    Consent,
}

/// The page, for the flow in the query.
pub(crate) async fn page(exchange: &Exchange<'_>, which: Which) -> Result<Response, Failure> {
    let flow = exchange.query("flow").ok_or(Failure::Missing("flow"))?;
    let interaction = Interaction::open(exchange, &flow).await?;
    if exchange.wants_json() {
        return answer::next(&interaction).await;
    }
    match (interaction.next().await?, which) {
        (Next::Do(Todo::Login(proposed), sealed), Which::Login) if exchange.tenant.issuer.login.ui.is_none() => {
            Ok(login(&interaction, &sealed, &proposed, None, None))
        }
        (Next::Do(Todo::SelectAccount, sealed), Which::SelectAccount) => Ok(select_account(&interaction, &sealed)),
        (Next::Do(Todo::Consent(scopes), sealed), Which::Consent) => Ok(consent(&interaction, &sealed, &scopes)),
        _ => answer::next(&interaction).await,
    }
}

/// The login page, if there is a way to log in; after a failure with what was typed, never the password.
pub(crate) fn login(
    interaction: &Interaction<'_>,
    sealed: &str,
    proposed: &Proposed,
    typed: Option<&str>,
    problem: Option<Problem>,
) -> Response {
    if !interaction.exchange.tenant.issuer.login.passwords {
        return page::respond(StatusCode::OK, &NoLogin { site: site(interaction), flow: sealed });
    }
    let account = match proposed {
        Proposed::Fixed(username) => Account::Fixed(username),
        Proposed::Asked(hint) => Account::Asked(typed.or(hint.as_deref())),
    };
    let client = Some(interaction.client.display_name.as_str());
    let page = Login { site: site(interaction), flow: sealed, client, account, problem };
    let status = match problem {
        // 401 would need a challenge (RFC 9110 §15.5.2), and browsers report it as a fault of the page.
        None | Some(Problem::Refused) => StatusCode::OK,
        Some(Problem::Throttled(_)) => StatusCode::TOO_MANY_REQUESTS,
        // It is not this browser that is too fast.
        Some(Problem::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    };
    page::respond(status, &page)
}

fn select_account(interaction: &Interaction<'_>, sealed: &str) -> Response {
    let username = interaction.session.as_ref().map_or("", |session| session.user().username.as_str());
    let client = Some(interaction.client.display_name.as_str());
    page::respond(StatusCode::OK, &SelectAccount { site: site(interaction), flow: sealed, client, username })
}

fn consent(interaction: &Interaction<'_>, sealed: &str, scopes: &[String]) -> Response {
    let tenant = &interaction.exchange.tenant;
    let audience = &interaction.flow.request.audience;
    let scopes = scopes.iter().map(String::as_str);
    let scopes = scopes.map(|name| Scope {
        name,
        description: describe::scope(name, audience, tenant),
        is_api: name == audience,
    });
    let scopes: Vec<Scope<'_>> = scopes.collect();
    let page = Consent {
        site: site(interaction),
        flow: sealed,
        client: &interaction.client.display_name,
        username: interaction.session.as_ref().map_or("", |session| session.user().username.as_str()),
        return_to: ReturnTo::of(interaction.flow.request.redirect_uri.as_str(), interaction.client.is_public()),
        scopes: &scopes,
    };
    page::respond(StatusCode::OK, &page)
}

fn site<'a>(interaction: &'a Interaction<'_>) -> Site<'a> {
    interaction.exchange.site(&interaction.flow.request.preferences.ui_locales)
}
