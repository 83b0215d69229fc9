//! The proxy before the API server: what crash tests count with, and crash with.

use std::time::Duration;

use anyhow::{Context as _, Result};
use claviger_tests::api_proxy::{ApiProxy, Category, Moment};
use claviger_tests::cluster::Cluster;
use claviger_tests::control_plane::shared;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, PostParams, WatchEvent, WatchParams};
use kube::{Api, Client, ResourceExt as _};

const LIMIT: Duration = Duration::from_secs(20);

/// A namespace, and a ServiceAccount's way through the proxy to the ConfigMaps in it.
async fn through(proxy: &ApiProxy, cluster: &Cluster) -> Result<(String, Client)> {
    let namespace = cluster.namespace("proxy").await?;
    let kubeconfig = cluster.kubeconfig_through(proxy.url(), &namespace, "writer").await?;
    let account = format!("--serviceaccount={namespace}:writer");
    let binding = ["create", "rolebinding", "writer", "--clusterrole=edit", &account];
    cluster.kubectl().in_namespace(&namespace).run(&binding).await?;
    Ok((namespace, cluster.client_with(&kubeconfig).await?))
}

fn map(name: &str) -> ConfigMap {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    ConfigMap { metadata, ..ConfigMap::default() }
}

#[tokio::test]
async fn a_write_counts_and_a_read_does_not() -> Result<()> {
    let cluster = shared().await?;
    let proxy = ApiProxy::start(cluster).await?;
    let (namespace, client) = through(&proxy, cluster).await?;
    let maps = Api::<ConfigMap>::namespaced(client, &namespace);

    maps.list(&Default::default()).await?;
    maps.create(&PostParams::default(), &map("one")).await?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    maps.create(&dry, &map("two")).await?;
    assert!(maps.create(&PostParams::default(), &map("one")).await.is_err());

    let writes = proxy.writes_of(Category::Object);
    let statuses: Vec<_> = writes.iter().map(|write| write.status).collect();
    assert_eq!(statuses, [Some(201), Some(409)]);
    assert_eq!(writes[0].path, format!("/api/v1/namespaces/{namespace}/configmaps"));
    assert_eq!(proxy.writes_of(Category::Question).len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_api_server_sees_the_caller_and_not_the_proxy() -> Result<()> {
    let cluster = shared().await?;
    let proxy = ApiProxy::start(cluster).await?;
    let (_, client) = through(&proxy, cluster).await?;
    let elsewhere = Api::<ConfigMap>::namespaced(client, "kube-system");
    let refusal = elsewhere.list(&Default::default()).await.unwrap_err().to_string();
    assert!(refusal.contains("system:serviceaccount:proxy-"), "{refusal}");
    Ok(())
}

/// Creates it, or fails; hanging is neither.
async fn create(maps: &Api<ConfigMap>, name: &str) -> Result<kube::Result<ConfigMap>> {
    let (parameters, map) = (PostParams::default(), map(name));
    Ok(tokio::time::timeout(LIMIT, maps.create(&parameters, &map)).await?)
}

#[tokio::test]
async fn nothing_happens_after_the_fatal_write_and_before_it_everything() -> Result<()> {
    let cluster = shared().await?;
    let proxy = ApiProxy::start(cluster).await?;
    let (namespace, client) = through(&proxy, cluster).await?;
    let admin = Api::<ConfigMap>::namespaced(cluster.admin_client().await?, &namespace);
    let maps = Api::<ConfigMap>::namespaced(client, &namespace);

    for (moment, second_is_there) in [(Moment::Before, false), (Moment::After, true)] {
        let names = ["first", "second", "third"].map(|name| format!("{name}-{second_is_there}"));
        proxy.cut_at_write(2, moment);
        create(&maps, &names[0]).await??;
        assert!(create(&maps, &names[1]).await?.is_err());
        proxy.wait_for_cut(LIMIT).await?;
        assert!(create(&maps, &names[2]).await?.is_err());

        let mut there = Vec::new();
        for name in &names {
            there.push(admin.get_opt(name).await?.is_some());
        }
        assert_eq!(there, [true, second_is_there, false], "{moment:?}");
        proxy.restore();
        assert!(proxy.writes().is_empty());
        create(&maps, &names[2]).await??;
        proxy.restore();
    }
    Ok(())
}

#[tokio::test]
async fn a_watch_streams_through_the_proxy_until_the_cut_ends_it() -> Result<()> {
    let cluster = shared().await?;
    let proxy = ApiProxy::start(cluster).await?;
    let (namespace, client) = through(&proxy, cluster).await?;
    let maps = Api::<ConfigMap>::namespaced(client, &namespace);
    let version = maps.list(&Default::default()).await?.metadata.resource_version;
    let version = version.context("a list without a version")?;
    let mut watch = maps.watch(&WatchParams::default(), &version).await?.boxed();

    maps.create(&PostParams::default(), &map("seen")).await?;
    let seen = async {
        while let Some(event) = watch.next().await {
            match event? {
                WatchEvent::Added(map) if map.name_any() == "seen" => return Ok(()),
                _ => continue, // a controller's ConfigMap
            }
        }
        anyhow::bail!("the watch ended by itself")
    };
    tokio::time::timeout(LIMIT, seen).await.context("no event")??;

    proxy.cut();
    // The rest of the stream, which has to end: bookmarks maybe, then an error or nothing.
    let rest = watch.take_while(|event| std::future::ready(event.is_ok())).collect::<Vec<_>>();
    tokio::time::timeout(LIMIT, rest).await.context("the watch outlived the cut")?;
    Ok(())
}
