//! `jti` of access tokens and ID tokens: it leads from a person's token back to its grant, so that introspection
//! and UserInfo need no table of tokens.
//!
//! A grant's ID is no secret: what opens anything, codes and refresh tokens, is sealed.

use claviger_jose::random;

use crate::store::Id;

const HALF: usize = 32;

/// Where an access token came from, as its `jti` says. Believe it of a verified token alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client for itself.
    Client,
    /// This grant of a person's.
    Grant(Id),
    /// By an exchange of a person's token: it ends with that one's grant, and is another client's.
    Exchanged(Id),
}

/// A new `jti` of a token that a client has for itself: 32 hexadecimal digits.
pub(crate) fn of_client() -> String {
    random::hex128()
}

/// A new `jti` of a token of `grant`: its ID, and 32 hexadecimal digits more.
pub(crate) fn of_grant(grant: Id) -> String {
    format!("{grant}{}", random::hex128())
}

/// A new `jti` of a token by an exchange of one of `grant`: as [`of_grant`], with a dot between.
pub(crate) fn of_exchange(grant: Id) -> String {
    format!("{grant}.{}", random::hex128())
}

/// Where the token with this `jti` came from; none where this provider made no such `jti`.
pub(crate) fn origin(jti: &str) -> Option<Origin> {
    if jti.len() == HALF {
        return Id::parse(jti).map(|_| Origin::Client);
    }
    let (grant, rest) = jti.split_at_checked(HALF)?;
    let grant = Id::parse(grant)?;
    match rest.strip_prefix('.') {
        Some(rest) => Id::parse(rest).map(|_| Origin::Exchanged(grant)),
        None => Id::parse(rest).map(|_| Origin::Grant(grant)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_token_leads_to_its_grant_and_a_clients_to_none() {
        let grant = Id::random();
        let (first, second) = (of_grant(grant), of_grant(grant));
        assert_ne!(first, second);
        assert_eq!(first.len(), 64);
        assert_eq!(origin(&first), Some(Origin::Grant(grant)));
        assert_eq!(origin(&of_exchange(grant)), Some(Origin::Exchanged(grant)));
        assert_eq!(of_client().len(), 32);
        assert_eq!(origin(&of_client()), Some(Origin::Client));
    }

    #[test]
    fn what_was_not_made_here_leads_nowhere() {
        let good = of_grant(Id::random());
        let foreign = [
            "",
            "x",
            &good[..31],
            &good[..33],
            &good[1..],
            &format!("{good}0"),
            &good.to_uppercase(),
            &format!("{}.", &good[..32]),
        ];
        for jti in foreign.into_iter().chain([&*format!("{}{}", &good[..32], "g".repeat(32)), &"é".repeat(32)]) {
            // A grant whose ID has no letter reads the same in upper case.
            assert!(origin(jti).is_none() || jti == good, "{jti}");
        }
    }
}
