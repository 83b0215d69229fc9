//! What a log line shows of a client's steps.

use claviger_crds::names::ObjectName;

use super::secrets::Drawn;
use super::{observe, plan};
use crate::testing::{Harness, shows};

#[tokio::test]
async fn no_step_shows_a_secret() {
    let harness = Harness::furnished().await;
    let name = ObjectName::new("shop", "shop");
    let at = ObjectName::new("shop", "shop-oidc");
    let mut secret = harness.world.secret(&at).unwrap();
    let value = secret.data.as_ref().unwrap()["client_secret"].0.clone();
    // Something is to be written, so that the plan holds the Secret too.
    secret.metadata.annotations = None;
    harness.world.put_secret(secret);
    let context = harness.engine.context();
    let mut observed = observe::observe(context, &name).await.unwrap().unwrap();
    observed.earlier = observed.secret.clone();
    let plan = plan::plan(&observed, context.now(), Drawn::draw());
    assert!(matches!(plan.credentials, super::credentials::Credentials::Write { .. }) && plan.outgrown.is_some());
    for shown in [format!("{observed:?}"), format!("{plan:?}")] {
        assert!(shown.contains("shop/shop-oidc"), "{shown}");
        assert!(!shows(&shown, &value), "{shown}");
    }
}
