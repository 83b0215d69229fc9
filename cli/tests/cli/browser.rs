//! As much of a browser as a login needs: cookies, and forms of its own origin, over plain sockets.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// One, with its cookies.
pub(crate) struct Browser {
    /// What it calls the provider.
    host: String,
    /// Where that is.
    pub(crate) address: String,
    pub(crate) cookies: Vec<(String, String)>,
    /// What it has sent or got that nobody else may ever see.
    secrets: BTreeSet<String>,
}

/// Parameters and fields whose values are such.
const SECRET: [&str; 15] = [
    "access_token",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "flow",
    "id_token",
    "id_token_hint",
    "logout_token",
    "password",
    "refresh_token",
    "resume",
    "session_id",
    "statement",
    "token",
];

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Browser {
    /// At whoever listens at `address`, called `host`.
    pub(crate) fn new(host: &str, address: &str) -> Self {
        Self { host: host.to_owned(), address: address.to_owned(), cookies: Vec::new(), secrets: BTreeSet::new() }
    }

    /// Fails where one of its secrets is in `text`.
    pub(crate) fn expect_no_secret(&self, text: &str) {
        assert!(self.secrets.len() > 10, "{:?}", self.secrets);
        for secret in &self.secrets {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }

    fn keep_in_mind(&mut self, text: &str) {
        for (name, value) in text.split(['?', '&']).filter_map(|pair| pair.split_once('=')) {
            if SECRET.contains(&name) && !value.is_empty() {
                self.secrets.insert(value.to_owned());
            }
        }
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, "")
    }

    pub(crate) fn post(&mut self, target: &str, body: &str) -> Answer {
        self.ask("POST", target, body)
    }

    fn ask(&mut self, method: &str, target: &str, body: &str) -> Answer {
        let path = target.strip_prefix(&format!("http://{}", self.host)).unwrap_or(target);
        let request_body = body.to_owned();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nCookie: {1}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {2}\r\n\r\n{body}",
            self.host,
            cookies.join("; "),
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        for cookie in headers(head, "set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
            self.secrets.extend(Some(value.to_owned()).filter(|value| !value.is_empty()));
        }
        let answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
        for text in [path, &request_body, &answer.header("location")] {
            self.keep_in_mind(text);
        }
        if let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(&answer.body) {
            let texts = fields.iter().filter(|(name, _)| SECRET.contains(&name.as_str()));
            self.secrets.extend(texts.filter_map(|(_, value)| value.as_str()).map(str::to_owned));
        }
        answer
    }

    /// From the URL at which a login begins to the one that the application gets, by way of a slip.
    pub(crate) fn log_in(&mut self, begin: &str, password: &str) -> String {
        let page = self.get(begin).header("location");
        let path = page.split('?').next().expect("a path").to_owned();
        let form = self.get(&page).body;
        let wrong = self.post(&path, &format!("flow={}&username=ada&password=letmein", flow(&form)));
        assert_eq!(wrong.status, 200, "{}", wrong.body);
        let right = self.post(&path, &format!("flow={}&username=ada&password={password}", flow(&wrong.body)));
        assert_eq!(right.status, 303, "{}", right.body);
        let next = right.header("location");
        let consent = self.get(&next).body;
        let path = next.split('?').next().expect("a path").to_owned();
        self.post(&path, &format!("flow={}&username=ada&decision=allow", flow(&consent))).header("location")
    }
}

impl Answer {
    /// The header `name`; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        headers(&self.head, name).next().unwrap_or_default().to_owned()
    }
}

fn headers<'a>(head: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The code of the URL that the application gets.
pub(crate) fn code(callback: &str) -> &str {
    let query = callback.split_once('?').unwrap_or_else(|| panic!("no answer: {callback}")).1;
    query.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap_or_else(|| panic!("no code: {callback}"))
}

/// The sealed state of a page's form.
fn flow(page: &str) -> &str {
    let after = page.split("name=\"flow\" value=\"").nth(1).unwrap_or_else(|| panic!("no form: {page}"));
    after.split('"').next().expect("it ends")
}
