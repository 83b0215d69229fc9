//! The [`Cluster`] of a real API server. Every call waits for its turn and has a time limit, every write
//! asks first whether this process still leads; it neither retries nor repairs, and logs no body.

mod failure;
mod turns;

use std::time::Duration;

use claviger_crds::identity_provider::IdentityProvider;
use claviger_crds::names::{MANAGER, ObjectName};
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Client};
use serde_json::json;

use self::failure::classify;
pub(crate) use self::turns::Turns;
use super::events::Events;
use super::lease::Leadership;
use crate::cluster::{Cluster, ClusterError, Event, Kind, OwnerMeta, StatusWrite};

/// No call takes longer.
const LIMIT: Duration = Duration::from_secs(10);

/// The API server, for as long as this process leads.
#[derive(Clone)]
pub(crate) struct KubernetesCluster {
    client: Client,
    leadership: Leadership,
    turns: Turns,
    events: Events,
}

impl KubernetesCluster {
    /// Writes only while `leadership` is current; Events name `identity` as their reporter, and have a
    /// rate of their own.
    pub(crate) fn new(client: Client, leadership: Leadership, turns: Turns, identity: &str) -> Self {
        let events = Events::new(client.clone(), identity);
        Self { client, leadership, turns, events }
    }

    fn secrets(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn resources(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &resource(kind))
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, ClusterError> {
        self.turns.wait().await;
        within(LIMIT, call).await
    }

    /// Runs a write: not at all when the leadership is over, and no longer than it is sure to last. A
    /// write under way when the lease runs out could meet those of the next leader.
    async fn write<T>(&self, call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, ClusterError> {
        self.turns.wait().await;
        let Some(left) = self.leadership.time_left() else {
            return Err(ClusterError::Unavailable("this process does not lead any more".to_owned()));
        };
        within(left.min(LIMIT), call).await
    }
}

async fn within<T>(limit: Duration, call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, ClusterError> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(|error| classify(&error)),
        Err(_) => Err(ClusterError::Unavailable(format!("no answer within {:.1} s", limit.as_secs_f32()))),
    }
}

impl Cluster for KubernetesCluster {
    fn secret(&self, name: &ObjectName) -> BoxFuture<'_, Result<Option<Secret>, ClusterError>> {
        let name = name.clone();
        async move { self.read(self.secrets(&name.namespace).get_opt(&name.name)).await }.boxed()
    }

    fn create_secret(&self, secret: Secret) -> BoxFuture<'_, Result<Secret, ClusterError>> {
        async move {
            let namespace = secret.metadata.namespace.clone().unwrap_or_default();
            self.write(self.secrets(&namespace).create(&params(), &secret)).await
        }
        .boxed()
    }

    fn replace_secret(&self, secret: Secret) -> BoxFuture<'_, Result<Secret, ClusterError>> {
        async move {
            // Without a version a PUT overwrites whatever stands there.
            if secret.metadata.resource_version.as_deref().unwrap_or_default().is_empty() {
                return Err(ClusterError::Invalid("metadata.resourceVersion".to_owned()));
            }
            let namespace = secret.metadata.namespace.clone().unwrap_or_default();
            let name = secret.metadata.name.clone().unwrap_or_default();
            self.write(self.secrets(&namespace).replace(&name, &params(), &secret)).await
        }
        .boxed()
    }

    fn delete_secret(
        &self,
        name: &ObjectName,
        uid: &str,
        resource_version: &str,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        let (name, only_if) = (name.clone(), only_if(uid, resource_version));
        async move {
            let secrets = self.secrets(&name.namespace);
            gone_is_fine(self.write(async { secrets.delete(&name.name, &only_if).await.map(drop) }).await)
        }
        .boxed()
    }

    fn owner(&self, kind: Kind, name: &ObjectName) -> BoxFuture<'_, Result<Option<OwnerMeta>, ClusterError>> {
        let name = name.clone();
        async move {
            // The metadata alone: an object that this release cannot read exists all the same.
            let found = self.read(self.resources(kind, &name.namespace).get_metadata_opt(&name.name)).await?;
            Ok(found.map(|found| OwnerMeta {
                uid: found.metadata.uid.unwrap_or_default(),
                resource_version: found.metadata.resource_version.unwrap_or_default(),
                managed_fields: found.metadata.managed_fields.unwrap_or_default(),
            }))
        }
        .boxed()
    }

    fn create_signing_key(&self, key: SigningKey) -> BoxFuture<'_, Result<(), ClusterError>> {
        async move {
            let namespace = key.metadata.namespace.clone().unwrap_or_default();
            let keys: Api<SigningKey> = Api::namespaced(self.client.clone(), &namespace);
            self.write(keys.create(&params(), &key)).await.map(drop)
        }
        .boxed()
    }

    fn delete_signing_key(
        &self,
        name: &ObjectName,
        uid: &str,
        resource_version: &str,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        let (name, only_if) = (name.clone(), only_if(uid, resource_version));
        async move {
            let keys = self.resources(Kind::SigningKey, &name.namespace);
            gone_is_fine(self.write(async { keys.delete(&name.name, &only_if).await.map(drop) }).await)
        }
        .boxed()
    }

    fn write_status(&self, write: StatusWrite) -> BoxFuture<'_, Result<String, ClusterError>> {
        async move {
            let resource = resource(write.kind);
            // UID and version make it a compare-and-set: a status is never written to an object
            // that has changed, or has been made anew under its name, since it was judged.
            let patch = json!({
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "metadata": {
                    "name": write.name.name,
                    "uid": write.uid,
                    "resourceVersion": write.resource_version,
                },
                "status": write.status,
            });
            let apply = PatchParams::apply(MANAGER).force();
            let objects = self.resources(write.kind, &write.name.namespace);
            let written = self.write(objects.patch_status(&write.name.name, &apply, &Patch::Apply(&patch))).await?;
            Ok(written.metadata.resource_version.unwrap_or_default())
        }
        .boxed()
    }

    fn event(&self, event: Event) -> BoxFuture<'_, Result<(), ClusterError>> {
        async move {
            if !self.leadership.is_current() {
                return Ok(());
            }
            within(LIMIT, self.events.publish(&event, &resource(event.kind))).await
        }
        .boxed()
    }
}

fn params() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

fn only_if(uid: &str, resource_version: &str) -> DeleteParams {
    DeleteParams::default()
        .preconditions(Preconditions { uid: Some(uid.to_owned()), resource_version: Some(resource_version.to_owned()) })
}

fn gone_is_fine(result: Result<(), ClusterError>) -> Result<(), ClusterError> {
    match result {
        Err(ClusterError::NotFound) => Ok(()),
        other => other,
    }
}

fn resource(kind: Kind) -> ApiResource {
    match kind {
        Kind::Tenant => ApiResource::erase::<Tenant>(&()),
        Kind::SigningKey => ApiResource::erase::<SigningKey>(&()),
        Kind::OAuthClient => ApiResource::erase::<OAuthClient>(&()),
        Kind::User => ApiResource::erase::<User>(&()),
        Kind::IdentityProvider => ApiResource::erase::<IdentityProvider>(&()),
    }
}

#[cfg(test)]
mod tests;
