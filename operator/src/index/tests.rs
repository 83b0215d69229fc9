//! Whose work a change makes: no more than it must.

mod hosts;

use claviger_crds::names;
use claviger_crds::published::{
    Content, Document, ServiceAccountIssuerDocument, Stored, TenantDocument, TenantLifetimes,
};
use claviger_crds::tenant::TenantStatus;

use k8s_openapi::api::core::v1::{Namespace, Secret};

use super::*;
use crate::service_account_issuer::ServiceAccountIssuer;
use crate::testing::{fixtures, parse};

fn name(namespace: &str, name: &str) -> ObjectName {
    ObjectName::new(namespace, name)
}

fn furnished() -> Index {
    let mut index = Index::default();
    index.apply_user(&parse(fixtures::USER));
    index.apply_client(&parse(fixtures::CLIENT));
    index.apply_client(&parse(fixtures::API));
    index.apply_signing_key(&parse(fixtures::SIGNING_KEY));
    index.apply_tenant(&parse(fixtures::TENANT));
    index
}

fn texts(works: BTreeSet<Work>) -> Vec<String> {
    works.iter().map(ToString::to_string).collect()
}

fn tenant_document(slug: &str, owner: &str) -> Secret {
    let tenant = TenantDocument {
        slug: slug.to_owned(),
        issuer: "https://login.example".to_owned(),
        host: None,
        display_name: String::new(),
        lifetimes: TenantLifetimes {
            access_token: 1,
            id_token: 1,
            authorization_code: 1,
            refresh_token: 1,
            refresh_token_idle: 1,
            refresh_token_grace: 1,
            session: 1,
            session_idle: 1,
        },
        scopes: Vec::new(),
        default_signing_key: None,
        login: claviger_crds::published::LoginDocument::default(),
        sealing_keys: Vec::new(),
        service_account_issuer: None,
        trusted_issuers: Vec::new(),
        strict_audience: false,
    };
    let owner = name("identity", owner);
    let mut secret = Document::serving(slug, owner, Content::Tenant(tenant)).to_secret("ns", "uid", 1);
    secret.metadata.uid = Some("uid".to_owned());
    secret
}

#[test]
fn a_tenant_makes_work_for_all_that_belongs_to_it() {
    let mut index = furnished();
    let changed = fixtures::TENANT.replace("displayName: Acme", "displayName: Other");
    let works = texts(index.apply_tenant(&parse(&changed)));
    let expected = [
        "Tenant identity/acme",
        "SigningKey identity/acme-es256",
        "OAuthClient shop/api",
        "OAuthClient shop/shop",
        "User identity/ada",
    ];
    assert_eq!(works, expected);
}

#[test]
fn an_object_that_is_as_before_makes_no_work() {
    let mut index = furnished();
    assert_eq!(texts(index.apply_tenant(&parse(fixtures::TENANT))), Vec::<String>::new());
    let mut client: OAuthClient = parse(fixtures::CLIENT);
    client.metadata.resource_version = Some("7".to_owned());
    assert_eq!(texts(index.apply_client(&client)), Vec::<String>::new());
    client.status = Some(Default::default());
    client.status.as_mut().unwrap().client_id = Some("by hand".to_owned());
    assert_eq!(texts(index.apply_client(&client)), ["OAuthClient shop/shop"], "a foreign status is looked at");
}

#[test]
fn an_api_makes_work_for_those_who_ask_for_it() {
    let mut index = furnished();
    let open = fixtures::API.replace("scopes: [{", "allowedClients: {namespaces: {from: All}}, scopes: [{");
    assert_eq!(texts(index.apply_client(&parse(&open))), ["OAuthClient shop/api", "OAuthClient shop/shop"]);
}

#[test]
fn a_namespace_makes_work_for_its_own_clients_and_only_when_its_labels_change() {
    let mut index = furnished();
    index.apply_client(&parse(&fixtures::CLIENT.replace("namespace: shop}", "namespace: blog}")));
    let namespace = |label: &str| {
        let yaml = format!("metadata: {{name: blog, labels: {{tenant: {label}}}}}");
        serde_saphyr::from_str::<Namespace>(&yaml).unwrap()
    };
    assert_eq!(texts(index.apply_namespace(&namespace("acme"))), ["OAuthClient blog/shop"]);
    assert_eq!(texts(index.apply_namespace(&namespace("acme"))), Vec::<String>::new());
    assert_eq!(index.labels("blog")["tenant"], "acme");
}

#[test]
fn a_published_holder_beats_an_older_rival_and_its_withdrawal_does_not_free_the_name() {
    let mut index = furnished();
    let rival = fixtures::TENANT.replace("name: acme,", "name: aaa,").replace("spec:", "spec:\n  slug: acme");
    index.apply_tenant(&parse(&rival));
    let slug = Claim::Slug("acme".to_owned());
    assert_eq!(index.holder(&slug, "acme"), Some(name("identity", "aaa")), "by name, both being of one age");
    let works = texts(index.apply_published(&tenant_document("acme", "acme")));
    assert_eq!(works[..2], ["Tenant identity/aaa", "Tenant identity/acme"]);
    assert_eq!(index.holder(&slug, "acme"), Some(name("identity", "acme")));
    index.delete_tenant(&name("identity", "acme"));
    assert_eq!(index.holder(&slug, "acme"), Some(name("identity", "acme")));
    assert_eq!(texts(index.ownerless().clone()), ["Tenant identity/acme"]);
}

#[test]
fn a_foreign_edit_is_told_from_a_write_of_ours() {
    let mut index = furnished();
    let ours = tenant_document("acme", "acme");
    index.wrote_published(&ours);
    let at = ours.metadata.name.clone().unwrap();
    index.apply_published(&ours);
    assert!(!index.documents.get(&at).unwrap().tampered());
    let mut theirs = tenant_document("acme", "acme");
    theirs.metadata.labels = None;
    index.apply_published(&theirs);
    assert!(index.documents.get(&at).unwrap().tampered(), "labels are ours");
    index.apply_published(&ours);
    assert!(!index.documents.get(&at).unwrap().tampered());
    index.delete_published(&at);
    assert!(index.documents.get(&at).is_none() && index.documents.lost(&at).is_some());
}

#[test]
fn what_the_watch_shows_is_taken_unless_writes_of_ours_overtook_it() {
    let mut tenants = crate::index::object::Objects::<Tenant>::default();
    let at = |version: &str| {
        let mut tenant = parse::<Tenant>(fixtures::TENANT);
        tenant.metadata.resource_version = Some(version.to_owned());
        tenant
    };
    let own = name("identity", "acme");
    tenants.apply(&at("5"));
    let meta = tenants.get(&own).unwrap().meta.clone();
    tenants.wrote_status(&meta, "6", TenantStatus::default());
    tenants.wrote_status(&meta, "10", TenantStatus::default());
    let version =
        |tenants: &crate::index::object::Objects<Tenant>| tenants.get(&own).unwrap().meta.resource_version.clone();
    assert!(tenants.apply(&at("6")).is_none());
    assert_eq!(version(&tenants), "10", "numbers, not texts");
    tenants.apply(&at("12"));
    tenants.wrote_status(&meta, "11", TenantStatus::default());
    assert_eq!(version(&tenants), "12", "the watch was quicker than the answer");
    tenants.apply(&at("4"));
    assert_eq!(version(&tenants), "4", "a restored cluster counts from where it was");
    tenants.wrote_status(&meta, "13", TenantStatus::default());
    tenants.apply(&at("opaque"));
    assert_eq!(version(&tenants), "opaque");
}

#[test]
fn a_slow_watch_does_not_undo_writes_of_ours_and_a_slow_answer_does_not_hide_an_edit() {
    let mut index = furnished();
    let at = |version: u64, slug: &str| {
        let mut secret = tenant_document(slug, "acme");
        secret.metadata.uid = Some("uid".to_owned());
        secret.metadata.resource_version = Some(version.to_string());
        secret
    };
    let own = at(0, "acme").metadata.name.unwrap();
    let stands = |index: &Index| index.documents.get(&own).unwrap().resource_version.clone();
    index.wrote_published(&at(8, "acme"));
    index.wrote_published(&at(10, "acme"));
    assert!(index.apply_published(&at(8, "acme")).is_empty());
    assert_eq!(stands(&index), "10");
    index.apply_published(&at(10, "acme"));
    let digest = index.documents.get(&own).unwrap().digest;
    index.documents.writing(&own, digest);
    let mut theirs = at(12, "acme");
    theirs.data = None;
    index.apply_published(&theirs);
    index.wrote_published(&at(11, "acme"));
    assert_eq!(stands(&index), "12");
    assert!(index.documents.get(&own).unwrap().tampered());
    index.apply_published(&at(5, "acme"));
    assert_eq!(stands(&index), "5", "a restored cluster counts from where it was");
}

#[test]
fn a_tenants_document_that_was_never_readable_still_says_whose_the_slug_is() {
    let mut index = furnished();
    let rival = fixtures::TENANT.replace("name: acme,", "name: aaa,").replace("spec:", "spec:\n  slug: acme");
    index.apply_tenant(&parse(&rival));
    let mut spoilt = tenant_document("acme", "acme");
    spoilt.data = None;
    index.apply_published(&spoilt);
    let slug = Claim::Slug("acme".to_owned());
    assert_eq!(index.holder(&slug, "acme"), Some(name("identity", "acme")));
}

#[test]
fn a_ring_is_forgotten_by_the_name_of_its_secret() {
    let mut index = furnished();
    let owner = name("identity", "acme-es256");
    let yaml =
        format!("metadata: {{name: {}, annotations: {{claviger.dev/owner: {owner}}}}}", names::ring_secret(&owner));
    let ring = yaml.replace("annotations:", "labels: {claviger.dev/tenant: acme}, annotations:");
    index.apply_ring(&serde_saphyr::from_str::<Secret>(&ring).unwrap());
    assert_eq!(texts(index.delete_ring("ring-of-another")), Vec::<String>::new());
    assert!(index.ring(&owner).is_some());
    assert_eq!(texts(index.delete_ring(&names::ring_secret(&owner))), ["SigningKey identity/acme-es256"]);
    assert!(index.ring(&owner).is_none());
}

/// The document of the Tenant `owner`, which says that the cluster's issuer is `issuer` since then.
fn document_naming(issuer: &str, since: i64, owner: &str, withdrawn: bool) -> Secret {
    let mut stored = Stored::from_secret(&tenant_document(owner, owner)).unwrap();
    let Content::Tenant(tenant) = &mut stored.document.content else { panic!("a Tenant's") };
    let since = Timestamp::from_second(since).unwrap();
    let jwks = serde_json::json!({"keys": []});
    tenant.service_account_issuer =
        Some(ServiceAccountIssuerDocument { issuer: issuer.to_owned(), jwks, since, previous: None });
    stored.document.withdrawn_at = withdrawn.then_some(since);
    stored.document.to_secret("ns", "uid", 1)
}

#[test]
fn a_tombstone_says_nothing_of_the_clusters_issuer() {
    for withdrawn in [false, true] {
        let mut index = furnished();
        let document = document_naming("https://old", 1, "acme", withdrawn);
        index.apply_published(&document);
        let owner = Stored::from_secret(&document).unwrap().document.owner;
        assert_eq!(index.stored_issuer(&owner).is_some(), !withdrawn);
    }
}

#[test]
fn the_last_known_issuer_of_the_cluster_is_the_newest_that_is_served() {
    let known = |index: &Index| index.cluster_issuer(None).map(str::to_owned);
    let old = document_naming("https://old", 1, "acme", false);
    let new = document_naming("https://new", 2, "other", false);
    let withdrawn = document_naming("https://withdrawn", 3, "gone", true);
    for order in [[&old, &new, &withdrawn], [&withdrawn, &new, &old]] {
        let mut index = furnished();
        for secret in order {
            index.apply_published(secret);
        }
        assert_eq!(known(&index).as_deref(), Some("https://new"));
        index.delete_published(new.metadata.name.as_deref().unwrap());
        assert_eq!(known(&index).as_deref(), Some("https://new"), "what vanished is served");
        index.apply_published(&document_naming("https://new", 2, "other", true));
        assert_eq!(known(&index).as_deref(), Some("https://old"));
        index.apply_published(&document_naming("https://old", 1, "acme", true));
        assert_eq!(known(&index), None);
    }
}

#[test]
fn a_tenant_whose_own_document_names_another_cluster_issuer_than_the_newest_is_told_the_true_one() {
    let mut index = furnished();
    let trusted = "{issuer: 'https://old', jwksUri: 'https://old/jwks', subjectRules: [{subject: '*'}]}";
    let declaring = format!("spec:\n  trustedIssuers: [{trusted}]");
    index.apply_tenant(&parse(&fixtures::TENANT.replace("spec:", &declaring)));
    index.apply_published(&document_naming("https://old", 1, "acme", false));
    index.apply_published(&document_naming("https://new", 2, "other", false));
    let issuer = "https://new".to_owned();
    let said = ServiceAccountIssuer { issuer, jwks: serde_json::json!({"keys": []}) };
    let works = texts(index.apply_service_account_issuer(said, Timestamp::UNIX_EPOCH));
    assert!(works.contains(&"Tenant identity/acme".to_owned()), "{works:?}");
}

/// The document of the client `shop/shop`, and its tombstone.
fn client_documents() -> [Secret; 2] {
    let client = serde_json::json!({
        "clientId": "shop.shop", "displayName": "Shop", "applicationType": "web", "consent": "Required",
        "authentication": {"method": "none"}, "requirePkce": true, "idTokenClaims": "Minimal", "accessTokenType": "JWT",
    });
    let content = Content::OAuthClient(serde_json::from_value(client).unwrap());
    let served = Document::serving("acme", name("shop", "shop"), content);
    let withdrawn = Document { withdrawn_at: Some(Timestamp::UNIX_EPOCH), ..served.clone() };
    [(served, 1), (withdrawn, 2)].map(|(document, revision)| document.to_secret("ns", "uid", revision))
}

#[test]
fn what_vanished_and_is_withdrawn_then_leaves_its_place_of_the_quota() {
    let mut index = furnished();
    index.apply_tenant(&parse(&fixtures::TENANT.replace("spec:", "spec:\n  ceilings: {clients: 1}")));
    let [served, withdrawn] = client_documents();
    index.apply_published(&served);
    index.delete_published(served.metadata.name.as_deref().unwrap());
    let works = texts(index.apply_published(&withdrawn));
    assert_eq!(works, ["OAuthClient shop/api", "OAuthClient shop/shop"]);
}
