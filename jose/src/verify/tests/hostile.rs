//! Tokens that an attacker would write.

use aws_lc_rs::hmac;

use super::*;

#[test]
fn none_is_no_algorithm_in_any_spelling() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let input = format!("{}.{}", encode(header(&key, json!({"alg": alg}))), encode(claims().to_string()));
        let signed = forge(&key, &header(&key, json!({"alg": alg})), &claims().to_string());
        for token in [format!("{input}."), signed] {
            assert_eq!(verify(&key, &token).unwrap_err(), VerifyError::Algorithm, "{alg:?}");
            assert_eq!(Unverified::parse(&token).unwrap_err(), VerifyError::Algorithm, "{alg:?}");
        }
    }
    let missing = forge(&key, &header(&key, json!({"alg": null})), &claims().to_string());
    assert_eq!(verify(&key, &missing).unwrap_err(), VerifyError::Algorithm);
}

#[test]
fn a_public_key_is_no_hmac_secret() {
    let key = PrivateKey::generate(Algorithm::Rs256).unwrap();
    let jwk = serde_json::to_value(key.public_jwk()).unwrap();
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    for secret in [n, jwk.to_string().into_bytes()] {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        for (alg, expected) in [("HS256", VerifyError::Algorithm), ("RS256", VerifyError::Signature)] {
            let input = format!("{}.{}", encode(header(&key, json!({"alg": alg}))), encode(claims().to_string()));
            let token = format!("{input}.{}", encode(hmac::sign(&mac, input.as_bytes())));
            assert_eq!(verify(&key, &token).unwrap_err(), expected, "{alg}");
        }
    }
}

#[test]
fn the_algorithm_is_the_key_s_and_no_other() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            let token = forge(&key, &header(&key, json!({"alg": other})), &claims().to_string());
            assert_eq!(verify(&key, &token).unwrap_err(), VerifyError::Algorithm, "{algorithm} as {other}");
        }
        let lower = forge(&key, &header(&key, json!({"alg": algorithm.as_str().to_lowercase()})), "{}");
        assert_eq!(verify(&key, &lower).unwrap_err(), VerifyError::Algorithm);
    }
}

#[test]
fn a_header_brings_no_key_of_its_own() {
    let (key, thief) =
        (PrivateKey::generate(Algorithm::Es256).unwrap(), PrivateKey::generate(Algorithm::Es256).unwrap());
    let members = json!({
        "kid": key.public_jwk().kid(), "jwk": thief.public_jwk(), "jku": "https://thief.example/jwks",
        "x5u": "https://thief.example/x5", "x5c": ["AAAA"],
    });
    let token = forge(&thief, &header(&thief, members), &claims().to_string());
    assert_eq!(verify(&key, &token).unwrap_err(), VerifyError::Signature);
}

#[test]
fn extensions_that_nobody_knows_are_refused() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    for changes in
        [json!({"crit": ["exp"], "exp": 1}), json!({"crit": []}), json!({"b64": false}), json!({"b64": true})]
    {
        let token = forge(&key, &header(&key, changes.clone()), &claims().to_string());
        assert_eq!(verify(&key, &token).unwrap_err(), VerifyError::Critical, "{changes}");
    }
    let token = forge(&key, &header(&key, json!({"cty": "x", "unknown": {"a": [1]}})), &claims().to_string());
    assert!(verify(&key, &token).is_ok(), "all else is ignored (RFC 7515 §4)");
}

#[test]
fn a_header_is_one_object_with_unique_members_of_the_right_kind() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let good = header(&key, json!({}));
    let repeated = |member: &str| format!("{},{member}}}", good.strip_suffix('}').unwrap());
    let many = (0..300).map(|n| format!(r#""m{n}":0"#)).collect::<Vec<_>>().join(",");
    for bad in [
        repeated(r#""alg":"EdDSA""#),
        repeated(r#""\u0061lg":"EdDSA""#),
        repeated(r#""x":1,"x":1"#),
        repeated(&many),
        format!("{good}{{}}"),
        format!("[{good}]"),
        format!("\u{feff}{good}"),
        header(&key, json!({"alg": ["EdDSA"]})),
        header(&key, json!({"kid": 1})),
        header(&key, json!({"typ": {"a": 1}})),
        String::new(),
        "null".to_owned(),
        "\"alg\"".to_owned(),
    ] {
        let token = forge(&key, &bad, &claims().to_string());
        assert_eq!(verify(&key, &token).unwrap_err(), VerifyError::Malformed, "{bad:.99}");
    }
}

#[test]
fn claims_are_one_object_with_unique_members_even_when_they_are_signed() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    for bad in [
        "",
        "[]",
        "null",
        "1",
        "\"x\"",
        "{",
        "{}{}",
        r#"{"sub":"ada","sub":"eve"}"#,
        r#"{"sub":"ada","\u0073ub":"eve"}"#,
        r#"{"exp":1,"exp":2}"#,
        r#"{"exp":"1"}"#,
        r#"{"iat":null}"#,
        r#"{'a':1}"#,
        "{\"a\":1,}",
    ] {
        let token = forge(&key, &header(&key, json!({})), bad);
        assert_eq!(verify(&key, &token).unwrap_err(), VerifyError::Claims, "{bad}");
        assert_eq!(Unverified::parse(&token).unwrap_err(), VerifyError::Claims, "{bad}");
    }
    let input = format!("{}.{}", encode(header(&key, json!({}))), encode(b"{\"a\":\"\xff\"}"));
    let token = format!("{input}.{}", encode(key.sign(input.as_bytes()).unwrap()));
    assert_eq!(verify(&key, &token).unwrap_err(), VerifyError::Claims, "not UTF-8");
}

#[test]
fn a_token_has_three_parts_and_48_kib_at_most() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let good = forge(&key, &header(&key, json!({})), &claims().to_string());
    let (first, last) = good.split_once('.').unwrap();
    for bad in [
        String::new(),
        first.to_owned(),
        last.to_owned(),
        format!("{good}."),
        format!(".{good}"),
        format!("{first}..{last}"),
        format!("{good}.e30"),
        format!(" {good}"),
        format!("{good}\n"),
        "..".to_owned(),
    ] {
        assert!(matches!(verify(&key, &bad), Err(VerifyError::Malformed)), "{bad:?}");
    }
    assert_eq!(verify(&key, &"a".repeat(48 * 1024 + 1)).unwrap_err(), VerifyError::TooLong);
    assert_eq!(verify(&key, &"a".repeat(48 * 1024)).unwrap_err(), VerifyError::Malformed);
}

#[test]
fn a_change_of_any_character_is_refused_stray_bits_and_padding_too() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let keys = set(&[&key]);
        let good = forge(&key, &header(&key, json!({})), &claims().to_string());
        assert!(keys.verify(&good, &[TokenType::AccessToken]).is_ok());
        for (index, old) in good.char_indices() {
            // The neighbour in the alphabet: at the end of a part it may differ in stray bits alone.
            for new in [char::from(old as u8 ^ 1), '='] {
                let mut bad = good.clone();
                bad.replace_range(index..=index, &new.to_string());
                assert!(keys.verify(&bad, &[TokenType::AccessToken]).is_err(), "{algorithm}: {index}");
            }
        }
        for dots in [good.replacen('.', "=.", 1), format!("{good}="), format!("{good}A")] {
            assert!(keys.verify(&dots, &[TokenType::AccessToken]).is_err(), "{algorithm}: {dots}");
        }
    }
}

#[test]
fn an_ecdsa_signature_has_the_fixed_form_and_is_not_zero() {
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    let good = forge(&key, &header(&key, json!({})), &claims().to_string());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    // CVE-2022-21449: r = s = 0 verified everything.
    for bad in [vec![0; 64], vec![], raw[..63].to_vec(), [&raw[..], &[0]].concat(), [&[0], &raw[..]].concat()] {
        assert_eq!(verify(&key, &format!("{input}.{}", encode(bad))).unwrap_err(), VerifyError::Signature);
    }
}

#[test]
fn a_key_that_is_not_on_its_curve_is_unusable() {
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
    jwk["y"] = jwk["x"].clone();
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
    jwk["kid"] = json!(crate::kid::Kid::of(&canonical));
    let off: crate::PublicJwk = serde_json::from_value(jwk).unwrap();
    assert_eq!(Verifier::new(&off).unwrap_err(), KeyUnusable);
}

proptest::proptest! {
    #[test]
    fn noise_is_refused_and_nothing_panics(token in ".{0,120}", parts in "[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,90}") {
        let keys = VerifierSet::default();
        for text in [token, parts] {
            proptest::prop_assert!(keys.verify(&text, &[TokenType::AccessToken]).is_err());
            proptest::prop_assert!(Unverified::parse(&text).is_err());
        }
    }
}
