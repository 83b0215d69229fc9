//! Hosts that Tenants want and APIs keep: whose work it makes when one changes hands, and whose it does not.

use super::*;

const HOST: &str = "api.shop.example";

/// Another Tenant, which wants [`HOST`].
fn other() -> Tenant {
    parse(&fixtures::TENANT.replace("acme", "other").replace("spec:", &format!("spec:\n  host: {HOST}")))
}

/// The API `name` and its document.
fn api(name: &str) -> (OAuthClient, Secret) {
    let audience = format!("https://{HOST}/{name}");
    let yaml =
        fixtures::API.replace("name: api,", &format!("name: {name},")).replace("https://api.shop.example", &audience);
    (parse(&yaml), api_document("acme", name, &audience))
}

/// The document of the API `shop/<name>`, of the tenant `slug`.
fn api_document(slug: &str, name: &str, audience: &str) -> Secret {
    let client = serde_json::json!({
        "clientId": format!("shop.{name}"), "displayName": "API", "applicationType": "web", "consent": "Required",
        "authentication": {"method": "none"}, "requirePkce": true, "idTokenClaims": "Minimal", "accessTokenType": "JWT",
        "resourceServer": {"audience": audience, "scopes": []},
    });
    let content = Content::OAuthClient(serde_json::from_value(client).unwrap());
    Document::serving(slug, ObjectName::new("shop", name), content).to_secret("ns", "uid", 1)
}

/// The works that are not those of the API `shop/<name>`.
fn of_others(works: &BTreeSet<Work>, name: &str) -> Vec<String> {
    works.iter().filter(|work| work.name != ObjectName::new("shop", name)).map(ToString::to_string).collect()
}

/// The Tenant acme, and the namespace that it lets in.
fn shop() -> Index {
    let mut index = Index::default();
    index.apply_tenant(&parse(fixtures::TENANT));
    let yaml = "metadata: {name: shop, labels: {tenant: acme}}";
    index.apply_namespace(&serde_saphyr::from_str::<Namespace>(yaml).unwrap());
    index
}

/// What is left of the API `name` when it is withdrawn.
fn tombstone(name: &str) -> Secret {
    let mut stored = Stored::from_secret(&api(name).1).unwrap();
    stored.document.withdrawn_at = Some(Timestamp::UNIX_EPOCH);
    stored.document.to_secret("ns", "uid", 2)
}

#[test]
fn one_more_api_at_a_host_that_a_tenant_wants_is_nobody_elses_work() {
    let mut index = shop();
    index.apply_tenant(&other());
    let names: Vec<String> = (0..50).map(|at| format!("api-{at}")).collect();
    for (at, name) in names.iter().enumerate() {
        let (client, document) = api(name);
        index.apply_client(&client);
        let works = index.apply_published(&document);
        let expected = match at {
            // The host is the Tenant's no longer, which did not hold it by a document.
            0 => vec!["Tenant identity/other".to_owned()],
            _ => Vec::new(),
        };
        assert_eq!(of_others(&works, name), expected, "{at}");
    }
    for (at, name) in names.iter().enumerate().rev() {
        index.delete_client(&ObjectName::new("shop", name));
        let document = tombstone(name);
        let works = index.apply_published(&document);
        assert_eq!(of_others(&works, name), Vec::<String>::new(), "its tombstone keeps the host");
        let works = index.delete_published(document.metadata.name.as_deref().unwrap());
        let expected = if at == 0 { vec!["Tenant identity/other".to_owned()] } else { Vec::new() };
        assert_eq!(of_others(&works, name), expected, "{at}");
    }
}

#[test]
fn a_tenant_without_its_host_is_told_when_another_api_is_the_one_it_names() {
    let mut index = shop();
    index.apply_tenant(&other());
    for (name, told) in [("b", true), ("c", false), ("a", true)] {
        let (client, document) = api(name);
        index.apply_client(&client);
        let works = of_others(&index.apply_published(&document), name);
        assert_eq!(works.contains(&"Tenant identity/other".to_owned()), told, "{name}");
    }
    for (name, told) in [("a", true), ("c", false), ("b", true)] {
        index.delete_client(&ObjectName::new("shop", name));
        let document = tombstone(name);
        index.apply_published(&document);
        let works = of_others(&index.delete_published(document.metadata.name.as_deref().unwrap()), name);
        assert_eq!(works.contains(&"Tenant identity/other".to_owned()), told, "{name}");
    }
}

/// What a status says that calls its object accepted and served.
fn said<S: serde::de::DeserializeOwned>() -> Option<S> {
    let holds = |type_: &str| {
        serde_json::json!({
            "type": type_, "status": "True", "reason": type_, "message": "", "observedGeneration": 0,
            "lastTransitionTime": "2026-03-01T12:00:00Z",
        })
    };
    serde_json::from_value(serde_json::json!({"conditions": [holds("Accepted"), holds("Programmed")]})).ok()
}

#[test]
fn where_no_document_is_left_a_host_is_whose_it_was_by_the_statuses() {
    for (api_said, tenant_said, holds) in
        [(false, false, true), (true, false, false), (false, true, true), (true, true, true)]
    {
        let mut index = shop();
        let (mut client, _) = api("api");
        client.status = said().filter(|_| api_said);
        index.apply_client(&client);
        let mut tenant = other();
        tenant.status = said().filter(|_| tenant_said);
        index.apply_tenant(&tenant);
        assert_eq!(index.is_host(HOST), holds, "{api_said} {tenant_said}");
    }
}

#[test]
fn an_api_that_no_longer_says_that_it_is_served_leaves_a_host_that_no_document_keeps() {
    let mut index = shop();
    let (mut client, _) = api("api");
    client.status = said();
    index.apply_client(&client);
    index.apply_tenant(&other());
    client.status = None;
    assert!(texts(index.apply_client(&client)).contains(&"Tenant identity/other".to_owned()));
    assert!(index.is_host(HOST));
}

#[test]
fn a_document_that_comes_back_with_other_names_or_for_another_tenant_tells_who_waits_for_those_it_had() {
    let audience = format!("https://{HOST}/api");
    for (slug, elsewhere, vanishes) in [("acme", "https://other.example", true), ("other", audience.as_str(), false)] {
        let mut index = shop();
        let mut rival = api("api").0;
        rival.metadata.name = Some("rival".to_owned());
        index.apply_client(&rival);
        let document = api_document("acme", "api", &audience);
        index.apply_published(&document);
        if vanishes {
            index.delete_published(document.metadata.name.as_deref().unwrap());
        }
        let works = texts(index.apply_published(&api_document(slug, "api", elsewhere)));
        assert!(works.contains(&"OAuthClient shop/rival".to_owned()), "{slug} {elsewhere}: {works:?}");
    }
}

#[test]
fn a_host_that_a_tenant_held_without_a_document_is_free_when_it_goes() {
    let mut index = shop();
    index.apply_tenant(&other());
    index.apply_client(&parse(fixtures::API));
    index.apply_client(&parse(fixtures::CLIENT));
    assert!(index.is_host(HOST));
    let gone = ["Tenant identity/other", "OAuthClient shop/api", "OAuthClient shop/shop"];
    assert_eq!(texts(index.delete_tenant(&name("identity", "other"))), gone);
    assert_eq!(texts(index.apply_tenant(&other())), gone);
}
