//! TLS of a listener: the certificate that may change while it is served, and mutual TLS.
//!
//! Owns how a Secret becomes a [`ServerConfig`]. It names the crypto provider itself, so that it
//! does not depend on what the process installed.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use k8s_openapi::api::core::v1::Secret;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme, crypto::aws_lc_rs,
};

/// The TLS settings that a listener uses for its next handshake. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct ServerTls(Arc<ArcSwapOption<ServerConfig>>);

impl ServerTls {
    /// No certificate yet: connections are closed until [`ServerTls::set`].
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on handshakes use `config`; connections that are open go on.
    pub fn set(&self, config: ServerConfig) {
        self.0.store(Some(Arc::new(config)));
    }

    pub(crate) fn current(&self) -> Option<Arc<ServerConfig>> {
        self.0.load_full()
    }
}

/// Why a Secret gives no certificate. Holds none of its content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// The Secret lacks the key, or it holds no PEM of that kind.
    #[error("{0} is missing or unusable")]
    Unusable(&'static str),
    /// The certificates and the key do not fit together, or the CA is none.
    #[error("the certificates are unusable: {0}")]
    Certificates(#[from] Error),
    /// No CA in `ca.crt` can verify a client.
    #[error("the CA is unusable: {0}")]
    Ca(#[from] rustls::server::VerifierBuilderError),
}

/// TLS 1.3 with the certificate of `secret` (`tls.crt`, `tls.key`), for clients with a certificate
/// by its `ca.crt` for client authentication, made out to `client`.
pub(crate) fn mutual(secret: &Secret, client: ServerName<'static>) -> Result<ServerConfig, TlsError> {
    let chain = certificates(secret, "tls.crt")?;
    let key = PrivateKeyDer::from_pem_slice(pem(secret, "tls.key")?).map_err(|_| TlsError::Unusable("tls.key"))?;
    let mut roots = RootCertStore::empty();
    for ca in certificates(secret, "ca.crt")? {
        roots.add(ca)?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chained = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(Named { chained, client }))
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session is not verified anew: it would outlive its certificate and its CA.
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn pem<'a>(secret: &'a Secret, key: &'static str) -> Result<&'a [u8], TlsError> {
    let data = secret.data.as_ref().and_then(|data| data.get(key));
    data.map(|bytes| bytes.0.as_slice()).ok_or(TlsError::Unusable(key))
}

fn certificates(secret: &Secret, key: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem(secret, key)?).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or(TlsError::Unusable(key))
}

/// Accepts what `chained` accepts and what is made out to `client`: the same CA signs the
/// certificates of servers, and none of those is to be taken for the operator.
#[derive(Debug)]
struct Named {
    chained: Arc<dyn ClientCertVerifier>,
    client: ServerName<'static>,
}

impl ClientCertVerifier for Named {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chained.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chained.verify_client_cert(end_entity, intermediates, now)?;
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, &self.client)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chained.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chained.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chained.supported_verify_schemes()
    }
}
