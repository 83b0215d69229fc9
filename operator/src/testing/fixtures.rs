//! The objects that most tests begin with, as people write them.

pub(crate) const TENANT: &str = "
apiVersion: claviger.dev/v1alpha1
kind: Tenant
metadata: {name: acme, namespace: identity}
spec:
  displayName: Acme
  allowedClients: {namespaces: {from: Selector, selector: {matchLabels: {tenant: acme}}}}
  scopes: [{name: employee, description: Your staff number, claims: [staff_id]}]
";

/// ES256, since its keys are made in no time.
pub(crate) const SIGNING_KEY: &str = "
apiVersion: claviger.dev/v1alpha1
kind: SigningKey
metadata: {name: acme-es256, namespace: identity}
spec: {tenantRef: {name: acme}, algorithm: ES256}
";

pub(crate) const CLIENT: &str = "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: shop, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  redirectUris: ['https://shop.example/callback']
  grantTypes: [authorization_code, client_credentials]
  scopes: [openid, employee, 'orders:read']
  audiences: ['https://api.shop.example']
  authentication:
    secret:
      template: {config.json: '{\"id\":\"{{clientId}}\",\"secret\":\"{{clientSecret}}\"}'}
";

pub(crate) const API: &str = "
apiVersion: claviger.dev/v1alpha1
kind: OAuthClient
metadata: {name: api, namespace: shop}
spec:
  tenantRef: {name: acme, namespace: identity}
  grantTypes: [client_credentials]
  resourceServer: {audience: 'https://api.shop.example', scopes: [{name: 'orders:read', description: Read orders}]}
  authentication: {secret: {}}
";

/// The same, which lets clients of its own namespace have tokens for it by an exchange.
pub(crate) fn exchangeable_api() -> String {
    API.replace("resourceServer: {", "resourceServer: {tokenExchange: {}, ")
}

pub(crate) const USER: &str = "
apiVersion: claviger.dev/v1alpha1
kind: User
metadata: {name: ada, namespace: identity}
spec:
  tenantRef: {name: acme}
  profile: {name: Ada Lovelace, email: ada@acme.example, emailVerified: true}
  groups: [engineering]
  passwordSecretRef: {name: ada-password}
";
