//! A login to try: a URL for the browser, and the line that takes the code. Pure text.

use claviger_crds::names::ObjectName;
use claviger_operator::cluster::Kind;
use serde_json::Value;

use super::{Served, client_id, credentials_option, curl, issuer, percent_encoded, ready_clients};
use crate::embedded::standing;
use crate::manifests::referred;

/// The example of RFC 7636, appendix B: everybody knows it, so it protects nothing. An application
/// makes one of its own for each login; a person with a browser and curl cannot.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// So many names are shown.
const NAMES: usize = 3;

/// For the first client of the tenant with which a person can log in, if a person can.
pub(super) fn text(served: &Served<'_>, tenant_name: &ObjectName, tenant: &Value) -> Option<String> {
    let people = people(served, tenant_name)?;
    let issuer = issuer(served.external_url, tenant_name, tenant);
    ready_clients(served, tenant_name, "authorization_code").find_map(|(name, client)| {
        let credentials = credentials_option(served, name, client)?;
        let redirect_uri = client["spec"]["redirectUris"].as_array()?.first()?.as_str()?;
        let (sent_to, curl) = (percent_encoded(redirect_uri), curl(served));
        let (id, scope) = (percent_encoded(&client_id(name, client)), percent_encoded(&scopes(client)));
        Some(format!(
            "\nA login, to open in a browser ({people}):\n\n  \
             {issuer}/oauth/authorize?response_type=code&client_id={id}&redirect_uri={sent_to}&scope={scope}\
             &state=try&code_challenge={CHALLENGE}&code_challenge_method=S256\n\n\
             It ends at {redirect_uri}?code=…, where nothing needs to answer. The code is good for a minute, in place \
             of CODE here:\n\n  \
             {curl} {credentials} -d grant_type=authorization_code -d code=CODE -d redirect_uri={sent_to} \
             -d code_verifier={VERIFIER} {issuer}/oauth/token\n"
        ))
    })
}

/// Who can log in, by name; passwords stay where they are.
fn people(served: &Served<'_>, tenant: &ObjectName) -> Option<String> {
    let users = served.objects.iter().filter(|(kind, name, user)| {
        *kind == Kind::User
            && referred(name, &user["spec"]["tenantRef"]) == *tenant
            && user["spec"].get("passwordSecretRef").is_some()
            && standing(user).is_some_and(|standing| standing.ready)
            && user["spec"]["disabled"] != true
    });
    let mut names = users.map(|(_, name, user)| user["spec"]["username"].as_str().unwrap_or(&name.name));
    let shown: Vec<&str> = names.by_ref().take(NAMES).collect();
    if shown.is_empty() {
        return None;
    }
    let more = if names.next().is_some() { ", …" } else { "" };
    Some(format!("as {}{more}", shown.join(", ")))
}

fn scopes(client: &Value) -> String {
    let scopes = client["spec"]["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let scopes: Vec<&str> = scopes.collect();
    if scopes.is_empty() { "openid".to_owned() } else { scopes.join(" ") }
}
