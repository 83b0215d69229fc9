use super::*;

fn owner() -> ObjectName {
    ObjectName::new("identity", "acme")
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn secret() -> Secret {
    Sealing::new("acme", first(now())).to_secret("claviger-system", &owner(), None)
}

/// The Secret after an edit of its JSON.
fn edited(edit: impl FnOnce(&mut serde_json::Value)) -> Secret {
    let mut secret = secret();
    let bytes = secret.data.as_mut().unwrap().get_mut(DATA_KEY).unwrap();
    let mut value = serde_json::from_slice(&bytes.0).unwrap();
    edit(&mut value);
    bytes.0 = serde_json::to_vec(&value).unwrap();
    secret
}

#[test]
fn the_first_keys_are_one_that_seals_and_one_that_stands_by() {
    let keys = first(now());
    let phases: Vec<_> = keys.iter().map(|key| (key.phase, key.active_at)).collect();
    assert_eq!(phases, [(SealingPhase::Published, None), (SealingPhase::Active, Some(now()))]);
    assert!(usable(&keys) && keys[0].key != keys[1].key);
    assert!(keys.iter().all(|key| key.id.len() == 12 && key.id.chars().all(|c| c.is_ascii_hexdigit())));
    assert_ne!(first(now()), keys, "nobody else's are the same");
}

#[test]
fn what_is_stored_is_read_back_whole_and_labelled() {
    let secret = secret();
    assert_eq!(secret.metadata.name.as_deref(), Some(names::sealing_secret(&owner()).as_str()));
    assert_eq!(secret.metadata.labels.as_ref().unwrap()[names::LABEL_HOLDS], "sealing");
    let (sealing, metadata) = Sealing::from_secret(secret.clone()).unwrap();
    assert_eq!(sealing.to_secret("claviger-system", &owner(), Some(&metadata)), secret);
}

#[test]
fn the_wire_form_stays_as_it_is() {
    let stored = r#"{"version":1,"tenant":"acme","later":1,"keys":[{"id":"08d4e6b1a35f","phase":"Active",
        "key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","publishedAt":"2026-01-01T00:00:00Z",
        "activeAt":"2026-01-01T00:00:00Z","later":1}]}"#;
    let secret = edited(|value| *value = serde_json::from_str(stored).unwrap());
    let (sealing, _) = Sealing::from_secret(secret).unwrap();
    assert_eq!((sealing.tenant.as_str(), sealing.keys.len()), ("acme", 1));
}

#[test]
fn keys_that_no_provider_could_use_are_refused_and_not_shown() {
    let refused = |edit: fn(&mut serde_json::Value)| Sealing::from_secret(edited(edit)).unwrap_err();
    assert_eq!(refused(|value| value["version"] = 2.into()), SealingError::Newer(2));
    assert_eq!(refused(|value| value["keys"] = serde_json::json!([])), SealingError::Unusable);
    assert_eq!(refused(|value| value["keys"][0]["phase"] = "Active".into()), SealingError::Unusable);
    assert_eq!(refused(|value| value["keys"][1]["phase"] = "Retiring".into()), SealingError::Unusable);
    assert_eq!(refused(|value| value["keys"][1]["key"] = "c2hvcnQ=".into()), SealingError::Unusable);
    assert_eq!(refused(|value| value["keys"][1]["key"] = "not base64".into()), SealingError::Unusable);
    assert_eq!(refused(|value| value["keys"][1]["id"] = value["keys"][0]["id"].clone()), SealingError::Unusable);
    let error = refused(|value| value["keys"] = "hunter2".into());
    assert!(matches!(error, SealingError::Shape { .. }) && !error.to_string().contains("hunter2"), "{error}");
    assert_eq!(Sealing::from_secret(Secret { data: None, ..secret() }).unwrap_err(), SealingError::Missing);
}

#[test]
fn what_is_logged_shows_no_key() {
    let (sealing, _) = Sealing::from_secret(secret()).unwrap();
    let key = sealing.keys[0].key.expose().to_owned();
    assert!(
        !format!("{sealing:?} {:?}", Keys::Stored(Box::new((sealing.clone(), ObjectMeta::default())))).contains(&key)
    );
}

/// An engine that has seen a Tenant `acme`, and what it knows of it.
fn seen(harness: &crate::testing::Harness) -> crate::index::object::Meta {
    let context = harness.engine.context();
    context.with(|state| state.index.tenants.get(&owner()).unwrap().meta.clone())
}

#[tokio::test]
async fn who_comes_second_writes_nothing_and_reads_again() {
    let harness = crate::testing::Harness::furnished().await;
    let at = ObjectName::new(crate::testing::OPERATOR, names::sealing_secret(&owner()));
    let before = harness.world.secret(&at);
    let keys = Keys::Missing { published: Vec::new() };
    let result = stand(harness.engine.context(), &seen(&harness), "acme", keys, 0).await;
    assert_eq!(result.unwrap_err(), crate::error::StepError::Outdated("the sealing keys"));
    assert_eq!(harness.world.secret(&at), before);
}

#[tokio::test]
async fn an_old_leader_does_not_replace_the_keys_of_the_tenant_that_came_after_the_one_it_knows() {
    let harness = crate::testing::Harness::furnished().await;
    let at = ObjectName::new(crate::testing::OPERATOR, names::sealing_secret(&owner()));
    let before = harness.world.secret(&at);
    let old = crate::index::object::Meta { uid: "of-before".to_owned(), ..seen(&harness) };
    let metadata = Box::new(before.clone().unwrap().metadata);
    let result = stand(harness.engine.context(), &old, "old-slug", Keys::OfAnother { metadata }, 0).await;
    assert_eq!(result.unwrap_err(), crate::error::StepError::Outdated("the Tenant"));
    assert_eq!(harness.world.secret(&at), before);
}
