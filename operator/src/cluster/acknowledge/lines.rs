//! Bytes to lines: pure, and bounded.

/// The longest line. A full frame of documents takes a tenth of it.
const LONGEST: usize = 4 << 20;

/// Collects bytes until a line is whole.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// So many bytes at the start have been given out.
    taken: usize,
    /// Up to here there is no further end of a line.
    searched: usize,
}

/// A line is longer than any frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line, without its end.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let rest = self.bytes.get(self.searched..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n').map(|at| self.searched + at);
        self.searched = end.map_or(self.bytes.len(), |end| end + 1);
        if end.unwrap_or(self.bytes.len()) - self.taken > LONGEST {
            return Err(TooLong);
        }
        let Some(end) = end else { return Ok(None) };
        let line = self.bytes.get(self.taken..end).unwrap_or_default();
        self.taken = end + 1;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &mut Lines) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(String::from_utf8(line.to_vec()).unwrap());
        }
        all
    }

    #[test]
    fn lines_come_out_whole_however_the_bytes_are_cut() {
        let text = b"one\n\ntwo three\nfour";
        for cut in 1..text.len() {
            let mut lines = Lines::default();
            let mut got = Vec::new();
            for part in text.chunks(cut) {
                lines.push(part);
                got.extend(all(&mut lines));
            }
            assert_eq!(got, ["one", "", "two three"], "cut every {cut}");
            lines.push(b"\n");
            assert_eq!(all(&mut lines), ["four"]);
        }
    }

    #[test]
    fn a_line_without_end_is_refused_and_what_was_taken_does_not_count() {
        let mut lines = Lines::default();
        let mut half = vec![b'a'; LONGEST / 2];
        half.push(b'\n');
        for _ in 0..5 {
            lines.push(&half);
            assert!(lines.next().unwrap().is_some());
            assert_eq!(lines.next(), Ok(None));
        }
        lines.push(&vec![b'a'; LONGEST + 1]);
        assert_eq!(lines.next(), Err(TooLong));
    }
}
