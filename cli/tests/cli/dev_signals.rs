//! What a second signal ends, and what it does not.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Dev, Folder, eventually};

const TOKEN: &str = "/api/v1/auth/tenants/acme/oauth/token";
/// More than a pipe holds, and less than what the stream keeps in memory besides.
const TOKENS: usize = 400;

/// A reader of the audit stream that reads nothing before it is let.
fn slow_reader(folder: &Folder) -> (mpsc::Sender<()>, thread::JoinHandle<String>) {
    assert_eq!(Dev::start(folder).terminate(), 0, "there is a state folder");
    let path = folder.path().join("state/audit.log");
    std::fs::remove_file(&path).expect("a file");
    assert!(Command::new("mkfifo").arg("-m600").arg(&path).status().expect("mkfifo runs").success());
    let (let_read, may_read) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut pipe = File::open(path).expect("a pipe");
        may_read.recv().expect("it is let");
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("UTF-8");
        text
    });
    (let_read, reader)
}

fn secret(folder: &Folder) -> String {
    let text = std::fs::read_to_string(folder.path().join("state/secrets/shop/reports-oidc.yaml")).expect("a Secret");
    let line = text.lines().find(|line| line.contains("client_secret:")).expect("a secret");
    line.split('"').nth(1).expect("in quotes").to_owned()
}

fn request(dev: &Dev, body: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(&dev.address).expect("it listens");
    let head = format!(
        "POST {TOKEN} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}",
        dev.address
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    stream
}

/// Has so many tokens issued, and begins a request that never comes to its end: the first signal waits for it.
fn busy(dev: &Dev, folder: &Folder) -> TcpStream {
    let body = format!("grant_type=client_credentials&client_id=shop.reports&client_secret={}", secret(folder));
    for _ in 0..TOKENS {
        let mut answer = String::new();
        request(dev, &body, body.len()).read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let unfinished = request(dev, "grant_type=", 100);
    thread::sleep(Duration::from_millis(200));
    unfinished
}

#[test]
fn a_second_signal_ends_it_at_once_and_the_last_lines_of_the_audit_stream_are_written() {
    let folder = Folder::quickstart();
    let (let_read, reader) = slow_reader(&folder);
    let mut dev = Dev::start(&folder);
    let _unfinished = busy(&dev, &folder);
    dev.signal();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(dev.ended(), None, "it waits");
    let began = Instant::now();
    dev.signal();
    let_read.send(()).expect("it reads");
    assert_eq!(eventually("it ends", || dev.ended().ok_or_else(String::new)), 143);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let text = reader.join().expect("no panic");
    assert_eq!(text.lines().filter(|line| line.contains("\"event\":\"token\"")).count(), TOKENS);
}

#[test]
fn a_second_signal_does_not_wait_for_whoever_does_not_read() {
    let folder = Folder::quickstart();
    let (let_read, reader) = slow_reader(&folder);
    let mut dev = Dev::start(&folder);
    let _unfinished = busy(&dev, &folder);
    dev.signal();
    // Two at once are one.
    thread::sleep(Duration::from_millis(500));
    dev.signal();
    assert_eq!(eventually("it ends", || dev.ended().ok_or_else(String::new)), 143);
    let_read.send(()).expect("it reads");
    reader.join().expect("no panic");
}
