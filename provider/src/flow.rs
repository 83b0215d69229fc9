//! One login on its way: from the authorization request to its answer.
//!
//! What is known of it travels sealed in the pages' URLs and forms; a cookie of its own ties it to
//! the browser in which it began. Each step changes the flow and returns to [`crate::authorize`]'s
//! `decide`, which alone says what comes next.

pub(crate) mod cookie;
pub(crate) mod handle;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::authorize::request::AuthorizationRequest;
use crate::store::Id;

/// So long somebody may take to log in.
pub(crate) const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flow {
    /// Which; also names its cookie.
    #[serde(rename = "i")]
    pub(crate) id: Id,
    /// When it began, seconds since 1970.
    #[serde(rename = "t")]
    pub(crate) began_at: i64,
    /// What the client asked for.
    #[serde(rename = "r")]
    pub(crate) request: AuthorizationRequest,
    /// The session in which somebody has logged in for this flow.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(crate) authenticated: Option<Id>,
    /// Which account the person chose to go on with.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) selected: Option<Id>,
    /// The session in which the person said yes in this flow.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) consented: Option<Id>,
    /// The person wants to log in as somebody else than who is logged in.
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) another: bool,
    /// The person said no.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) denied: bool,
}

impl Flow {
    /// A flow that begins.
    pub(crate) fn begin(request: AuthorizationRequest, now: Timestamp) -> Self {
        let (id, began_at) = (Id::random(), now.as_second());
        Self {
            id,
            began_at,
            request,
            authenticated: None,
            selected: None,
            consented: None,
            another: false,
            denied: false,
        }
    }

    /// Whether it took too long.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        let age = now.as_second().saturating_sub(self.began_at);
        // A clock that was set back is no reason to let it live for ever.
        !(-60..LIFETIME.as_secs().cast_signed()).contains(&age)
    }
}

/// When `flow` is over.
pub(crate) fn end(flow: &Flow) -> Timestamp {
    let end = flow.began_at.saturating_add(LIFETIME.as_secs().cast_signed());
    Timestamp::from_second(end).unwrap_or(Timestamp::MAX)
}
