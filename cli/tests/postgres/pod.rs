//! Provider pods as processes, and what is published to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_tests::ports::free_port;
use serde_json::{Value, json};

use crate::api;
use crate::browser::Browser;
use crate::support::{Dev, Folder, claviger, eventually};

/// The quick start's tenant.
pub(crate) const TENANT: &str = "/api/v1/auth/tenants/acme";
const NAMESPACE: &str = "claviger-published";

/// What the operator publishes of the quick start.
pub(crate) struct Published {
    /// What the pods are called together.
    pub(crate) host: String,
    /// Where a login begins.
    pub(crate) begin: String,
    api: String,
    credentials: BTreeMap<String, String>,
}

impl Published {
    /// The client's secret in the Secret `name`.
    pub(crate) fn credentials(&self, name: &str) -> &str {
        &self.credentials[name]
    }
}

/// Published once, by the operator in `claviger dev`.
pub(crate) fn published() -> &'static Published {
    static PUBLISHED: OnceLock<Published> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let host = address();
        let folder = Folder::quickstart();
        let dev = Dev::launch(&folder, &["--external-url", &format!("http://{host}")]);
        dev.wait_for("Following changes");
        let begin = dev.wait_for("/oauth/authorize?").trim().to_owned();
        assert_eq!(dev.terminate(), 0);
        let secrets = folder.path().join("state/secrets");
        let documents: Vec<Value> = manifests(&secrets.join(NAMESPACE)).into_iter().map(stored).collect();
        assert!(documents.len() >= 6, "tenant, ring, user, clients: {}", documents.len());
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let of = |secret: Value| (text(&secret["metadata"]["name"]), text(&secret["stringData"]["client_secret"]));
        let credentials = manifests(&secrets.join("shop")).into_iter().map(of).collect();
        Published { host, begin, api: api::serve(&documents), credentials }
    })
}

fn manifests(folder: &Path) -> Vec<Value> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files.map(|file| serde_saphyr::from_str(&fs::read_to_string(file).expect("a file")).expect("YAML")).collect()
}

/// A manifest as the API server has it.
fn stored(mut secret: Value) -> Value {
    let text = secret.as_object_mut().expect("an object").remove("stringData").expect("text");
    let encoded =
        |(key, value): (&String, &Value)| (key.clone(), STANDARD.encode(value.as_str().expect("text")).into());
    secret["data"] = Value::Object(text.as_object().expect("an object").iter().map(encoded).collect());
    secret["metadata"]["uid"] = secret["metadata"]["name"].clone();
    secret["metadata"]["resourceVersion"] = "2".into();
    secret
}

/// Where nobody listens yet.
fn address() -> String {
    format!("127.0.0.1:{}", free_port().expect("a port"))
}

/// A provider. Dropping it kills it.
pub(crate) struct Pod {
    pub(crate) address: String,
    internal: String,
    acknowledgements: String,
    store: String,
    folder: Folder,
    child: Child,
}

impl Pod {
    /// Starts it, and waits until it may get requests.
    pub(crate) fn start(published: &Published, store: &str) -> Self {
        let pod = Self::begin(published, store);
        pod.wait();
        pod
    }

    /// Starts it.
    pub(crate) fn begin(published: &Published, store: &str) -> Self {
        let folder = Folder::new();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": format!("http://{}", published.api)}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "users": [{"name": "test", "user": {}}],
        });
        fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string()).expect("a file");
        let [address, internal, acknowledgements] = [(); 3].map(|()| address());
        let store = store.to_owned();
        let child = launch(&folder, [&address, &internal, &acknowledgements], &store);
        Self { address, internal, acknowledgements, store, folder, child }
    }

    /// Kills it as a node's failure would, and starts it again.
    pub(crate) fn restart(&mut self) {
        self.end();
        self.child = launch(&self.folder, [&self.address, &self.internal, &self.acknowledgements], &self.store);
        self.wait();
    }

    fn wait(&self) {
        self.wait_until("ready");
    }

    /// Waits until it says this of its readiness.
    pub(crate) fn wait_until(&self, readiness: &str) {
        eventually(readiness, || {
            let listens = std::net::TcpStream::connect(&self.internal).is_ok();
            if listens && self.readiness().starts_with(readiness) { Ok(()) } else { Err(self.told()) }
        });
    }

    fn readiness(&self) -> String {
        Browser::new(&self.internal, &self.internal).get("/readyz").body
    }

    /// Whether it may get requests.
    pub(crate) fn is_ready(&self) -> bool {
        self.readiness() == "ready\n"
    }

    /// What it has counted.
    pub(crate) fn metrics(&self) -> String {
        Browser::new(&self.internal, &self.internal).get("/metrics").body
    }

    /// What it has logged, at the finest level, and told to the audit stream.
    pub(crate) fn told(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.end();
    }
}

fn launch(folder: &Folder, [public, internal, acknowledgements]: [&String; 3], store: &str) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.path().join("log")).expect("a log");
    claviger()
        .args(["provider", "--log", "trace", "--published-namespace", NAMESPACE, "--listen", public])
        .args(["--internal-listen", internal, "--acknowledgement-listen", acknowledgements])
        .env("KUBECONFIG", folder.path().join("kubeconfig"))
        .env("CLAVIGER_STORE", store)
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .spawn()
        .expect("the program starts")
}
