//! The three programs and their flags.

use std::path::{Path, PathBuf};

use super::certificates::{ACCOUNT_KEY, ACCOUNT_KEYS};
use crate::process::Launch;

/// What makes ownerReferences, ServiceAccounts, aggregated ClusterRoles and the end of namespaces
/// real. The others would only wait for nodes. The garbage collector looks for new kinds every half
/// minute: children of a kind that was just defined go that much later.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,\
    serviceaccount-controller,root-ca-certificate-publisher-controller,\
    clusterrole-aggregation-controller,endpointslice-controller";

#[derive(Debug)]
pub(crate) struct Settings {
    /// The folder of the programs.
    pub(crate) programs: PathBuf,
    /// Certificates and state.
    pub(crate) folder: PathBuf,
    pub(crate) etcd: u16,
    pub(crate) etcd_peer: u16,
    pub(crate) api: u16,
    pub(crate) api_server_flags: Vec<String>,
}

impl Settings {
    fn launch(&self, program: &str) -> Launch {
        Launch::new(program, self.programs.join(program)).env("HOME", &self.folder)
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    pub(crate) fn etcd(&self) -> Launch {
        let clients = format!("http://127.0.0.1:{}", self.etcd);
        let peers = format!("http://127.0.0.1:{}", self.etcd_peer);
        self.launch("etcd").args([
            format!("--data-dir={}", self.file("etcd")),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ])
    }

    pub(crate) fn api_server(&self) -> Launch {
        let port = self.api;
        self.launch("kube-apiserver")
            .args([
                format!("--etcd-servers=http://127.0.0.1:{}", self.etcd),
                format!("--secure-port={port}"),
                "--bind-address=127.0.0.1".to_owned(),
                "--advertise-address=127.0.0.1".to_owned(),
                // The `kubernetes` Service has no endpoint that a Node could reach.
                "--endpoint-reconciler-type=none".to_owned(),
                format!("--cert-dir={}", self.file("apiserver")),
                format!("--tls-cert-file={}", self.file("server.crt")),
                format!("--tls-private-key-file={}", self.file("server.key")),
                format!("--token-auth-file={}", self.file("tokens.csv")),
                "--authorization-mode=RBAC,Node".to_owned(),
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
                format!("--service-account-key-file={}", self.file(ACCOUNT_KEYS)),
                format!("--service-account-signing-key-file={}", self.file(ACCOUNT_KEY)),
                "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            ])
            .args(self.api_server_flags.iter())
    }

    pub(crate) fn controller_manager(&self, kubeconfig: &Path) -> Launch {
        self.launch("kube-controller-manager").args([
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--controllers={CONTROLLERS}"),
            format!("--root-ca-file={}", self.file("ca.crt")),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            "--kube-api-qps=300".to_owned(),
            "--kube-api-burst=600".to_owned(),
        ])
    }
}
