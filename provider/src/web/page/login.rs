//! Where a person proves who he is.

use std::time::Duration;

use askama::Template;

use super::{LOGIN, Page, SELECT_ACCOUNT, Site};

/// The login form.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub(crate) struct Login<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
    /// The sealed handle of the authorization request.
    pub(crate) flow: &'a str,
    /// The application that the person comes from.
    pub(crate) client: Option<&'a str>,
    /// Whose password it is to be.
    pub(crate) account: Account<'a>,
    /// Why the form is shown again.
    pub(crate) problem: Option<Problem>,
}

/// Whose password is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account<'a> {
    /// Whosever: the name is asked for too, filled in with a `login_hint` or what was typed before.
    Asked(Option<&'a str>),
    /// That of who is logged in already, and has to prove it again.
    Fixed(&'a str),
}

/// Why a login failed, as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// One text for an unknown name, a wrong password and a disabled account: which it was would
    /// tell whether the account exists.
    Refused,
    /// Too many attempts. For names that do not exist too.
    Throttled(Duration),
    /// Too many people at once. It says nothing of whoever reads it.
    Busy,
}

/// When to come again where there are too many.
pub(crate) const SOON: Duration = Duration::from_secs(2);

impl Login<'_> {
    /// The first thing that is empty.
    fn starts_at_password(&self) -> bool {
        matches!(self.account, Account::Fixed(_) | Account::Asked(Some(_)))
    }
}

impl Page for Login<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }

    fn retry_after(&self) -> Option<Duration> {
        match self.problem {
            Some(Problem::Throttled(wait)) => Some(wait),
            Some(Problem::Busy) => Some(SOON),
            Some(Problem::Refused) | None => None,
        }
    }
}
