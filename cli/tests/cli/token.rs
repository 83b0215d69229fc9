//! `claviger token` at a real provider. The token that proves who asks is one that the provider accepts once
//! (`private_key_jwt`), so whoever does not read its file anew each time is found out.

mod exchange;
mod watch;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use claviger_jose::{Algorithm, PrivateKey};
use claviger_provider::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::support::{Dev, Folder, claviger, parts, refused, stderr, stdout};

const API: &str = "https://orders.shop.example";
/// Of the tokens: short, so that a test can see one end.
const SECONDS: i64 = 8;

/// A tenant, and a workload that proves who it is by `key`.
struct Stage {
    folder: Folder,
    dev: Dev,
    key: PrivateKey,
    scheme: &'static str,
}

/// What an OAuthClient of the namespace shop says, beside how it proves who it is.
fn client(name: &str, key: &PrivateKey, more: &Value) -> String {
    let mut spec = json!({
        "tenantRef": {"name": "acme", "namespace": "identity"},
        "authentication": {"privateKeyJwt": {"jwks": {"keys": [key.public_jwk()]}}},
    });
    for (field, value) in more.as_object().expect("fields") {
        spec[field] = value.clone();
    }
    let metadata = json!({"name": name, "namespace": "shop"});
    json!({"apiVersion": "claviger.dev/v1alpha1", "kind": "OAuthClient", "metadata": metadata, "spec": spec})
        .to_string()
}

/// A JWT of `key`.
fn signed(key: &PrivateKey, claims: &Value) -> String {
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
    header.kid = Some(key.public_jwk().kid().to_string());
    let signing = jsonwebtoken::EncodingKey::from_ec_der(&key.to_pkcs8());
    jsonwebtoken::encode(&header, claims, &signing).expect("a JWT")
}

impl Stage {
    fn build(arguments: &[&str]) -> Self {
        Self::with(arguments, |folder, key| {
            let more = json!({
                "grantTypes": ["client_credentials"], "scopes": ["orders:read", "orders:write"], "audiences": [API],
                "lifetimes": {"accessToken": format!("{SECONDS}s")},
            });
            folder.write("40-workload.yaml", &client("workload", key, &more));
        })
    }

    /// With what is declared beside the quick start.
    fn with(arguments: &[&str], declare: impl FnOnce(&Folder, &PrivateKey)) -> Self {
        let folder = Folder::quickstart();
        let key = PrivateKey::generate(Algorithm::Es256).expect("a key");
        declare(&folder, &key);
        let dev = Dev::launch(&folder, arguments);
        dev.wait_for("Following changes");
        let scheme = if arguments.contains(&"--tls") { "https" } else { "http" };
        let stage = Self { folder, dev, key, scheme };
        stage.renew_proof();
        stage
    }

    fn issuer(&self) -> String {
        format!("{}://{}/api/v1/auth/tenants/acme", self.scheme, self.dev.address)
    }

    fn proof(&self) -> PathBuf {
        self.folder.path().join("proof")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    /// What the kubelet does with a ServiceAccount token.
    fn renew_proof(&self) {
        self.prove("shop.workload");
    }

    /// A proof that whoever shows it is this client.
    fn prove(&self, name: &str) {
        let (end, jti) = (SystemClock.now().as_second() + 120, claviger_jose::random::hex128());
        let claims = json!({"iss": name, "sub": name, "aud": self.issuer(), "exp": end, "jti": jti});
        let beside = self.folder.path().join("proof.new");
        fs::write(&beside, signed(&self.key, &claims)).expect("a file");
        fs::rename(beside, self.proof()).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = claviger();
        command.args(["token", "--issuer", &self.issuer(), "--token-file"]).arg(self.proof()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }
}

#[test]
fn the_token_is_printed_and_nothing_else() {
    let stage = Stage::build(&[]);
    let output = stage.run(&["--scope", "orders:read", "--audience", API, "--client-id", "shop.workload"]);
    let printed = stdout(&output);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{printed}");
    let (header, claims) = parts(printed.strip_suffix('\n').expect("one line"));
    assert_eq!((&header["typ"], &claims["aud"]), (&json!("at+jwt"), &json!(API)), "{claims}");
    assert_eq!((&claims["client_id"], &claims["scope"]), (&json!("shop.workload"), &json!("orders:read")), "{claims}");
}

#[test]
fn a_file_holds_the_token_alone_and_for_its_user_alone() {
    let stage = Stage::build(&[]);
    let file = stage.file().display().to_string();
    let output = stage.run(&["--output", &file]);
    let printed = (output.status.code(), stdout(&output), stderr(&output));
    assert_eq!(printed, (Some(0), String::new(), String::new()));
    let token = fs::read_to_string(&file).expect("a file");
    assert_eq!(parts(&token).1["aud"], API);
    assert_eq!(token.trim(), token);
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);

    // The same proof again is a replay: refused, and the file is as it was.
    let output = stage.run(&["--output", &file]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&file).expect("a file"), token);
}

#[test]
fn a_refusal_says_what_is_wrong_and_what_to_do_and_does_not_show_the_proof() {
    let stage = Stage::build(&[]);
    for (arguments, reason, advice) in [
        (["--audience", "https://other.example"], "invalid_target", "--audience must be"),
        (["--scope", "orders:delete"], "invalid_scope", "--scope must be"),
        (["--client-id", "shop.reports"], "invalid_client", "the token's audience"),
    ] {
        stage.renew_proof();
        let output = stage.run(&arguments);
        let (printed, told) = (stdout(&output), stderr(&output));
        assert_eq!((output.status.code(), printed.as_str()), (Some(1), ""), "{told}");
        let place = format!("claviger: no token from {}/oauth/token: {reason}: ", stage.issuer());
        assert!(told.starts_with(&place) && told.contains(advice), "{told}");
        let proof = fs::read_to_string(stage.proof()).expect("a file");
        assert!(!told.contains(&proof) && told.lines().count() == 1, "{told}");
    }
    fs::remove_file(stage.proof()).expect("a file");
    let told = stderr(&stage.run(&[]));
    assert!(told.contains("--token-file: no token in") && told.contains("serviceAccountToken"), "{told}");
}

#[test]
fn kubectl_gets_what_it_wants_of_a_plugin() {
    let stage = Stage::build(&[]);
    for version in ["v1", "v1beta1"] {
        stage.renew_proof();
        let version = format!("client.authentication.k8s.io/{version}");
        let info = json!({"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": false}});
        let mut command = stage.command(&["--exec-credential"]);
        let output = command.env("KUBERNETES_EXEC_INFO", info.to_string()).output().expect("the program runs");
        let credential: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!((&credential["apiVersion"], &credential["kind"]), (&json!(version), &json!("ExecCredential")));
        let claims = parts(credential["status"]["token"].as_str().expect("a token")).1;
        let end = credential["status"]["expirationTimestamp"].as_str().expect("a time");
        let end: jiff::Timestamp = end.parse().expect("a time");
        assert!((0..=SECONDS).contains(&(claims["exp"].as_i64().expect("a time") - end.as_second())), "{claims}");
    }
}

#[test]
fn a_private_ca_has_to_be_named() {
    let stage = Stage::build(&["--tls"]);
    let output = stage.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(told.contains("certificate") && told.contains("--ca-bundle"), "{told}");
    let ca = stage.folder.path().join("state/ca.pem");
    let output = stage.run(&["--ca-bundle", &ca.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_document_of_another_issuer_gets_no_token() {
    let stage = Stage::build(&[]);
    let other = stage.issuer().replace("127.0.0.1", "localhost");
    let mut command = claviger();
    command.args(["token", "--issuer", &other, "--token-file"]).arg(stage.proof());
    let told = stderr(&refused(&mut command));
    assert!(told.contains("is the document of the issuer http://127.0.0.1:") && told.contains("letter by letter"));
    // It was not used up.
    assert_eq!(stage.run(&[]).status.code(), Some(0));

    let missing = stage.issuer().replace("acme", "acne");
    let mut command = claviger();
    command.args(["token", "--issuer", &missing, "--token-file"]).arg(stage.proof());
    assert!(stderr(&refused(&mut command)).contains("(404): is --issuer right"));
}

/// A server that gives every request this answer.
fn server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    url
}

#[test]
fn a_server_that_sends_elsewhere_or_sends_too_much_is_left() {
    let folder = Folder::new();
    folder.write("proof", "not.a.secret");
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![b' '; 1 << 20]].concat();
    let elsewhere = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec();
    for (answer, reason) in [(elsewhere, "redirects (302 Found)"), (endless, "more than 262144 bytes")] {
        let mut command = claviger();
        command.args(["token", "--issuer", &server(answer), "--token-file"]).arg(folder.yaml().join("proof"));
        let output = refused(&mut command);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}
