//! A token that somebody brought and that was verified: whom it is about, and what bounds what is made of it.

use claviger_crds::published::SubjectToken;

use crate::store::Id;
use crate::token::actor::{Actor, MayAct};
use crate::web::error::{ErrorCode, OAuthError};

/// See the module. [`super::own`] and [`super::foreign`] alone make it.
#[derive(Debug)]
pub(crate) struct VerifiedSubject {
    /// What kind of token it is.
    pub(super) kind: SubjectToken,
    /// Who issued it.
    pub(super) issuer: String,
    /// Its `sub`.
    pub(super) sub: String,
    /// `sub` of what is made of it: no other issuer's.
    pub(super) subject: String,
    /// Of the tenant's own tokens: their `aud`.
    pub(super) audience: Option<String>,
    /// Of the tenant's own access tokens: whom they were issued to.
    pub(super) issued_to: Option<String>,
    /// The one API that its person was asked about, where the client that brings it has to ask him: its scopes are those
    /// of that API, and another's of the same names were never shown to him.
    pub(super) consented: Option<String>,
    /// Whether it is for whoever brought it.
    pub(super) for_requester: bool,
    /// Of others' tokens: whether it is for the tenant, and may be brought by whoever brought it.
    pub(super) for_tenant: bool,
    /// Nothing that is made of it has more; none where it says nothing of scope.
    pub(super) scope: Option<Vec<String>>,
    /// Nothing that is made of it lives longer, seconds since 1970.
    pub(super) expires_at: i64,
    /// Who may act for its subject.
    pub(super) may_act: Option<MayAct>,
    /// Who acts for its subject already.
    pub(super) act: Option<Actor>,
    /// Set where its subject is a person, who has logged in.
    pub(super) person: Option<PersonFacts>,
}

/// What tokens say of a person's login, and the grant that they lead back to.
#[derive(Clone, Debug)]
pub(crate) struct PersonFacts {
    /// What ends ends them.
    pub(crate) grant: Id,
    /// `auth_time`, seconds since 1970.
    pub(crate) authenticated_at: Option<i64>,
    /// `acr`
    pub(crate) acr: Option<String>,
    /// `sid`
    pub(crate) session: Option<String>,
}

/// Why a token is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Whatever is wrong with it, whoever brought it is told the same; this is for logs.
    Invalid(&'static str),
    /// The request itself is wrong, which is told.
    Told(OAuthError),
}

impl Refused {
    /// The error of RFC 8693 §2.2.2, of the token in the field `field`.
    pub(crate) fn of_exchange(self, field: &str) -> OAuthError {
        match self {
            Self::Told(error) => error,
            Self::Invalid(detail) => {
                let description = format!("the {field} is not valid, or not acceptable from this client");
                OAuthError::new(ErrorCode::InvalidRequest, description).with_detail(detail)
            }
        }
    }

    /// The error of RFC 7521 §4.1.1.
    pub(crate) fn of_assertion(self) -> OAuthError {
        match self {
            Self::Told(error) => error,
            Self::Invalid(detail) => {
                let description = "the assertion is not valid, or not acceptable from this client";
                OAuthError::new(ErrorCode::InvalidGrant, description).with_detail(detail)
            }
        }
    }
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self::Told(error)
    }
}
