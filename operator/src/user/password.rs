//! A password from a Secret: hashed here, or accepted as a hash that was made elsewhere.

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use claviger_crds::published::SecretText;
use claviger_jose::random;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::error::StepError;

/// Memory in KiB, passes and lanes of our own hashes (OWASP Password Storage, argon2id).
const OURS: (u32, u32, u32) = (19 * 1024, 2, 1);
/// The most that a hash made elsewhere may cost: verification obeys the parameters in the hash, so
/// a bad one would let anybody exhaust a provider by trying to log in.
const MOST: (u32, u32, u32) = (64 * 1024, 10, 4);
/// A longer password is a mistake, or an attack on the hash's cost.
const LONGEST: usize = 1024;

/// What a Secret holds.
#[derive(Debug)]
pub(crate) enum Password {
    /// The password itself, to be hashed.
    Plain(PlainPassword),
    /// An argon2id hash in PHC string format.
    Hashed(SecretText),
}

/// A password as a person types it.
pub(crate) struct PlainPassword(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for PlainPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainPassword(…)")
    }
}

/// Reads what a Secret holds; one line break at its end is the editor's, not the person's.
///
/// # Errors
/// What is wrong, as half a sentence; never any of the content.
pub(crate) fn read(bytes: &[u8]) -> Result<Password, &'static str> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    if bytes.is_empty() {
        return Err("is empty");
    }
    if bytes.len() > LONGEST {
        return Err("is longer than 1024 bytes");
    }
    // What begins like a hash and is none was surely not meant as a password.
    if bytes.starts_with(b"$") {
        let text = std::str::from_utf8(bytes).map_err(|_| "begins with $ and is no argon2id hash")?;
        check(text)?;
        return Ok(Password::Hashed(SecretText::new(text)));
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err("is not UTF-8 text");
    }
    Ok(Password::Plain(PlainPassword(Zeroizing::new(bytes.to_vec()))))
}

fn check(text: &str) -> Result<(), &'static str> {
    let hash = PasswordHash::new(text).map_err(|_| "begins with $ and is no argon2id hash")?;
    if hash.algorithm.as_str() != "argon2id" || hash.salt.is_none() || hash.hash.is_none() {
        return Err("begins with $ and is no argon2id hash");
    }
    let params = Params::try_from(&hash).map_err(|_| "is an argon2id hash with unusable parameters")?;
    let (memory, passes, lanes) = MOST;
    if params.m_cost() > memory || params.t_cost() > passes || params.p_cost() > lanes {
        return Err("is an argon2id hash that costs too much: at most m=65536, t=10, p=4");
    }
    Ok(())
}

/// Hashes a password, beside the async threads and few at a time.
pub(crate) async fn hash(context: &Context, password: PlainPassword) -> Result<SecretText, StepError> {
    const FAILED: StepError = StepError::Computation("the password's hash");
    let _permit = context.computing.acquire().await.map_err(|_| FAILED)?;
    let salt: [u8; 16] = random::bytes();
    tokio::task::spawn_blocking(move || {
        let (memory, passes, lanes) = OURS;
        let params = Params::new(memory, passes, lanes, None).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon2.hash_password_with_salt(&password.0, &salt).ok()?;
        Some(SecretText::new(hash.to_string()))
    })
    .await
    .ok()
    .flatten()
    .ok_or(FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$dBCzQ0dSPoSwTBPbFuZyqmCYM3ALGIyBPBmHpIPGUS4";

    #[test]
    fn a_password_loses_the_editors_line_break_and_nothing_else() {
        for (given, kept) in [("pass word\n", "pass word"), ("secret\r\n", "secret"), (" s ", " s "), ("a\n\n", "a\n")]
        {
            let Ok(Password::Plain(PlainPassword(password))) = read(given.as_bytes()) else { panic!("{given:?}") };
            assert_eq!(&**password, kept.as_bytes());
        }
    }

    #[test]
    fn a_hash_made_elsewhere_is_taken_as_it_is() {
        let Ok(Password::Hashed(hash)) = read(HASH.as_bytes()) else { panic!() };
        assert_eq!(hash.expose(), HASH);
    }

    #[test]
    fn what_only_looks_like_a_hash_or_costs_too_much_is_refused() {
        let refused = [
            "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
            "$dollar".to_owned(),
            HASH.replace("argon2id", "argon2i"),
            HASH.replace("m=19456", "m=1048576"),
            HASH.replace("t=2", "t=11"),
            HASH.replace("p=1", "p=5"),
            "$argon2id$v=19$m=19456,t=2,p=1".to_owned(),
            String::new(),
            "\n".to_owned(),
            "x".repeat(1025),
        ];
        for given in refused {
            assert!(read(given.as_bytes()).is_err(), "{given}");
        }
    }
}
