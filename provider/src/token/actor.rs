//! Who acts for whom: the claims `act` and `may_act` (RFC 8693 §4.1, §4.4).

use serde::{Deserialize, Serialize};

/// So many act for one another at most.
const DEEPEST: usize = 5;

/// `act`: who acts now, and inside it who acted before, for whom that one acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Actor {
    /// The actor's `sub`, as tokens of this tenant have it.
    pub(crate) sub: String,
    /// Who acted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<Box<Self>>,
}

/// `may_act`: who may act for the subject.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MayAct {
    /// Whose name `sub` is; the token's own issuer's, where it does not say.
    #[serde(default)]
    iss: Option<String>,
    sub: String,
}

// === impl Actor ===

impl Actor {
    /// `sub` acts for whoever `before` acts for. None where so many would act for one another that nobody
    /// could tell any more who is responsible.
    pub(crate) fn after(before: Option<Self>, sub: String) -> Option<Self> {
        let actor = Self { sub, act: before.map(Box::new) };
        actor.is_bounded().then_some(actor)
    }

    /// Whether it is no deeper than any that is made here.
    pub(crate) fn is_bounded(&self) -> bool {
        std::iter::successors(Some(self), |actor| actor.act.as_deref()).count() <= DEEPEST
    }

    /// The same, of another issuer's subjects: `prefix` stands before each.
    pub(crate) fn prefixed(self, prefix: &str) -> Self {
        let act = self.act.map(|act| Box::new(act.prefixed(prefix)));
        Self { sub: format!("{prefix}{}", self.sub), act }
    }
}

// === impl MayAct ===

impl MayAct {
    /// Whether, in a token of `own`, it means `subject` of the issuer `issuer`.
    pub(crate) fn names(&self, own: &str, issuer: &str, subject: &str) -> bool {
        self.iss.as_deref().unwrap_or(own) == issuer && self.sub == subject
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_chain_names_who_acts_now_first_and_has_an_end() {
        let mut chain = None;
        for name in ["a", "b", "c", "d", "e"] {
            chain = Actor::after(chain, name.to_owned());
        }
        let chain = chain.unwrap();
        let expected =
            json!({"sub": "e", "act": {"sub": "d", "act": {"sub": "c", "act": {"sub": "b", "act": {"sub": "a"}}}}});
        assert_eq!(serde_json::to_value(&chain).unwrap(), expected);
        assert_eq!(Actor::after(Some(chain.clone()), "f".to_owned()), None);
        let prefixed = serde_json::to_value(chain.prefixed("x#")).unwrap();
        assert_eq!(prefixed["act"]["act"]["sub"], "x#c");
    }

    #[test]
    fn who_may_act_is_one_of_the_tokens_own_issuer_unless_it_says_of_which() {
        let may = |value: serde_json::Value| serde_json::from_value::<MayAct>(value).unwrap();
        let plain = may(json!({"sub": "shop.app"}));
        let (us, them) = ("https://us", "https://them");
        assert!(plain.names(us, us, "shop.app"));
        assert!(!plain.names(them, us, "shop.app"), "another issuer's shop.app is another");
        assert!(!plain.names(us, us, "shop.other"));
        let ours = may(json!({"iss": us, "sub": "shop.app"}));
        assert!(ours.names(them, us, "shop.app"));
        assert!(!may(json!({"iss": them, "sub": "shop.app"})).names(us, us, "shop.app"));
    }
}
