//! Why a reconcile ended early. Every one is tried again; none holds any content of a Secret.

use crate::cluster::ClusterError;
use crate::signing_key::ring::RingError;

/// Why a step ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StepError {
    /// The API said no.
    #[error("{doing}: {source}")]
    Cluster {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: ClusterError,
    },
    /// A ring could not be read. Nothing is written over it.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// A key or a hash could not be computed.
    #[error("{0} could not be computed")]
    Computation(&'static str),
    /// What the decision rests on has changed meanwhile.
    #[error("{0} has changed meanwhile")]
    Outdated(&'static str),
}

impl StepError {
    /// The API said no while `doing`.
    pub(crate) fn cluster(doing: &'static str, source: ClusterError) -> Self {
        Self::Cluster { doing, source }
    }

    /// Whether it says no more than that somebody was faster, which is what preconditions are for.
    pub(crate) fn is_expected(&self) -> bool {
        matches!(self, Self::Outdated(_) | Self::Cluster { source: ClusterError::Conflict, .. })
    }

    /// Whether only a person can help: the object's status says so, and it is tried again all the same.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Cluster { source, .. } => matches!(source, ClusterError::Denied(_) | ClusterError::Invalid(_)),
            Self::Ring(_) => true,
            Self::Computation(_) | Self::Outdated(_) => false,
        }
    }

    /// Whether a write may have happened all the same.
    pub(crate) fn may_have_happened(&self) -> bool {
        matches!(self, Self::Cluster { source: ClusterError::Unavailable(_), .. })
    }

    /// A metric label, from a closed set.
    pub(crate) fn category(&self) -> &'static str {
        match self {
            Self::Cluster { source, .. } => source.category(),
            Self::Ring(_) => "ring_unreadable",
            Self::Computation(_) => "computation",
            Self::Outdated(_) => "outdated",
        }
    }
}

/// Names what is being done, for a failure to tell.
pub(crate) trait While<T> {
    /// See the trait.
    fn doing(self, doing: &'static str) -> Result<T, StepError>;
}

impl<T> While<T> for Result<T, ClusterError> {
    fn doing(self, doing: &'static str) -> Result<T, StepError> {
        self.map_err(|source| StepError::cluster(doing, source))
    }
}
