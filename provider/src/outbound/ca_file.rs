//! CAs of one's own, in a file that may be another one by tomorrow: a mounted ConfigMap changes in place when the CA in
//! it rotates, and pods that went by the old one would call nobody any more.

use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::caller::SetupError;

/// A file of certificates (PEM) of CAs, as it was last read.
#[derive(Clone, Debug)]
pub struct CaFile {
    path: PathBuf,
    version: Option<Version>,
    certificates: Vec<Certificate>,
}

/// What tells a file from what stands in its place later. A ConfigMap's is another file behind the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl CaFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, holds no certificate, or one that is no CA's.
    pub fn read(path: PathBuf) -> Result<Self, SetupError> {
        // Before the file: what changes between is read again.
        let version = Version::of(&path);
        let certificates = certificates(&path)?;
        Ok(Self { path, version, certificates })
    }

    /// Reads it again if it is another one by now. Whether that changes who is trusted: what cannot be used leaves those of
    /// before, and is told once. It waits for the disk.
    pub(super) fn renew(&mut self) -> bool {
        let version = Version::of(&self.path);
        if version == self.version {
            return false;
        }
        self.version = version;
        let path = self.path.display();
        match certificates(&self.path) {
            Ok(certificates) => {
                tracing::info!(%path, certificates = certificates.len(), "the CA bundle has changed");
                self.certificates = certificates;
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the CA bundle has changed, and those of before stay trusted");
                false
            }
        }
    }

    /// The CAs.
    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

impl Version {
    /// None where there is no file.
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self { modified: metadata.modified().ok(), length: metadata.len(), inode: metadata.ino() })
    }
}

/// The CAs in the file; each must be one, or a slip there would show only when it is needed.
fn certificates(path: &Path) -> Result<Vec<Certificate>, SetupError> {
    let pem = fs::read(path).map_err(|error| SetupError::Unreadable { path: path.to_owned(), error })?;
    let unusable = |error: &dyn Display| SetupError::Bundle { path: path.to_owned(), reason: error.to_string() };
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        RootCertStore::empty().add(certificate.clone()).map_err(|error| unusable(&error))?;
        certificates.push(Certificate::from_der(&certificate)?);
    }
    if certificates.is_empty() { Err(unusable(&"it holds no certificate")) } else { Ok(certificates) }
}
