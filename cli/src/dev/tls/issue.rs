//! Makes the CA and certificates. The only caller of the X.509 library here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use claviger_crds::published::SecretText;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use super::Name;

/// The CA, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Authority {
    /// What it may vouch for beside loopback.
    pub(super) names: Option<String>,
    /// Tells it from others; part of its name, by which browsers look for it.
    id: String,
    pub(super) not_after: Timestamp,
    /// PEM.
    pub(super) certificate: String,
    /// PKCS#8 in PEM.
    private_key: SecretText,
}

impl Authority {
    /// A new one, for loopback and `name`.
    pub(super) fn new(name: Option<&Name>, from: Timestamp, until: Timestamp) -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let id = claviger_jose::random::hex128();
        let mut params = params(&id);
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: permitted(name), excluded_subtrees: Vec::new() });
        set_period(&mut params, from, until);
        let certificate = params.self_signed(&key)?.pem();
        let private_key = SecretText::new(key.serialize_pem());
        Ok(Self { names: name.map(Name::text), id, not_after: until, certificate, private_key })
    }
}

/// A certificate with its key.
pub(super) struct Leaf {
    /// PEM.
    pub(super) certificate: String,
    private_key: SecretText,
}

impl Leaf {
    /// For loopback and `name`, signed by `authority`.
    pub(super) fn new(
        authority: &Authority,
        name: Option<&Name>,
        from: Timestamp,
        until: Timestamp,
    ) -> anyhow::Result<Self> {
        let key = KeyPair::from_pem(authority.private_key.expose()).context("the CA's key is unusable")?;
        let issuer = Issuer::new(params(&authority.id), key);
        let mut params = CertificateParams::default();
        params.distinguished_name = named("claviger dev".to_owned());
        params.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into()?),
            SanType::IpAddress(Ipv4Addr::LOCALHOST.into()),
            SanType::IpAddress(Ipv6Addr::LOCALHOST.into()),
        ];
        match name {
            None => {}
            Some(Name::Dns(name)) => params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?)),
            Some(Name::Address(address)) => params.subject_alt_names.push(SanType::IpAddress(*address)),
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_period(&mut params, from, until);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &issuer)?.pem();
        Ok(Self { certificate, private_key: SecretText::new(key.serialize_pem()) })
    }

    /// TLS 1.2 and 1.3 with this certificate, for whatever browser there is.
    pub(super) fn server_config(&self) -> anyhow::Result<ServerConfig> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(self.certificate.as_bytes()).collect::<Result<_, _>>()?;
        ensure!(!chain.is_empty(), "no certificate was made");
        let key = PrivateKeyDer::from_pem_slice(self.private_key.expose().as_bytes())?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The names that the CA may vouch for.
fn permitted(name: Option<&Name>) -> Vec<GeneralSubtree> {
    let address = |address: IpAddr, prefix| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix));
    let mut permitted = vec![
        GeneralSubtree::DnsName("localhost".to_owned()),
        address(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
        address(Ipv6Addr::LOCALHOST.into(), 128),
    ];
    match name {
        None => {}
        Some(Name::Dns(name)) => permitted.push(GeneralSubtree::DnsName(name.clone())),
        Some(Name::Address(alone @ IpAddr::V4(_))) => permitted.push(address(*alone, 32)),
        Some(Name::Address(alone @ IpAddr::V6(_))) => permitted.push(address(*alone, 128)),
    }
    permitted
}

/// What of the CA stands in every certificate that it signs.
fn params(id: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(format!("claviger dev CA {id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(common_name: String) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn set_period(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |time: Timestamp| epoch + Duration::from_secs(u64::try_from(time.as_second()).unwrap_or_default());
    params.not_before = at(from);
    params.not_after = at(until);
}
