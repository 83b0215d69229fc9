use super::*;

#[test]
fn what_our_signer_signs_verifies_by_every_algorithm_and_by_its_own_key_alone() {
    for algorithm in Algorithm::ALL {
        let (key, other) = (PrivateKey::generate(algorithm).unwrap(), PrivateKey::generate(algorithm).unwrap());
        let (jwk, keys) = (key.public_jwk(), set(&[&other, &key]));
        let only_other = set(&[&other]);
        let token = Signer::new(key).sign_bytes(TokenType::AccessToken, claims().to_string().as_bytes()).unwrap();
        let verified = keys.verify(&token, &[TokenType::AccessToken]).unwrap().at(NOW, Duration::ZERO).unwrap();
        assert_eq!(verified.claims::<Value>().unwrap(), claims(), "{algorithm}");
        assert_eq!(verified.kid(), jwk.kid());
        assert_eq!(verified.token_type(), TokenType::AccessToken);
        assert!(!format!("{verified:?}").contains("ada"));
        assert_eq!(
            only_other.verify(&token, &[TokenType::AccessToken]).unwrap_err(),
            VerifyError::UnknownKey,
            "{algorithm}"
        );
    }
}

#[test]
fn the_type_must_be_one_that_is_expected_whatever_its_case_and_prefix() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let keys = set(&[&key]);
    for (typ, expected, result) in [
        (json!("at+jwt"), &[TokenType::AccessToken][..], Ok(TokenType::AccessToken)),
        (json!("AT+JWT"), &[TokenType::AccessToken], Ok(TokenType::AccessToken)),
        (json!("application/at+jwt"), &[TokenType::AccessToken], Ok(TokenType::AccessToken)),
        (json!("Application/AT+jwt"), &[TokenType::Jwt, TokenType::AccessToken], Ok(TokenType::AccessToken)),
        (json!("JWT"), &[TokenType::AccessToken, TokenType::Jwt], Ok(TokenType::Jwt)),
        (json!("jwt"), &[TokenType::IdToken], Ok(TokenType::IdToken)),
        (json!("logout+jwt"), &[TokenType::LogoutToken], Ok(TokenType::LogoutToken)),
        (json!("at+jwt"), &[TokenType::Jwt, TokenType::IdToken, TokenType::LogoutToken], Err(VerifyError::Type)),
        (json!("JWT"), &[TokenType::AccessToken], Err(VerifyError::Type)),
        (json!("logout+jwt"), &[TokenType::IdToken], Err(VerifyError::Type)),
        (json!("application/application/at+jwt"), &[TokenType::AccessToken], Err(VerifyError::Type)),
        (json!("application/"), &[TokenType::AccessToken], Err(VerifyError::Type)),
        (json!("at+jwt "), &[TokenType::AccessToken], Err(VerifyError::Type)),
        (json!(""), &[TokenType::AccessToken], Err(VerifyError::Type)),
        (Value::Null, &[TokenType::AccessToken, TokenType::Jwt], Err(VerifyError::Type)),
        (json!("at+jwt"), &[], Err(VerifyError::Type)),
    ] {
        let token = forge(&key, &header(&key, json!({"typ": typ})), &claims().to_string());
        let verified = keys.verify(&token, expected).map(|signed| signed.at(NOW, Duration::ZERO).unwrap().token_type());
        assert_eq!(verified, result, "{typ} for {expected:?}");
    }
}

#[test]
fn kid_is_required_and_known() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let other = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    for kid in [Value::Null, json!(""), json!("../../dev/null"), json!(other.public_jwk().kid())] {
        let token = forge(&key, &header(&key, json!({"kid": kid})), &claims().to_string());
        assert_eq!(verify(&key, &token).unwrap_err(), VerifyError::UnknownKey, "{kid}");
    }
}

#[test]
fn another_key_s_kid_is_a_wrong_signature_or_a_wrong_algorithm() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let (same, other) =
        (PrivateKey::generate(Algorithm::EdDsa).unwrap(), PrivateKey::generate(Algorithm::Es256).unwrap());
    let keys = set(&[&key, &same, &other]);
    for (kid, expected) in [(same, VerifyError::Signature), (other, VerifyError::Algorithm)] {
        let header = header(&key, json!({"kid": kid.public_jwk().kid()}));
        let token = forge(&key, &header, &claims().to_string());
        assert_eq!(keys.verify(&token, &[TokenType::AccessToken]).unwrap_err(), expected);
    }
}

#[test]
fn times_are_checked_before_anything_can_be_read() {
    let key = PrivateKey::generate(Algorithm::EdDsa).unwrap();
    let keys = set(&[&key]);
    let signed = |payload: Value| {
        let token = forge(&key, &header(&key, json!({})), &payload.to_string());
        keys.verify(&token, &[TokenType::AccessToken]).unwrap()
    };
    let expired = json!({"exp": NOW, "iat": 1});
    assert_eq!(signed(expired.clone()).at(NOW, Duration::ZERO).unwrap_err(), TimeError::Expired);
    assert!(signed(expired.clone()).at(NOW, Duration::from_secs(1)).is_ok());
    assert_eq!(signed(expired.clone()).of_a_peer(NOW, Duration::MAX).unwrap_err(), TimeError::Expired);
    assert!(signed(expired).even_if_expired(NOW, Duration::ZERO).is_ok());
    assert_eq!(signed(json!({})).even_if_expired(NOW, Duration::ZERO).unwrap_err(), TimeError::NoExpiry);
    let early = json!({"exp": NOW + 9, "nbf": NOW + 1});
    assert_eq!(signed(early.clone()).at(NOW, Duration::ZERO).unwrap_err(), TimeError::NotYet);
    assert_eq!(signed(early.clone()).of_a_peer(NOW, Duration::ZERO).unwrap_err(), TimeError::NotYet);
    assert!(signed(early).of_a_peer(NOW, Duration::from_secs(1)).is_ok());
}
