//! Tokens that come and go are told to nobody.

use super::world::*;
use crate::assertions::ClientKey;
use crate::capture::Capture;
use crate::fixture::*;
use crate::foreign::*;

#[tokio::test]
async fn no_token_is_logged_counted_or_audited_whatever_becomes_of_it() {
    let (world, capture) = (World::new(), Capture::begin());
    let mut tokens = Vec::new();
    for (_, brought) in Brought::ALL {
        for requester in ["allowed.app", "ruleless.app", "refused.app", "stranger.app"] {
            let token = world.token_for(brought, "allowed.app").await;
            let answer = world.exchange(requester, brought, &token, &[]).await;
            tokens.extend(answer.json()["access_token"].as_str().map(str::to_owned));
            tokens.push(token);
        }
    }
    let pod = account("shop", "billing", &issuer("acme"));
    for assertion in [world.cluster.sign(&pod), ClientKey::new().sign(&pod), world.ci.sign(&job("x"))] {
        let fields = [("grant_type", "client_credentials")];
        crate::assertions::asserted(&world.fixture, "/oauth/token", &assertion, &fields).await;
        tokens.push(assertion);
    }
    let (heard, counted) = (capture.text(), world.fixture.metrics());
    assert!(heard.contains("token-exchange") && heard.contains("no token"), "there is something to search");
    for token in &tokens {
        // A JWT's header is everybody's; what follows is its own.
        for part in token.split('.').skip(usize::from(token.contains('.'))).filter(|part| part.len() > 20) {
            assert!(!heard.contains(part) && !counted.contains(part), "{part} of {token}");
        }
    }
    assert!(tokens.len() > 25);
}
