use std::time::Duration;

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Params, Version};

use super::*;
use crate::token::fixture::acme;

const PASSWORD: &str = "correct horse";

/// The hash of [`PASSWORD`] with these parameters: KiB, passes, lanes.
fn hash(memory: u32, passes: u32, lanes: u32) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(memory, passes, lanes, None).unwrap());
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"somesaltsomesalt").unwrap().to_string()
}

fn user(name: &str, hash: Option<String>, disabled: bool) -> User {
    User {
        document: format!("user-{name}").into(),
        subject: format!("usr_{name}").into(),
        username: name.to_owned(),
        claims: std::collections::BTreeMap::new(),
        groups: Vec::new(),
        password_hash: hash.map(SecretText::new),
        disabled,
        sessions_not_before: None,
    }
}

/// The tenant `acme` with `users`, where passwords may be used if `passwords`.
fn tenant(passwords: bool, users: impl IntoIterator<Item = User>) -> TenantSnapshot {
    let (mut tenant, _) = acme(&[], |_| {});
    Arc::get_mut(&mut tenant.issuer).unwrap().login.passwords = passwords;
    users.into_iter().for_each(|user| tenant.users.insert(user));
    tenant
}

fn one_at_a_time(waiting: usize) -> Hashing {
    Hashing::new(NonZero::<usize>::MIN, waiting, PasswordCost::MOST.memory() as usize)
}

async fn attempt(hashing: &Hashing, tenant: &TenantSnapshot, username: &str, password: &[u8]) -> Outcome {
    hashing.verify(tenant, username, TypedPassword::new(password), hashing.place().unwrap()).await
}

#[tokio::test]
async fn the_right_password_proves_who_it_is_and_where() {
    let tenant = tenant(true, [user("ada", Some(hash(64, 1, 1)), false)]);
    for username in ["ada", "Ada"] {
        let outcome = attempt(&one_at_a_time(0), &tenant, username, PASSWORD.as_bytes()).await;
        let Outcome::Verified(verified) = outcome else { panic!("{outcome:?}") };
        assert_eq!(&*verified.user().subject, "usr_ada");
        assert_eq!(verified.tenant(), &tenant.issuer.key);
    }
}

#[tokio::test]
async fn everything_else_is_refused_alike() {
    let tenant = tenant(
        true,
        [user("ada", Some(hash(64, 1, 1)), false), user("bob", None, false), user("eve", Some(hash(64, 1, 1)), true)],
    );
    let hashing = one_at_a_time(0);
    for (username, password) in [
        ("ada", "correct horse "),
        ("ada", "correct horse\0"),
        ("ada", "Correct horse"),
        ("ada", ""),
        ("bob", PASSWORD),
        ("bob", ""),
        ("eve", PASSWORD),
        ("nobody", PASSWORD),
        ("", PASSWORD),
    ] {
        let outcome = attempt(&hashing, &tenant, username, password.as_bytes()).await;
        assert!(matches!(outcome, Outcome::Refused), "{username} {password:?} {outcome:?}");
    }
}

#[tokio::test]
async fn where_passwords_are_off_the_right_one_is_refused_too() {
    let tenant = tenant(false, [user("ada", Some(hash(64, 1, 1)), false)]);
    assert!(matches!(attempt(&one_at_a_time(0), &tenant, "ada", PASSWORD.as_bytes()).await, Outcome::Refused));
}

#[tokio::test]
async fn a_password_is_bytes_and_has_a_bound() {
    let longest = [0_u8; LONGEST];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    let of = |password: &[u8]| argon2.hash_password_with_salt(password, b"somesaltsomesalt").unwrap().to_string();
    let longer = [0_u8; LONGEST + 1];
    let tenant = tenant(true, [user("ada", Some(of(&longest)), false), user("bob", Some(of(&longer)), false)]);
    let hashing = one_at_a_time(0);
    assert!(matches!(attempt(&hashing, &tenant, "ada", &longest).await, Outcome::Verified(_)));
    assert!(matches!(attempt(&hashing, &tenant, "bob", &longer).await, Outcome::Refused));
}

#[tokio::test]
async fn a_hash_beyond_the_bounds_matches_nothing_and_is_told_once() {
    let good = hash(64, 1, 1);
    assert!(UsableHash::parse(&good).is_ok());
    let bad = [
        hash(64, 11, 1),
        hash(64, 1, 5),
        // Computing it would take the memory that is to be protected.
        good.replace("m=64,", "m=65537,"),
        good.replace("$v=19", "$v=16"),
        good.replace("$v=19", ""),
        good.replace("argon2id", "argon2i"),
        good.rsplit_once('$').unwrap().0.to_owned(),
        "correct horse".to_owned(),
        String::new(),
    ];
    let tenant = tenant(true, bad.into_iter().enumerate().map(|(n, bad)| user(&format!("u{n}"), Some(bad), false)));
    let hashing = one_at_a_time(0);
    for _ in 0..2 {
        for n in 0..9 {
            let outcome = attempt(&hashing, &tenant, &format!("u{n}"), PASSWORD.as_bytes()).await;
            assert!(matches!(outcome, Outcome::Refused), "u{n}");
        }
    }
    assert_eq!(hashing.told.lock().unwrap().len(), 9);
}

#[test]
fn at_the_bounds_a_hash_is_usable() {
    let dearest = hash(64, 10, 4).replace("m=64,", "m=65536,");
    assert!(UsableHash::parse(&dearest).is_ok());
}

#[tokio::test]
async fn when_too_many_wait_the_next_gets_no_place() {
    let tenant = tenant(true, [user("ada", Some(hash(64, 1, 1)), false)]);
    let hashing = one_at_a_time(1);
    let core = Arc::clone(&hashing.cores).acquire_owned().await.unwrap();
    let _computing = Arc::clone(&hashing.places).acquire_owned().await.unwrap();

    let mut waiting = std::pin::pin!(attempt(&hashing, &tenant, "ada", PASSWORD.as_bytes()));
    assert!(tokio::time::timeout(Duration::from_millis(10), &mut waiting).await.is_err(), "it waits");
    assert!(hashing.place().is_none());
    drop(core);
    assert!(matches!(waiting.await, Outcome::Verified(_)));
}

#[tokio::test]
async fn a_hash_waits_for_the_memory_that_it_takes() {
    let tenant = tenant(true, [user("ada", Some(hash(512, 1, 1)), false), user("eve", Some(hash(64, 1, 1)), false)]);
    let hashing = Hashing::new(NonZero::new(4).unwrap(), 4, 1024);
    let taken = Arc::clone(&hashing.memory).acquire_many_owned(1024 - 511).await.unwrap();

    let small = attempt(&hashing, &tenant, "eve", PASSWORD.as_bytes()).await;
    assert!(matches!(small, Outcome::Verified(_)), "there is enough for it");
    let mut waiting = std::pin::pin!(attempt(&hashing, &tenant, "ada", PASSWORD.as_bytes()));
    assert!(tokio::time::timeout(Duration::from_millis(10), &mut waiting).await.is_err(), "it waits");
    assert_eq!(hashing.memory.available_permits(), 0, "for one KiB more than there is");
    drop(taken);
    assert!(matches!(waiting.await, Outcome::Verified(_)));
    assert_eq!(hashing.memory.available_permits(), 1024);
}

#[tokio::test]
async fn who_gives_up_waiting_leaves_the_place_to_others() {
    let tenant = tenant(true, [user("ada", Some(hash(64, 1, 1)), false)]);
    let hashing = one_at_a_time(0);
    let core = Arc::clone(&hashing.cores).acquire_owned().await.unwrap();
    let waiting = attempt(&hashing, &tenant, "ada", PASSWORD.as_bytes());
    assert!(tokio::time::timeout(Duration::from_millis(10), waiting).await.is_err());
    drop(core);
    assert!(matches!(attempt(&hashing, &tenant, "ada", PASSWORD.as_bytes()).await, Outcome::Verified(_)));
}

#[test]
fn a_typed_password_is_not_shown() {
    assert_eq!(format!("{:?}", TypedPassword::new("hunter2")), "TypedPassword(…)");
}
