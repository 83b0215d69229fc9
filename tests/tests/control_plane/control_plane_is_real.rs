//! What the other tests rely on: this is Kubernetes, not something like it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_tests::control_plane::{ControlPlane, shared};
use claviger_tests::wait::eventually;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn kubectl_lists_the_namespaces_of_a_new_cluster() -> Result<()> {
    let cluster = shared().await?;
    let names = cluster.kubectl().run(&["get", "namespaces", "-o", "name"]).await?;
    assert!(names.contains("namespace/kube-system\n"), "{names}");
    let version = cluster.kubectl().json(&["version"]).await?;
    let server = &version["serverVersion"]["gitVersion"];
    assert!(server.as_str().is_some_and(|v| v.starts_with("v1.")), "{server}");
    Ok(())
}

#[tokio::test]
async fn a_service_account_may_do_what_rbac_grants_and_nothing_else() -> Result<()> {
    let cluster = shared().await?;
    let namespace = cluster.namespace("rbac").await?;
    let admin = cluster.kubectl().in_namespace(&namespace);
    let robot = cluster.kubectl_as(&namespace, "robot").await?.in_namespace(&namespace);

    let refusal = robot.refused(&["get", "configmaps"]).await?;
    assert!(refusal.contains("Forbidden") && refusal.contains(":robot\""), "{refusal}");

    admin.run(&["create", "role", "reader", "--verb=list", "--resource=configmaps"]).await?;
    let account = format!("--serviceaccount={namespace}:robot");
    admin.run(&["create", "rolebinding", "reader", "--role=reader", &account]).await?;
    eventually(LIMIT, "the grant works", async || robot.run(&["get", "configmaps"]).await).await?;
    robot.refused(&["get", "secrets"]).await?;
    robot.refused(&["create", "configmap", "mine"]).await?;
    Ok(())
}

#[tokio::test]
async fn what_belongs_to_a_deleted_owner_is_collected() -> Result<()> {
    let cluster = shared().await?;
    let namespace = cluster.namespace("collect").await?;
    let kubectl = cluster.kubectl().in_namespace(&namespace);
    kubectl.run(&["create", "configmap", "owner"]).await?;
    let owner = kubectl.json(&["get", "configmap", "owner"]).await?;
    let uid = owner["metadata"]["uid"].as_str().context("no uid")?;
    let owned_by = format!("{{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}");
    for (name, owners) in [("child", format!("[{owned_by}]")), ("orphan", "[]".to_owned())] {
        let metadata = format!("{{name: {name}, ownerReferences: {owners}}}");
        kubectl.apply(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n")).await?;
    }

    kubectl.run(&["delete", "configmap", "owner"]).await?;

    let maps = Api::<ConfigMap>::namespaced(cluster.admin_client().await?, &namespace);
    eventually(LIMIT, "the child is collected", async || {
        ensure!(maps.get_opt("child").await?.is_none(), "it is there");
        Ok(())
    })
    .await?;
    assert!(maps.get_opt("orphan").await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_deleted_namespace_ends_with_all_that_is_in_it() -> Result<()> {
    let cluster = shared().await?;
    let namespace = cluster.namespace("doomed").await?;
    cluster.wait_for_service_account(&namespace, "default").await?;
    cluster.kubectl().in_namespace(&namespace).run(&["create", "configmap", "last"]).await?;
    cluster.kubectl().run(&["delete", "namespace", &namespace, "--wait=true", "--timeout=60s"]).await?;
    cluster.kubectl().refused(&["get", "namespace", &namespace]).await?;
    Ok(())
}

#[tokio::test]
async fn a_restarted_api_server_has_kept_everything_and_a_paused_one_answers_nothing() -> Result<()> {
    let plane = ControlPlane::start(&[]).await?;
    let cluster = plane.cluster();
    let namespace = cluster.namespace("lasting").await?;

    plane.pause_api_server().await?;
    let silent = cluster.kubectl().refused(&["get", "namespaces", "--request-timeout=1s"]).await?;
    plane.resume_api_server().await?;
    assert!(!silent.contains("refused"), "frozen, not gone: {silent}");

    plane.restart_api_server(Duration::ZERO).await?;
    cluster.kubectl().run(&["get", "namespace", &namespace]).await?;
    Ok(())
}
