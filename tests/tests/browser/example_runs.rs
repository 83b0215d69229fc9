//! What `run` of an example does before its application starts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::Result;
use claviger_tests::repository::root;
use claviger_tests::temp::TempDir;

/// Says what it was given, in the server's place.
const SERVER: &str = "#!/bin/sh\nprintf '%s\\n' \"$CLIENT_SECRET\"\n";

/// A copy of the web application, beside which there is no `claviger dev`, as if it were installed.
fn web_application(folder: &Path) -> Result<()> {
    let (source, home) = (root().join("examples/web-application"), folder.join("examples/web-application"));
    fs::create_dir_all(home.join(".venv/bin"))?;
    fs::copy(source.join("run"), home.join("run"))?;
    for to in ["requirements.txt", ".venv/requirements.txt"] {
        fs::copy(source.join("requirements.txt"), home.join(to))?;
    }
    let server = home.join(".venv/bin/waitress-serve");
    fs::write(&server, SERVER)?;
    Ok(fs::set_permissions(&server, fs::Permissions::from_mode(0o755))?)
}

fn run(folder: &Path, secret: &str) -> Result<Output> {
    let script = folder.join("examples/web-application/run");
    Ok(Command::new("bash").arg(script).env("CLIENT_SECRET", secret).output()?)
}

#[test]
fn the_web_application_starts_with_its_secret_or_says_that_there_is_none() -> Result<()> {
    let folder = TempDir::new("run")?;
    web_application(folder.path())?;
    let secrets = folder.path().join(".claviger/secrets/shop");
    let refused = |output: &Output| {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true), "{told}");
        assert!(told.contains("CLIENT_SECRET") && told.contains("make run"), "{told}");
    };
    refused(&run(folder.path(), "")?);
    fs::create_dir_all(&secrets)?;
    fs::write(secrets.join("shop-oidc.yaml"), "stringData:\n  client_id: \"shop.shop\"\n")?;
    refused(&run(folder.path(), "")?);
    fs::write(secrets.join("shop-oidc.yaml"), "stringData:\n  client_secret: \"from the file\"\n")?;
    assert_eq!(run(folder.path(), "")?.stdout, b"from the file\n");
    assert_eq!(run(folder.path(), "given")?.stdout, b"given\n");
    Ok(())
}
