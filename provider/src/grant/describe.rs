//! What a scope means, or an API that is named without one, for the page that asks a person.

use crate::tenant::oauth_client::Client;
use crate::tenant::snapshot::TenantSnapshot;

/// In the words of whoever declared it: the tenant, or the API whose `audience` it is. Of the standard
/// ones the page knows better words, in its language.
pub(crate) fn scope<'t>(name: &str, audience: &str, tenant: &'t TenantSnapshot) -> Option<&'t str> {
    let api = tenant.apis.get(audience).and_then(|id| tenant.clients.get(id));
    if name == audience {
        return api.map(|client| client.display_name.as_str());
    }
    let of_api = api.and_then(|client| of_api(client, name));
    let own = tenant.issuer.scopes.iter().find(|scope| scope.name == name);
    of_api.or(own.map(|scope| scope.description.as_str()))
}

fn of_api<'t>(client: &'t Client, name: &str) -> Option<&'t str> {
    let scopes = &client.resource_server.as_ref()?.scopes;
    scopes.iter().find(|scope| scope.name == name).map(|scope| scope.description.as_str())
}
