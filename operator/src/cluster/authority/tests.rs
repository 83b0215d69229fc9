//! Certificates over time, in a cluster in memory.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::*;
use crate::testing::{ManualClock, OPERATOR, PUBLISHED, World};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

struct Bench {
    clock: ManualClock,
    world: World,
    authority: Authority,
}

impl Bench {
    fn new() -> Self {
        let clock = ManualClock::new();
        let world = World::new(clock.clone());
        let authority = leader(&world, &clock);
        Self { clock, world, authority }
    }

    /// Another process leads from now on.
    fn restart(&mut self) {
        self.authority = leader(&self.world, &self.clock);
    }

    /// Brings everything up to date; says what was written for it.
    async fn ensure(&mut self) -> Result<Vec<String>, AuthorityError> {
        let before = self.world.objects().writes.len();
        self.authority.ensure().await?;
        Ok(self.world.objects().writes.split_off(before))
    }

    fn authorities(&self) -> Authorities {
        Authorities::from_secret(&self.world.secret(&ca()).unwrap()).unwrap()
    }

    fn serving(&self) -> Serving {
        Serving::from_secret(&self.world.secret(&tls()).unwrap()).unwrap()
    }

    fn client(&self) -> Option<Arc<ClientConfig>> {
        self.authority.client_config().borrow().clone()
    }
}

fn leader(world: &World, clock: &ManualClock) -> Authority {
    Authority::new(Arc::new(world.clone()), Arc::new(clock.clone()), OPERATOR, PUBLISHED)
}

fn ca() -> ObjectName {
    ObjectName::new(OPERATOR, AUTHORITY_SECRET)
}

fn tls() -> ObjectName {
    ObjectName::new(PUBLISHED, TLS_SECRET)
}

/// A Secret of that name which somebody else made.
fn foreign(name: &ObjectName) -> Secret {
    let mut secret = Secret::default();
    secret.metadata.name = Some(name.name.clone());
    secret.metadata.namespace = Some(name.namespace.clone());
    secret.data = Some([("theirs".to_owned(), ByteString(b"theirs".to_vec()))].into());
    secret
}

/// Somebody changes one value of a Secret of ours.
fn spoil(world: &World, name: &ObjectName, key: &str) {
    let mut secret = world.secret(name).unwrap();
    let data = secret.data.as_mut().unwrap();
    assert!(data.insert(key.to_owned(), ByteString(b"spoilt".to_vec())).is_some());
    world.put_secret(secret);
}

#[tokio::test]
async fn everything_is_minted_once_and_nothing_is_written_the_second_time() {
    let mut bench = Bench::new();
    assert!(bench.client().is_none());
    assert_eq!(bench.ensure().await.unwrap().len(), 2);
    let config = bench.client().unwrap();
    assert_eq!(bench.ensure().await.unwrap(), Vec::<String>::new());
    assert!(Arc::ptr_eq(&config, &bench.client().unwrap()), "nobody has to dial anew");
}

#[tokio::test]
async fn the_next_leader_adopts_what_is_there() {
    let mut bench = Bench::new();
    bench.ensure().await.unwrap();
    let before = (bench.authorities(), bench.serving());
    bench.restart();
    assert_eq!(bench.ensure().await.unwrap(), Vec::<String>::new());
    assert_eq!((bench.authorities(), bench.serving()), before);
    assert!(bench.client().is_some(), "its own certificate is its own");
}

#[tokio::test]
async fn a_certificate_is_renewed_when_it_is_due_and_its_authority_stays() {
    let mut bench = Bench::new();
    bench.ensure().await.unwrap();
    let (authorities, config) = (bench.authorities(), bench.client().unwrap());
    bench.clock.advance(19 * DAY);
    assert_eq!(bench.ensure().await.unwrap(), Vec::<String>::new());
    bench.clock.advance(DAY);
    assert_eq!(bench.ensure().await.unwrap().len(), 1);
    assert_eq!(bench.authorities(), authorities);
    assert!(bench.serving().period.until > bench.clock.now().wall + 29 * DAY);
    assert!(!Arc::ptr_eq(&config, &bench.client().unwrap()), "ours is as old");
}

#[tokio::test]
async fn a_new_authority_is_announced_before_it_signs_and_the_old_one_leaves_when_it_runs_out() {
    let mut bench = Bench::new();
    bench.ensure().await.unwrap();
    let old = bench.serving().issuer;
    bench.clock.advance(244 * DAY);
    bench.ensure().await.unwrap();
    assert_eq!(bench.authorities().len(), 2);
    assert_eq!(bench.serving().bundle, bench.authorities().bundle(), "pods learn of both");
    assert_eq!(bench.serving().issuer, old);

    bench.clock.advance(20 * DAY + HOUR);
    bench.ensure().await.unwrap();
    assert_ne!(bench.serving().issuer, old);

    bench.clock.advance(102 * DAY);
    bench.ensure().await.unwrap();
    assert_eq!(bench.authorities().len(), 1);
    assert!(!bench.authorities().knows(&old));
    assert_eq!(bench.ensure().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_left_alone() {
    for name in [ca(), tls()] {
        let mut bench = Bench::new();
        bench.world.put_secret(foreign(&name));
        let before = bench.world.secret(&name);
        let error = bench.ensure().await.unwrap_err();
        assert!(matches!(error, AuthorityError::NotOwned(named) if named == name));
        assert_eq!(bench.world.secret(&name), before);
        assert!(bench.client().is_none());
    }
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_made_anew_and_everybody_is_told() {
    let mut bench = Bench::new();
    bench.ensure().await.unwrap();
    let (old, config) = (bench.serving(), bench.client().unwrap());
    spoil(&bench.world, &ca(), "authorities.json");
    assert_eq!(bench.ensure().await.unwrap().len(), 2);
    assert!(!bench.authorities().knows(&old.issuer));
    assert_eq!(bench.serving().bundle, bench.authorities().bundle());
    assert!(!Arc::ptr_eq(&config, &bench.client().unwrap()));
}

#[tokio::test]
async fn a_serving_certificate_that_was_changed_or_deleted_is_made_anew_by_the_same_authority() {
    let mut bench = Bench::new();
    bench.ensure().await.unwrap();
    let authorities = bench.authorities();
    for key in ["tls.crt", "tls.key", "ca.crt"] {
        spoil(&bench.world, &tls(), key);
        assert_eq!(bench.ensure().await.unwrap().len(), 1, "{key}");
    }
    bench.world.remove_secret(&tls());
    assert_eq!(bench.ensure().await.unwrap().len(), 1);
    assert_eq!(bench.authorities(), authorities);
    assert_eq!(bench.serving().bundle, authorities.bundle());
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_adopted() {
    for lost in 0..2 {
        let mut bench = Bench::new();
        bench.world.objects().answer_lost_at = Some(lost);
        assert!(bench.ensure().await.is_err());
        let before = bench.world.secret(&ca()).unwrap();
        bench.ensure().await.unwrap();
        assert_eq!(bench.world.secret(&ca()).unwrap(), before, "no second authority");
        assert_eq!(bench.ensure().await.unwrap(), Vec::<String>::new());
    }
}
