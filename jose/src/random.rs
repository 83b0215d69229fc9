//! The one home of randomness.

/// Bytes from the system's generator.
///
/// Without randomness there is no secret, no key and no token ID: nothing here could go on, so the
/// process ends. On Linux that does not happen once the system has started.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// 128 random bits as 32 lower-case hexadecimal digits: an identifier that nobody can guess.
pub fn hex128() -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(32);
    for byte in bytes::<16>() {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_hexadecimal_and_differ() {
        let (first, second) = (hex128(), hex128());
        assert_eq!(first.len(), 32);
        assert!(first.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{first}");
        assert_ne!(first, second);
        assert_ne!(bytes::<16>(), [0; 16]);
    }
}
