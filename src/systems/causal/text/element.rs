//! Elements: pairs, triples and lists of them (3.3, 5).

use bytes::Bytes;

use super::{Error, Kind, Place};
use crate::causal::orset::Pair;
use crate::causal::{Name, base64};

/// A pair with contents.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
pub struct Triple {
    /// Name of a mail file.
    pub value: Name,
    /// Its tag.
    pub tag: Name,
    /// The mail.
    pub contents: Bytes,
}

/// Decodes what one text holds. That something decoded is not UTF-8 is told at the end, since every
/// other check goes first.
#[derive(Default)]
pub(crate) struct Decoder {
    room: Vec<u8>,
    not_utf8: Option<Error>,
}

impl Decoder {
    /// What was decoded, if all of it is UTF-8.
    pub(crate) fn finish<T>(self, decoded: T) -> Result<T, Error> {
        match self.not_utf8 {
            Some(error) => Err(error),
            None => Ok(decoded),
        }
    }

    /// A value or mailbox; empty for now if it is not UTF-8.
    pub(crate) fn name(
        &mut self,
        text: &str,
        kind: Kind,
        part: &'static str,
        place: Place,
    ) -> Result<Name, Error> {
        base64::decode_to(text, &mut self.room).ok_or(Error::new(kind, part, place))?;
        match std::str::from_utf8(&self.room) {
            Ok(name) => Ok(Name::new(name)),
            Err(_) => {
                let error = Error::new(Kind::InvalidUtf8, part, place);
                self.not_utf8
                    .get_or_insert(error.expecting("base64 of UTF-8"));
                Ok(Name::default())
            }
        }
    }

    /// One pair.
    pub(crate) fn pair(&mut self, text: &str, part: &'static str) -> Result<Pair, Error> {
        let [value, tag] = element(text, part)?;
        self.pair_at(value, tag, part, 0)
    }

    /// One triple.
    pub(crate) fn triple(&mut self, text: &str, part: &'static str) -> Result<Triple, Error> {
        let [value, tag, contents] = element(text, part)?;
        self.triple_at(value, tag, contents, part, 0)
    }

    /// One pair or more.
    pub(crate) fn pairs(&mut self, text: &str, part: &'static str) -> Result<Vec<Pair>, Error> {
        match count(text, ';') {
            count @ ..2 => Err(Error::new(
                Kind::TooFewSemicolons,
                part,
                Place::Count(count),
            )),
            _ => self.even_pairs(text, part),
        }
    }

    /// Pairs, where a single piece is but an odd number of them.
    pub(crate) fn even_pairs(
        &mut self,
        text: &str,
        part: &'static str,
    ) -> Result<Vec<Pair>, Error> {
        let count = count(text, ';');
        if !count.is_multiple_of(2) {
            return Err(Error::new(Kind::OddElementCount, part, Place::Count(count)));
        }
        let mut pairs = Vec::with_capacity(count / 2);
        let mut pieces = text.split(';');
        while let (Some(value), Some(tag)) = (pieces.next(), pieces.next()) {
            pairs.push(self.pair_at(value, tag, part, 2 * pairs.len())?);
        }
        Ok(pairs)
    }

    /// One triple or more.
    pub(crate) fn triples(&mut self, text: &str, part: &'static str) -> Result<Vec<Triple>, Error> {
        let count = count(text, ';');
        if !count.is_multiple_of(3) {
            let place = Place::Count(count);
            return Err(Error::new(Kind::NotDivisibleByThree, part, place));
        }
        let mut triples = Vec::with_capacity(count / 3);
        let mut pieces = text.split(';');
        while let (Some(value), Some(tag), Some(contents)) =
            (pieces.next(), pieces.next(), pieces.next())
        {
            let at = 3 * triples.len();
            triples.push(self.triple_at(value, tag, contents, part, at)?);
        }
        Ok(triples)
    }

    fn pair_at(
        &mut self,
        value: &str,
        tag: &str,
        part: &'static str,
        at: usize,
    ) -> Result<Pair, Error> {
        Ok(Pair {
            value: self.name(value, Kind::ValueBase64, part, Place::Piece(at))?,
            tag: Name::new(tag),
        })
    }

    fn triple_at(
        &mut self,
        value: &str,
        tag: &str,
        contents: &str,
        part: &'static str,
        at: usize,
    ) -> Result<Triple, Error> {
        let Pair { value, tag } = self.pair_at(value, tag, part, at)?;
        let wrong = Error::new(Kind::ContentsBase64, part, Place::Piece(at + 2));
        let contents = base64::decode(contents).ok_or(wrong)?.into();
        Ok(Triple {
            value,
            tag,
            contents,
        })
    }
}

/// The pieces of `text`, or how many there are if not `N`.
pub(super) fn pieces<const N: usize>(text: &str, separator: char) -> Result<[&str; N], usize> {
    let count = count(text, separator);
    if count != N {
        return Err(count);
    }
    let mut pieces = text.split(separator);
    Ok(std::array::from_fn(|_| pieces.next().unwrap_or_default()))
}

/// Whether a user or tag can stand between bars and semicolons.
///
/// # Errors
/// `unrepresentable_field`.
pub(crate) fn check_field(text: &str, part: &'static str, place: Place) -> Result<(), Error> {
    match text.contains(['|', ';', '\r', '\n']) {
        true => Err(Error::new(Kind::UnrepresentableField, part, place)),
        false => Ok(()),
    }
}

/// Appends a pair; `tag` is written as it is.
pub(crate) fn push_pair(out: &mut String, value: &str, tag: &str) {
    base64::encode(value.as_bytes(), out);
    out.push(';');
    out.push_str(tag);
}

/// Appends a triple; its tag is written as it is.
pub(super) fn push_triple(out: &mut String, triple: &Triple) {
    push_pair(out, &triple.value, &triple.tag);
    out.push(';');
    base64::encode(&triple.contents, out);
}

fn element<'a, const N: usize>(text: &'a str, part: &'static str) -> Result<[&'a str; N], Error> {
    pieces(text, ';')
        .map_err(|count| Error::new(Kind::ElementSemicolons, part, Place::Count(count)))
}

fn count(text: &str, separator: char) -> usize {
    text.split(separator).count()
}
