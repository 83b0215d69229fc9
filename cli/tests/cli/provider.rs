//! What `claviger provider` says of its settings.

use crate::support::{claviger, refused, stderr, stdout};

#[test]
fn a_password_in_the_stores_url_is_never_printed() {
    let stores = [
        "postgres://claviger:hunter2@db.example/claviger?sslmod=disable",
        "postgres://claviger:hunter2@db.example:port/claviger",
        "mysql://claviger:hunter2@db.example/claviger",
    ];
    for store in stores {
        for by_flag in [true, false] {
            let mut command = claviger();
            command.arg("provider");
            if by_flag {
                command.args(["--store", store])
            } else {
                command.env("CLAVIGER_STORE", store)
            };
            let output = refused(&mut command);
            let text = stderr(&output);
            assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
            assert!(text.contains("--store: ") && !text.contains("hunter2"), "{text}");
        }
    }
    let help = claviger().args(["provider", "--help"]).env("CLAVIGER_STORE", stores[0]).output().expect("it runs");
    assert!(stdout(&help).contains("CLAVIGER_STORE") && !stdout(&help).contains("hunter2"), "{}", stdout(&help));
}

#[test]
fn outbound_settings_that_make_no_sense_are_refused() {
    for (flags, reason) in [
        (["--outbound-allow", "https://app.example"], "no host name, address or network"),
        (["--outbound-allow", "10.0.0.1/8"], "10.0.0.0/8 is the network"),
        (["--ca-bundle", "/nowhere/ca.pem"], "--ca-bundle: cannot read /nowhere/ca.pem"),
        (["--store-statement-timeout", "0s"], "1s at least"),
        (["--store-acquire-timeout", "1500ms"], "whole seconds"),
        (["--store-max-connections", "0"], "--store-max-connections"),
        (["--proxy-header", "x-real-ip"], "x-forwarded-for"),
    ] {
        let output = refused(claviger().arg("provider").args(flags));
        assert!(!output.status.success() && stderr(&output).contains(reason), "{flags:?}: {}", stderr(&output));
    }
}
