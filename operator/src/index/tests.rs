//! Whose work a change makes: no more than it must.

use claviger_crds::published::{Content, Document, TenantDocument, TenantLifetimes};

use k8s_openapi::api::core::v1::{Namespace, Secret};

use super::*;
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
            session: 1,
        },
        scopes: Vec::new(),
        default_signing_key: None,
        login: claviger_crds::published::LoginDocument::default(),
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
