//! As much of the Kubernetes API as a provider reads: one list of Secrets, which never changes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

/// Serves `secrets` until the process ends. Where.
pub(crate) fn serve(secrets: &[Value]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let secrets = secrets.to_vec();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let secrets = secrets.clone();
            thread::spawn(move || answer(&stream, &secrets));
        }
    });
    address
}

/// Answers one request.
fn answer(mut stream: &TcpStream, secrets: &[Value]) {
    let mut head = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(request) = head.next() else { return };
    head.find(String::is_empty);
    if request.contains("watch=true") {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        // Nothing ever happens; the line is open until the provider hangs up.
        wait_for_the_end(stream);
        return;
    }
    // The serving certificate, which is looked for by its name, is not there.
    let items = if request.contains("fieldSelector") { &[] } else { secrets };
    let list = json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": items});
    let (list, kind) = (list.to_string(), "Content-Type: application/json");
    let head = format!("HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", list.len());
    let _ = stream.write_all(format!("{head}{list}").as_bytes());
}

fn wait_for_the_end(stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while lines.next().is_some() {}
}
