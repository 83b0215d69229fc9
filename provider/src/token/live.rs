//! Whether an access token still counts: its client is there and may have tokens for that audience, its person may
//! have tokens, and neither it nor its grant nor its session is over.

use std::sync::Arc;

use super::jti::Origin;
use super::verify::VerifiedAccessToken;
use crate::grant::audience;
use crate::store::{Id, StoreError, TokenLookup};
use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;
use crate::tenant::user::User;
use crate::web::exchange::Exchange;

/// A token that counts.
#[derive(Debug)]
pub(crate) struct LiveToken {
    /// The client that has it.
    pub(crate) owner: Arc<Client>,
    /// The person whom it is about.
    pub(crate) user: Option<Arc<User>>,
    /// The grant that it leads back to, where it is about a person.
    pub(crate) grant: Option<Id>,
}

/// Whether whoever a token without a grant is about is still somebody here: the client itself, another client whose
/// token was exchanged, or a subject of an issuer that is still trusted.
fn is_there(tenant: &TenantSnapshot, subject: &str, owner: &str) -> bool {
    subject == owner || tenant.clients.get(subject).is_some() || tenant.issuer.trust.knows(subject)
}

/// Looks `token` up; none where it is over.
pub(crate) async fn access_token(
    exchange: &Exchange<'_>,
    token: &VerifiedAccessToken,
) -> Result<Option<LiveToken>, StoreError> {
    let (tenant, claims, now) = (&exchange.tenant, token.claims(), exchange.provider.now());
    let Some(owner) = tenant.clients.get(&claims.client_id).map(Arc::clone) else { return Ok(None) };
    if !audience::reaches(&owner, &tenant.issuer, &claims.aud) {
        return Ok(None);
    }
    let grant = match token.origin() {
        Origin::Client => None,
        Origin::Grant(grant) | Origin::Exchanged(grant) => Some(grant),
    };
    let user = grant.and_then(|_| tenant.users.live_since(&claims.sub, token.login(), now)).map(Arc::clone);
    if grant.is_some() && user.is_none() {
        return Ok(None);
    }
    let offline_access = owner.has_offline_access();
    let lookup = TokenLookup { tenant: &tenant.issuer.key, jti: &claims.jti, grant, offline_access, now };
    let store = exchange.provider.store();
    let is_live = match token.origin() {
        Origin::Client => is_there(&exchange.tenant, &claims.sub, &owner.id) && !store.is_revoked(lookup).await?,
        // A client that was made anew elsewhere has inherited no grant.
        Origin::Grant(_) => store.live_grant(lookup).await?.is_some_and(|grant| grant.client == owner.key),
        Origin::Exchanged(_) => is_exchanged_live(exchange, &claims.sub, lookup).await?,
    };
    Ok(is_live.then_some(LiveToken { owner, user, grant }))
}

/// The grant is another client's, which must be there as well, and by which it is judged whether the grant outlives its
/// session. Who that is the first look tells; a second is needed only where that client has lost `offline_access`.
async fn is_exchanged_live(
    exchange: &Exchange<'_>,
    subject: &str,
    lookup: TokenLookup<'_>,
) -> Result<bool, StoreError> {
    let (tenant, store) = (&exchange.tenant, exchange.provider.store());
    let Some(grant) = store.live_grant(TokenLookup { offline_access: true, ..lookup }).await? else { return Ok(false) };
    let client: Option<&Arc<Client>> = tenant.clients.get(grant.client.client_id());
    let Some(client) = client.filter(|client| client.key == grant.client) else { return Ok(false) };
    if grant.subject != subject {
        return Ok(false);
    }
    if !grant.offline || client.has_offline_access() {
        return Ok(true);
    }
    Ok(store.live_grant(TokenLookup { offline_access: false, ..lookup }).await?.is_some())
}
