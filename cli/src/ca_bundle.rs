//! A file of CA certificates, checked where it is named: a slip in it would show only as a connection
//! that nobody can explain.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Larger than any bundle: the public CAs take a quarter of it.
const LARGEST: u64 = 1 << 20;

/// CA certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct CaBundle {
    /// The file's text.
    pub(crate) pem: String,
    /// Each certificate of it.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl CaBundle {
    /// Reads what `--ca-bundle` names.
    ///
    /// # Errors
    /// When it cannot be read, holds none, or one that is damaged.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let at = || format!("--ca-bundle: {}", path.display());
        let length = fs::metadata(path).with_context(at)?.len();
        ensure!(length <= LARGEST, "{}: larger than {LARGEST} bytes, so no CA bundle", at());
        Self::parse(fs::read_to_string(path).with_context(at)?).with_context(at)
    }

    fn parse(pem: String) -> anyhow::Result<Self> {
        // It may be printed, and whoever keeps key and certificate in one file would not expect that.
        ensure!(!pem.contains("PRIVATE KEY-----"), "it holds a private key; name a file with certificates alone");
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| anyhow::anyhow!("no PEM: {error}"))?;
            RootCertStore::empty().add(certificate.clone()).context("a certificate is unusable")?;
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            bail!("it holds no certificate in PEM");
        }
        Ok(Self { pem, certificates })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> String {
        let key = rcgen::KeyPair::generate().expect("a key");
        rcgen::CertificateParams::default().self_signed(&key).expect("a certificate").pem()
    }

    #[test]
    fn every_certificate_of_a_bundle_is_read() {
        let both = CaBundle::parse(format!("# ours\n{}{}", certificate(), certificate())).expect("two");
        assert_eq!(both.certificates.len(), 2);
    }

    #[test]
    fn what_is_no_bundle_is_refused_with_the_reason() {
        let key = rcgen::KeyPair::generate().expect("a key").serialize_pem();
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (text, reason) in [
            ("", "no certificate"),
            ("hello", "no certificate"),
            (damaged, "unusable"),
            (&format!("{}{key}", certificate()), "private key"),
        ] {
            let error = format!("{:#}", CaBundle::parse(text.to_owned()).expect_err(reason));
            assert!(error.contains(reason), "{error}");
        }
    }
}
