//! Every page, with names that an attacker would choose, in every language.

use std::collections::HashSet;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use http_body_util::BodyExt as _;

use super::consent::{Consent, ReturnTo, Scope};
use super::destination::{Destination, WebAddress};
use super::error::{ErrorPage, Fault, StartAgain};
use super::form_post::FormPost;
use super::language::Language;
use super::logged_out::{LoggedOut, Next};
use super::login::{Account, Login, Problem};
use super::logout::{Asking, LogoutConfirm};
use super::no_login::NoLogin;
use super::select_account::SelectAccount;
use super::text::Text;
use super::{CONSENT, Site, respond};

const ISSUER: &str = "https://id.example/api/v1/auth/tenants/acme";
const LOGO: &str = "https://cdn.example:8443/acme.svg?v=1";

/// What stands in a page, wherever somebody else's text goes.
#[derive(Clone, Copy)]
struct Names {
    tenant: &'static str,
    client: &'static str,
    user: &'static str,
}

const HOSTILE: Names = Names {
    tenant: "</title><script>alert(1)</script>",
    client: "\" onmouseover=\"alert(1)\" style=\"x' onx='y",
    user: "\u{202e}<img src=x onerror=alert(1)>&amp;{{7*7}}",
};
const FRIENDLY: Names = Names { tenant: "Acme", client: "Shop", user: "ada" };

/// Calls `see` with every page in every state.
fn each_page(site: Site<'_>, Names { client, user, .. }: Names, mut see: impl FnMut(&str, Response)) {
    let flow = "sealed\"><b>";
    for (name, account, problem) in [
        ("login", Account::Asked(None), None),
        ("login-hint", Account::Asked(Some(user)), None),
        ("login-refused", Account::Asked(Some(user)), Some(Problem::Refused)),
        ("login-throttled", Account::Asked(Some(user)), Some(Problem::Throttled(Duration::from_secs(30)))),
        ("login-busy", Account::Asked(Some(user)), Some(Problem::Busy)),
        ("login-again", Account::Fixed(user), None),
        ("login-again-refused", Account::Fixed(user), Some(Problem::Refused)),
    ] {
        let page = Login { site, flow, client: Some(client), account, problem };
        see(name, respond(StatusCode::OK, &page));
    }
    see("no-login", respond(StatusCode::OK, &NoLogin { site, flow }));
    let page = SelectAccount { site, flow, client: None, username: user };
    see("select-account", respond(StatusCode::OK, &page));
    let scopes = [
        Scope { name: "openid", description: Some("a lie"), is_api: false },
        Scope { name: "email", description: None, is_api: false },
        Scope { name: "orders:read", description: Some(client), is_api: false },
        Scope { name: "orders:<write>", description: None, is_api: false },
        Scope { name: "https://orders.example", description: Some(client), is_api: true },
    ];
    for (name, redirect_uri) in
        [("consent", "https://shop.example/callback"), ("consent-native", "http://127.0.0.1/cb")]
    {
        let return_to = ReturnTo::of(redirect_uri, true);
        let page = Consent { site, flow, client, username: user, return_to, scopes: &scopes };
        see(name, respond(StatusCode::OK, &page));
    }
    for (name, asking) in [("logout", Asking::First), ("logout-too-late", Asking::TooLate)] {
        see(name, respond(StatusCode::OK, &LogoutConfirm { site, flow, username: Some(user), asking }));
    }
    see("logged-out", respond(StatusCode::OK, &LoggedOut { site, next: None, frames: &[] }));
    let to = Destination::parse("https://shop.example/?a=b&c=';d").unwrap();
    let frames = ["https://b.example/out?sid=1&iss=x", "https://a.example:444/out", "https://b.example/other"];
    let frames = frames.map(|frame| WebAddress::parse(frame).unwrap());
    let page = LoggedOut { site, next: Some(Next { client, to }), frames: &frames };
    see("logged-out-frames", respond(StatusCode::OK, &page));
    let to = WebAddress::parse("https://shop.example/callback?x=1&y=2").unwrap();
    let page = FormPost { site, client, to, parameters: &[("code", "c0de"), ("state", user)] };
    see("form-post", respond(StatusCode::OK, &page));
    for fault in Fault::ALL {
        let start_again = (fault == Fault::Used)
            .then(|| StartAgain { client, at: Destination::parse("https://shop.example/").unwrap() });
        let code = (fault == Fault::BadRequest).then_some("invalid_request");
        let page = ErrorPage { site, fault, code, detail: code.and(Some(user)), request_id: "ab-12", start_again };
        see(&format!("error-{fault:?}"), respond(fault.status(), &page));
    }
}

/// The same in every language, as text.
fn each_text(names: Names, mut see: impl FnMut(Language, &str, &str)) {
    for language in Language::ALL {
        let site = Site::new(ISSUER, names.tenant, None, language);
        each_page(site, names, |name, response| see(language, name, &body(response)));
    }
}

fn body(response: Response) -> String {
    let body = futures::executor::block_on(response.into_body().collect()).unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

/// The start tags of a page: crude, and enough where every `<` and `"` of others is escaped.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    let tags = html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    tags.filter(|tag| !tag.starts_with(['/', '!']))
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

/// The names of a tag's attributes.
fn attributes(tag: &str) -> Vec<String> {
    let outside: Vec<&str> = tag.split('"').step_by(2).collect();
    outside.join(" ").split_ascii_whitespace().skip(1).map(|name| name.trim_end_matches('=').to_lowercase()).collect()
}

fn policy(response: &Response) -> &str {
    response.headers()["content-security-policy"].to_str().unwrap()
}

#[test]
fn nothing_that_a_name_holds_is_markup() {
    let mut shape = Vec::new();
    each_text(FRIENDLY, |_, name, html| {
        shape.push((name.to_owned(), tags(html).map(attributes).collect::<Vec<_>>()));
    });
    let mut shape = shape.into_iter();
    each_text(HOSTILE, |_, name, html| {
        // The same tags with the same attributes, whoever is named in them. The initial may go.
        let initial: fn(&Vec<String>) -> bool = |tag| !tag.contains(&"aria-hidden".to_owned());
        let (friendly, expected) = shape.next().unwrap();
        let found: Vec<_> = tags(html).map(attributes).filter(initial).collect();
        assert_eq!(friendly, name);
        assert_eq!(found, expected.into_iter().filter(initial).collect::<Vec<_>>(), "{name}: {html}");
        assert!(!html.contains("<img") && !html.contains("alert(1)</script>"), "{name}: {html}");
        assert!(!html.contains("{{") || html.contains("{{7*7}}"), "{name}: {html}");
    });
}

#[test]
fn a_name_that_runs_from_right_to_left_turns_nothing_else_round() {
    each_text(HOSTILE, |_, name, html| {
        for (at, _) in html.match_indices('\u{202e}') {
            let before = &html[..at];
            let isolated = before.ends_with("<bdi>") || before.ends_with('"') || before.ends_with("lang=\"en\">");
            assert!(isolated, "{name}: …{}", &before[before.len().saturating_sub(40)..]);
        }
    });
}

#[test]
fn no_page_has_script_or_style_of_its_own() {
    each_text(HOSTILE, |_, name, html| {
        for tag in tags(html) {
            let attributes = attributes(tag);
            assert!(!attributes.iter().any(|name| name == "style" || name.starts_with("on")), "{name}: {tag}");
            assert!(!tag.starts_with("style"), "{name}: {tag}");
            if tag.starts_with("script") {
                assert!(attributes.contains(&"src".to_owned()), "{name}: {tag}");
                assert!(html.contains(&format!("<{tag}></script>")), "{name}: {tag}");
            }
        }
    });
}

#[test]
fn every_field_has_a_label_and_every_id_is_one_of_a_kind() {
    each_text(HOSTILE, |_, name, html| {
        let ids: Vec<&str> = tags(html).filter_map(|tag| attribute(tag, "id")).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{name}: {ids:?}");
        let labels: HashSet<&str> = tags(html).filter_map(|tag| attribute(tag, "for")).collect();
        for tag in tags(html).filter(|tag| tag.starts_with("input") && !tag.contains("type=\"hidden\"")) {
            assert!(labels.contains(attribute(tag, "id").unwrap()), "{name}: {tag}");
        }
        for tag in tags(html) {
            let described = attribute(tag, "aria-describedby");
            assert!(described.is_none_or(|id| ids.contains(&id)), "{name}: {tag}");
        }
        assert!(tags(html).filter(|tag| tag.ends_with(" autofocus")).count() <= 1, "{name}");
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
    });
}

#[test]
fn the_ids_that_tools_rely_on_are_there() {
    let expected: &[(&str, &[&str])] = &[
        ("login", &["login", "tenant", "client", "username", "password", "submit", "cancel"]),
        ("login-refused", &["login", "error"]),
        ("login-throttled", &["login", "error"]),
        ("login-busy", &["login", "error"]),
        ("no-login", &["no-login", "cancel"]),
        ("login-again", &["username", "password", "use-another"]),
        ("select-account", &["select-account", "account", "continue", "use-another"]),
        ("consent", &["consent", "client", "account", "scopes", "return-to", "allow", "deny"]),
        ("consent-native", &["consent", "return-to", "allow", "deny"]),
        ("logout", &["logout-confirm", "yes", "no"]),
        ("logout-too-late", &["logout-confirm", "error", "yes", "no"]),
        ("logged-out", &["logged-out"]),
        ("logged-out-frames", &["logged-out", "continue"]),
        ("form-post", &["form-post", "continue"]),
        ("error-BadRequest", &["error-page", "error", "code", "detail", "request-id"]),
        ("error-Used", &["error-page", "start-again"]),
    ];
    let mut seen = 0;
    each_page(Site::new(ISSUER, "Acme", None, Language::English), FRIENDLY, |name, response| {
        let html = body(response);
        let ids: Vec<&str> = tags(&html).filter_map(|tag| attribute(tag, "id")).collect();
        for (_, needed) in expected.iter().filter(|(page, _)| *page == name) {
            seen += 1;
            assert!(needed.iter().all(|id| ids.contains(id)), "{name}: {ids:?}");
        }
    });
    assert_eq!(seen, expected.len());
}

#[test]
fn a_page_is_in_one_language_and_says_which() {
    for language in Language::ALL {
        each_page(Site::new(ISSUER, "Acme", None, language), FRIENDLY, |name, response| {
            assert_eq!(response.headers()["content-language"], language.tag(), "{name}");
            assert!(body(response).contains(&format!("<html lang=\"{}\">", language.tag())), "{name}");
        });
    }
}

#[test]
fn a_refusal_does_not_tell_which_half_was_wrong() {
    let login = |user, problem| {
        let site = Site::new(ISSUER, "Acme", None, Language::English);
        let page = Login { site, flow: "f", client: None, account: Account::Asked(Some(user)), problem };
        body(respond(StatusCode::OK, &page))
    };
    let [known, unknown] = ["ada", "eve"].map(|user| login(user, Some(Problem::Refused)));
    assert_eq!(known.replace("ada", "eve"), unknown);
    for Text { refused, .. } in Language::ALL.map(Language::text) {
        let told = ["disabled", "locked", "unknown", "exist", "gesperrt", "deaktiviert", "unbekannt", "désactivé"];
        assert!(told.iter().all(|word| !refused.contains(word)), "{refused}");
    }
}

#[test]
fn a_client_cannot_describe_a_standard_scope_or_where_the_answer_goes() {
    each_page(Site::new(ISSUER, "Acme", None, Language::English), FRIENDLY, |name, response| {
        let html = body(response);
        assert!(!html.contains("a lie"), "{name}");
        if name == "consent" {
            assert!(html.contains("<li>Know who you are</li>") && html.contains("<bdi>shop.example</bdi>"), "{html}");
            assert!(html.contains("<code>orders:&#60;write&#62;</code>"), "{html}");
        }
        if name == "consent-native" {
            assert!(html.contains("app on this device") && !html.contains("127.0.0.1"), "{html}");
        }
    });
}

#[test]
fn no_page_is_kept_or_framed() {
    each_page(Site::new(ISSUER, "Acme", Some(LOGO), Language::German), FRIENDLY, |name, response| {
        let headers = response.headers();
        assert_eq!(headers["cache-control"], "no-store", "{name}");
        assert_eq!(headers["x-frame-options"], "DENY", "{name}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8", "{name}");
        let referrer = if name == "form-post" { "strict-origin" } else { "same-origin" };
        assert_eq!(headers["referrer-policy"], referrer, "{name}");
        let retry_after = headers.get("retry-after").map(|wait| wait.to_str().unwrap());
        let expected = match name {
            "login-throttled" => Some("31"),
            "login-busy" => Some("3"),
            "error-Unavailable" => Some("2"),
            _ => None,
        };
        assert_eq!(retry_after, expected, "{name}");
    });
}

#[test]
fn a_policy_allows_what_its_page_needs_and_no_more() {
    each_page(Site::new(ISSUER, "Acme", Some(LOGO), Language::English), FRIENDLY, |name, response| {
        let scripts = match name {
            "form-post" => format!("script-src {ISSUER}/oauth/assets/form-post.js; "),
            "logged-out-frames" => format!("script-src {ISSUER}/oauth/assets/front-channel.js; "),
            _ => String::new(),
        };
        let frames = match name {
            "logged-out-frames" => "frame-src https://a.example:444 https://b.example; ",
            _ => "",
        };
        let expected = format!(
            "default-src 'none'; style-src {ISSUER}/oauth/assets/pages.css; {scripts}\
             img-src https://cdn.example:8443; {frames}base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(policy(&response), expected, "{name}");
    });
}

#[test]
fn an_address_cannot_add_to_the_policy() {
    let shown = |issuer, logo| {
        let site = Site::new(issuer, "Acme", logo, Language::English);
        let page = LogoutConfirm { site, flow: "f", username: None, asking: Asking::First };
        let response = respond(StatusCode::OK, &page);
        (policy(&response).to_owned(), body(response))
    };
    for logo in
        ["https://a;script-src/x", "http://cdn.example/x", "https://[::1]/x", "data:image/png,", "https://a, b/"]
    {
        let (policy, html) = shown(ISSUER, Some(logo));
        assert!(!policy.contains("img-src") && !policy.contains("script-src"), "{policy}");
        assert!(!html.contains("<img"), "{html}");
    }
    // The grammar of sources has no IPv6 addresses.
    let (policy, _) = shown("http://[::1]:8080/api/v1/auth/tenants/acme", None);
    assert!(policy.contains("style-src 'self';"), "{policy}");
}

#[test]
fn more_frames_than_a_header_holds_are_still_framed() {
    let addresses: Vec<String> = (0..200).map(|number| format!("https://client-{number}.example/out")).collect();
    let frames: Vec<_> = addresses.iter().map(|address| WebAddress::parse(address).unwrap()).collect();
    let site = Site::new(ISSUER, "Acme", None, Language::English);
    let response = respond(StatusCode::OK, &LoggedOut { site, next: None, frames: &frames });
    assert!(policy(&response).contains("frame-src https:;"), "{}", policy(&response));
    assert_eq!(body(response).matches("<iframe").count(), 200);
}

#[test]
fn links_begin_at_the_issuer() {
    for (issuer, base) in [(ISSUER, "/api/v1/auth/tenants/acme"), ("https://login.acme.example", "")] {
        let site = Site::new(issuer, "Acme", None, Language::English);
        let consent =
            Consent { site, flow: "f", client: "Shop", username: "ada", return_to: ReturnTo::Device, scopes: &[] };
        let html = body(respond(StatusCode::OK, &consent));
        assert!(html.contains(&format!("href=\"{base}/oauth/assets/pages.css\"")), "{html}");
        assert!(html.contains(&format!("action=\"{base}{CONSENT}\"")), "{html}");
    }
}

#[test]
fn only_a_program_that_proves_nothing_is_called_an_app_on_this_device() {
    for (uri, is_public, expected) in [
        ("https://shop.example/cb", true, ReturnTo::Site("shop.example")),
        ("https://shop.example/cb", false, ReturnTo::Site("shop.example")),
        ("http://127.0.0.1:8081/cb", true, ReturnTo::Device),
        ("http://127.0.0.1:8081/cb", false, ReturnTo::Site("127.0.0.1:8081")),
        ("com.example.app:/cb", true, ReturnTo::Device),
        ("com.example.app:/cb", false, ReturnTo::Device),
    ] {
        assert_eq!(ReturnTo::of(uri, is_public), expected, "{uri} {is_public}");
    }
}

/// "de Acme" has to be "d’Acme", and nobody can tell before which names.
#[test]
fn no_french_sentence_puts_a_name_behind_a_word_that_elides() {
    let names = Names { tenant: "Acme", client: "Orders", user: "ada" };
    each_text(names, |language, page, html| {
        if language == Language::French {
            for word in ["de", "que", "le", "la", "jusque", "lorsque"] {
                assert!(!html.contains(&format!(" {word} <bdi>")), "{page}: {word}: {html}");
            }
        }
    });
}
