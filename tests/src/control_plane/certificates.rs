//! The API server's certificate, the keys of ServiceAccount tokens, and the administrator's token.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};

use crate::temp::TempDir;

/// The file with the key that signs tokens of ServiceAccounts.
pub(crate) const ACCOUNT_KEY: &str = "accounts.key";
/// The file with the public keys by which such tokens are accepted, one after the other.
pub(crate) const ACCOUNT_KEYS: &str = "accounts.pub";

pub(crate) struct Certificates {
    authority: String,
    pub(crate) admin_token: String,
}

impl Certificates {
    /// Makes them all, and writes the files that `components` names.
    pub(crate) fn write(folder: &TempDir) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test control plane");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"];
        let mut params = CertificateParams::new(names.map(str::to_owned))?;
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let server = params.signed_by(&key, &authority)?;
        folder.write("ca.crt", authority.pem())?;
        folder.write("server.crt", server.pem())?;
        folder.write("server.key", key.serialize_pem())?;

        let accounts = account_key()?;
        folder.write(ACCOUNT_KEY, accounts.serialize_pem())?;
        folder.write(ACCOUNT_KEYS, accounts.public_key_pem())?;

        let admin_token = unguessable()?;
        folder.write("tokens.csv", format!("{admin_token},admin,admin,system:masters\n"))?;
        Ok(Self { authority: authority.pem(), admin_token })
    }

    pub(crate) fn authority_base64(&self) -> String {
        STANDARD.encode(&self.authority)
    }
}

/// A key for tokens of ServiceAccounts. RSA, as in almost every cluster: what verifies these tokens has to
/// cope with RS256.
pub(crate) fn account_key() -> Result<KeyPair> {
    Ok(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?)
}

/// Others on this machine can reach the port, so the token has to be a secret.
fn unguessable() -> Result<String> {
    let mut bytes = [0; 24];
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| anyhow::anyhow!("no randomness"))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
