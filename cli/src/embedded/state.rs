//! The state folder: keys, generated secrets, logins, the audit stream, and when each object was first
//! seen.
//!
//! Everything in it is for this user alone (folders 0700, files 0600). Each file is written beside
//! its place, flushed, and renamed into it, so a crash leaves the old or the new one; what is
//! published is not flushed, for it can be computed again. Secrets are manifests that a person can
//! open. One process at a time: the lock is the kernel's, and ends with the process however that
//! ends.

mod manifest;
mod place;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use claviger_crds::names::ObjectName;
use claviger_crds::published::Digest;
use claviger_crds::signing_key::SigningKey;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(super) use self::manifest::merged;
use self::place::{LOCK, MARK};
use super::PUBLISHED_NAMESPACE;

const OBJECTS: &str = "objects.json";
const CLOCK: &str = "clock.json";
const STORE: &str = "logins.db";
const AUDIT: &str = "audit.log";
const AUTHORITY: &str = "tls.json";
const CA: &str = "ca.pem";
const SECRETS: &str = "secrets";
const SIGNING_KEYS: &str = "signingkeys";

/// When an object was first seen and how often its spec changed since, by its title.
pub(super) type Births = BTreeMap<String, Birth>;

/// What a cluster would remember of an object beside what the manifest says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Birth {
    /// `metadata.creationTimestamp`: in a conflict the oldest wins, also after a restart.
    pub(super) created_at: Timestamp,
    /// `metadata.generation`
    pub(super) generation: i64,
    /// Of the spec at that generation.
    pub(super) spec: Digest,
}

/// How far the clock is ahead of the machine's, which it is once it was a fast one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ahead {
    /// Seconds.
    pub(crate) seconds: u64,
}

/// The folder, locked.
pub(crate) struct State {
    /// None for a rehearsal, of which nothing is kept.
    dir: Option<PathBuf>,
    /// Holds the lock while it is open.
    _lock: Option<File>,
}

impl State {
    /// Opens the folder, or makes it, and locks it. `served` is the folder of manifests.
    ///
    /// # Errors
    /// When it is another's folder, in use, inside `served`, or cannot be written.
    pub(crate) fn open(dir: &Path, served: &Path) -> anyhow::Result<Self> {
        let shown = dir.display();
        let dir = place::check(dir, served)?;
        folders(&dir).with_context(|| format!("cannot make the state folder {shown}"))?;
        let mut lock = private(&dir.join(LOCK), false).with_context(|| format!("cannot write in {shown}"))?;
        if let Err(error) = lock.try_lock() {
            match error {
                fs::TryLockError::WouldBlock => bail!("the state folder {shown} is in use by another claviger dev"),
                fs::TryLockError::Error(error) => bail!("cannot lock the state folder {shown}: {error}"),
            }
        }
        lock.write_all(MARK.as_bytes()).with_context(|| format!("cannot write in {shown}"))?;
        fs::set_permissions(&dir, Permissions::from_mode(0o700))?;
        let ignore = dir.join(".gitignore");
        let state = Self { dir: Some(dir), _lock: Some(lock) };
        // Keys must not end up in the repository around them.
        state.write(&ignore, b"*\n", Flush::Yes)?;
        Ok(state)
    }

    /// Keeps nothing: what is written is forgotten with the process.
    pub(crate) fn nowhere() -> Self {
        Self { dir: None, _lock: None }
    }

    /// Where the manifest of a Secret is.
    pub(super) fn secret_path(&self, name: &ObjectName) -> PathBuf {
        self.path(SECRETS, name)
    }

    /// Every Secret that was kept.
    pub(super) fn secrets(&self) -> anyhow::Result<Vec<Secret>> {
        let secrets: Vec<Secret> = self.load(SECRETS)?;
        Ok(secrets.into_iter().map(manifest::merged).collect())
    }

    /// Keeps a Secret.
    pub(super) fn keep_secret(&self, name: &ObjectName, secret: &Secret) -> io::Result<()> {
        let text = manifest::of_secret(secret)?;
        let flush = if name.namespace == PUBLISHED_NAMESPACE { Flush::No } else { Flush::Yes };
        self.write(&self.path(SECRETS, name), text.as_bytes(), flush)
    }

    /// Forgets a Secret.
    pub(super) fn forget_secret(&self, name: &ObjectName) -> io::Result<()> {
        self.remove(&self.path(SECRETS, name))
    }

    /// Every SigningKey that the operator made.
    pub(super) fn signing_keys(&self) -> anyhow::Result<Vec<SigningKey>> {
        self.load(SIGNING_KEYS)
    }

    /// Keeps a SigningKey that the operator made.
    pub(super) fn keep_signing_key(&self, name: &ObjectName, key: &SigningKey) -> io::Result<()> {
        let text = manifest::of(key)?;
        self.write(&self.path(SIGNING_KEYS, name), text.as_bytes(), Flush::Yes)
    }

    /// Forgets a SigningKey.
    pub(super) fn forget_signing_key(&self, name: &ObjectName) -> io::Result<()> {
        self.remove(&self.path(SIGNING_KEYS, name))
    }

    /// When each object was first seen.
    pub(super) fn births(&self) -> anyhow::Result<Births> {
        let path = self.root().join(OBJECTS);
        if self.dir.is_none() {
            return Ok(Births::new());
        }
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Births::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display())),
        }
    }

    /// Keeps when each object was first seen.
    pub(super) fn keep_births(&self, births: &Births) -> io::Result<()> {
        self.write(&self.root().join(OBJECTS), &serde_json::to_vec_pretty(births)?, Flush::Yes)
    }

    /// How far ahead the clock was.
    pub(crate) fn ahead(&self) -> anyhow::Result<Ahead> {
        let path = self.root().join(CLOCK);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ahead::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display())),
        }
    }

    /// Keeps how far ahead it is.
    pub(crate) fn keep_ahead(&self, ahead: Ahead) -> io::Result<()> {
        self.write(&self.root().join(CLOCK), &serde_json::to_vec(&ahead)?, Flush::Yes)
    }

    /// Where the provider's SQLite file is: logins, grants, consent. The provider makes it.
    pub(crate) fn store_path(&self) -> PathBuf {
        self.root().join(STORE)
    }

    /// The audit stream's file, at its end.
    pub(crate) fn audit_log(&self) -> anyhow::Result<File> {
        let path = self.root().join(AUDIT);
        let open = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        open.with_context(|| format!("cannot write {}", path.display()))
    }

    /// The CA that signs certificates for this machine, as it was kept.
    pub(crate) fn authority(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let path = self.root().join(AUTHORITY);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
            Ok(bytes) => Ok(Some(bytes)),
        }
    }

    /// Keeps that CA, and its certificate apart, for whoever is to trust it.
    pub(crate) fn keep_authority(&self, authority: &[u8], certificate: &str) -> io::Result<()> {
        self.write(&self.root().join(AUTHORITY), authority, Flush::Yes)?;
        self.write(&self.ca_path(), certificate.as_bytes(), Flush::Yes)
    }

    /// Where that CA's certificate is.
    pub(crate) fn ca_path(&self) -> PathBuf {
        self.root().join(CA)
    }

    fn path(&self, folder: &str, name: &ObjectName) -> PathBuf {
        // Both parts were checked to be DNS names, so neither is a path.
        self.root().join(folder).join(&name.namespace).join(format!("{}.yaml", name.name))
    }

    fn root(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(""))
    }

    fn load<T: DeserializeOwned + kube::Resource>(&self, folder: &str) -> anyhow::Result<Vec<T>> {
        let root = self.root().join(folder);
        if self.dir.is_none() || !root.exists() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for namespace in entries(&root)? {
            for path in entries(&namespace)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "yaml")) {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                // The parser's error could show a private key, so it is not passed on.
                let object: Option<T> = serde_saphyr::from_str(&text).ok();
                // An empty file is a Secret to the parser: one without a name.
                match object.filter(|object| is_at(object.meta(), &path)) {
                    Some(object) => found.push(object),
                    None if namespace.ends_with(PUBLISHED_NAMESPACE) => {
                        tracing::warn!("{} is damaged; it is written anew", path.display());
                    }
                    // To go on without it would be to make a new key in its place.
                    None => bail!("{} is damaged", path.display()),
                }
            }
        }
        Ok(found)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.dir.is_none() {
            return Ok(());
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn write(&self, path: &Path, bytes: &[u8], flush: Flush) -> io::Result<()> {
        let (Some(_), Some(folder)) = (&self.dir, path.parent()) else { return Ok(()) };
        folders(folder)?;
        let temporary = path.with_extension("new");
        let mut file = private(&temporary, true)?;
        file.write_all(bytes)?;
        if flush == Flush::No {
            return fs::rename(&temporary, path);
        }
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The rename is durable once the folder is.
        File::open(folder)?.sync_all()
    }
}

/// Whether a write survives a loss of power.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flush {
    /// Waits for the disk.
    Yes,
    /// It may be lost, or be left empty. That costs a computation and no key.
    No,
}

fn folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn private(path: &Path, truncate: bool) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(truncate).mode(0o600).open(path)?;
    // The mode above is for a new file only.
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Whether the object is the one that belongs at `path`.
fn is_at(metadata: &ObjectMeta, path: &Path) -> bool {
    let place = |name: &Option<String>, part: Option<&OsStr>| name.as_deref().map(OsStr::new) == part;
    place(&metadata.name, path.file_stem()) && place(&metadata.namespace, path.parent().and_then(Path::file_name))
}

fn entries(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = list.with_context(|| format!("cannot read {}", dir.display()))?;
    paths.sort();
    Ok(paths)
}
