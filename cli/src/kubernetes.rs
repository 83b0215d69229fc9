//! The client of the Kubernetes API.

use anyhow::Context as _;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::{Body, ClientBuilder, ConfigExt, retry::RetryPolicy};
use tower::ServiceBuilder;
use tower::retry::RetryLayer;

/// The API server, found as kubectl finds it: KUBECONFIG, `~/.kube/config`, the Pod's own account.
pub(crate) async fn client() -> anyhow::Result<kube::Client> {
    let config = Config::infer().await.context("cannot find the Kubernetes API: set KUBECONFIG, or run in a Pod")?;
    build(config).context("cannot make a client of the Kubernetes API")
}

/// What kube builds, but with TCP_NODELAY. Without it a request in two writes, as HTTP/1.1 sends
/// every one with a body, waits for the other side's delayed acknowledgement: 40 ms each.
fn build(config: Config) -> kube::Result<kube::Client> {
    // kube alone knows proxies, and when the certificate of a credential plugin expires.
    if config.proxy_url.is_some() || config.auth_info.exec.is_some() {
        return kube::Client::try_from(config);
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(tcp)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.default_retry.then(|| RetryLayer::new(RetryPolicy::server_retry())))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(tower::BoxError::from)
        .service(Client::builder(TokioExecutor::new()).build::<_, Body>(connector));
    Ok(ClientBuilder::new(service, config.default_namespace).build())
}
