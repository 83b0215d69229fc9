use super::super::compact::Compact;
use super::super::foreign_jwk;
use super::*;

const JWT: &[ForeignType] = &[ForeignType::Jwt];

/// A key as other people write it: `kid` of their own or none, and members changed or (by null) removed.
fn jwk(key: &PrivateKey, changes: Value) -> Value {
    let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    jwk
}

fn keys(keys: &[Value]) -> ForeignKeys {
    ForeignKeys::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap()
}

/// As whoever meets a foreign token does: read first, to find whose keys these are.
fn verify(
    keys: &ForeignKeys,
    token: &str,
    algorithms: &[Algorithm],
    types: &[ForeignType],
) -> Result<Signed<VerifiedForeign>, VerifyError> {
    let token = Unverified::parse(token)?;
    let verified = keys.verify(&token, algorithms, types);
    // Whatever it is, keys that remember say the same, also when they know it.
    let remembering = keys.clone().remembering(2);
    for _ in 0..3 {
        let again = remembering.verify(&token, algorithms, types);
        assert_eq!(again.err(), verified.as_ref().err().copied());
    }
    verified
}

fn token(key: &PrivateKey, header: Value) -> String {
    forge(key, &header.to_string(), &claims().to_string())
}

#[test]
fn every_kind_of_key_verifies_with_a_kid_and_without() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        for changes in [json!({"kid": "1"}), json!({"kid": "1", "alg": null, "use": null})] {
            let keys = keys(&[jwk(&key, changes)]);
            for header in [json!({"alg": algorithm, "kid": "1"}), json!({"alg": algorithm, "typ": "JWT"})] {
                let verified = verify(&keys, &token(&key, header), &[algorithm], JWT).unwrap();
                let verified = verified.at(NOW, Duration::ZERO).unwrap();
                assert_eq!(verified.claims::<Value>().unwrap(), claims());
                assert_eq!((verified.algorithm(), verified.token_type()), (algorithm, ForeignType::Jwt));
            }
            let unknown = token(&key, json!({"alg": algorithm, "kid": "2"}));
            assert_eq!(verify(&keys, &unknown, &[algorithm], JWT).unwrap_err(), VerifyError::UnknownKey);
            let others: Vec<_> = Algorithm::ALL.into_iter().filter(|other| *other != algorithm).collect();
            let not_allowed = token(&key, json!({"alg": algorithm, "kid": "1"}));
            assert_eq!(verify(&keys, &not_allowed, &others, JWT).unwrap_err(), VerifyError::Algorithm);
        }
    }
}

#[test]
fn of_a_token_that_is_known_all_but_the_signature_is_checked_again() {
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    let keys = keys(&[jwk(&key, json!({"kid": "1"}))]).remembering(2);
    let token = token(&key, json!({"alg": "ES256", "kid": "1"}));
    let verify = |token: &str, algorithms: &[Algorithm], types: &[ForeignType]| {
        keys.verify(&Unverified::parse(token).unwrap(), algorithms, types)
    };
    for _ in 0..3 {
        assert!(verify(&token, &[Algorithm::Es256], JWT).unwrap().at(NOW, Duration::ZERO).is_ok());
    }
    assert_eq!(verify(&token, &[Algorithm::Rs256], JWT).unwrap_err(), VerifyError::Algorithm);
    let access_token = &[ForeignType::AccessToken];
    assert_eq!(verify(&token, &[Algorithm::Es256], access_token).unwrap_err(), VerifyError::Type);
    let expired = verify(&token, &[Algorithm::Es256], JWT).unwrap().at(NOW + 100_000, Duration::ZERO);
    assert_eq!(expired.unwrap_err(), TimeError::Expired);
    // The parts of two tokens that are known make no third.
    let mut later = claims();
    later["exp"] = json!(NOW + 1_000_000);
    let later = forge(&key, r#"{"alg":"ES256","kid":"1"}"#, &later.to_string());
    for _ in 0..3 {
        assert!(verify(&later, &[Algorithm::Es256], JWT).is_ok());
    }
    let (signed, _) = later.rsplit_once('.').unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let mixed = format!("{signed}.{signature}");
    assert_eq!(verify(&mixed, &[Algorithm::Es256], JWT).unwrap_err(), VerifyError::Signature);
    // Other keys know nothing of it, whatever they are called.
    let other = PrivateKey::generate(Algorithm::Es256).unwrap();
    let others = self::keys(&[jwk(&other, json!({"kid": "1"}))]).remembering(2);
    let refused = others.verify(&Unverified::parse(&token).unwrap(), &[Algorithm::Es256], JWT);
    assert_eq!(refused.unwrap_err(), VerifyError::Signature);
}

#[test]
fn an_rsa_key_without_alg_verifies_both_paddings_and_one_with_alg_its_own_alone() {
    let rs256 = PrivateKey::generate(Algorithm::Rs256).unwrap();
    let ps256 = PrivateKey::from_pkcs8(Algorithm::Ps256, &rs256.to_pkcs8()).unwrap();
    let both = [Algorithm::Rs256, Algorithm::Ps256];
    let (open, fixed) =
        (keys(&[jwk(&rs256, json!({"kid": "1", "alg": null}))]), keys(&[jwk(&rs256, json!({"kid": "1"}))]));
    let by_ps256 = token(&ps256, json!({"alg": "PS256", "kid": "1"}));
    let by_rs256 = token(&rs256, json!({"alg": "RS256", "kid": "1"}));
    assert!(verify(&open, &by_rs256, &both, JWT).is_ok());
    assert!(verify(&open, &by_ps256, &both, JWT).is_ok());
    assert!(verify(&fixed, &by_rs256, &both, JWT).is_ok());
    assert_eq!(verify(&fixed, &by_ps256, &both, JWT).unwrap_err(), VerifyError::Algorithm);
    let crossed = token(&ps256, json!({"alg": "RS256", "kid": "1"}));
    assert_eq!(verify(&open, &crossed, &both, JWT).unwrap_err(), VerifyError::Signature);
}

#[test]
fn a_key_that_is_for_something_else_or_malformed_is_left_out_and_costs_only_itself() {
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    let rsa = PrivateKey::generate(Algorithm::Rs256).unwrap();
    let n = jwk(&rsa, json!({}))["n"].as_str().unwrap().to_owned();
    // Cut in another place, the two coordinates are the same point to a library.
    let point: Vec<u8> = ["x", "y"]
        .iter()
        .flat_map(|name| URL_SAFE_NO_PAD.decode(jwk(&key, json!({}))[name].as_str().unwrap()).unwrap())
        .collect();
    let long = [&[0xff; 1024][..], &[0xff]].concat();
    let good = jwk(&key, json!({"kid": "good", "key_ops": ["verify"]}));
    for bad in [
        jwk(&key, json!({"use": "enc"})),
        jwk(&key, json!({"key_ops": ["encrypt"]})),
        jwk(&key, json!({"key_ops": "verify"})),
        jwk(&key, json!({"alg": "ES384"})),
        jwk(&key, json!({"alg": "ECDH-ES"})),
        jwk(&key, json!({"crv": "P-521"})),
        jwk(&key, json!({"crv": "P-384"})),
        jwk(&key, json!({"kid": 7})),
        jwk(&key, json!({"d": "AAAA"})),
        jwk(&key, json!({"x": "AAAA"})),
        jwk(&key, json!({"y": null})),
        jwk(&key, json!({"x": encode([1; 32])})),
        jwk(&key, json!({"x": encode(&point[..31]), "y": encode(&point[31..])})),
        jwk(&rsa, json!({"p": "AAAA"})),
        jwk(&rsa, json!({"dq": "AAAA"})),
        jwk(&rsa, json!({"alg": "RS512"})),
        jwk(&rsa, json!({"n": encode([0xff; 255])})),
        jwk(&rsa, json!({"n": encode(long)})),
        jwk(&rsa, json!({"n": format!("AA{n}")})),
        jwk(&rsa, json!({"n": format!("{n}=")})),
        jwk(&rsa, json!({"e": "AQ"})),
        jwk(&rsa, json!({"e": "Ag"})),
        jwk(&rsa, json!({"e": "AAEAAQ"})),
        jwk(&rsa, json!({"e": "AQAAAAE"})),
        jwk(&rsa, json!({"e": ""})),
        json!({"kty": "oct", "k": "AAAA", "alg": "HS256"}),
        json!({"kty": "OKP", "crv": "X25519", "x": encode([9; 32])}),
        json!({"kty": "AKP"}),
        json!({}),
        json!([]),
        json!(null),
    ] {
        assert!(keys(std::slice::from_ref(&bad)).is_empty(), "{bad}");
        let set = keys(&[bad, good.clone()]);
        assert!(verify(&set, &token(&key, json!({"alg": "ES256", "kid": "good"})), &Algorithm::ALL, JWT).is_ok());
    }
}

#[test]
fn the_keys_of_a_spiffe_bundle_verify() {
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    let set = keys(&[jwk(&key, json!({"kid": "1", "use": "jwt-svid", "alg": null}))]);
    let token = token(&key, json!({"alg": "ES256", "kid": "1", "typ": "JOSE"}));
    assert!(verify(&set, &token, &[Algorithm::Es256], JWT).is_ok());
    assert!(keys(&[jwk(&key, json!({"use": "x509-svid"}))]).is_empty());
}

#[test]
fn a_set_is_bounded_and_is_an_object_with_keys() {
    let key = jwk(&PrivateKey::generate(Algorithm::EdDsa).unwrap(), json!({}));
    assert!(!keys(&vec![key.clone(); 100]).is_empty());
    for (bad, expected) in [
        (json!({"keys": vec![key; 101]}).to_string(), ForeignKeysUnreadable::TooMany),
        (" ".repeat(256 * 1024 + 1), ForeignKeysUnreadable::TooLong),
        ("[".repeat(256 * 1024), ForeignKeysUnreadable::Malformed),
        ("[]".to_owned(), ForeignKeysUnreadable::Malformed),
        ("{}".to_owned(), ForeignKeysUnreadable::Malformed),
        (r#"{"keys":{}}"#.to_owned(), ForeignKeysUnreadable::Malformed),
        (String::new(), ForeignKeysUnreadable::Malformed),
    ] {
        assert_eq!(ForeignKeys::parse(bad.as_bytes()).unwrap_err(), expected, "{bad:.40}");
    }
    assert!(keys(&[]).is_empty());
}

#[test]
fn without_a_kid_ten_keys_are_tried_and_no_more() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let other = jwk(&PrivateKey::generate(Algorithm::EdDsa).unwrap(), json!({"kid": null}));
    let anonymous = token(&key, json!({"alg": "EdDSA"}));
    for (before, expected) in [(9, Ok(())), (10, Err(VerifyError::UnknownKey))] {
        let mut set = vec![other.clone(); before];
        set.push(jwk(&key, json!({"kid": "last"})));
        let verified = verify(&keys(&set), &anonymous, &[Algorithm::EdDsa], JWT).map(|_| ());
        assert_eq!(verified, expected, "{before} keys before it");
        assert!(
            verify(&keys(&set), &token(&key, json!({"alg": "EdDSA", "kid": "last"})), &[Algorithm::EdDsa], JWT).is_ok()
        );
    }
}

#[test]
fn a_key_of_another_algorithm_never_verifies_and_none_is_none() {
    let (ec, rsa) = (PrivateKey::generate(Algorithm::Es256).unwrap(), PrivateKey::generate(Algorithm::Rs256).unwrap());
    let set = keys(&[jwk(&ec, json!({"kid": "ec"})), jwk(&rsa, json!({"kid": "rsa"}))]);
    for (header, expected) in [
        (json!({"alg": "RS256", "kid": "ec"}), VerifyError::Algorithm),
        (json!({"alg": "RS256", "kid": "rsa"}), VerifyError::Signature),
        (json!({"alg": "RS256"}), VerifyError::UnknownKey),
        (json!({"alg": "EdDSA"}), VerifyError::UnknownKey),
        (json!({"alg": "none"}), VerifyError::Algorithm),
        (json!({"alg": "HS256", "kid": "ec"}), VerifyError::Algorithm),
    ] {
        assert_eq!(verify(&set, &token(&ec, header.clone()), &Algorithm::ALL, JWT).unwrap_err(), expected, "{header}");
    }
    let good = token(&ec, json!({"alg": "ES256"}));
    assert_eq!(verify(&set, &good, &[], JWT).unwrap_err(), VerifyError::Algorithm, "nothing is allowed");
}

#[test]
fn a_foreign_type_is_one_that_is_expected() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let set = keys(&[jwk(&key, json!({}))]);
    for (typ, types, expected) in [
        (None, JWT, Ok(ForeignType::Jwt)),
        (Some("jwt"), JWT, Ok(ForeignType::Jwt)),
        (Some("JOSE"), JWT, Ok(ForeignType::Jwt)),
        (Some("logout+jwt"), &[ForeignType::Jwt, ForeignType::LogoutToken], Ok(ForeignType::LogoutToken)),
        (
            Some("client-authentication+jwt"),
            &[ForeignType::ClientAuthentication],
            Ok(ForeignType::ClientAuthentication),
        ),
        (Some("at+jwt"), JWT, Err(VerifyError::Type)),
        (Some("logout+jwt"), JWT, Err(VerifyError::Type)),
        (None, &[ForeignType::LogoutToken], Err(VerifyError::Type)),
    ] {
        let mut header = json!({"alg": "EdDSA"});
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        let verified = verify(&set, &token(&key, header), &[Algorithm::EdDsa], types);
        let verified = verified.map(|signed| signed.at(NOW, Duration::ZERO).unwrap().token_type());
        assert_eq!(verified, expected, "{typ:?}");
    }
}

#[test]
fn the_examples_of_rfc_7515_and_8037_have_good_signatures() {
    // RFC 7515, appendix A.3: ES256; its claims have an exp of 2011.
    let es256 = keys(&[json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })]);
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                 DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let verified = verify(&es256, token, &[Algorithm::Es256], JWT).unwrap().at(1_300_819_379, Duration::ZERO).unwrap();
    assert_eq!(verified.claims::<Value>().unwrap()["iss"], "joe");
    // RFC 8037, appendix A.4: EdDSA; its payload is no JSON, so that it is no token.
    let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                 hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let [key] = &foreign_jwk::read(&ed25519).unwrap().keys[..] else { panic!("not one key") };
    let is_signed = |text: &str| Compact::parse(text).unwrap().is_signed_by(key);
    assert!(is_signed(token) && !is_signed(&token.replacen("hgyY", "hgyZ", 1)));
    assert_eq!(verify(&keys(&[ed25519]), token, &[Algorithm::EdDsa], JWT).unwrap_err(), VerifyError::Claims);
}

#[test]
fn unverified_claims_are_read_from_anybody_s_token() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let token = token(&key, json!({"alg": "EdDSA"}));
    let unverified = Unverified::parse(&token).unwrap();
    assert_eq!(unverified.subject_unverified(), Some("ada"));
    assert!(!format!("{unverified:?}").contains("ada"));
}
