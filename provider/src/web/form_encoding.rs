//! `application/x-www-form-urlencoded`, strictly: what cannot be decoded is refused, never repaired,
//! so that no two parsers see different values.

use std::borrow::Cow;

/// The text is not form-encoded UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Decodes one name or value; borrows where nothing is encoded.
pub(crate) fn decode(text: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let Some(plain) = memchr::memchr2(b'%', b'+', text) else {
        return std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| Malformed);
    };
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend_from_slice(&text[..plain]);
    let mut rest = text[plain..].iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(*digit).to_digit(16)).ok_or(Malformed);
                // Two hexadecimal digits are a byte.
                (digit()? << 4 | digit()?) as u8
            }
            plain => *plain,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| Malformed)
}

/// Appends `text`, encoded, to `to`. Every decoder reads a space that is written `%20`; not all read
/// `+` in a fragment.
pub(crate) fn encode(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            to.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            to.push('%');
            to.push(char::from(DIGITS[usize::from(byte >> 4)]));
            to.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(text in any::<String>()) {
            let mut encoded = String::new();
            encode(&text, &mut encoded);
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-._~".contains(&byte)));
            prop_assert_eq!(decode(encoded.as_bytes()), Ok(Cow::Borrowed(text.as_str())));
        }
    }

    #[test]
    fn decodes_what_is_encoded_and_nothing_else() {
        for (text, decoded) in [
            ("", Ok("")),
            ("plain~text", Ok("plain~text")),
            ("a+b", Ok("a b")),
            ("a%2Bb", Ok("a+b")),
            ("%e2%82%AC", Ok("€")),
            ("%", Err(Malformed)),
            ("%4", Err(Malformed)),
            ("%zz", Err(Malformed)),
            ("%+1", Err(Malformed)),
            ("%e2%82", Err(Malformed)),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), decoded.as_ref().copied(), "{text}");
        }
        assert_eq!(decode(b"\xff"), Err(Malformed));
    }

    #[test]
    fn borrows_where_it_can() {
        assert!(matches!(decode(b"client_credentials"), Ok(Cow::Borrowed(_))));
    }
}
