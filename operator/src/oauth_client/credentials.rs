//! A client's secret: which one it is, which Secret holds it, and which hashes are accepted. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use claviger_crds::condition::Reason;
use claviger_crds::names::{self, ObjectName};
use claviger_crds::oauth_client::{ClientSecretSource, GeneratedSecret, ValidOAuthClient};
use claviger_crds::published::SecretHash;
use claviger_crds::types::Placeholder;
use claviger_jose::{ClientSecret, ClientSecretHash};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::observe::Observed;
use crate::tenant::observe::AcceptedTenant;
use crate::withheld::Withheld;

/// A shorter secret could be guessed from its hash, or at the token endpoint.
const SHORTEST: usize = 32;
/// How long a secret that is no longer the client's works, where the object does not say.
const OVERLAP: Duration = Duration::from_secs(24 * 3600);
/// So many secrets work beside the current one, however often it changes: the document and the
/// status have bounds.
const MOST_BEFORE: usize = 8;
/// On a credentials Secret: the key of its data that holds the client's secret, so that the secret
/// is found when the object asks for another key.
const ANNOTATION_SECRET_KEY: &str = "claviger.dev/secret-key";

/// What is to be done about a client's credentials.
#[derive(Debug)]
pub(super) enum Credentials {
    /// It needs none.
    None,
    /// They are where they should be.
    Present {
        /// Of the client's secret.
        hash: ClientSecretHash,
    },
    /// A Secret is made or brought up to date.
    Write {
        /// What is written.
        secret: Box<Withheld>,
        /// Whether there is none yet.
        create: bool,
        /// Of the client's secret.
        hash: ClientSecretHash,
    },
    /// There are none that could be used.
    Missing(Reason, String),
}

impl Credentials {
    /// The hash of the client's secret, if there is one.
    pub(super) fn hash(&self) -> Option<&ClientSecretHash> {
        match self {
            Self::Present { hash } | Self::Write { hash, .. } => Some(hash),
            Self::None | Self::Missing(..) => None,
        }
    }
}

/// Decides, by the Secrets that were read.
pub(super) fn credentials(
    client: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    source: &ClientSecretSource,
    observed: &Observed,
) -> Credentials {
    if let Some(error) = &observed.unread {
        return Credentials::Missing(Reason::SecretRefused, error.to_string());
    }
    match source {
        ClientSecretSource::Existing(existing) => {
            let Some(secret) = &observed.secret else {
                return Credentials::Missing(Reason::SecretNotFound, format!("there is no Secret {}", existing.name));
            };
            match usable(secret, &existing.key) {
                Ok(secret) => Credentials::Present { hash: ClientSecretHash::of(&secret) },
                Err((reason, message)) => Credentials::Missing(reason, format!("Secret {}: {message}", existing.name)),
            }
        }
        ClientSecretSource::Generated(generated) => generated_secret(client, tenant, generated, observed),
    }
}

fn generated_secret(
    client: &ValidOAuthClient,
    tenant: &AcceptedTenant,
    generated: &GeneratedSecret,
    observed: &Observed,
) -> Credentials {
    let owner = &client.name;
    let before = observed.secret.as_deref();
    if before.is_some_and(|before| !owned(before, owner)) {
        let message = format!(
            "Secret {} exists and was not made for this client: delete it, or choose another authentication.secret.name",
            generated.name
        );
        return Credentials::Missing(Reason::SecretNotOwned, message);
    }
    let earlier = observed.earlier.as_deref().filter(|earlier| owned(earlier, owner));
    let held = match before.or(earlier).map(|secret| (secret, held_at(secret, generated))) {
        Some((secret, Some(key))) => match usable(secret, &key) {
            Ok(held) => Some(held),
            Err((reason, message)) => {
                return Credentials::Missing(reason, format!("Secret {}: {message}", generated.name));
            }
        },
        _ => None,
    };
    let value = held.unwrap_or_else(ClientSecret::generate);
    let hash = ClientSecretHash::of(&value);
    let secret = secret(client, tenant, generated, before, &value);
    match before {
        Some(before) if *before == secret => Credentials::Present { hash },
        _ => Credentials::Write { secret: Box::new(Withheld(secret)), create: before.is_none(), hash },
    }
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

/// The hashes that are accepted from now on, newest first: the current one for good, those before
/// it until the overlap is over, the newest of them where there are many.
pub(super) fn hashes(
    current: Option<&ClientSecretHash>,
    recorded: &[SecretHash],
    source: &ClientSecretSource,
    now: Timestamp,
) -> Vec<SecretHash> {
    let Some(current) = current.map(ToString::to_string) else {
        return recorded.to_vec();
    };
    let overlap = match source {
        ClientSecretSource::Generated(generated) => generated.rotation.map(|rotation| rotation.overlap),
        ClientSecretSource::Existing(_) => None,
    };
    let overlap = overlap.map_or(OVERLAP, |seconds| Duration::from_secs(u64::from(seconds)));
    let known = recorded.iter().find(|hash| hash.hash == current);
    let created_at = known.map_or(now, |known| known.created_at);
    let first = SecretHash { hash: current.clone(), created_at, expires_at: None };
    let others = recorded.iter().filter(|hash| hash.hash != current).map(|hash| {
        let expires_at = hash.expires_at.or_else(|| now.checked_add(overlap).ok());
        SecretHash { expires_at, ..hash.clone() }
    });
    let others = others.filter(|hash| hash.expires_at.is_none_or(|at| at > now)).take(MOST_BEFORE);
    std::iter::once(first).chain(others).collect()
}

/// How long until the next of `hashes` is no longer accepted.
pub(super) fn next_expiry(hashes: &[SecretHash], now: Timestamp) -> Option<Duration> {
    let soonest = hashes.iter().filter_map(|hash| hash.expires_at).min()?;
    Some(Duration::try_from(soonest.duration_since(now)).unwrap_or(Duration::ZERO))
}
