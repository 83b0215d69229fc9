//! The table: what is served, where credentials are, and a line to try it with. Pure text.

mod login;

use std::path::{Path, PathBuf};

use claviger_crds::names::ObjectName;
use claviger_operator::cluster::Kind;
use serde_json::Value;

use crate::embedded::standing;
use crate::manifests::referred;

/// What the table is made of.
pub(super) struct Served<'a> {
    /// Root of the issuers.
    pub(super) external_url: &'a str,
    /// Every custom resource with its status.
    pub(super) objects: &'a [(Kind, ObjectName, Value)],
    /// Where a generated Secret is.
    pub(super) generated: &'a dyn Fn(&ObjectName) -> Option<PathBuf>,
    /// What curl is to trust, with TLS.
    pub(super) ca: Option<&'a Path>,
}

/// The whole text.
pub(super) fn text(served: &Served<'_>) -> String {
    let mut out = String::new();
    let tenants: Vec<_> = served.objects.iter().filter(|(kind, ..)| *kind == Kind::Tenant).collect();
    let mut rows = vec![["TENANT", "READY", "DISCOVERY"].map(str::to_owned).to_vec()];
    for (_, name, tenant) in &tenants {
        let discovery = format!("{}/.well-known/openid-configuration", issuer(served.external_url, name, tenant));
        rows.push(vec![name.to_string(), ready(tenant), discovery]);
    }
    out.push_str(&columns(&rows));

    let clients: Vec<_> = served.objects.iter().filter(|(kind, ..)| *kind == Kind::OAuthClient).collect();
    let mut rows =
        vec![["CLIENT", "READY", "TENANT", "CLIENT ID", "GRANTS", "CREDENTIALS"].map(str::to_owned).to_vec()];
    for (_, name, client) in &clients {
        rows.push(vec![
            name.to_string(),
            ready(client),
            referred(name, &client["spec"]["tenantRef"]).to_string(),
            client_id(name, client),
            grants(client).join(", "),
            credentials(served, name, client),
        ]);
    }
    if !clients.is_empty() {
        out.push('\n');
        out.push_str(&columns(&rows));
    }

    let lines: Vec<String> = tenants.iter().filter_map(|(_, name, tenant)| try_it(served, name, tenant)).collect();
    if !lines.is_empty() {
        out.push_str("\nA token, to paste into another terminal:\n");
        for line in lines {
            out.push_str(&format!("\n  {line}\n"));
        }
    }
    for (_, name, tenant) in &tenants {
        out.push_str(&login::text(served, name, tenant).unwrap_or_default());
    }
    out
}

/// A line that prints an access token of this tenant, for an API where there is one.
fn try_it(served: &Served<'_>, tenant_name: &ObjectName, tenant: &Value) -> Option<String> {
    let issuer = issuer(served.external_url, tenant_name, tenant);
    let clients = ready_clients(served, tenant_name, "client_credentials");
    let (for_an_api, others): (Vec<_>, Vec<_>) =
        clients.partition(|(_, client)| client["spec"]["audiences"].is_array());
    for_an_api.into_iter().chain(others).find_map(|(name, client)| {
        let (curl, credentials) = (curl(served), credentials_option(served, name, client)?);
        Some(format!(
            "{curl} {credentials} -d grant_type=client_credentials {issuer}/oauth/token \
             | sed -n 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/p'"
        ))
    })
}

/// The tenant's clients with this grant type that can be used now.
fn ready_clients<'a>(
    served: &'a Served<'_>,
    tenant: &'a ObjectName,
    grant: &'a str,
) -> impl Iterator<Item = (&'a ObjectName, &'a Value)> {
    let clients = served.objects.iter().filter(move |(kind, name, client)| {
        *kind == Kind::OAuthClient
            && referred(name, &client["spec"]["tenantRef"]) == *tenant
            && grants(client).iter().any(|has| has == grant)
            && standing(client).is_some_and(|standing| standing.ready)
    });
    clients.map(|(_, name, client)| (name, client))
}

fn curl(served: &Served<'_>) -> String {
    match served.ca {
        None => "curl -s".to_owned(),
        Some(ca) => format!("curl -s --cacert {}", quoted(&ca.display().to_string())),
    }
}

/// What curl needs to authenticate as a client. The secret is read from its file when the line runs,
/// so that it stands neither in the terminal nor in the shell's history.
fn credentials_option(served: &Served<'_>, name: &ObjectName, client: &Value) -> Option<String> {
    let id = percent_encoded(&client_id(name, client));
    if client["spec"]["authentication"].get("none").is_some() {
        return Some(format!("-d client_id={id}"));
    }
    let path = (served.generated)(&secret_of(name, client)?)?;
    let path = quoted(&path.display().to_string());
    let key = client["spec"]["authentication"]["secret"]["keys"]["clientSecret"].as_str().unwrap_or("client_secret");
    Some(format!("-u \"{id}:$(sed -n 's/^  \"*{key}\"*: \"\\(.*\\)\"$/\\1/p' {path})\""))
}

/// The issuer of a tenant, as the operator computes it.
fn issuer(external_url: &str, name: &ObjectName, tenant: &Value) -> String {
    if let Some(issuer) = tenant["status"]["issuer"].as_str() {
        return issuer.to_owned();
    }
    let slug = tenant["spec"]["slug"].as_str().unwrap_or(&name.name);
    format!("{external_url}/api/v1/auth/tenants/{slug}")
}

fn ready(object: &Value) -> String {
    match standing(object) {
        None => "not yet".to_owned(),
        Some(standing) if standing.ready => "yes".to_owned(),
        Some(standing) => standing.why.split(':').next().unwrap_or("no").to_owned(),
    }
}

fn client_id(name: &ObjectName, client: &Value) -> String {
    let id = client["status"]["clientId"].as_str().or(client["spec"]["clientId"].as_str());
    id.map_or_else(|| format!("{}.{}", name.namespace, name.name), str::to_owned)
}

/// The schema's default stands for those that are not said.
fn grants(client: &Value) -> Vec<String> {
    match client["spec"]["grantTypes"].as_array() {
        Some(grants) => grants.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => vec!["authorization_code".to_owned()],
    }
}

/// The generated Secret of a client that has one.
fn secret_of(name: &ObjectName, client: &Value) -> Option<ObjectName> {
    let secret = client["spec"]["authentication"].get("secret")?;
    if secret.get("existingSecretRef").is_some() {
        return None;
    }
    let named = client["status"]["secretName"].as_str().or(secret["name"].as_str());
    Some(ObjectName::new(&name.namespace, named.map_or_else(|| format!("{}-oidc", name.name), str::to_owned)))
}

fn credentials(served: &Served<'_>, name: &ObjectName, client: &Value) -> String {
    let authentication = &client["spec"]["authentication"];
    if let Some(existing) = authentication["secret"]["existingSecretRef"]["name"].as_str() {
        return format!("your Secret {}/{existing}", name.namespace);
    }
    match secret_of(name, client) {
        Some(secret) => {
            (served.generated)(&secret).map_or_else(|| "not there".to_owned(), |path| path.display().to_string())
        }
        None if authentication.get("privateKeyJwt").is_some() => "its own key".to_owned(),
        None if authentication.get("serviceAccounts").is_some() => "its ServiceAccount".to_owned(),
        None if authentication.get("tls").is_some() => "its certificate".to_owned(),
        None => "none (public)".to_owned(),
    }
}

/// Rows under each other, with two spaces between columns.
fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|at| width(at).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:@,".contains(&byte);
    if text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// As RFC 6749 §2.3.1 wants a client ID in HTTP Basic.
fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [vec!["A".to_owned(), "B".to_owned()], vec!["long".to_owned(), "é".to_owned()]];
        assert_eq!(columns(&rows), "A     B\nlong  é\n");
    }

    #[test]
    fn a_client_that_names_no_grants_has_the_default_one() {
        let client = |spec: Value| grants(&serde_json::json!({ "spec": spec }));
        assert_eq!(client(serde_json::json!({})), ["authorization_code"]);
        assert_eq!(client(serde_json::json!({"grantTypes": ["client_credentials"]})), ["client_credentials"]);
    }

    #[test]
    fn a_path_or_an_id_cannot_break_out_of_its_place() {
        assert_eq!(quoted("/a b/$(x)'"), r"'/a b/$(x)'\'''");
        assert_eq!(quoted("/home/ada/.claviger"), "/home/ada/.claviger");
        assert_eq!(percent_encoded("shop.a:b/$\"é"), "shop.a%3Ab%2F%24%22%C3%A9");
    }
}
