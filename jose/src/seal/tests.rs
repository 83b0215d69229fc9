use proptest::prelude::*;

use super::*;

const TENANT: &str = "acme";

fn sealer(newest: &SealingKey, others: &[SealingKey], tenant: &str) -> Sealer {
    Sealer::new(newest, others.iter(), tenant)
}

fn one(tenant: &str) -> Sealer {
    sealer(&SealingKey::from_bytes(zeroize::Zeroizing::new([7; 32])), &[], tenant)
}

/// Every text that differs from `text` in one character of the alphabet, or in length by one.
fn neighbours(text: &str) -> Vec<String> {
    let mut all = vec![text[1..].to_owned(), text[..text.len() - 1].to_owned(), format!("{text}A"), format!("{text}=")];
    for (index, old) in text.char_indices() {
        for new in ['A', 'B', '_', '='] {
            if new != old {
                let mut other = text.to_owned();
                other.replace_range(index..=index, &new.to_string());
                all.push(other);
            }
        }
    }
    all
}

#[test]
fn what_was_sealed_opens_and_no_two_seals_are_alike() {
    let sealer = one(TENANT);
    let (first, second) = (
        sealer.seal(Purpose::Code, b"client", b"grant").unwrap(),
        sealer.seal(Purpose::Code, b"client", b"grant").unwrap(),
    );
    assert_ne!(first, second);
    for text in [first, second] {
        let opened = sealer.open(Purpose::Code, b"client", &text).unwrap();
        assert_eq!(opened.as_bytes(), b"grant");
        assert!(!format!("{opened:?}").contains("grant"));
    }
}

#[test]
fn every_changed_character_and_every_other_length_is_refused() {
    let sealer = one(TENANT);
    let text = sealer.seal(Purpose::Session, b"", b"somebody").unwrap();
    for bad in neighbours(&text) {
        assert_eq!(sealer.open(Purpose::Session, b"", &bad).unwrap_err(), OpenError, "{bad}");
    }
    for length in 0..text.len() {
        assert!(sealer.open(Purpose::Session, b"", &text[..length]).is_err(), "{length} characters");
    }
}

#[test]
fn a_seal_opens_for_its_purpose_alone() {
    let sealer = one(TENANT);
    for sealed in Purpose::ALL {
        let text = sealer.seal(sealed, b"", b"x").unwrap();
        for opened in Purpose::ALL {
            assert_eq!(sealer.open(opened, b"", &text).is_ok(), sealed == opened, "{sealed:?} as {opened:?}");
        }
    }
}

#[test]
fn a_seal_opens_in_its_tenant_and_context_alone() {
    let text = one(TENANT).seal(Purpose::Flow, b"context", b"x").unwrap();
    for tenant in ["", "acm", "acme2", "ACME", "acme\0", "other"] {
        assert!(one(tenant).open(Purpose::Flow, b"context", &text).is_err(), "{tenant:?}");
    }
    for context in [&b""[..], b"contex", b"context\0", b"Context"] {
        assert!(one(TENANT).open(Purpose::Flow, context, &text).is_err(), "{context:?}");
    }
    assert!(one(TENANT).open(Purpose::Flow, b"context", &text).is_ok());
}

#[test]
fn names_cannot_be_shifted_between_tenant_and_context() {
    let (short, long) = (one("a"), one("ab"));
    let text = short.seal(Purpose::Flow, b"bc", b"x").unwrap();
    assert!(long.open(Purpose::Flow, b"c", &text).is_err());
    assert_ne!(short.authenticated(Purpose::Flow, b"bc", 0), long.authenticated(Purpose::Flow, b"c", 0));
}

#[test]
fn old_keys_open_and_only_the_newest_seals() {
    let (old, new) = (SealingKey::generate(), SealingKey::generate());
    let before = sealer(&old, &[], TENANT);
    let after = sealer(&new, std::slice::from_ref(&old), TENANT);
    let gone = sealer(&new, &[], TENANT);
    let text = before.seal(Purpose::Flow, b"", b"x").unwrap();
    assert_eq!(after.open(Purpose::Flow, b"", &text).unwrap().as_bytes(), b"x");
    assert!(gone.open(Purpose::Flow, b"", &text).is_err(), "its key has left the ring");
    let text = after.seal(Purpose::Flow, b"", b"x").unwrap();
    assert!(gone.open(Purpose::Flow, b"", &text).is_ok());
    assert!(before.open(Purpose::Flow, b"", &text).is_err(), "sealed by the newest");
}

#[test]
fn what_is_too_long_is_neither_sealed_nor_opened() {
    let sealer = one(TENANT);
    let longest = vec![0; 64 * 1024];
    let text = sealer.seal(Purpose::StoredRequest, &[0; 4096], &longest).unwrap();
    assert_eq!(sealer.open(Purpose::StoredRequest, &[0; 4096], &text).unwrap().as_bytes(), longest);
    let too_long = vec![0; 64 * 1024 + 1];
    assert_eq!(sealer.seal(Purpose::StoredRequest, b"", &too_long), Err(SealError::TooLong));
    assert_eq!(sealer.seal(Purpose::StoredRequest, &[0; 4097], b""), Err(SealError::TooLong));
    assert!(sealer.open(Purpose::StoredRequest, b"", &"A".repeat(90_000)).is_err());
}

#[test]
fn a_derived_token_always_has_the_same_text_and_opens_to_what_it_says() {
    let token = DerivedToken { id: *b"0123456789abcdef", generation: 258 };
    let text = token.issue(&one(TENANT)).unwrap();
    // Fixed, for tokens outlive releases; computed by another HKDF and HMAC, Python's.
    assert_eq!(text, "AWnzjaNGvz7ZMDEyMzQ1Njc4OWFiY2RlZgAAAQI_AS6o6IpyOGFx8ejpFQ82-cg8ca8X0OiJzeUrfBGtYw");
    assert_eq!(text, token.issue(&one(TENANT)).unwrap());
    assert_eq!(DerivedToken::open(&one(TENANT), &text), Some(token));
    assert_ne!(text, DerivedToken { generation: 259, ..token }.issue(&one(TENANT)).unwrap());
}

#[test]
fn a_changed_derived_token_is_none_nor_is_one_of_another_tenant_or_key() {
    let sealer = one(TENANT);
    let text = DerivedToken { id: [9; 16], generation: 1 }.issue(&sealer).unwrap();
    for bad in neighbours(&text) {
        assert_eq!(DerivedToken::open(&sealer, &bad), None, "{bad}");
    }
    for length in 0..text.len() {
        assert_eq!(DerivedToken::open(&sealer, &text[..length]), None);
    }
    assert_eq!(DerivedToken::open(&one("other"), &text), None);
    let other = super::tests::sealer(&SealingKey::generate(), &[], TENANT);
    assert_eq!(DerivedToken::open(&other, &text), None);
}

#[test]
fn a_derived_token_survives_a_rotation_of_keys() {
    let (old, new) = (SealingKey::generate(), SealingKey::generate());
    let token = DerivedToken { id: [1; 16], generation: u32::MAX };
    let before = token.issue(&sealer(&old, &[], TENANT)).unwrap();
    let rotated = sealer(&new, &[old], TENANT);
    let after = token.issue(&rotated).unwrap();
    assert_ne!(before, after);
    for text in [before, after] {
        assert_eq!(DerivedToken::open(&rotated, &text), Some(token));
    }
}

#[test]
fn debug_shows_key_ids_alone() {
    let (new, old) = (SealingKey::generate(), SealingKey::generate());
    let shown = format!("{:?}", sealer(&new, std::slice::from_ref(&old), TENANT));
    assert!(shown.contains(&new.id().to_string()) && shown.contains(&old.id().to_string()), "{shown}");
    assert!(!shown.contains("bytes"), "{shown}");
}

proptest! {
    #[test]
    fn everything_comes_back(
        plaintext in proptest::collection::vec(any::<u8>(), 0..300),
        context in proptest::collection::vec(any::<u8>(), 0..40),
        tenant in "[a-z0-9-]{0,63}",
    ) {
        let sealer = one(&tenant);
        let text = sealer.seal(Purpose::Code, &context, &plaintext).unwrap();
        let opened = sealer.open(Purpose::Code, &context, &text).unwrap();
        prop_assert_eq!(opened.as_bytes(), &plaintext);
    }

    #[test]
    fn no_bit_of_a_seal_is_free(plaintext in proptest::collection::vec(any::<u8>(), 0..60), at: prop::sample::Index) {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;

        let sealer = one(TENANT);
        let mut bytes = URL_SAFE_NO_PAD.decode(sealer.seal(Purpose::Code, b"", &plaintext).unwrap()).unwrap();
        let bit = at.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(sealer.open(Purpose::Code, b"", &URL_SAFE_NO_PAD.encode(bytes)).is_err());
    }

    #[test]
    fn noise_opens_nowhere(text in ".{0,200}") {
        prop_assert!(one(TENANT).open(Purpose::Code, b"", &text).is_err());
        prop_assert_eq!(DerivedToken::open(&one(TENANT), &text), None);
    }

    #[test]
    fn every_derived_token_comes_back(id: [u8; 16], generation: u32) {
        let token = DerivedToken { id, generation };
        prop_assert_eq!(DerivedToken::open(&one(TENANT), &token.issue(&one(TENANT)).unwrap()), Some(token));
    }
}
