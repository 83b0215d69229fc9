//! What a log line shows of an account's steps.

use claviger_crds::names::ObjectName;

use super::{observe, plan};
use crate::testing::{Harness, shows};

#[tokio::test]
async fn no_step_shows_a_password() {
    let harness = Harness::furnished().await;
    let password = b"another horse";
    let secret = crate::testing::secret("identity", "ada-password", &[("password", "another horse")]);
    harness.world.put_secret(secret);
    let observed = observe::observe(harness.engine.context(), &ObjectName::new("identity", "ada")).await;
    let observed = observed.unwrap().unwrap();
    let plan = plan::plan(&observed);
    assert!(matches!(plan.document, plan::Intent::Hash(..)));
    for shown in [format!("{observed:?}"), format!("{plan:?}")] {
        assert!(!shows(&shown, password), "{shown}");
    }
}
