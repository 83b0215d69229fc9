//! A flow between two steps: who is there, what was decided before, and what comes next.
//!
//! Every endpoint of a login ends here: it changes the flow or the session and asks [`Interaction::next`].
//! No step knows which one follows (see [`crate::authorize::decide`]).

pub(crate) mod answer;
pub(crate) mod failure;
pub(crate) mod finish;
pub(crate) mod logged_in;
pub(crate) mod open;
pub(crate) mod show;
pub(crate) mod submitted;
pub(crate) mod told;
pub(crate) mod way_back;

use std::collections::BTreeSet;
use std::sync::Arc;

use claviger_crds::published::ConsentPolicy;

use self::failure::Failure;
use crate::authorize::decide::{self, Account, FlowFacts, SessionFacts, Situation, Step};
use crate::authorize::refusal::AuthorizationError;
use crate::authorize::response::AuthorizationResponse;
use crate::flow::{Flow, handle};
use crate::session::{LiveSession, acr_values};
use crate::store::Id;
use crate::tenant::oauth_client::Client;
use crate::web::exchange::Exchange;
use crate::web::page::{self, language::Language};

/// A flow, with the browser and the session that it is in.
pub(crate) struct Interaction<'a> {
    /// The request.
    pub(crate) exchange: &'a Exchange<'a>,
    /// Who asked.
    pub(crate) client: Arc<Client>,
    /// The flow.
    pub(crate) flow: Flow,
    /// Who is logged in here.
    pub(crate) session: Option<LiveSession>,
    /// The flow as it came, and as what text; none where it begins.
    came: Option<(Flow, String)>,
}

/// What comes next.
pub(crate) enum Next {
    /// The person has something to do on a page; the flow, sealed.
    Do(Todo, String),
    /// The client is told an error.
    Refused(AuthorizationResponse),
    /// Nothing is left to do: what was asked for is granted.
    Finished,
}

/// What a person can have to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Todo {
    /// To log in.
    Login(Proposed),
    /// To say which account it shall be.
    SelectAccount,
    /// To let the client have these scopes.
    Consent(Vec<String>),
}

/// The user name on the login page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proposed {
    /// To be typed; the client may have said what it is likely to be.
    Asked(Option<String>),
    /// Of whoever is logged in.
    Fixed(String),
}

impl Todo {
    /// Below the issuer.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Login(_) => page::LOGIN,
            Self::SelectAccount => page::SELECT_ACCOUNT,
            Self::Consent(_) => page::CONSENT,
        }
    }

    /// As JSON names it.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Login(_) => "login",
            Self::SelectAccount => "select_account",
            Self::Consent(_) => "consent",
        }
    }
}

impl Interaction<'_> {
    /// What comes next.
    pub(crate) async fn next(&self) -> Result<Next, Failure> {
        let Self { exchange, client, flow, session, came: _ } = self;
        let consented = self.consented().await?;
        let row = session.as_ref().map(LiveSession::row);
        let is_here = |step: Option<Id>| step.is_some() && step == row.map(|row| row.id);
        let reachable_acr = match exchange.tenant.issuer.login.ui {
            // It alone knows what it can do, and is asked for it.
            Some(_) => flow.request.claims.essential_acr().unwrap_or_default(),
            None => acr_values(&exchange.tenant.issuer.login).into_iter().flatten().collect(),
        };
        let situation = Situation {
            request: &flow.request,
            client,
            session: row.map(|row| SessionFacts {
                subject: &row.subject,
                authenticated_at: row.authenticated_at,
                acr: &row.acr,
            }),
            consented: &consented,
            // What was done in a session that has ended since, or in another person's, does not count.
            flow: FlowFacts {
                authenticated: is_here(flow.authenticated),
                account_selected: is_here(flow.selected),
                consented: is_here(flow.consented),
                denied: flow.denied,
            },
            reachable_acr: &reachable_acr,
            now: exchange.provider.now(),
        };
        let todo = match decide::decide(&situation) {
            Step::Login(account) => Todo::Login(self.proposed(account)),
            Step::SelectAccount => Todo::SelectAccount,
            // A client may not learn by `claims` what the page did not name.
            Step::Consent { scopes } => {
                let named = scopes.iter().chain(&flow.request.claim_scopes).cloned();
                let bare = decide::bare_audience(&flow.request, client).map(str::to_owned);
                Todo::Consent(named.chain(bare).collect())
            }
            Step::Finish => return Ok(Next::Finished),
            Step::Error(error) => return Ok(self.refused(error)),
        };
        Ok(Next::Do(todo, self.sealed().await?))
    }

    /// The flow as text: as it came, where no step has changed it. Whoever only looks at a page has nothing
    /// written.
    pub(crate) async fn sealed(&self) -> Result<String, Failure> {
        let (provider, tenant) = (self.exchange.provider, &self.exchange.tenant);
        Ok(match &self.came {
            None => handle::seal(provider, tenant, &self.flow).await?,
            Some((flow, text)) if *flow == self.flow => text.clone(),
            Some((_, text)) => handle::seal_on(provider, tenant, &self.flow, text).await?,
        })
    }

    fn refused(&self, error: AuthorizationError) -> Next {
        Next::Refused(self.flow.request.destination(&self.exchange.tenant.issuer.url).error(error))
    }

    /// Whose name the login page shows.
    fn proposed(&self, account: Account) -> Proposed {
        match (account, &self.session) {
            (Account::Own, Some(session)) if !self.flow.another => Proposed::Fixed(session.user().username.clone()),
            _ => Proposed::Asked(self.flow.request.preferences.login_hint.clone()),
        }
    }

    /// What the person has let the client have before.
    async fn consented(&self) -> Result<BTreeSet<String>, Failure> {
        let Some(session) = &self.session else { return Ok(BTreeSet::new()) };
        if self.client.consent == ConsentPolicy::Skip {
            return Ok(BTreeSet::new());
        }
        let (store, tenant) = (self.exchange.provider.store(), &self.exchange.tenant.issuer.key);
        Ok(store.consent(tenant, &session.row().subject, &self.client.key).await?)
    }

    /// The language of its pages.
    pub(crate) fn language(&self) -> Language {
        self.exchange.language(&self.flow.request.preferences.ui_locales)
    }
}
