//! Rules that span objects: pure, each a question with one answer. What an object proves of itself
//! is in its kind's `parse`; what only exists or not is for the caller to look up.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use kube::core::SelectorExt;

use crate::allowed_clients::AllowedClients;
use crate::names::ObjectName;
use crate::oauth_client::{ResourceServer, ValidOAuthClient};
use crate::tenant::Ceilings;
use crate::types::{ClientId, ScopeToken};

/// Whether an object in `owner_namespace` that lets `allowed` in lets a client of
/// `client_namespace`, which bears `labels`, point at it.
pub fn attachment_allowed(
    allowed: &AllowedClients,
    owner_namespace: &str,
    client_namespace: &str,
    labels: &BTreeMap<String, String>,
) -> bool {
    match allowed {
        AllowedClients::Same => owner_namespace == client_namespace,
        AllowedClients::All => true,
        // The own namespace is not special here: whoever selects says which.
        AllowedClients::Selector(selector) => selector.matches(labels),
    }
}

/// Whether a client of `client_namespace` may have `client_id` at a Tenant of `tenant_namespace`:
/// `<own namespace>.<label>`, or anything where whoever writes it also owns the Tenant.
pub fn client_id_allowed(client_id: &ClientId, client_namespace: &str, tenant_namespace: &str) -> bool {
    let own = client_id
        .as_str()
        .strip_prefix(client_namespace)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|label| !label.is_empty());
    own || client_namespace == tenant_namespace
}

/// Whether the API that `owner` declares may be used by the client `client`, whose namespace bears
/// `labels`. An API may always call itself.
pub fn audience_granted(
    owner: &ObjectName,
    api: &ResourceServer,
    client: &ObjectName,
    labels: &BTreeMap<String, String>,
) -> bool {
    owner == client || attachment_allowed(&api.allowed_clients, &owner.namespace, &client.namespace, labels)
}

/// Whether that client may have tokens for the API by an exchange of others. An API may always have tokens
/// for itself.
pub fn exchange_granted(
    owner: &ObjectName,
    api: &ResourceServer,
    client: &ObjectName,
    labels: &BTreeMap<String, String>,
) -> bool {
    let lets_in = |allowed| attachment_allowed(allowed, &owner.namespace, &client.namespace, labels);
    owner == client || api.token_exchange.as_ref().is_some_and(lets_in)
}

/// The scopes of `asked` that belong to the API.
pub fn scopes_of_api<'a>(api: &ResourceServer, asked: &'a [ScopeToken]) -> Vec<&'a ScopeToken> {
    asked.iter().filter(|scope| api.scopes.iter().any(|own| own.name == **scope)).collect()
}

/// What a client exceeds of its tenant's ceilings, a sentence each; empty when it keeps below all.
pub fn ceilings_exceeded(ceilings: &Ceilings, client: &ValidOAuthClient) -> Vec<String> {
    let Ceilings { grant_types, access_token, redirect_uris, clients: _ } = ceilings;
    let mut exceeded = Vec::new();
    if let Some(allowed) = grant_types {
        let beyond = client.grant_types.iter().filter(|grant| !allowed.contains(grant));
        exceeded.extend(beyond.map(|grant| format!("the Tenant does not allow grant type {grant}")));
    }
    if let (Some(most), Some(asked)) = (access_token, client.lifetimes.access_token)
        && asked > *most
    {
        exceeded.push(format!("lifetimes.accessToken is {asked}s; the Tenant allows {most}s"));
    }
    if let Some(patterns) = redirect_uris {
        for (field, uris) in
            [("redirectUris", &client.redirect_uris), ("postLogoutRedirectUris", &client.post_logout_redirect_uris)]
        {
            let beyond = uris.iter().enumerate().filter(|(_, uri)| !patterns.iter().any(|pattern| pattern.allows(uri)));
            exceeded.extend(beyond.map(|(at, _)| format!("{field}[{at}] is none that the Tenant allows")));
        }
    }
    exceeded
}

/// One who claims a name that only one can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant<'a> {
    /// The object.
    pub name: &'a ObjectName,
    /// `metadata.creationTimestamp`; one that is not known counts as the newest.
    pub created_at: Option<Timestamp>,
}

/// Who holds a name that `claimants` claim: the holder that is recorded in the published document
/// or its tombstone, even while it does not claim (it may come back, and a rival must not inherit
/// its keys); else the oldest; else by namespace and name. `None` only where nobody claims or
/// holds.
pub fn holder<'a>(claimants: &[Claimant<'a>], recorded: Option<&'a ObjectName>) -> Option<&'a ObjectName> {
    recorded.or_else(|| claimants.iter().min_by(|a, b| order(a).cmp(&order(b))).map(|first| first.name))
}

/// Which of `claimants` are within a quota of `most`: the recorded ones first, then as in
/// [`holder`]. Recorded ones beyond the quota are cut by the same order, so that a lowered quota
/// does not choose at random.
pub fn within_quota<'a>(
    claimants: &[Claimant<'a>],
    recorded: impl Fn(&ObjectName) -> bool,
    most: usize,
) -> Vec<&'a ObjectName> {
    let mut ordered: Vec<&Claimant<'a>> = claimants.iter().collect();
    // Each is asked about once: that may cost a hash.
    ordered.sort_by_cached_key(|claimant| (!recorded(claimant.name), order(claimant)));
    ordered.into_iter().take(most).map(|claimant| claimant.name).collect()
}

/// Age, then namespace and name.
fn order<'a>(claimant: &Claimant<'a>) -> (Timestamp, &'a ObjectName) {
    (claimant.created_at.unwrap_or(Timestamp::MAX), claimant.name)
}
