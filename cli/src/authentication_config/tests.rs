use clap::Parser as _;
use serde_json::{Value, json};

use super::*;
use crate::args::{Command, Line};

const ACME: &str = "https://login.example/api/v1/auth/tenants/acme";

fn made(issuer: &str, more: &[&str]) -> anyhow::Result<Value> {
    let line = ["claviger", "authentication-config", "--issuer", issuer, "--client-id", "identity.kubernetes"];
    let Command::AuthenticationConfig(args) = Line::try_parse_from(line.iter().chain(more))?.command else {
        panic!("another command")
    };
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n".to_owned();
    let bundle = args.ca_bundle.is_some().then(|| CaBundle { pem, certificates: Vec::new() });
    Ok(serde_saphyr::from_str(&text(&configuration(&args, bundle)?)?)?)
}

#[test]
fn a_tenant_becomes_one_entry_whose_names_begin_with_its_slug() {
    let expected = json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [{
            "issuer": { "url": ACME, "audiences": ["identity.kubernetes"] },
            "claimValidationRules": [
                {
                    "expression": "!has(claims.client_id) || claims.sub == claims.client_id",
                    "message": "an access token must be a client's own; people use ID tokens",
                },
                { "expression": "!has(claims.events)", "message": "a logout token is nobody's login" },
            ],
            "claimMappings": {
                "username": { "claim": "sub", "prefix": "acme:" },
                "groups": { "claim": "groups", "prefix": "acme:" },
            },
            "userValidationRules": [
                {
                    "expression": "!user.username.startsWith('system:') && !user.username.startsWith('kubeadm:')",
                    "message": "a username must not begin with system: or kubeadm:, which are the cluster's own",
                },
                {
                    "expression": "user.groups.all(group, !group.startsWith('system:') && !group.startsWith('kubeadm:'))",
                    "message": "a group must not begin with system: or kubeadm:, which are the cluster's own",
                },
            ],
        }],
    });
    assert_eq!(made(ACME, &[]).expect("a configuration"), expected);
}

#[test]
fn every_flag_is_in_what_is_printed() {
    let flags = "--username-claim email --username-prefix p- --groups-claim roles --groups-prefix= \
        --api-version v1beta1 --client-id https://kubernetes.example --ca-bundle /ca.pem";
    let made = made(ACME, &flags.split_whitespace().collect::<Vec<_>>()).expect("a configuration");
    let entry = &made["jwt"][0];
    assert_eq!(made["apiVersion"], "apiserver.config.k8s.io/v1beta1");
    assert_eq!(entry["issuer"]["audiences"], json!(["identity.kubernetes", "https://kubernetes.example"]));
    assert_eq!(entry["issuer"]["audienceMatchPolicy"], "MatchAny");
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
    assert_eq!(entry["issuer"]["certificateAuthority"], pem);
    assert_eq!(entry["claimMappings"]["username"], json!({ "claim": "email", "prefix": "p-" }));
    assert_eq!(entry["claimMappings"]["groups"], json!({ "claim": "roles", "prefix": "" }));
}

#[test]
fn where_no_slug_tells_tenants_apart_the_issuer_does() {
    let tenants = "https://login.example/api/v1/auth/tenants";
    for issuer in ["https://login.acme.example".to_owned(), format!("{tenants}/system"), format!("{tenants}/kubeadm")] {
        let made = made(&issuer, &[]).expect("a configuration");
        assert_eq!(made["jwt"][0]["claimMappings"]["username"]["prefix"], format!("{issuer}:"));
    }
}

#[test]
fn what_kube_apiserver_or_a_clusters_owner_would_regret_is_refused() {
    for (issuer, more, reason) in [
        ("http://127.0.0.1:8080/api/v1/auth/tenants/acme", [].as_slice(), "https issuers alone"),
        ("login.example", &[], "write a URL"),
        ("https://login.example?x=y", &[], "no query"),
        (ACME, &["--groups-prefix", "system:"], "--groups-prefix"),
        (ACME, &["--username-prefix", "system:node:"], "--username-prefix"),
        (ACME, &["--groups-prefix", "kubeadm:"], "--groups-prefix"),
        (ACME, &["--username-claim", ""], "--username-claim"),
    ] {
        let error = format!("{:#}", made(issuer, more).expect_err(reason));
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn groups_without_a_prefix_are_warned_of() {
    for (more, told) in [([].as_slice(), false), (&["--username-prefix="], true), (&["--groups-prefix="], true)] {
        let line = ["claviger", "authentication-config", "--issuer", ACME, "--client-id", "identity.kubernetes"];
        let Command::AuthenticationConfig(args) =
            Line::try_parse_from(line.iter().chain(more)).expect("a line").command
        else {
            panic!("another command")
        };
        let warning = warning(&configuration(&args, None).expect("a configuration"));
        assert_eq!(warning.is_some_and(|text| text.contains("can claim every group")), told, "{more:?}");
    }
}
