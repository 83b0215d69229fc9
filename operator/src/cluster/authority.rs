//! The internal certificate authority: mints and renews the certificates with which the operator
//! and the provider pods know each other on the acknowledgement port.
//!
//! The authorities (two while one replaces the other) stand in one Secret of the operator's
//! namespace, the providers' serving certificate in one of the published namespace; the operator's
//! own certificate is never stored. Runs beside the engine, in the leader alone, and writes through
//! [`Cluster`]. Nothing outside trusts this authority.

mod decide;
mod issue;
mod stored;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::published::acknowledgement::{SERVER_NAME, TLS_SECRET};
use rustls::ClientConfig;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use self::decide::{Usage, authorities_now, leaf_due};
use self::issue::{IssueError, Leaf, client_config};
use self::stored::{Authorities, Serving, Unreadable};
use crate::clock::Clock;
use crate::cluster::{Cluster, ClusterError};

/// Name of the Secret with the authorities, in the operator's namespace.
pub(crate) const AUTHORITY_SECRET: &str = "internal-ca";
/// The name in the operator's client certificate.
pub(crate) const OPERATOR_NAME: &str = "operator.claviger.internal";

/// How often everything is looked at again, beside what the watch tells.
const INTERVAL: Duration = Duration::from_secs(300);
/// How soon after a failure.
const RETRY: Duration = Duration::from_secs(2);
/// How often a Secret is read and written anew when somebody else writes it meanwhile.
const CONFLICTS: usize = 5;

/// Why certificates are not up to date. Holds no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    /// The API said no.
    #[error("Secret {name}: {source}")]
    Cluster {
        /// The Secret.
        name: ObjectName,
        /// What the API said.
        source: ClusterError,
    },
    /// A Secret of that name exists and is not the operator's.
    #[error("Secret {0} was not made by the operator and is left alone")]
    NotOwned(ObjectName),
    /// A certificate could not be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

/// Keeps the certificates.
pub(crate) struct Authority {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    authorities: ObjectName,
    serving: ObjectName,
    client: watch::Sender<Option<Arc<ClientConfig>>>,
    minted: Option<Minted>,
}

/// The operator's own certificate, and what it rests on.
struct Minted {
    leaf: Leaf,
    bundle: String,
}

impl Authority {
    /// For these namespaces. Nothing is read or written yet.
    pub(crate) fn new(
        cluster: Arc<dyn Cluster>,
        clock: Arc<dyn Clock>,
        operator_namespace: &str,
        published_namespace: &str,
    ) -> Self {
        Self {
            cluster,
            clock,
            authorities: ObjectName::new(operator_namespace, AUTHORITY_SECRET),
            serving: ObjectName::new(published_namespace, TLS_SECRET),
            client: watch::Sender::new(None),
            minted: None,
        }
    }

    /// How the operator dials providers: `None` until the first certificate is there.
    pub(crate) fn client_config(&self) -> watch::Receiver<Option<Arc<ClientConfig>>> {
        self.client.subscribe()
    }

    /// Keeps everything up to date until `shutdown`; looks at once when `changed` is notified.
    pub(crate) async fn run(mut self, changed: &Notify, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match self.ensure().await {
                Ok(()) => INTERVAL,
                Err(error) => {
                    tracing::warn!(%error, "the internal certificates are not up to date; tried again");
                    RETRY
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = changed.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Brings everything up to date; writes nothing if it is.
    ///
    /// # Errors
    /// [`AuthorityError`]; what was there before stays in use.
    pub(crate) async fn ensure(&mut self) -> Result<(), AuthorityError> {
        let authorities = self.ensure_authorities().await?;
        self.ensure_serving(&authorities).await?;
        self.ensure_client(&authorities)
    }

    async fn ensure_authorities(&self) -> Result<Authorities, AuthorityError> {
        let name = &self.authorities;
        for _ in 0..CONFLICTS {
            let now = self.clock.now().wall;
            let stored = self.cluster.secret(name).await.map_err(|source| failed(name, source))?;
            let before = match stored.as_ref().map(Authorities::from_secret) {
                None => Authorities::default(),
                Some(Ok(authorities)) => authorities,
                Some(Err(Unreadable::NotOwned)) => return Err(AuthorityError::NotOwned(name.clone())),
                Some(Err(Unreadable::Broken)) => {
                    // Nothing but our own connections rests on it: a new one costs a reconnect.
                    tracing::warn!(secret = %name, "the internal authority cannot be read and is made anew");
                    Authorities::default()
                }
            };
            let plan = authorities_now(&before.periods(), now);
            if !plan.add && plan.keep.len() == before.len() {
                return Ok(before);
            }
            let mut after = before.keep(&plan.keep);
            if plan.add {
                after.push(issue::authority(now)?);
            }
            let secret = after.to_secret(name, stored.as_ref());
            let written = match stored {
                None => self.cluster.create_secret(secret).await,
                Some(_) => self.cluster.replace_secret(secret).await,
            };
            match written {
                Ok(_) => return Ok(after),
                Err(ClusterError::AlreadyExists | ClusterError::Conflict | ClusterError::NotFound) => {}
                Err(source) => return Err(failed(name, source)),
            }
        }
        Err(failed(name, ClusterError::Conflict))
    }

    async fn ensure_serving(&self, authorities: &Authorities) -> Result<(), AuthorityError> {
        let name = &self.serving;
        for _ in 0..CONFLICTS {
            let now = self.clock.now().wall;
            let stored = self.cluster.secret(name).await.map_err(|source| failed(name, source))?;
            let serving = match stored.as_ref().map(Serving::from_secret) {
                Some(Err(Unreadable::NotOwned)) => return Err(AuthorityError::NotOwned(name.clone())),
                Some(Ok(serving)) => Some(serving),
                None | Some(Err(Unreadable::Broken)) => None,
            };
            let issuer = authorities.issuer(now).ok_or(IssueError::NoAuthority)?;
            let fits = serving
                .as_ref()
                .is_some_and(|serving| serving.bundle == authorities.bundle() && authorities.knows(&serving.issuer));
            if fits && !serving.is_some_and(|serving| leaf_due(serving.period, now)) {
                return Ok(());
            }
            let leaf = issue::leaf(issuer, SERVER_NAME, Usage::Server, now)?;
            let secret = Serving::to_secret(name, &leaf, &authorities.bundle(), stored.as_ref());
            let written = match stored {
                None => self.cluster.create_secret(secret).await,
                Some(_) => self.cluster.replace_secret(secret).await,
            };
            match written {
                Ok(_) => {
                    tracing::info!(secret = %name, "the providers' serving certificate is renewed");
                    return Ok(());
                }
                Err(ClusterError::AlreadyExists | ClusterError::Conflict) => {}
                Err(source) => return Err(failed(name, source)),
            }
        }
        Err(failed(name, ClusterError::Conflict))
    }

    fn ensure_client(&mut self, authorities: &Authorities) -> Result<(), AuthorityError> {
        let now = self.clock.now().wall;
        let bundle = authorities.bundle();
        let current = self.minted.as_ref().is_some_and(|minted| {
            let leaf = &minted.leaf;
            minted.bundle == bundle && authorities.knows(&leaf.issuer) && !leaf_due(leaf.period, now)
        });
        if current {
            return Ok(());
        }
        let issuer = authorities.issuer(now).ok_or(IssueError::NoAuthority)?;
        let leaf = issue::leaf(issuer, OPERATOR_NAME, Usage::Client, now)?;
        let config = client_config(&leaf, &bundle)?;
        self.client.send_replace(Some(Arc::new(config)));
        self.minted = Some(Minted { leaf, bundle });
        Ok(())
    }
}

fn failed(name: &ObjectName, source: ClusterError) -> AuthorityError {
    AuthorityError::Cluster { name: name.clone(), source }
}
