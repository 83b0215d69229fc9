use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::*;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn folder() -> Folder {
    Folder(std::env::temp_dir().join(format!("claviger-tls-{}", claviger_jose::random::hex128())))
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn name(url: &str) -> Option<Name> {
    Name::of(&Url::parse(url).expect("a URL"))
}

fn open(folder: &Folder, url: &str, now: &str) -> Certificates {
    // The lock is the process': it is given back at the end of each opening.
    let state = State::open(&folder.0, &folder.0.with_extension("served")).expect("a state folder");
    Certificates::open(&state, name(url), at(now)).expect("certificates")
}

/// Whether who trusts `authority` believes a certificate for `vouched` of it to be `host` at `now`.
fn believes(authority: &Authority, vouched: Option<&Name>, host: &str, now: Timestamp) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate.as_bytes()).expect("PEM")).expect("a CA");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().expect("a verifier");
    let leaf = Leaf::new(authority, vouched, now - SKEW, now + LEAF_LIFE).expect("a leaf");
    let leaf = CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).expect("PEM");
    let seconds = u64::try_from(now.as_second()).expect("after 1970");
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let host = ServerName::try_from(host.to_owned()).expect("a name");
    verifier.verify_server_cert(&leaf, &[], &host, &[], now).is_ok()
}

const NOW: &str = "2026-01-01T00:00:00Z";

#[test]
fn the_certificate_is_good_for_loopback_and_the_external_host_and_nothing_else() {
    let folder = folder();
    let certificates = open(&folder, "https://login.example:8443", NOW);
    let vouched = name("https://login.example:8443");
    for host in ["localhost", "127.0.0.1", "::1", "login.example"] {
        assert!(believes(&certificates.authority, vouched.as_ref(), host, at(NOW)), "{host}");
    }
    assert!(!believes(&certificates.authority, vouched.as_ref(), "evil.example", at(NOW)));
}

#[test]
fn a_stolen_key_of_the_ca_vouches_for_nobody_else() {
    let folder = folder();
    let certificates = open(&folder, "https://localhost:8443", NOW);
    for (foreign, host) in [("https://bank.example", "bank.example"), ("https://192.0.2.1", "192.0.2.1")] {
        assert!(!believes(&certificates.authority, name(foreign).as_ref(), host, at(NOW)), "{host}");
    }
}

#[test]
fn the_ca_stays_until_it_ends_or_the_host_changes() {
    let folder = folder();
    let first = open(&folder, "https://127.0.0.1:8443", NOW);
    assert!(first.new_authority);
    let again = open(&folder, "https://localhost:8443", "2027-06-01T00:00:00Z");
    assert!(!again.new_authority);
    assert_eq!(first.authority.certificate, again.authority.certificate);
    assert_eq!(std::fs::read_to_string(&again.ca).expect("ca.pem"), again.authority.certificate);
    assert!(open(&folder, "https://localhost:8443", "2028-02-01T00:00:00Z").new_authority);
    assert!(open(&folder, "https://login.example", "2028-02-01T00:00:00Z").new_authority);
}

#[test]
fn a_certificate_is_renewed_before_it_ends() {
    let folder = folder();
    let mut certificates = open(&folder, "https://localhost", NOW);
    let before = certificates.until;
    certificates.renew(at("2026-03-15T00:00:00Z")).expect("another");
    assert!(certificates.until > before);
}

#[test]
fn the_keys_are_this_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    open(&folder, "https://localhost", NOW);
    let mode = std::fs::metadata(folder.0.join("tls.json")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
