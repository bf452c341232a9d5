//! The fields of a record, one after the other.

/// Reads fields and never beyond the record.
pub(super) struct Cursor<'a> {
    raw: &'a [u8],
    /// At most the length of `raw`.
    at: usize,
}

/// Why a field could not be read.
#[derive(Clone, Copy)]
pub(super) struct Flaw {
    /// Where it begins, at most the length of the record.
    pub(super) at: usize,
    /// What should stand there.
    pub(super) expected: &'static str,
    /// Whether the record ends within a field of fixed size.
    pub(super) is_cut: bool,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(raw: &'a [u8]) -> Self {
        Self { raw, at: 0 }
    }

    /// Bytes not read yet.
    pub(super) const fn left(&self) -> usize {
        self.raw.len() - self.at
    }

    /// What is wrong with the next field.
    pub(super) const fn flaw(&self, expected: &'static str) -> Flaw {
        Flaw {
            at: self.at,
            expected,
            is_cut: false,
        }
    }

    pub(super) fn byte(&mut self, expected: &'static str) -> Result<u8, Flaw> {
        let [byte] = self.fixed(expected)?;
        Ok(byte)
    }

    pub(super) fn number(&mut self, expected: &'static str) -> Result<u64, Flaw> {
        self.fixed(expected).map(u64::from_be_bytes)
    }

    /// A length, then so many bytes. What is expected is said of the length.
    pub(super) fn bytes(&mut self, expected: &'static str) -> Result<&'a [u8], Flaw> {
        let flaw = self.flaw(expected);
        let length = self.number(expected)?;
        // A slice is shorter than 2^63 bytes, so this covers lengths that the platform does not have.
        let length = usize::try_from(length).map_err(|_| flaw)?;
        let rest = &self.raw[self.at..];
        let bytes = rest.get(..length).ok_or(flaw)?;
        self.at += length;
        Ok(bytes)
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Result<(), Flaw> {
        match self.left() {
            0 => Ok(()),
            _ => Err(self.flaw("the end of the record")),
        }
    }

    fn fixed<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], Flaw> {
        let field = self.raw[self.at..].first_chunk().ok_or(Flaw {
            is_cut: true,
            ..self.flaw(expected)
        })?;
        self.at += N;
        Ok(*field)
    }
}
