//! The table of `table.md`: every combination stands in it once, and ends as it says.

use std::collections::BTreeMap;

use super::world::*;

const TABLE: &str = include_str!("table.md");
const REQUESTED: [&str; 5] = ["none", "access_token", "jwt", "id_token", "refresh_token"];
const AUDIENCES: [(&str, Option<&str>); 4] = [
    ("granted", Some(STOCK)),
    ("none", None),
    ("not exchangeable", Some(CLOSED)),
    ("unknown", Some("https://elsewhere.example")),
];
/// Who asks, and for whom the token is.
const POLICIES: [(&str, &str, &str); 7] = [
    ("allowed", "allowed.app", "allowed.app"),
    ("no rule", "ruleless.app", "ruleless.app"),
    ("API refuses", "refused.app", "refused.app"),
    ("not theirs", "stranger.app", "allowed.app"),
    ("owner allows", "friend.app", "open.app"),
    ("may_act", "stranger.app", "allowed.app"),
    ("stale", "stranger.app", "allowed.app"),
];

type Combination = [&'static str; 4];

/// What the table says of each combination.
fn expected() -> BTreeMap<Combination, String> {
    let all: [Vec<&str>; 4] = [
        Brought::ALL.map(|(name, _)| name).to_vec(),
        REQUESTED.to_vec(),
        AUDIENCES.map(|(name, _)| name).to_vec(),
        POLICIES.map(|(name, ..)| name).to_vec(),
    ];
    let mut expected = BTreeMap::new();
    for line in TABLE.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let named = |column: usize| -> Vec<&str> {
            let names: Vec<&str> = match cells[column] {
                "any" => all[column].clone(),
                names => names.split(", ").collect(),
            };
            let known = |name: &&str| all[column].iter().copied().find(|known| known == name);
            names.iter().map(|name| known(name).unwrap_or_else(|| panic!("{name} in {line}"))).collect()
        };
        for subject in named(0) {
            for requested in named(1) {
                for audience in named(2) {
                    for policy in named(3) {
                        let combination = [subject, requested, audience, policy]
                            .map(|name| all.iter().flatten().copied().find(|known| *known == name).unwrap());
                        let twice = expected.insert(combination, cells[4].to_owned());
                        assert_eq!(twice, None, "{combination:?} stands in the table twice");
                    }
                }
            }
        }
    }
    assert_eq!(expected.len(), all.iter().map(Vec::len).product::<usize>(), "the table is not complete");
    expected
}

#[tokio::test]
async fn every_combination_ends_as_the_table_says() {
    let (world, expected) = (World::new(), expected());
    for (subject, brought) in Brought::ALL {
        for (policy, requester, addressee) in POLICIES {
            let token = match policy {
                "may_act" => world.naming(brought, addressee, requester).await,
                "stale" => world.stale(brought, addressee).await,
                _ => world.token_for(brought, addressee).await,
            };
            for requested in REQUESTED {
                for (audience, target) in AUDIENCES {
                    let kind = token_type(requested);
                    let mut more = Vec::new();
                    more.extend((requested != "none").then_some(("requested_token_type", kind.as_str())));
                    more.extend(target.map(|target| ("audience", target)));
                    let answer = world.exchange(requester, brought, &token, &more).await;
                    let outcome = match answer.status.as_u16() {
                        200 => "issued".to_owned(),
                        400 => answer.error().1,
                        other => panic!("{other}: {}", answer.text()),
                    };
                    let what = [subject, requested, audience, policy];
                    assert_eq!(outcome, expected[&what], "{what:?}: {}", answer.text());
                    if outcome == "issued" {
                        let issued = if requested == "jwt" { "jwt" } else { "access_token" };
                        let json = answer.json();
                        assert_eq!(json["issued_token_type"], token_type(issued), "{what:?}");
                        assert_eq!((&json["token_type"], json.get("refresh_token")), (&"Bearer".into(), None));
                        assert_eq!(json.get("id_token"), None);
                        let claims = answer.claims();
                        assert_eq!((&claims["aud"], &claims["client_id"]), (&STOCK.into(), &requester.into()));
                    }
                }
            }
        }
    }
}
