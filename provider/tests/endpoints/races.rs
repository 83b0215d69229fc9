//! Many at once, at two providers that share a store: what may happen once happens once.

use std::collections::BTreeSet;
use std::sync::Arc;

use claviger_crds::published::Document;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::away::finished;
use crate::browser::{ADAS_PASSWORD, Browser};
use crate::code_flow::*;
use crate::database::Database;
use crate::fixture::*;

const MANY: usize = 100;

fn pods(database: &Database) -> [Arc<Fixture>; 2] {
    let documents: Vec<Document> = vec![
        tenant_with_logins("acme"),
        ring("acme", "es256", "ES256"),
        app("acme", "shop.app", |_| {}),
        user("acme", "ada", ADAS_PASSWORD),
    ];
    [(); 2].map(|()| Arc::new(Fixture::remembering_in(database.store.clone(), &documents)))
}

/// What `ask` is answered, so many times at once, by turns at each pod.
async fn at_once<F: Future<Output = Answer> + Send + 'static>(
    pods: &[Arc<Fixture>; 2],
    many: usize,
    ask: impl Fn(Arc<Fixture>) -> F,
) -> Vec<Answer> {
    let mut asking = JoinSet::new();
    for number in 0..many {
        asking.spawn(ask(pods[number % 2].clone()));
    }
    asking.join_all().await
}

fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", answer.text())).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_redemptions_of_one_code_one_wins_and_the_grant_ends() {
    let database = Database::new();
    let pods = pods(&database);
    let code = Browser::new(&pods[0]).code(&authorize(&[])).await;
    let answers = at_once(&pods, MANY, |pod| {
        let code = code.clone();
        async move { redeem(&pod, &code).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.await.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, MANY - 1));
    for answer in lost {
        assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
    }
    assert_eq!(database.counts()["grants"], 1);
    // Whoever else had the code may be the one that won: RFC 6749 §4.1.2.
    let refreshed = refresh(&pods[1], &text(&won[0], "refresh_token")).await;
    assert_eq!(refreshed.error(), (400, "invalid_grant".to_owned()));
    let access_token = text(&won[0], "access_token");
    assert_eq!(pods[0].bearer("acme", "/oauth/userinfo", &access_token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_refreshes_of_one_token_all_get_the_one_successor() {
    let database = Database::new();
    let pods = pods(&database);
    let token = tokens(&pods[0], &[]).await["refresh_token"].as_str().unwrap().to_owned();
    let answers = at_once(&pods, MANY, |pod| {
        let token = token.clone();
        async move { refresh(&pod, &token).await }
    })
    .await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let successors: BTreeSet<String> = answers.iter().map(|answer| text(answer, "refresh_token")).collect();
    assert_eq!(successors.len(), 1, "one rotation");
    let access_tokens: BTreeSet<String> = answers.iter().map(|answer| text(answer, "access_token")).collect();
    assert_eq!(access_tokens.len(), MANY, "each its own");
    let next = refresh(&pods[1], successors.first().unwrap()).await;
    assert_eq!(next.status, 200, "and nobody was taken for a thief: {}", next.text());
    for pod in &pods {
        pod.advance(11);
    }
    let late = at_once(&pods, MANY, |pod| {
        let token = token.clone();
        async move { refresh(&pod, &token).await }
    });
    for answer in late.await {
        assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
    }
    let ended = refresh(&pods[0], &text(&next, "refresh_token")).await;
    assert_eq!(ended.error(), (400, "invalid_grant".to_owned()), "late it is reuse, and ends the grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_completions_of_one_login_one_gets_a_code() {
    let database = Database::new();
    let pods = pods(&database);
    for many in [2, MANY] {
        let (browser, body) = finished(&pods[0]).await;
        let cookies = browser.cookies.clone();
        let answers = at_once(&pods, many, |pod| {
            let (cookies, body): (_, Value) = (cookies.clone(), body.clone());
            async move {
                let mut browser = Browser::new(&pod);
                browser.cookies = cookies;
                browser.post_json(&format!("{}/oauth/authorize/complete", issuer("acme")), &body).await
            }
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.await.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, many - 1));
        for answer in lost {
            assert_eq!(answer.error(), (400, "already_used".to_owned()));
        }
        assert_eq!(redeem(&pods[1], &text(&won[0], "code")).await.status, 200);
    }
}
