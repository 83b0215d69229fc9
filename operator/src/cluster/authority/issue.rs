//! Makes keys and certificates. The only caller of the X.509 library.

use std::sync::Arc;
use std::time::Duration;

use claviger_crds::published::{Digest, SecretText};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};

use super::decide::{AUTHORITY_LIFE, LEAF_LIFE, Period, Usage};

/// Why a certificate could not be made. Holds no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// The X.509 library said no.
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library said no.
    #[error("the certificates cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// There is no valid authority.
    #[error("no authority is valid")]
    NoAuthority,
}

/// One authority, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthorityDocument {
    /// Tells it from others; part of its name.
    pub(super) id: String,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// PEM.
    pub(super) certificate: String,
    /// PKCS#8 in PEM.
    pub(super) private_key: SecretText,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// The authority's ID.
    pub(super) issuer: String,
    pub(super) period: Period,
    /// PEM.
    pub(super) certificate: String,
    /// PKCS#8 in PEM.
    pub(super) private_key: SecretText,
}

/// A new authority.
pub(super) fn authority(now: Timestamp) -> Result<AuthorityDocument, IssueError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let period = Period::starting(now, AUTHORITY_LIFE);
    let digest = Digest::of(key.public_key_raw()).to_string();
    let id: String = digest.trim_start_matches("sha256:").chars().take(16).collect();
    let mut params = authority_params(&id);
    set_period(&mut params, period);
    let certificate = params.self_signed(&key)?.pem();
    let private_key = SecretText::new(key.serialize_pem());
    Ok(AuthorityDocument { id, not_before: period.from, not_after: period.until, certificate, private_key })
}

/// A certificate for `name`, signed by `authority`.
pub(super) fn leaf(
    authority: &AuthorityDocument,
    name: &str,
    usage: Usage,
    now: Timestamp,
) -> Result<Leaf, IssueError> {
    let issuer = Issuer::new(authority_params(&authority.id), KeyPair::from_pem(authority.private_key.expose())?);
    let mut period = Period::starting(now, LEAF_LIFE);
    period.until = period.until.min(authority.not_after);
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.subject_alt_names = vec![SanType::DnsName(name.try_into()?)];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match usage {
        Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    params.use_authority_key_identifier_extension = true;
    set_period(&mut params, period);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.signed_by(&key, &issuer)?.pem();
    let private_key = SecretText::new(key.serialize_pem());
    Ok(Leaf { issuer: authority.id.clone(), period, certificate, private_key })
}

/// TLS 1.3 towards providers: `leaf` is ours, `bundle` alone is trusted.
pub(super) fn client_config(leaf: &Leaf, bundle: &str) -> Result<ClientConfig, IssueError> {
    let unusable = |_| rustls::Error::General("not PEM".to_owned());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(certificate.map_err(unusable)?)?;
    }
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(leaf.certificate.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(leaf.private_key.expose().as_bytes()).map_err(unusable)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain.map_err(unusable)?, key)?;
    Ok(config)
}

/// What of an authority stands in every certificate that it signs; the same each time.
fn authority_params(id: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("Claviger internal authority {id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn set_period(params: &mut CertificateParams, period: Period) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |time: Timestamp| epoch + Duration::from_secs(u64::try_from(time.as_second()).unwrap_or_default());
    params.not_before = at(period.from);
    params.not_after = at(period.until);
}
