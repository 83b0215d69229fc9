//! Provider processes that are Pods to the operator: each has a Pod and an EndpointSlice, made by hand,
//! for no kubelet and no Service controller would see to a process of this machine.
//!
//! An EndpointSlice refuses loopback addresses of the type IPv4, and takes them as names.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result};
use claviger_tests::claviger::claviger;
use claviger_tests::installation::{Installation, OPERATOR, PATIENCE, PROVIDER_ACCOUNT, PUBLISHED};
use claviger_tests::kubectl::Kubectl;
use claviger_tests::ports::free_port;
use claviger_tests::process::Process;
use claviger_tests::wait::eventually;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// The Service that the operator is told of.
pub(crate) const SERVICE: &str = "claviger-provider";

/// One provider.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) public: u16,
    uid: String,
    internal: u16,
    acknowledgements: u16,
    kubeconfig: PathBuf,
    serves: AtomicBool,
    process: Mutex<Process>,
}

/// All that there are.
#[derive(Debug)]
pub(crate) struct Fleet {
    kubectl: Kubectl,
    kubeconfigs: [PathBuf; 2],
    pods: RwLock<Vec<Arc<Pod>>>,
    made: AtomicUsize,
}

impl Fleet {
    /// None yet. Every other pod will see the API server through the installation's proxy.
    pub(crate) async fn new(installation: &Installation) -> Result<Self> {
        let cluster = installation.cluster();
        let direct = cluster.kubeconfig_for(OPERATOR, PROVIDER_ACCOUNT).await?;
        let proxied = cluster.kubeconfig_through(installation.proxy().url(), OPERATOR, PROVIDER_ACCOUNT).await?;
        Ok(Self {
            kubectl: installation.kubectl().in_namespace(OPERATOR),
            kubeconfigs: [direct, proxied],
            pods: RwLock::default(),
            made: AtomicUsize::new(0),
        })
    }

    /// Those that get requests.
    pub(crate) fn serving(&self) -> Vec<Arc<Pod>> {
        let pods = self.pods.read().unwrap_or_else(PoisonError::into_inner);
        pods.iter().filter(|pod| pod.serves.load(Ordering::Relaxed)).cloned().collect()
    }

    /// A new pod, from the Pod's creation to its first request.
    pub(crate) async fn add(&self) -> Result<()> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("provider-{number}");
        let made = self.create(&pod(&name)).await?;
        let uid = made["metadata"]["uid"].as_str().context("a Pod without UID")?.to_owned();
        let (public, internal, acknowledgements) = (free_port()?, free_port()?, free_port()?);
        let kubeconfig = self.kubeconfigs[number % 2].clone();
        let process = Mutex::new(launch(&name, &uid, &kubeconfig, [public, internal, acknowledgements]).await?);
        let serves = AtomicBool::new(false);
        let pod = Pod { name, public, uid, internal, acknowledgements, kubeconfig, serves, process };
        pod.wait_until_ready().await?;
        self.create(&slice(&pod)).await?;
        pod.serves.store(true, Ordering::Relaxed);
        self.pods.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(pod));
        Ok(())
    }

    /// Kills the process. The Pod stays, and its process begins anew.
    pub(crate) async fn restart(&self, pod: &Pod) -> Result<()> {
        let mut process = pod.process.lock().await;
        process.kill().await?;
        pod.serves.store(false, Ordering::Relaxed);
        let ports = [pod.public, pod.internal, pod.acknowledgements];
        *process = launch(&pod.name, &pod.uid, &pod.kubeconfig, ports).await?;
        drop(process);
        pod.wait_until_ready().await?;
        pod.serves.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Kills the process, and then the Pod is gone.
    pub(crate) async fn remove(&self, pod: &Pod) -> Result<()> {
        pod.process.lock().await.kill().await?;
        pod.serves.store(false, Ordering::Relaxed);
        self.pods.write().unwrap_or_else(PoisonError::into_inner).retain(|other| other.name != pod.name);
        for kind in ["endpointslice", "pod"] {
            eventually(PATIENCE, format!("{kind} {} is deleted", pod.name), async || {
                let delete = ["delete", kind, &pod.name, "--ignore-not-found", "--grace-period=0", "--force"];
                self.kubectl.run(&delete).await.map(drop)
            })
            .await?;
        }
        Ok(())
    }

    /// Patient, for the API server may be away.
    async fn create(&self, object: &Value) -> Result<Value> {
        eventually(PATIENCE, "an object of a pod is made", async || {
            self.kubectl.apply(&object.to_string()).await?;
            let kind = object["kind"].as_str().context("no kind")?;
            self.kubectl.json(&["get", kind, object["metadata"]["name"].as_str().context("no name")?]).await
        })
        .await
    }
}

impl Pod {
    async fn wait_until_ready(&self) -> Result<()> {
        let url = format!("http://127.0.0.1:{}/readyz", self.internal);
        self.process.lock().await.wait_for_http(PATIENCE, &url).await
    }
}

fn pod(name: &str) -> Value {
    let container = json!({"name": "provider", "image": "claviger"});
    let spec = json!({"serviceAccountName": PROVIDER_ACCOUNT, "containers": [container]});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": OPERATOR}, "spec": spec})
}

fn slice(pod: &Pod) -> Value {
    let Pod { name, uid, acknowledgements, .. } = pod;
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": OPERATOR, "labels": {"kubernetes.io/service-name": SERVICE}},
        "addressType": "FQDN",
        "ports": [{"name": "acknowledgements", "port": acknowledgements, "protocol": "TCP"}],
        "endpoints": [{
            "addresses": ["127.0.0.1"],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "targetRef": {"kind": "Pod", "name": name, "namespace": OPERATOR, "uid": uid},
        }],
    })
}

async fn launch(name: &str, uid: &str, kubeconfig: &std::path::Path, ports: [u16; 3]) -> Result<Process> {
    let [public, internal, acknowledgements] = ports.map(|port| format!("127.0.0.1:{port}"));
    claviger()
        .await?
        .args(["provider", "--published-namespace", PUBLISHED, "--pod-name", name, "--pod-uid", uid])
        .args(["--listen", &public, "--internal-listen", &internal, "--acknowledgement-listen", &acknowledgements])
        .env("KUBECONFIG", kubeconfig)
        .start()
}
