//! What clients demand of their Tenant: that its document says who issues the tokens of ServiceAccounts, and that
//! its keys are kept for as long as their tokens live and do not change what these are signed by.
//!
//! What a Tenant's clients declare counts where it would have them by themselves ([`Index::admitted`]), whatever the
//! quota and their rivals say. Else whoever may write an OAuthClient anywhere could have its document written again and
//! again, its keys kept for years, and its rotation held up. What is published of the tenant's clients counts for as
//! long as it is served, whatever they declare since: they may be paused, invalid or gone. It counts where it is served,
//! to whomever its owner says that he belongs now.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::ValidOAuthClient;
use claviger_crds::published::{ClientAuthentication, ClientDocument, DocumentKind, TokenExchangeRuleDocument};
use claviger_jose::Algorithm;

use super::Index;
use super::claims::Claim;
use super::members::{put, rule_takes_service_accounts, takes_service_accounts};
use crate::liveness::SHOWN;
use crate::work::{Kind, Work};

/// Of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demands {
    service_accounts: bool,
    /// The longest that an access or ID token lives, seconds; 0 where the Tenant's lifetimes will do.
    token_lifetime: u32,
    /// The same of a refresh token.
    refresh_token: u32,
    /// By what its ID tokens are signed, if that is not left to the Tenant.
    algorithm: Option<Algorithm>,
}

/// Of several clients together.
#[derive(Debug, Default)]
pub(super) struct Sum {
    service_accounts: BTreeSet<ObjectName>,
    token_lifetimes: BTreeSet<(u32, ObjectName)>,
    refresh_tokens: BTreeSet<(u32, ObjectName)>,
    algorithms: BTreeMap<Algorithm, BTreeSet<ObjectName>>,
}

/// By tenant: its object where custom resources speak, its slug where documents do. None of them is empty.
#[derive(Debug)]
pub(super) struct Sums<T>(HashMap<T, Sum>);

/// What the clients demand that their Tenants admit.
#[derive(Debug, Default)]
pub(super) struct Demanded {
    by_client: HashMap<ObjectName, (ObjectName, Demands)>,
    sums: Sums<ObjectName>,
    /// What each Tenant and its rings last had work for.
    told: HashMap<ObjectName, Told>,
}

/// Of a Tenant's clients, what makes work for it where it changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    service_accounts: bool,
    token_lifetime: u32,
    algorithms: BTreeMap<Algorithm, Pinning>,
}

/// The clients that pinned an algorithm, as a SigningKey's status tells of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pinning {
    /// Those that it names.
    first: BTreeSet<ObjectName>,
    /// Most of those that are served declare the same: they are no more than one.
    most: usize,
}

// === impl Demands ===

impl Demands {
    fn declared(client: &ValidOAuthClient) -> Self {
        let lifetimes = &client.lifetimes;
        Self {
            service_accounts: takes_service_accounts(client),
            token_lifetime: lifetimes.access_token.max(lifetimes.id_token).unwrap_or(0),
            refresh_token: lifetimes.refresh_token.unwrap_or(0),
            algorithm: client.id_token_signed_response_alg,
        }
    }

    /// Of a client that is published like this.
    pub(super) fn published(client: &ClientDocument) -> Self {
        let lifetimes = &client.lifetimes;
        let is_account = matches!(client.authentication, ClientAuthentication::ServiceAccounts { .. });
        let named = |name: &String| Algorithm::ALL.into_iter().find(|known| known.as_str() == name);
        let by_rule = |rule: &TokenExchangeRuleDocument| {
            rule_takes_service_accounts(&rule.subject_tokens, rule.actor_token, &rule.actor_tokens)
        };
        Self {
            service_accounts: is_account || client.token_exchange.iter().any(by_rule),
            token_lifetime: lifetimes.access_token.max(lifetimes.id_token).unwrap_or(0),
            refresh_token: lifetimes.refresh_token.unwrap_or(0),
            algorithm: client.id_token_signed_response_alg.as_ref().and_then(named),
        }
    }
}

// === impl Sum ===

impl Sum {
    fn put(&mut self, client: &ObjectName, demands: &Demands, present: bool) {
        let Demands { service_accounts, token_lifetime, refresh_token, algorithm } = demands;
        if *service_accounts {
            put(&mut self.service_accounts, client, present);
        }
        if *token_lifetime > 0 {
            put(&mut self.token_lifetimes, &(*token_lifetime, client.clone()), present);
        }
        if *refresh_token > 0 {
            put(&mut self.refresh_tokens, &(*refresh_token, client.clone()), present);
        }
        if let Some(algorithm) = algorithm {
            let pinning = self.algorithms.entry(*algorithm).or_default();
            put(pinning, client, present);
            if pinning.is_empty() {
                self.algorithms.remove(algorithm);
            }
        }
    }

    fn is_empty(&self) -> bool {
        let Self { service_accounts, token_lifetimes, refresh_tokens, algorithms } = self;
        service_accounts.is_empty() && token_lifetimes.is_empty() && refresh_tokens.is_empty() && algorithms.is_empty()
    }
}

fn longest(lifetimes: &BTreeSet<(u32, ObjectName)>) -> u32 {
    lifetimes.last().map_or(0, |(lifetime, _)| *lifetime)
}

// === impl Sums ===

impl<T> Default for Sums<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone + Eq + Hash> Sums<T> {
    pub(super) fn of<Q: Eq + Hash + ?Sized>(&self, tenant: &Q) -> Option<&Sum>
    where
        T: Borrow<Q>,
    {
        self.0.get(tenant)
    }

    /// The client demands this of the tenant now, or (not `present`) no longer.
    pub(super) fn put(&mut self, tenant: &T, client: &ObjectName, demands: &Demands, present: bool) {
        let sum = self.0.entry(tenant.clone()).or_default();
        sum.put(client, demands, present);
        if sum.is_empty() {
            self.0.remove(tenant);
        }
    }
}

// === impl Index ===

impl Index {
    /// The greatest token lifetime that a client of the tenant has, seconds.
    pub(crate) fn token_lifetime(&self, tenant: &ObjectName) -> u32 {
        self.sums(tenant).map(|sum| longest(&sum.token_lifetimes)).max().unwrap_or(0)
    }

    /// The greatest lifetime of refresh tokens that a client of the tenant has, seconds.
    pub(crate) fn refresh_token_lifetime(&self, tenant: &ObjectName) -> u32 {
        self.sums(tenant).map(|sum| longest(&sum.refresh_tokens)).max().unwrap_or(0)
    }

    /// Whether a client of the tenant takes tokens of ServiceAccounts.
    pub(crate) fn needs_service_accounts(&self, tenant: &ObjectName) -> bool {
        self.sums(tenant).any(|sum| !sum.service_accounts.is_empty())
    }

    /// The clients of the tenant whose ID tokens are signed by `algorithm`.
    pub(crate) fn pinning(&self, tenant: &ObjectName, algorithm: Algorithm) -> BTreeSet<ObjectName> {
        self.sums(tenant).filter_map(|sum| sum.algorithms.get(&algorithm)).flatten().cloned().collect()
    }

    /// Adds to the `works` that an event makes those that follow from what the clients among them keep and demand now.
    /// Whoever is admitted, or no longer, is among them, for its status says so.
    pub(super) fn settle(&mut self, mut works: BTreeSet<Work>) -> BTreeSet<Work> {
        works.extend(self.keep_hosts(&works));
        let mut tenants = BTreeSet::new();
        for work in &works {
            match work.kind {
                Kind::Tenant => tenants.extend([work.name.clone()]),
                Kind::OAuthClient => tenants.extend(self.declare(&work.name)),
                Kind::SigningKey | Kind::User | Kind::IdentityProvider => {}
            }
        }
        works.extend(self.demands_changed(tenants));
        works
    }

    /// Whose work it makes that the clients of `tenants` may demand something else. A tenant with thousands of clients
    /// that demand the same is not looked at for each.
    pub(super) fn demands_changed(&mut self, tenants: BTreeSet<ObjectName>) -> BTreeSet<Work> {
        let mut works = BTreeSet::new();
        for tenant in tenants {
            let now = self.tell(&tenant);
            let before = self.demanded.told.remove(&tenant).unwrap_or_default();
            if now.service_accounts != before.service_accounts {
                works.insert(Work::new(Kind::Tenant, tenant.clone()));
            }
            // A ring's greatest token lifetime follows the clients', and its algorithm stays while one needs it.
            if now.token_lifetime > before.token_lifetime || now.algorithms != before.algorithms {
                works.extend(self.members.rings(&tenant).map(|ring| Work::new(Kind::SigningKey, ring.clone())));
            }
            if now != Told::default() {
                self.demanded.told.insert(tenant, now);
            }
        }
        works
    }

    /// The Tenants that the demands of the documents of the tenant `slug` may concern.
    pub(super) fn served_as(&self, slug: &str) -> BTreeSet<ObjectName> {
        let claim = Claim::Slug(slug.to_owned());
        self.claims.of(&claim).iter().chain(self.documents.holders(&claim)).cloned().collect()
    }

    /// Takes in what the client demands now of the Tenant that admits it. Returns those of whom it demands something
    /// else than before.
    fn declare(&mut self, client: &ObjectName) -> BTreeSet<ObjectName> {
        let valid = self.clients.get(client).and_then(|object| object.valid());
        let now =
            valid.filter(|valid| self.admitted(valid)).map(|valid| (valid.tenant.clone(), Demands::declared(valid)));
        let Demanded { by_client, sums, told: _ } = &mut self.demanded;
        let before = by_client.remove(client);
        if now != before {
            for (entry, present) in [(&before, false), (&now, true)] {
                let Some((tenant, demands)) = entry else { continue };
                sums.put(tenant, client, demands, present);
            }
        }
        let changed = if now == before { None } else { Some((before, now.clone())) };
        if let Some(now) = now {
            by_client.insert(client.clone(), now);
        }
        let (before, now) = changed.unwrap_or_default();
        before.into_iter().chain(now).map(|(tenant, _)| tenant).collect()
    }

    fn tell(&self, tenant: &ObjectName) -> Told {
        let mut algorithms = BTreeMap::<_, Pinning>::new();
        for (algorithm, clients) in self.sums(tenant).flat_map(|sum| &sum.algorithms) {
            let pinning = algorithms.entry(*algorithm).or_default();
            pinning.first.extend(clients.iter().take(SHOWN).cloned());
            pinning.most = pinning.most.max(clients.len());
        }
        for pinning in algorithms.values_mut() {
            while pinning.first.len() > SHOWN {
                pinning.first.pop_last();
            }
        }
        Told {
            service_accounts: self.needs_service_accounts(tenant),
            token_lifetime: self.token_lifetime(tenant),
            algorithms,
        }
    }

    /// What is declared, and what is served.
    fn sums(&self, tenant: &ObjectName) -> impl Iterator<Item = &Sum> {
        let served = self.slug_served(tenant).and_then(|slug| self.documents.demands(&slug));
        self.demanded.sums.of(tenant).into_iter().chain(served)
    }

    /// The slug that is the Tenant's. One that wants another's has none of its clients.
    fn slug_served(&self, tenant: &ObjectName) -> Option<String> {
        let valid = self.tenants.get(tenant).and_then(|object| object.valid());
        let document = names::published_secret(DocumentKind::Tenant.as_str(), tenant);
        let published = || self.documents.known(&document);
        let slug = valid
            .map(|valid| valid.slug.to_string())
            .or_else(|| published().map(|document| document.tenant.clone()))?;
        (self.holder(&Claim::Slug(slug.clone()), &slug).as_ref() == Some(tenant)).then_some(slug)
    }
}
