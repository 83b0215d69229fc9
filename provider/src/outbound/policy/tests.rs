use super::*;

fn policy(allow: &[&str]) -> Policy {
    Policy::new(allow.iter().map(|allow| allow.parse().unwrap()).collect())
}

const PUBLIC: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    // Mapped and NAT64, with a public address inside.
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
];

const SPECIAL: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    // IPv4-compatible, even with a public address.
    "::127.0.0.1",
    "::8.8.8.8",
    // Mapped.
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    // IPv4-translated (RFC 2765).
    "::ffff:0:10.0.0.1",
    // NAT64, well-known and local.
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    // Discard, SRv6.
    "100::1",
    "5f00::1",
    // Teredo, benchmarking, ORCHID, documentation, 6to4.
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:808:808::1",
    "3fff::1",
    "3fff:fff::1",
    // Never given out.
    "4000::1",
    // Unique-local (two clouds' metadata service), link-local, site-local, multicast.
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

#[test]
fn public_addresses_may_be_called_by_any_name() {
    for address in PUBLIC {
        assert!(policy(&[]).permits("client.example", address.parse().unwrap()), "{address}");
    }
}

#[test]
fn addresses_that_are_not_public_may_not_be_called() {
    for address in SPECIAL {
        assert!(!policy(&["other.example"]).permits("client.example", address.parse().unwrap()), "{address}");
    }
}

#[test]
fn an_allowed_host_may_have_any_address_and_no_other_host_may() {
    let policy = policy(&["Idp.Internal"]);
    let private = "10.0.0.1".parse().unwrap();
    for host in ["idp.internal", "IDP.internal", "idp.internal."] {
        assert!(policy.permits(host, private), "{host}");
        assert!(policy.allows(host, private), "{host}");
    }
    for host in ["a.idp.internal", "idp.internal.evil.example", "xidp.internal", "internal", "", "idp.internal.."] {
        assert!(!policy.permits(host, private), "{host}");
    }
}

#[test]
fn an_allowed_network_has_its_addresses_and_no_others() {
    let policy = policy(&["10.1.0.0/16", "fd00:1::/32", "127.0.0.1"]);
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "fd00:1:2::1", "127.0.0.1", "::ffff:127.0.0.1"] {
        assert!(policy.permits("client.example", address.parse().unwrap()), "{address}");
    }
    // What translates to an allowed address is not what was allowed.
    for address in ["10.2.0.0", "fd00:2::1", "127.0.0.2", "::1", "64:ff9b::10.1.2.3", "2002:a01:203::1"] {
        assert!(!policy.permits("client.example", address.parse().unwrap()), "{address}");
    }
    assert!(!policy.allows("client.example", "8.8.8.8".parse().unwrap()), "public, but not allowed by name");
}

#[test]
fn the_allow_list_takes_hosts_addresses_and_networks_and_nothing_else() {
    for (text, reads) in [
        ("idp.internal", "idp.internal"),
        ("IDP.internal.", "idp.internal"),
        ("localhost", "localhost"),
        ("my_svc.ns.svc", "my_svc.ns.svc"),
        ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("::1", "::1/128"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ] {
        assert_eq!(text.parse::<Allow>().unwrap().to_string(), reads, "{text}");
    }
    for text in [
        "",
        ".",
        "*",
        "*.example",
        "https://idp.internal",
        "idp.internal:8443",
        "10.0.0.1:80",
        "[::1]",
        "[::1]:80",
        "10",
        "0x7f.1",
        "10.0.0.0/33",
        "10.0.0.0/x",
        "a b",
        "user@host",
        "host/path",
    ] {
        assert_eq!(text.parse::<Allow>(), Err(AllowError::Form(text.to_owned())));
    }
    assert!(matches!("10.1.2.3/8".parse::<Allow>(), Err(AllowError::Bits(_, _))));
    assert!(matches!("::ffff:10.0.0.0/104".parse::<Allow>(), Err(AllowError::Mapped(_))));
}

#[test]
fn urls_are_refused_for_what_they_are() {
    let long = format!("https://client.example/{}", "a".repeat(URL_LENGTH));
    for (url, refusal) in [
        (long.as_str(), Refusal::TooLong),
        ("", Refusal::Unreadable),
        ("/jwks", Refusal::Unreadable),
        ("https://", Refusal::Unreadable),
        ("https://[fe80::1%25eth0]/", Refusal::Unreadable),
        ("ftp://client.example/", Refusal::Scheme),
        ("file:///etc/passwd", Refusal::Scheme),
        ("data:,{}", Refusal::Scheme),
        ("https://user@client.example/", Refusal::Userinfo),
        ("https://:secret@client.example/", Refusal::Userinfo),
        ("https://client.example/#", Refusal::Fragment),
        ("https://client.example/#keys", Refusal::Fragment),
        ("http://client.example/", Refusal::Plain),
        ("http://8.8.8.8/", Refusal::Plain),
        ("http://127.0.0.1/", Refusal::Plain),
        ("https://127.0.0.1/", Refusal::Address),
        ("https://169.254.169.254/latest/meta-data", Refusal::Address),
        ("https://[::1]/", Refusal::Address),
        ("https://[::ffff:a9fe:a9fe]/", Refusal::Address),
        // Other spellings of 127.0.0.1 and 169.254.169.254.
        ("https://127.1/", Refusal::Address),
        ("https://127.0.0.1./", Refusal::Address),
        ("https://0x7f.0.0.1/", Refusal::Address),
        ("https://0177.0.0.1/", Refusal::Address),
        ("https://2130706433/", Refusal::Address),
        ("https://0xA9FEA9FE/", Refusal::Address),
        ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", Refusal::Address),
        ("https:\\\\127.0.0.1\\", Refusal::Address),
    ] {
        assert_eq!(policy(&["idp.internal"]).check(url).unwrap_err(), refusal, "{url}");
    }
    for url in ["https://client.example/jwks?a=b", "https://client.example:8443/", "https://8.8.8.8/"] {
        assert!(policy(&[]).check(url).is_ok(), "{url}");
    }
}

#[test]
fn plain_http_needs_the_allow_list() {
    let by_name = policy(&["idp.internal"]);
    assert!(by_name.check("http://idp.internal:8080/").is_ok_and(|target| target.is_plain()));
    assert!(by_name.check("https://idp.internal/").is_ok_and(|target| !target.is_plain()));
    assert_eq!(by_name.check("http://client.example/").unwrap_err(), Refusal::Plain);
    let by_network = policy(&["127.0.0.1"]);
    assert!(by_network.check("http://127.0.0.1:1/").is_ok());
    assert!(by_network.check("http://[::ffff:127.0.0.1]:1/").is_ok());
    assert_eq!(by_network.check("http://127.0.0.2/").unwrap_err(), Refusal::Plain);
    // Its addresses decide, when it is resolved.
    assert!(by_network.check("http://client.example/").is_ok());
}
