//! What is shown after a logout. It loads the applications' front-channel logout addresses (OpenID
//! Connect Front-Channel Logout 1.0 §2) and then moves on, if there is somewhere to go.

use askama::Template;

use super::assets::Script;
use super::destination::{Destination, WebAddress};
use super::{Page, Site};

/// The end of a session.
#[derive(Debug, Template)]
#[template(path = "logged_out.html")]
pub(crate) struct LoggedOut<'a> {
    /// Whose page it is.
    pub(crate) site: Site<'a>,
    /// Where to go on.
    pub(crate) next: Option<Next<'a>>,
    /// What to load first, one an application.
    pub(crate) frames: &'a [WebAddress<'a>],
}

/// The application that asked for the logout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next<'a> {
    /// Its name.
    pub(crate) client: &'a str,
    /// The address that it registered, with `state`.
    pub(crate) to: Destination<'a>,
}

impl Page for LoggedOut<'_> {
    fn site(&self) -> &Site<'_> {
        &self.site
    }

    fn script(&self) -> Option<Script> {
        self.next.map(|_| Script::FrontChannel)
    }

    fn frames(&self) -> &[WebAddress<'_>] {
        self.frames
    }
}
