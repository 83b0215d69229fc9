//! What is deleted when it is over, and not before.

use std::sync::Arc;
use std::time::Duration;

use claviger_crds::published::Content;
use claviger_provider::store::{Id, TenantKey};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::browser::Browser;
use crate::code_flow::*;
use crate::fixture::*;

/// One round of what runs beside the requests.
async fn sweep(fixture: &Fixture) {
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(Arc::clone(&fixture.provider).work(shutdown.clone()));
    tokio::time::sleep(Duration::from_millis(300)).await;
    shutdown.cancel();
    work.await.unwrap();
}

#[tokio::test]
async fn a_code_is_redeemed_once_though_it_outlives_its_tokens() {
    let fixture = shop(|shop| {
        shop.grant_types = vec!["authorization_code".to_owned()];
        shop.lifetimes.access_token = Some(10);
    });
    let mut tenant = tenant_document("acme");
    tenant.login.passwords = true;
    tenant.lifetimes.authorization_code = 600;
    fixture.apply(&serving("acme", "acme", Content::Tenant(tenant)), 2);
    let code = Browser::new(&fixture).code(&authorize(&[])).await;
    assert_eq!(redeem(&fixture, &code).await.status, 200);
    fixture.advance(500);
    sweep(&fixture).await;
    assert_eq!(redeem(&fixture, &code).await.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn what_counts_once_is_remembered_for_pods_whose_clocks_are_behind() {
    let fixture = shop(|_| {});
    let (tenant, id, end) = (TenantKey::new("ns-acme", "acme", "acme"), Id::random(), NOW + 10);
    let consume = async || {
        let end = Timestamp::from_second(end).unwrap();
        fixture.store.consume_login(&tenant, id, end).await.unwrap()
    };
    assert!(consume().await);
    fixture.advance(69);
    sweep(&fixture).await;
    assert!(!consume().await, "a minute after its end");
    fixture.advance(1);
    sweep(&fixture).await;
    assert!(consume().await);
}
