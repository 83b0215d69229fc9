//! What was sealed.

use std::fmt;

use zeroize::Zeroizing;

/// A plaintext whose seal was good: a proof that this provider sealed it, for this tenant, purpose and
/// context. Only [`super::Sealer::open`] makes one. `Debug` shows nothing; the memory is zeroed when it goes.
pub struct Opened {
    buffer: Zeroizing<Vec<u8>>,
    plaintext: std::ops::Range<usize>,
}

impl Opened {
    /// The plaintext is a part of `buffer`, so that it is never copied.
    pub(super) fn new(buffer: Zeroizing<Vec<u8>>, plaintext: std::ops::Range<usize>) -> Self {
        Self { buffer, plaintext }
    }

    /// The plaintext.
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(self.plaintext.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(…)")
    }
}
