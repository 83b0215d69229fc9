//! Which secrets of a client must never be accepted again. Pure.
//!
//! The document keeps their hashes, also when the line that named one leaves the object: so a Secret
//! that somebody restores from a backup does not bring one back. Where the document itself was lost or set
//! back, the pods that serve it know them still.

use claviger_crds::oauth_client::SecretRevocation;
use claviger_crds::published::{RevokedSecret, SecretHash};
use jiff::Timestamp;

/// What was revoked, and what is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Revocations {
    /// All that are kept in mind, newest first.
    pub(super) all: Vec<RevokedSecret>,
    /// Those among them that are new, each with who says so and why.
    pub(super) fresh: Vec<(RevokedSecret, SecretRevocation)>,
}

impl Revocations {
    /// By what the object names. `held` is the hash of what the Secret holds, which may be published
    /// nowhere.
    pub(super) fn new(
        named: &[SecretRevocation],
        published: &[SecretHash],
        before: &[RevokedSecret],
        held: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let unpublished = held.filter(|held| !published.iter().any(|known| known.hash == *held));
        let unpublished = unpublished.map(|held| SecretHash::current(held.to_owned(), now));
        let known = published.iter().cloned().chain(unpublished);
        let known = known.filter(|known| !before.iter().any(|revoked| revoked.hash == known.hash));
        let fresh: Vec<_> = known
            .filter_map(|known| {
                let line = named.iter().find(|line| line.fingerprint == known.fingerprint())?;
                let SecretHash { hash, salt, .. } = known;
                Some((RevokedSecret { hash, salt, revoked_at: now }, line.clone()))
            })
            .collect();
        let all = fresh.iter().map(|(revoked, _)| revoked).chain(before).take(RevokedSecret::MOST).cloned().collect();
        Self { all, fresh }
    }

    /// Whether the secret with this hash was revoked.
    pub(super) fn has(&self, hash: &str) -> bool {
        self.all.iter().any(|revoked| revoked.hash == hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fingerprint: &str) -> SecretRevocation {
        SecretRevocation { fingerprint: fingerprint.to_owned(), reason: "in a log".to_owned(), by: None }
    }

    fn hash(text: &str) -> SecretHash {
        SecretHash::current(text.to_owned(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_secret_that_was_revoked_stays_so_without_the_line() {
        let now = Timestamp::from_second(60).unwrap();
        let published = [hash("new"), hash("leaked")];
        let named = [line(&published[1].fingerprint()), line("0000-0000-0000")];
        let revoked = Revocations::new(&named, &published, &[], Some("new"), now);
        assert_eq!((revoked.has("leaked"), revoked.has("new"), revoked.fresh.len()), (true, false, 1));
        let later = Revocations::new(&[], &published, &revoked.all, Some("leaked"), now);
        assert_eq!((later.has("leaked"), later.fresh.len(), later.all), (true, 0, revoked.all));
    }

    #[test]
    fn what_the_secret_holds_is_revoked_though_no_document_knows_it() {
        let named = [line(&hash("leaked").fingerprint())];
        let revoked = Revocations::new(&named, &[], &[], Some("leaked"), Timestamp::UNIX_EPOCH);
        assert!(revoked.has("leaked"));
    }

    #[test]
    fn the_newest_are_kept_in_mind() {
        let mut before = Vec::new();
        for at in 0..30 {
            let published = [hash(&format!("secret {at}"))];
            let named = [line(&published[0].fingerprint())];
            before = Revocations::new(&named, &published, &before, None, Timestamp::UNIX_EPOCH).all;
        }
        assert_eq!((before.len(), before[0].hash.as_str()), (RevokedSecret::MOST, "secret 29"));
    }
}
