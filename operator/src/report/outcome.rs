//! What became of an object's document in one reconcile, and what `Programmed` says of that.

use claviger_crds::condition::{ConditionType, Reason, Verdict};

use super::{judge, kept, not_served, programmed};
use crate::context::Context;
use crate::error::StepError;
use crate::index::object::{Declared, Object};
use crate::liveness::Live;
use crate::work::Next;

/// See the module.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It stands like this.
    Stands(Live),
    /// Nothing was written: what was published before goes on being served.
    Kept,
    /// Nothing is served.
    Nothing,
    /// The API server does not let it be written, nor withdrawn: that is told, and tried again.
    Refused {
        /// What it said.
        error: StepError,
        /// Whether what was published before goes on being served.
        earlier: bool,
    },
}

impl Outcome {
    /// Nothing was to be written: what is `served` stays.
    pub(crate) fn left(served: bool) -> Self {
        if served { Self::Kept } else { Self::Nothing }
    }

    /// Of a write: what only a person can end is no failure of the reconcile, for it must be told.
    /// `served` is whether something was served before.
    pub(crate) fn of(written: Result<Self, StepError>, served: bool) -> Result<Self, StepError> {
        match written {
            Err(error) if error.is_final() => Ok(Self::Refused { error, earlier: served }),
            written => written,
        }
    }

    /// Why it was refused.
    pub(crate) fn refused(&self) -> Option<&StepError> {
        match self {
            Self::Refused { error, .. } => Some(error),
            Self::Stands(_) | Self::Kept | Self::Nothing => None,
        }
    }

    /// The verdict `Programmed` on `object`, unless nothing should be said yet; and when to look again.
    pub(crate) fn verdict<K: Declared>(
        &self,
        context: &Context,
        object: &Object<K>,
        needs: &[Vec<Live>],
    ) -> Result<(Verdict, Next), Next> {
        match self {
            Self::Stands(live) => programmed(live, judge(context, object, live, needs)),
            Self::Kept => Ok((kept(object), Next::IDLE)),
            Self::Nothing => Ok((not_served(), Next::IDLE)),
            Self::Refused { error, earlier } => Ok((refused(error, *earlier), Next::IDLE)),
        }
    }
}

fn refused(error: &StepError, earlier: bool) -> Verdict {
    let served = if earlier { "what was published before goes on being served" } else { "nothing of it is served" };
    Verdict::no(
        ConditionType::Programmed,
        Reason::PublicationRefused,
        format!("{error}; {served}, and it is tried again"),
    )
}
