//! A client's credentials: which secret its Secret holds, and what that Secret is to be. Pure.

use std::collections::BTreeMap;

use claviger_crds::condition::Reason;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::{ClientSecretSource, GeneratedSecret, ValidOAuthClient};
use claviger_crds::types::Placeholder;
use claviger_jose::ClientSecret;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::observe::Observed;
use crate::tenant::observe::AcceptedTenant;
use crate::withheld::Withheld;

/// A shorter secret could be guessed from its hash, or at the token endpoint.
const SHORTEST: usize = 32;
/// On a credentials Secret: the key of its data that holds the client's secret, so that the secret
/// is found when the object asks for another key.
const ANNOTATION_SECRET_KEY: &str = "claviger.dev/secret-key";

/// What is to be done about a client's credentials.
#[derive(Debug)]
pub(super) enum Credentials {
    /// It needs none.
    None,
    /// They are where they should be.
    Present,
    /// A Secret is made or brought up to date.
    Write {
        /// What is written.
        secret: Box<Withheld>,
        /// Whether there is none yet.
        create: bool,
    },
    /// There are none that could be used.
    Missing(Reason, String),
}

/// The client's secret as its Secret holds it; `None` where the operator is to make one.
pub(super) fn held(
    client: &ValidOAuthClient,
    source: &ClientSecretSource,
    observed: &Observed,
) -> Result<Option<ClientSecret>, (Reason, String)> {
    if let Some(error) = &observed.unread {
        return Err((Reason::SecretRefused, error.to_string()));
    }
    let named = |name: &str| {
        let name = name.to_owned();
        move |(reason, message): (Reason, String)| (reason, format!("Secret {name}: {message}"))
    };
    match source {
        ClientSecretSource::Existing(existing) => match &observed.secret {
            Some(secret) => usable(secret, &existing.key).map(Some).map_err(named(&existing.name)),
            None => Err((Reason::SecretNotFound, format!("there is no Secret {}", existing.name))),
        },
        ClientSecretSource::Generated(generated) => {
            let owner = &client.name;
            let before = observed.secret.as_deref();
            if before.is_some_and(|before| !owned(before, owner)) {
                let message = format!(
                    "Secret {} exists and was not made for this client: delete it, or choose another authentication.secret.name",
                    generated.name
                );
                return Err((Reason::SecretNotOwned, message));
            }
            let earlier = observed.earlier.as_deref().filter(|earlier| owned(earlier, owner));
            match before.or(earlier).map(|secret| (secret, held_at(secret, generated))) {
                Some((secret, Some(key))) => usable(secret, &key).map(Some).map_err(named(&generated.name)),
                _ => Ok(None),
            }
        }
    }
}

/// What is to be done so that the Secret that the operator makes holds `value`.
pub(super) fn holding(
    client: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    generated: &GeneratedSecret,
    observed: &Observed,
    value: &ClientSecret,
) -> Credentials {
    let before = observed.secret.as_deref();
    let secret = secret(client, tenant, generated, before, value);
    match before {
        Some(before) if *before == secret => Credentials::Present,
        _ => Credentials::Write { secret: Box::new(Withheld(secret)), create: before.is_none() },
    }
}

/// Whether a secret looks as those do that the operator makes. Whoever chose another one may have
/// chosen one that can be guessed.
pub(super) fn is_random(secret: &ClientSecret) -> bool {
    let text = secret.expose();
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the operator made `secret` for the client, as its labels say.
pub(crate) fn owned(secret: &Secret, client: &ObjectName) -> bool {
    let label = |key| secret.metadata.labels.as_ref().and_then(|all| all.get(key));
    label(names::LABEL_OAUTH_CLIENT).is_some_and(|name| *name == names::owner_label(client))
        && label(names::LABEL_MANAGED_BY).is_some_and(|by| by == names::MANAGER)
}

/// The key under which a Secret that we made holds the client's secret, if it still does.
fn held_at(secret: &Secret, generated: &GeneratedSecret) -> Option<String> {
    let data = secret.data.as_ref()?;
    let noted = secret.metadata.annotations.as_ref().and_then(|all| all.get(ANNOTATION_SECRET_KEY));
    let candidates = [Some(&generated.entries.client_secret), noted];
    candidates.into_iter().flatten().find(|key| data.contains_key(*key)).cloned()
}

fn usable(secret: &Secret, key: &str) -> Result<ClientSecret, (Reason, String)> {
    let value = secret.data.as_ref().and_then(|data| data.get(key));
    let Some(value) = value else {
        return Err((Reason::SecretInvalid, format!("it has no key {key}")));
    };
    let text =
        std::str::from_utf8(&value.0).map_err(|_| (Reason::SecretInvalid, format!("{key} is not UTF-8 text")))?;
    // One line break at the end is the editor's.
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.chars().count() < SHORTEST {
        return Err((Reason::SecretTooShort, format!("{key} is shorter than {SHORTEST} characters")));
    }
    if text.len() > ClientSecret::LONGEST {
        let longest = ClientSecret::LONGEST;
        return Err((Reason::SecretInvalid, format!("{key} is longer than {longest} bytes, so no provider takes it")));
    }
    Ok(ClientSecret::new(text.to_owned()))
}

/// The Secret as it should be, with what others added to its metadata.
fn secret(
    client: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    generated: &GeneratedSecret,
    before: Option<&Secret>,
    value: &ClientSecret,
) -> Secret {
    let mut metadata = before.map(|before| before.metadata.clone()).unwrap_or_else(|| ObjectMeta {
        namespace: Some(client.name.namespace.clone()),
        name: Some(generated.name.clone()),
        ..ObjectMeta::default()
    });
    let labels = metadata.labels.get_or_insert_default();
    labels.extend(generated.labels.clone());
    labels.insert(names::LABEL_MANAGED_BY.to_owned(), names::MANAGER.to_owned());
    let label = names::owner_label(&client.name);
    let told = label == client.name.name;
    labels.insert(names::LABEL_OAUTH_CLIENT.to_owned(), label);
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.extend(generated.annotations.clone());
    if !told {
        annotations.insert(names::ANNOTATION_OWNER.to_owned(), client.name.to_string());
    }
    annotations.insert(ANNOTATION_SECRET_KEY.to_owned(), generated.entries.client_secret.clone());
    Secret {
        metadata,
        data: Some(data(client, tenant, generated, value)),
        type_: before.map_or_else(|| Some("Opaque".to_owned()), |before| before.type_.clone()),
        ..before.cloned().unwrap_or_default()
    }
}

fn data(
    client: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    generated: &GeneratedSecret,
    value: &ClientSecret,
) -> BTreeMap<String, ByteString> {
    let entries = &generated.entries;
    let (discovery_url, token_url) = (tenant.issuer.discovery_url(), tenant.issuer.token_url());
    let fill = |placeholder| match placeholder {
        Placeholder::ClientId => client.client_id.as_str(),
        Placeholder::ClientSecret => value.expose(),
        Placeholder::Issuer => tenant.issuer.as_str(),
        Placeholder::DiscoveryUrl => &discovery_url,
        Placeholder::TokenUrl => &token_url,
        Placeholder::Tenant => tenant.slug(),
    };
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    let mut data: BTreeMap<String, ByteString> =
        entries.templates.iter().map(|(key, template)| (key.clone(), bytes(&template.render(fill)))).collect();
    data.insert(entries.client_id.clone(), bytes(client.client_id.as_str()));
    data.insert(entries.client_secret.clone(), bytes(value.expose()));
    data.insert(entries.issuer.clone(), bytes(tenant.issuer.as_str()));
    data
}
