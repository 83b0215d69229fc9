//! The stream by which a provider pod tells the operator what it serves: one JSON frame a line,
//! over mutual TLS on an internal port that the operator dials.
//!
//! After [`Frame::Hello`] the pod names all its documents once, ends with [`Frame::Synced`], and
//! then tells changes alone. A silence of [`SILENCE`] ends every acknowledgement of that pod.

use std::collections::BTreeSet;
use std::time::Duration;

use claviger_jose::Kid;
use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, RevokedSecret};

/// Path of the stream on the acknowledgement port.
pub const PATH: &str = "/acknowledgements";
/// The version of this protocol; unknown fields and frames are ignored.
pub const PROTOCOL: u32 = 1;
/// A pod says something at least this often.
pub const HEARTBEAT: Duration = Duration::from_secs(2);
/// A pod that has said nothing for this long acknowledges nothing.
pub const SILENCE: Duration = Duration::from_secs(6);
/// At most this many documents stand in one frame.
pub const DOCUMENTS_PER_FRAME: usize = 500;
/// A pod tells at most this often which secrets of clients were used; that is also how exact it is.
pub const USES_TOLD: Duration = Duration::from_secs(60);
/// A pod tells at most once in each stretch of this length of keys of the cluster's that it does not know: anybody
/// can name one.
pub const UNKNOWN_KEY_TOLD: Duration = Duration::from_secs(10);
/// At most this many uses of secrets stand in one frame.
pub const USES_PER_FRAME: usize = 500;
/// The name in a provider's serving certificate, whatever its address.
pub const SERVER_NAME: &str = "provider.claviger.internal";
/// Name of the Secret in the published namespace with the serving certificate (`tls.crt`,
/// `tls.key`) and the CA of the operator's own certificate (`ca.crt`).
pub const TLS_SECRET: &str = "acknowledgement-tls";

/// What a pod says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Frame {
    /// The first frame: who this is.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// Name of the Pod, or what else tells this provider from others.
        pod: String,
        /// UID of the Pod, or one that this process made up.
        uid: String,
        /// Made up by this process: a container that was started again in its Pod is another, and says
        /// nothing of what the one before has served.
        #[serde(default)]
        process: String,
        /// The pod's clock.
        now: Timestamp,
    },
    /// These are served from now on (a withdrawn document: its withdrawal is).
    Serving {
        /// At most [`DOCUMENTS_PER_FRAME`].
        documents: Vec<Served>,
    },
    /// These could not be read; the last good ones, if any, go on being served.
    Refused {
        /// At most [`DOCUMENTS_PER_FRAME`].
        documents: Vec<Refused>,
    },
    /// These are gone from this pod: withdrawn before, now deleted.
    Dropped {
        /// Names of Secrets.
        names: Vec<String>,
    },
    /// Secrets by which clients proved who they are since this was told last, at most every
    /// [`USES_TOLD`].
    Used {
        /// At most [`USES_PER_FRAME`].
        secrets: Vec<Used>,
    },
    /// Somebody came with a ServiceAccount's token whose key this pod does not know: the cluster may have
    /// a new one. See [`UNKNOWN_KEY_TOLD`].
    UnknownServiceAccountKey,
    /// All that this pod serves has been said.
    Synced,
    /// Still here.
    Heartbeat {
        /// The pod's clock.
        now: Timestamp,
    },
    /// A frame of a later protocol.
    #[serde(other)]
    Unknown,
}

/// A document that a pod serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Name of the published Secret.
    pub name: String,
    /// Its revision.
    pub revision: u64,
    /// Its digest.
    pub digest: Digest,
    /// The first revision of it that this process has served, where it served nothing before it had this
    /// document: then it never served an earlier one, or none, to anybody. Else 0.
    #[serde(default)]
    pub first: u64,
    /// Of a ring: the keys that this pod never trusts again, so that they stay revoked where the
    /// operator's own memory was set back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub revoked: BTreeSet<Kid>,
    /// Of a client: the secrets that were revoked while this pod served it, for the same reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_secrets: Vec<RevokedSecret>,
}

/// A document that a pod could not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Name of the published Secret.
    pub name: String,
    /// Why, as [`super::ReadError`] says it.
    pub reason: String,
}

/// A client's secret that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Name of the published Secret of the client.
    pub name: String,
    /// Of the secret, as [`super::SecretHash::fingerprint`] has it.
    pub fingerprint: String,
    /// When, to [`USES_TOLD`]: it may have been used again within that.
    pub at: Timestamp,
}
