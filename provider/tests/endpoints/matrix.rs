//! Everything that is handed out, tried everywhere: by another tenant, by another client of the same
//! tenant, and at home for what it is not. Refused, each with its own words, with no trace in the
//! store, and nobody whom it belongs to loses anything.
//!
//! Both lists are complete by what the product says of itself: what is sealed and signed has a
//! purpose and a type, and requests have the fields that `/openapi.json` describes.

mod artefact;
mod slot;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use claviger_crds::published::{
    ClientAuthentication, ConsentPolicy, Content, Document, LoginUiDocument, TenantDocument,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use self::artefact::{Artefact, Held, redeem_as, told_at};
pub(crate) use self::slot::PLAIN;
use self::slot::{Refusal, Slot, Target, UNDESCRIBED};
use crate::assertions::{ClientKey, asserted, machine};
use crate::browser::{ADAS_PASSWORD, Browser, form};
use crate::capture::Capture;
use crate::code_flow::*;
use crate::database::Database;
use crate::exchange::{BEARER, EXCHANGE, STOCK, every_kind, rule};
use crate::fixture::*;
use crate::foreign::{by_accounts, trust_ci, trust_cluster};
use crate::operations::operations;

/// Ada's at `acme`; at `other` somebody of that name has another.
const PASSWORD: &str = ADAS_PASSWORD;
const OTHERS_PASSWORD: &str = "other horse";

/// Who tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stranger {
    /// Another tenant, with the same names in it.
    Tenant,
    /// Another client of the same tenant.
    Client,
    /// The owner himself, or who has stolen it, for another purpose than its own.
    Misuse,
}

impl Stranger {
    const ALL: [Self; 3] = [Self::Tenant, Self::Client, Self::Misuse];

    fn slug(self) -> &'static str {
        if self == Self::Tenant { "other" } else { "acme" }
    }

    fn client(self) -> &'static str {
        if self == Self::Client { "mate.app" } else { "shop.app" }
    }
}

/// Of the clients: each has another.
struct Secrets {
    client: String,
    mate: String,
    other: String,
    /// Of the cluster and of the CI system, which both tenants trust.
    cluster: ClientKey,
    ci: ClientKey,
    /// The tenants as they are, and how often they were changed.
    tenants: Vec<TenantDocument>,
    revision: AtomicU64,
}

impl Secrets {
    fn new() -> Self {
        let [client, mate, other] = [(); 3].map(|()| claviger_jose::random::hex128());
        let (cluster, ci) = (ClientKey::new(), ClientKey::new());
        let tenants = ["acme", "other"].map(|slug| {
            let mut tenant = tenant_document(slug);
            tenant.login.passwords = true;
            trust_cluster(&mut tenant, &cluster);
            trust_ci(&mut tenant, &ci);
            tenant
        });
        Self { client, mate, other, cluster, ci, tenants: tenants.to_vec(), revision: AtomicU64::new(1) }
    }

    fn of(&self, stranger: Stranger) -> &str {
        match stranger {
            Stranger::Tenant => &self.other,
            Stranger::Client => &self.mate,
            Stranger::Misuse => &self.client,
        }
    }

    /// Has people of both tenants log in at a UI of the tenant's own, or at the provider's.
    fn use_login_ui(&self, fixture: &Fixture, own: bool) {
        let revision = self.revision.fetch_add(1, Ordering::Relaxed) + 1;
        for tenant in &self.tenants {
            let mut tenant = tenant.clone();
            let url = "https://accounts.example/login".to_owned();
            tenant.login.ui = own.then(|| LoginUiDocument { url, client_id: "ui.app".to_owned() });
            fixture.apply(&serving(&tenant.slug.clone(), &tenant.slug.clone(), Content::Tenant(tenant)), revision);
        }
    }

    fn password_at(&self, slug: &str) -> &'static str {
        if slug == "acme" { PASSWORD } else { OTHERS_PASSWORD }
    }
}

fn by_secret(secret: &str) -> ClientAuthentication {
    ClientAuthentication::Secret { hashes: vec![hash(secret, None)] }
}

/// An application that may exchange whatever is for it.
fn exchanging(slug: &str, id: &str, secret: &str) -> Document {
    app(slug, id, |app| {
        app.authentication = by_secret(secret);
        app.grant_types.extend(["client_credentials".to_owned(), EXCHANGE.to_owned(), BEARER.to_owned()]);
        let mut api = audience(STOCK, &[]);
        api.token_exchange = true;
        app.audiences = vec![api];
        app.token_exchange = vec![rule(&every_kind())];
    })
}

fn documents(secrets: &Secrets, key: &ClientKey) -> Vec<Document> {
    let of = |tenant: &TenantDocument, secret: &str, password: &str, key: &ClientKey| {
        let slug = tenant.slug.as_str();
        let proving = |id: &str| {
            let mut document = client_document(id);
            document.authentication = by_secret(secret);
            serving(slug, id, Content::OAuthClient(document))
        };
        [
            serving(slug, slug, Content::Tenant(tenant.clone())),
            ring(slug, "es256", "ES256"),
            exchanging(slug, "shop.app", secret),
            app(slug, "pods.app", |app| app.authentication = by_accounts(&["shop/billing"])),
            proving("machine.app"),
            proving("ui.app"),
            machine(slug, "jwt.app", key),
            user(slug, "ada", password),
        ]
    };
    let mate = exchanging("acme", "mate.app", &secrets.mate);
    let theirs = of(&secrets.tenants[1], &secrets.other, OTHERS_PASSWORD, &ClientKey::new());
    of(&secrets.tenants[0], &secrets.client, PASSWORD, key).into_iter().chain(theirs).chain([mate]).collect()
}

/// What a client hears after a logout of Ada's.
async fn logout_token(fixture: &Fixture) -> String {
    let (uri, heard) = crate::logout::receiver(&[200]).await;
    fixture.apply(&told_at(&uri, SECRET), 1);
    let mut browser = Browser::new(fixture);
    let code = browser.code(&authorize(&[("client_id", "told.app")])).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(fixture.token("acme", ("told.app", SECRET), &form(&fields)).await.status, 200);
    let page = browser.get(&format!("{}/oauth/logout", issuer("acme"))).await;
    browser.press(&page, "decision", "yes").await;
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(Arc::clone(&fixture.provider).work(shutdown.clone()));
    while heard.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Its outcome is written after the answer.
    tokio::time::sleep(Duration::from_millis(200)).await;
    shutdown.cancel();
    work.await.unwrap();
    let heard = heard.lock().unwrap()[0].clone();
    heard.split("logout_token=").nth(1).unwrap().trim().to_owned()
}

/// Every place of every operation where something of the matrix could be put.
async fn slots(fixture: &Fixture) -> Vec<Slot> {
    let described = operations(fixture).await;
    let described =
        described.iter().flat_map(|operation| operation.fields.iter().map(|field| Slot::new(&operation.name, field)));
    let undescribed = UNDESCRIBED.iter().map(|(operation, field)| Slot::new(operation, field));
    let slots: Vec<Slot> = described.chain(undescribed).filter(|slot| !slot.is_plain()).collect();
    assert!(slots.len() >= 28, "{slots:?}");
    slots
}

/// How this try has to end; none where it would be right, or where there is no such try.
fn expected(artefact: Artefact, slot: &Slot, stranger: Stranger) -> Option<Refusal> {
    let is_his = stranger == Stranger::Misuse && slot.is_for(artefact);
    let is_nobodys = stranger == Stranger::Client && !slot.has_client();
    // Each wrong one would count, and soon none would be looked at.
    // It is the job's, for the tenant: whoever has a rule for such tokens may bring it.
    let is_jobs = artefact == Artefact::JobToken
        && stranger != Stranger::Tenant
        && matches!(slot.field.as_str(), "body subject_token" | "body actor_token" | "body assertion");
    let is_guess = slot.field == "body password" && artefact != Artefact::Password;
    if is_his || is_nobodys || is_jobs || is_guess {
        return None;
    }
    Some(match (artefact, stranger, slot.field.as_str()) {
        // It is a token of this tenant, and about no person.
        (Artefact::MachinesToken, Stranger::Misuse, "header authorization" | "body access_token")
            if slot.operation.ends_with("/oauth/userinfo") =>
        {
            Refusal::Bearer(403, "insufficient_scope")
        }
        // It is finished, and not for this client.
        (Artefact::SessionId, Stranger::Client, "body session_id") => Refusal::Error(400, "invalid_request"),
        (_, Stranger::Client, "body flow") => Refusal::Error(400, "unauthorized_client"),
        // What is no token at all is a mistake, of which the application is told.
        (_, _, "query id_token_hint" | "body id_token_hint")
            if slot.operation.ends_with("/oauth/authorize") && !artefact.is_token() =>
        {
            Refusal::Redirect("invalid_request")
        }
        _ => slot.refusal(),
    })
}

/// What the audit stream says of a refused try: of most nothing, for nobody has done anything but, perhaps,
/// fail to prove to be a client or bring a token in vain.
fn check_audit(events: &[Value], refusal: &Refusal, slot: &Slot, what: &str) {
    let is_unproven = |event: &&Value| {
        ["client_authentication", "token"].iter().any(|name| event["event"] == **name) && event["outcome"] == "refused"
    };
    let events: Vec<_> = events.iter().filter(|event| !is_unproven(event)).collect();
    if *refusal != Refusal::LoginPage {
        assert!(events.is_empty(), "{what}: {events:?}");
        return;
    }
    assert_eq!(events.len(), 1, "{what}: {events:?}");
    let event = events[0];
    let told = [&event["event"], &event["tenant"], &event["subject"], &event["outcome"]];
    // Its own Ada, at whom the password was tried. A name that is nobody's is not told.
    let subject = if slot.field == "body password" { "usr_ada" } else { "" };
    assert_eq!(told, ["login", "other", subject, "refused"], "{what}");
}

#[tokio::test]
async fn whatever_is_handed_out_is_worth_nothing_anywhere_else() {
    let (database, secrets, key) = (Database::new(), Secrets::new(), ClientKey::new());
    let fixture = Fixture::remembering_in(database.store.clone(), &documents(&secrets, &key));
    let held = Held::at(&fixture, &key, &secrets).await;
    let capture = Capture::begin();
    let (mut tries, mut before) = (0, database.rows("%"));
    for slot in slots(&fixture).await {
        secrets.use_login_ui(&fixture, slot.is_of_login_ui());
        for stranger in Stranger::ALL {
            for &artefact in Artefact::ALL {
                let Some(refusal) = expected(artefact, &slot, stranger) else { continue };
                let what = format!("{artefact:?} as {slot:?} by {stranger:?}");
                let target = Target { fixture: &fixture, stranger, secrets: &secrets, artefact };
                let answer = slot.send(&target, &held, held.text(artefact)).await;
                refusal.check(&answer, &what);
                check_audit(&capture.take_audit(), &refusal, &slot, &what);
                let mut after = database.rows("%");
                if refusal == Refusal::LoginPage {
                    let failures = after.remove("login_failures").unwrap();
                    assert!(!failures.is_empty(), "they are counted");
                    before.remove("login_failures");
                }
                assert_eq!(before, after, "{what} left a trace");
                before = database.rows("%");
                tries += 1;
            }
        }
    }
    assert!(tries > 700, "{tries}");
    secrets.use_login_ui(&fixture, false);
    everything_is_worth_what_it_was(&fixture, held, &secrets).await;
}

/// Nobody who tried has spoilt it for whom it belongs to.
async fn everything_is_worth_what_it_was(fixture: &Fixture, held: Held<'_>, secrets: &Secrets) {
    let text = |artefact| held.text(artefact).to_owned();
    let shop = ("shop.app", secrets.client.as_str());
    for code in [Artefact::Code, Artefact::KeptCode] {
        assert_eq!(redeem_as(fixture, secrets, &text(code)).await.status, 200, "{code:?}");
    }
    let refresh = text(Artefact::RefreshToken);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    assert_eq!(fixture.token("acme", shop, &form(&fields)).await.status, 200);
    assert_eq!(fixture.bearer("acme", "/oauth/userinfo", &text(Artefact::AccessToken)).await.status, 200);
    let machine = ("machine.app", secrets.client.as_str());
    let machines = text(Artefact::MachinesToken);
    let seen = fixture.post_form("acme", "/oauth/introspect", machine, &[("token", &machines)]).await;
    assert_eq!(seen.json()["active"], true);
    let grant = [("grant_type", "client_credentials")];
    assert_eq!(asserted(fixture, "/oauth/token", &text(Artefact::ClientAssertion), &grant).await.status, 200);

    let texts = [Artefact::Flow, Artefact::KeptFlow, Artefact::LogoutResumed].map(text);
    let (asked, hint, session_id) = (text(Artefact::LogoutAsked), text(Artefact::IdToken), text(Artefact::SessionId));
    let statement = text(Artefact::Statement);
    let Held { mut browser, mut finished, .. } = held;
    let mut body: Value = request(&[]).into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    body["session_id"] = session_id.into();
    let complete = format!("{}/oauth/authorize/complete", issuer("acme"));
    assert_eq!(finished.post_json(&complete, &body).await.status, 200);
    let url = |path: &str| format!("{}/oauth/{path}", issuer("acme"));
    for flow in &texts[..2] {
        assert!(browser.get(&format!("{}?flow={flow}", url("login"))).await.is_page("login"));
    }
    secrets.use_login_ui(fixture, true);
    let back = format!("{}?flow={}&statement={statement}", url("login/return"), texts[0]);
    assert!(browser.get(&back).await.redirected("code").is_some());
    secrets.use_login_ui(fixture, false);
    let page = browser.get(&format!("{}?flow={}", url("logout/resume"), texts[2])).await;
    assert!(page.is_page("logout-confirm") && page.text().contains("ada"), "{}", page.text());
    let named = browser.get(&authorize(&[("prompt", "none"), ("id_token_hint", &hint)])).await;
    assert!(named.redirected("code").is_some());
    let fields = [("flow", asked.as_str()), ("decision", "yes")];
    assert!(browser.post(&url("logout/confirm"), &fields).await.is_page("logged-out"));
}

#[tokio::test]
async fn consent_is_one_persons_for_one_client_of_one_tenant() {
    let of = |slug: &str| {
        let asking = |id: &str| app(slug, id, |app| app.consent = ConsentPolicy::Required);
        let people = [user(slug, "ada", PASSWORD), user(slug, "bob", PASSWORD)];
        let [ada, bob] = people;
        [tenant_with_logins(slug), ring(slug, "es256", "ES256"), asking("shop.app"), asking("mate.app"), ada, bob]
    };
    let database = Database::new();
    let documents: Vec<Document> = of("acme").into_iter().chain(of("other")).collect();
    let fixture = Fixture::remembering_in(database.store.clone(), &documents);
    let before = database.rows("other");
    Browser::new(&fixture).code(&authorize(&[])).await;
    assert_eq!(database.rows("other"), before);
    for (slug, client, username, asked) in [
        ("acme", "shop.app", "ada", false),
        ("acme", "shop.app", "bob", true),
        ("acme", "mate.app", "ada", true),
        ("other", "shop.app", "ada", true),
    ] {
        let mut browser = Browser::new(&fixture);
        let page = browser.open(&authorize_at(slug, &[("client_id", client)])).await;
        let answer = browser.log_in(&page, username, PASSWORD).await;
        assert_eq!(answer.is_page("consent"), asked, "{slug} {client} {username}");
    }
}
