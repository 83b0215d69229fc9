//! `claviger token --watch`: what it outlasts, and what ends it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use claviger_provider::clock::{Clock as _, SystemClock};

use super::{API, Stage};
use crate::support::{eventually, parts, stdout};

impl Stage {
    fn watch(&self) -> Watch {
        self.watch_with(&[])
    }

    fn watch_with(&self, more: &[&str]) -> Watch {
        let mut command = self.command(&[more, &["--watch", "--output"]].concat());
        let told = fs::File::create(self.told_file()).expect("a file");
        let child = command.arg(self.file()).stdout(Stdio::piped()).stderr(told).spawn();
        Watch(Some(child.expect("the program starts")))
    }

    /// What a watch says.
    fn told(&self) -> String {
        fs::read_to_string(self.told_file()).expect("a file")
    }

    fn wait_to_hear(&self, words: &str) {
        eventually(words, || Some(()).filter(|()| self.told().contains(words)).ok_or(self.told()));
    }

    fn told_file(&self) -> PathBuf {
        self.folder.path().join("told")
    }

    /// What is in the file, if that is another token than `before`.
    fn next(&self, before: &str) -> Result<String, String> {
        let text = fs::read_to_string(self.file()).map_err(|error| error.to_string())?;
        if text == before { Err("it is the same".to_owned()) } else { Ok(text) }
    }
}

/// `claviger token --watch`. Dropping it kills it.
struct Watch(Option<Child>);

impl Watch {
    fn terminate(mut self) -> Output {
        let child = self.0.take().expect("it runs");
        assert!(Command::new("kill").arg(child.id().to_string()).status().expect("kill runs").success());
        child.wait_with_output().expect("it has ended")
    }

    /// Its end, which has to come by itself.
    fn end(mut self) -> Output {
        let child = self.0.as_mut().expect("it runs");
        eventually("it ends", || child.try_wait().expect("it is ours").ok_or_else(|| "it goes on".to_owned()));
        self.0.take().expect("it runs").wait_with_output().expect("it has ended")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_file_is_kept_fresh_by_the_proof_that_is_there_at_the_time_until_a_signal() {
    let stage = Stage::build(&[]);
    let watch = stage.watch();
    let first = eventually("the first token", || stage.next(""));
    // The proof is used up: it is tried, refused, and tried again with the one that comes meanwhile.
    eventually("it is tried", || Some(()).filter(|()| stage.told().contains("not renewed")).ok_or(stage.told()));
    assert_eq!(stage.next(""), Ok(first.clone()), "nothing could be had");
    stage.renew_proof();
    let second = eventually("the second token", || stage.next(&first));
    assert!(parts(&second).1["iat"].as_i64() <= parts(&first).1["exp"].as_i64(), "before the first had ended");
    stage.renew_proof();
    let third = eventually("the third token", || stage.next(&second));
    assert_eq!(parts(&third).1["aud"], API);

    let output = watch.terminate();
    let told = stage.told();
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""), "{told}");
    assert!(told.contains("not renewed") && told.contains("invalid_client"), "{told}");
    assert_eq!(stage.next(""), Ok(third), "it stays");
}

#[test]
fn it_goes_on_when_the_token_has_expired_and_nobody_answers() {
    let stage = Stage::build(&[]);
    let watch = stage.watch();
    let token = eventually("the first token", || stage.next(""));
    stage.dev.signal();
    stage.wait_to_hear("not renewed, the old token is still good: no connection to ");
    stage.wait_to_hear("not renewed, the old token has expired: no connection to ");
    assert!(SystemClock.now().as_second() >= parts(&token).1["exp"].as_i64().expect("a time") - 1);
    assert_eq!(stage.next(""), Ok(token), "it stays");
    assert_eq!(watch.terminate().status.code(), Some(0), "{}", stage.told());
}

#[test]
fn the_first_token_is_waited_for() {
    let stage = Stage::build(&[]);
    fs::write(stage.proof(), "not.a.proof").expect("a file");
    let watch = stage.watch();
    stage.wait_to_hear("there is no token yet: no token from ");
    // It is tried again meanwhile, and the same refusal is told once.
    thread::sleep(Duration::from_secs(4));
    assert_eq!(stage.told().matches("invalid_client: ").count(), 1, "{}", stage.told());
    fs::remove_file(stage.proof()).expect("a file");
    stage.wait_to_hear("there is no token yet: --token-file: no token in ");
    stage.renew_proof();
    let token = eventually("the first token", || stage.next(""));
    assert_eq!(parts(&token).1["aud"], API);
    assert_eq!(watch.terminate().status.code(), Some(0), "{}", stage.told());
}

#[test]
fn what_cannot_be_written_ends_it() {
    let stage = Stage::build(&[]);
    fs::create_dir(stage.file()).expect("a folder in the way");
    let output = stage.watch().end();
    assert_eq!(output.status.code(), Some(1));
    assert!(stage.told().contains("claviger: --output: cannot write "), "{}", stage.told());
}

#[test]
fn a_ca_bundle_that_is_another_one_by_then_is_read_anew() {
    let stage = Stage::build(&["--tls"]);
    let bundle = stage.folder.path().join("bundle.pem");
    let key = rcgen::KeyPair::generate().expect("a key");
    let old = rcgen::CertificateParams::default().self_signed(&key).expect("a certificate").pem();
    fs::write(&bundle, old).expect("a file");
    let watch = stage.watch_with(&["--ca-bundle", &bundle.display().to_string()]);
    stage.wait_to_hear("certificate");
    fs::copy(stage.folder.path().join("state/ca.pem"), &bundle).expect("a file");
    eventually("the first token", || stage.next(""));
    assert_eq!(watch.terminate().status.code(), Some(0), "{}", stage.told());
}
