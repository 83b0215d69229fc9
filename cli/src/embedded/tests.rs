use claviger_operator::clock::SystemClock;
use claviger_operator::engine::Seen;
use k8s_openapi::ByteString;
use serde_json::json;

use super::*;

fn cluster() -> (Embedded, mpsc::UnboundedReceiver<Told>) {
    let (tell, told) = mpsc::unbounded_channel();
    let clock = Arc::new(SystemClock::new());
    let cluster = Embedded::open(State::nowhere(), clock, tell).expect("nothing to read");
    (cluster, told)
}

fn secret(namespace: &str, name: &str, content: &str) -> Secret {
    let value = json!({"metadata": {"namespace": namespace, "name": name, "labels": {"claviger.dev/holds": "ring"}}});
    let mut secret: Secret = serde_json::from_value(value).expect("a Secret");
    secret.data = Some([("a".to_owned(), ByteString(content.into()))].into());
    secret
}

fn name(namespace: &str, name: &str) -> ObjectName {
    ObjectName::new(namespace, name)
}

fn next(told: &mut mpsc::UnboundedReceiver<Told>) -> Told {
    told.try_recv().expect("it was told")
}

#[tokio::test]
async fn a_secret_is_created_once_and_replaced_only_as_it_was_read() {
    let (cluster, _told) = cluster();
    let first = cluster.create_secret(secret("shop", "a", "1")).await.expect("it is new");
    assert_eq!(cluster.create_secret(secret("shop", "a", "2")).await, Err(ClusterError::AlreadyExists));
    let second = cluster.replace_secret(first.clone()).await.expect("it is as it was read");
    assert_eq!(cluster.replace_secret(first.clone()).await, Err(ClusterError::Conflict));
    assert_eq!(second.metadata.uid, first.metadata.uid);

    let (uid, stale) = (first.metadata.uid.unwrap_or_default(), first.metadata.resource_version.unwrap_or_default());
    let newest = second.metadata.resource_version.unwrap_or_default();
    let at = name("shop", "a");
    assert_eq!(cluster.delete_secret(&at, &uid, &stale).await, Err(ClusterError::Conflict));
    assert_eq!(cluster.delete_secret(&at, &uid, &newest).await, Ok(()));
    assert_eq!(cluster.secret(&at).await, Ok(None));
    assert_eq!(cluster.delete_secret(&at, &uid, &newest).await, Ok(()));
    assert_eq!(cluster.replace_secret(secret("shop", "a", "3")).await, Err(ClusterError::NotFound));
}

#[tokio::test]
async fn a_secret_of_the_folder_is_found_and_never_written() {
    let (cluster, _told) = cluster();
    let value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": "a"},
                       "stringData": {"password": "x"}});
    let at = name("shop", "a");
    cluster.declare(Sort::Secret, &at, &value).expect("a Secret");
    let found = cluster.secret(&at).await.expect("it answers").expect("it is there");
    assert_eq!(found.data.as_ref().and_then(|data| data.get("password")), Some(&ByteString(b"x".to_vec())));
    assert_eq!(cluster.create_secret(secret("shop", "a", "1")).await, Err(ClusterError::AlreadyExists));
    assert!(matches!(cluster.replace_secret(found.clone()).await, Err(ClusterError::Denied(_))));
    // The same content is the same version, in this process and in the next.
    let (other, _told) = self::cluster();
    other.declare(Sort::Secret, &at, &value).expect("a Secret");
    assert_eq!(other.secret(&at).await, Ok(Some(found)));
}

#[tokio::test]
async fn what_is_published_goes_to_the_provider_and_what_is_a_ring_does_not() {
    let (cluster, mut told) = cluster();
    cluster.create_secret(secret("claviger-published", "a", "1")).await.expect("it is new");
    assert!(matches!(next(&mut told), Told::Published(_)));
    assert!(matches!(next(&mut told), Told::Change(Change::Published(Seen::Applied(_)))));
    cluster.create_secret(secret("claviger-system", "ring-a", "1")).await.expect("it is new");
    assert!(matches!(next(&mut told), Told::Change(Change::Ring(Seen::Applied(_)))));
    cluster.create_secret(secret("shop", "a", "1")).await.expect("it is new");
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn a_status_is_written_to_the_version_it_speaks_of_and_stays_when_the_object_changes() {
    let (cluster, _told) = cluster();
    let at = name("identity", "acme");
    let tenant = |display: &str| {
        json!({"apiVersion": "claviger.dev/v1alpha1", "kind": "Tenant", "spec": {"displayName": display},
               "metadata": {"name": "acme", "namespace": "identity"}})
    };
    cluster.declare(Sort::Resource(Kind::Tenant), &at, &tenant("A")).expect("a Tenant");
    let owner = cluster.owner(Kind::Tenant, &at).await.expect("it answers").expect("it is there");
    let write = StatusWrite {
        kind: Kind::Tenant,
        name: at.clone(),
        uid: owner.uid.clone(),
        resource_version: owner.resource_version,
        status: json!({"slug": "acme"}),
    };
    assert!(cluster.write_status(write.clone()).await.is_ok_and(|became| became != write.resource_version));
    assert_eq!(cluster.write_status(write).await, Err(ClusterError::Conflict));

    cluster.declare(Sort::Resource(Kind::Tenant), &at, &tenant("B")).expect("a Tenant");
    let [(_, _, object)] = &cluster.resources()[..] else { panic!("one object") };
    assert_eq!((&object["metadata"]["generation"], &object["status"]["slug"]), (&json!(2), &json!("acme")));
    assert_eq!(object["metadata"]["uid"], owner.uid);
}

#[tokio::test]
async fn a_signing_key_that_the_operator_made_goes_with_its_tenant() {
    let (cluster, mut told) = cluster();
    let at = name("identity", "acme");
    let tenant = json!({"apiVersion": "claviger.dev/v1alpha1", "kind": "Tenant", "spec": {},
                        "metadata": {"name": "acme", "namespace": "identity"}});
    cluster.declare(Sort::Resource(Kind::Tenant), &at, &tenant).expect("a Tenant");
    let uid = cluster.owner(Kind::Tenant, &at).await.expect("it answers").expect("it is there").uid;
    let key: SigningKey = serde_json::from_value(json!({
        "apiVersion": "claviger.dev/v1alpha1", "kind": "SigningKey",
        "metadata": {"name": "acme-default", "namespace": "identity", "ownerReferences": [
            {"apiVersion": "claviger.dev/v1alpha1", "kind": "Tenant", "name": "acme", "uid": uid}]},
        "spec": {"tenantRef": {"name": "acme"}},
    }))
    .expect("a SigningKey");
    assert_eq!(cluster.create_signing_key(key.clone()).await, Ok(()));
    assert_eq!(cluster.create_signing_key(key).await, Err(ClusterError::AlreadyExists));
    cluster.undeclare(Sort::Resource(Kind::Tenant), &at).expect("it is there");
    assert!(cluster.resources().is_empty());
    let mut gone = Vec::new();
    while let Ok(one) = told.try_recv() {
        if let Told::Change(Change::SigningKey(Seen::Deleted(name))) = one {
            gone.push(name.to_string());
        }
    }
    assert_eq!(gone, ["identity/acme-default"]);
}
