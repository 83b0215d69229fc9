//! The API server's answers to the operator.

use claviger_crds::names::ObjectName;
use claviger_crds::oauth_client::OAuthClient;
use claviger_crds::signing_key::SigningKey;
use claviger_crds::tenant::Tenant;
use claviger_crds::user::User;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{World, name_of, refuse};
use crate::cluster::{Cluster, ClusterError, Event, OwnerMeta, StatusWrite};
use crate::work::Kind;

type Answer<'a, T> = BoxFuture<'a, Result<T, ClusterError>>;

impl Cluster for World {
    fn secret(&self, name: &ObjectName) -> Answer<'_, Option<Secret>> {
        let objects = self.objects();
        ready(objects.reachable().map(|()| objects.secrets.get(name).cloned())).boxed()
    }

    fn create_secret(&self, secret: Secret) -> Answer<'_, Secret> {
        let mut objects = self.objects();
        let name = name_of(&secret.metadata);
        let result = objects.write(format!("create secret {name}")).and_then(|()| {
            refuse::object(&objects, &secret.metadata)?;
            if objects.secrets.contains_key(&name) {
                return Err(ClusterError::AlreadyExists);
            }
            Ok(objects.store(name, secret))
        });
        let result = objects.answer(result);
        drop(objects);
        result.iter().for_each(|secret| self.seen_at_once(secret));
        ready(result).boxed()
    }

    fn replace_secret(&self, secret: Secret) -> Answer<'_, Secret> {
        let mut objects = self.objects();
        let name = name_of(&secret.metadata);
        if let Some((held, attempt)) = objects.held_back.as_mut().filter(|(held, _)| *held == name) {
            let paused = Err(ClusterError::Unavailable(format!("{held} is held back")));
            *attempt = Some(secret);
            return ready(paused).boxed();
        }
        let result = objects.write(format!("replace secret {name}")).and_then(|()| {
            assert!(secret.metadata.resource_version.is_some(), "a replace needs a resourceVersion");
            refuse::object(&objects, &secret.metadata)?;
            objects.checked(&name, &secret.metadata)?;
            Ok(objects.store(name, secret))
        });
        let result = objects.answer(result);
        drop(objects);
        result.iter().for_each(|secret| self.seen_at_once(secret));
        ready(result).boxed()
    }

    fn delete_secret(&self, name: &ObjectName, uid: &str, resource_version: &str) -> Answer<'_, ()> {
        let mut objects = self.objects();
        let metadata = ObjectMeta {
            uid: Some(uid.to_owned()),
            resource_version: Some(resource_version.to_owned()),
            ..ObjectMeta::default()
        };
        let result =
            objects.write(format!("delete secret {name}")).and_then(|()| match objects.checked(name, &metadata) {
                Ok(()) => {
                    objects.remove(name);
                    Ok(())
                }
                Err(ClusterError::NotFound) => Ok(()),
                Err(error) => Err(error),
            });
        let result = objects.answer(result);
        ready(result).boxed()
    }

    fn owner(&self, kind: Kind, name: &ObjectName) -> Answer<'_, Option<OwnerMeta>> {
        let objects = self.objects();
        let metadata = match kind {
            Kind::Tenant => objects.tenants.get(name).map(|object| object.metadata.clone()),
            Kind::OAuthClient => objects.clients.get(name).map(|object| object.metadata.clone()),
            Kind::SigningKey => objects.signing_keys.get(name).map(|object| object.metadata.clone()),
            Kind::User => objects.users.get(name).map(|object| object.metadata.clone()),
            Kind::IdentityProvider => None,
        };
        let owner = metadata.map(|metadata| OwnerMeta {
            uid: metadata.uid.unwrap(),
            resource_version: metadata.resource_version.unwrap(),
            managed_fields: metadata.managed_fields.unwrap_or_default(),
        });
        let result = objects.reachable().map(|()| owner);
        ready(result).boxed()
    }

    fn create_signing_key(&self, key: SigningKey) -> Answer<'_, ()> {
        let name = name_of(&key.metadata);
        let result = {
            let mut objects = self.objects();
            objects.write(format!("create SigningKey {name}")).and_then(|()| {
                refuse::object(&objects, &key.metadata)?;
                if objects.signing_keys.contains_key(&name) { Err(ClusterError::AlreadyExists) } else { Ok(()) }
            })
        };
        ready(result.map(|()| self.apply(key))).boxed()
    }

    fn delete_signing_key(&self, name: &ObjectName, uid: &str, resource_version: &str) -> Answer<'_, ()> {
        let result = {
            let mut objects = self.objects();
            objects.write(format!("delete SigningKey {name}")).and_then(|()| {
                let Some(key) = objects.signing_keys.get(name) else {
                    return Ok(false);
                };
                let same = key.metadata.uid.as_deref() == Some(uid)
                    && key.metadata.resource_version.as_deref() == Some(resource_version);
                if same { Ok(true) } else { Err(ClusterError::Conflict) }
            })
        };
        let result = result.map(|there| {
            if there {
                self.delete::<SigningKey>(name);
            }
        });
        ready(result).boxed()
    }

    fn write_status(&self, write: StatusWrite) -> Answer<'_, String> {
        let mut objects = self.objects();
        let result = match write.kind {
            Kind::Tenant => objects.status::<Tenant>(&write),
            Kind::OAuthClient => objects.status::<OAuthClient>(&write),
            Kind::SigningKey => objects.status::<SigningKey>(&write),
            Kind::User => objects.status::<User>(&write),
            Kind::IdentityProvider => Err(ClusterError::NotFound),
        };
        let result = objects.answer(result);
        ready(result).boxed()
    }

    fn event(&self, event: Event) -> Answer<'_, ()> {
        let mut objects = self.objects();
        let result = objects.write(format!("event {} {}", event.reason, event.name));
        if result.is_ok() {
            objects.events.push(event);
        }
        ready(result).boxed()
    }
}
