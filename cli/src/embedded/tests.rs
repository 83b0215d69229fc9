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
async fn what_is_published_goes_to_the_provider_and_what_is_the_operators_own_does_not() {
    let (cluster, mut told) = cluster();
    cluster.create_secret(secret("claviger-published", "a", "1")).await.expect("it is new");
    assert!(matches!(next(&mut told), Told::Published(_)));
    assert!(matches!(next(&mut told), Told::Change(Change::Published(Seen::Applied(_)))));
    cluster.create_secret(secret("claviger-system", "ring-a", "1")).await.expect("it is new");
    assert!(matches!(next(&mut told), Told::Change(Change::Ring(Seen::Applied(_)))));
    let mut sealing = secret("claviger-system", "sealing-a", "1");
    sealing.metadata.labels = Some([("claviger.dev/holds".to_owned(), "sealing".to_owned())].into());
    cluster.create_secret(sealing).await.expect("it is new");
    assert!(matches!(next(&mut told), Told::Change(Change::Sealing(Seen::Applied(_)))));
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

/// Declares the Tenant identity/acme and has the operator make its ring, identity/acme-default.
async fn with_default_ring(cluster: &Embedded) -> (ObjectName, SigningKey) {
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
    (at, key)
}

/// Declares a User that bears the name of the default ring.
fn declare_namesake(cluster: &Embedded) -> ObjectName {
    let at = name("identity", "acme-default");
    let user = json!({"apiVersion": "claviger.dev/v1alpha1", "kind": "User",
                      "metadata": {"name": "acme-default", "namespace": "identity"},
                      "spec": {"tenantRef": {"name": "acme"}, "username": "ada"}});
    cluster.declare(Sort::Resource(Kind::User), &at, &user).expect("a User");
    at
}

fn kinds(cluster: &Embedded) -> Vec<Kind> {
    cluster.resources().into_iter().map(|(kind, ..)| kind).collect()
}

#[tokio::test]
async fn a_signing_key_that_the_operator_made_goes_with_its_tenant() {
    let (cluster, mut told) = cluster();
    let (at, key) = with_default_ring(&cluster).await;
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

#[tokio::test]
async fn a_namesake_of_another_kind_that_goes_takes_no_signing_key_along() {
    let kept = Kept::new("namesake");
    let (cluster, _told) = kept.open();
    with_default_ring(&cluster).await;
    let user = declare_namesake(&cluster);
    // Found again by the next process, to which the folder declares the namesake anew.
    drop(cluster);
    let (cluster, _told) = kept.open();
    cluster.undeclare(Sort::Resource(Kind::User), &user).expect("nothing is there");
    declare_namesake(&cluster);
    cluster.undeclare(Sort::Resource(Kind::User), &user).expect("it is there");
    assert_eq!(kinds(&cluster), [Kind::SigningKey]);
    assert!(kept.file("signingkeys/identity/acme-default.yaml").exists());
}

#[tokio::test]
async fn a_namesake_of_another_kind_does_not_keep_a_signing_key_from_going_with_its_tenant() {
    let kept = Kept::new("collected");
    let (cluster, _told) = kept.open();
    let (tenant, _) = with_default_ring(&cluster).await;
    declare_namesake(&cluster);
    cluster.undeclare(Sort::Resource(Kind::Tenant), &tenant).expect("it is there");
    assert_eq!(kinds(&cluster), [Kind::User]);
    assert!(!kept.file("signingkeys/identity/acme-default.yaml").exists());
}

#[tokio::test]
async fn a_ring_that_the_folder_takes_over_is_no_longer_kept() {
    let kept = Kept::new("taken-over");
    let (cluster, _told) = kept.open();
    let (_, key) = with_default_ring(&cluster).await;
    let value = serde_json::to_value(&key).expect("JSON");
    let ring = name("identity", "acme-default");
    cluster.declare(Sort::Resource(Kind::SigningKey), &ring, &value).expect("a SigningKey");
    assert!(!kept.file("signingkeys/identity/acme-default.yaml").exists());
    cluster.undeclare(Sort::Resource(Kind::SigningKey), &ring).expect("it is there");
    assert_eq!(kinds(&cluster), [Kind::Tenant]);
}

#[tokio::test]
async fn births_are_written_once_for_a_whole_reading_and_at_once_for_a_ring() {
    let kept = Kept::new("births");
    let (cluster, _told) = kept.open();
    let births = || std::fs::read_to_string(kept.file("objects.json")).unwrap_or_default();
    let user = declare_namesake(&cluster);
    assert_eq!(births(), "");
    cluster.keep_births().expect("it can be written");
    assert!(births().contains("User identity/acme-default"));

    cluster.undeclare(Sort::Resource(Kind::User), &user).expect("it is there");
    with_default_ring(&cluster).await;
    assert!(births().contains("SigningKey identity/acme-default"), "{}", births());
    assert!(!births().contains("User"), "{}", births());
    std::fs::remove_file(kept.file("objects.json")).expect("it is there");
    cluster.keep_births().expect("nothing to write");
    assert_eq!(births(), "");
}

#[tokio::test]
async fn a_damaged_secret_ends_the_start_unless_it_can_be_computed_again() {
    let kept = Kept::new("damaged");
    let (cluster, _told) = kept.open();
    cluster.create_secret(secret("claviger-published", "a", "1")).await.expect("it is new");
    cluster.create_secret(secret("shop", "a", "1")).await.expect("it is new");
    drop(cluster);
    // What a loss of power leaves of a file that was not flushed.
    std::fs::write(kept.file("secrets/claviger-published/a.yaml"), "").expect("a file");
    let (cluster, _told) = kept.open();
    assert_eq!(cluster.secret(&name("claviger-published", "a")).await, Ok(None));
    assert!(cluster.secret(&name("shop", "a")).await.is_ok_and(|secret| secret.is_some()));
    drop(cluster);
    std::fs::write(kept.file("secrets/shop/a.yaml"), "").expect("a file");
    assert!(kept.try_open().is_err());
}

/// A state folder that is gone when the test is.
struct Kept(std::path::PathBuf);

impl Kept {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("claviger-embedded-{}-{name}", std::process::id())))
    }

    fn try_open(&self) -> anyhow::Result<(Embedded, mpsc::UnboundedReceiver<Told>)> {
        let (tell, told) = mpsc::unbounded_channel();
        let state = State::open(&self.0, std::path::Path::new("/nothing/is/served"))?;
        Ok((Embedded::open(state, Arc::new(SystemClock::new()), tell)?, told))
    }

    fn open(&self) -> (Embedded, mpsc::UnboundedReceiver<Told>) {
        self.try_open().expect("it is ours")
    }

    fn file(&self, path: &str) -> std::path::PathBuf {
        self.0.join(path)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
