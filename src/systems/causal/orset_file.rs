//! The OR-set file of upstream (section 5): pairs of base64 of a value and tag joined by semicolons,
//! without newline; empty for an empty set.

use std::collections::BTreeMap;

use super::text::{self, Decoder, Error, Place};
use super::{Name, base64};

/// Values by their tags, in order of the tags.
///
/// # Errors
/// `unrepresentable_field` for a tag with a bar, semicolon, CR or LF.
pub fn format(elements: &BTreeMap<Name, Name>) -> Result<String, Error> {
    let mut room = 0;
    for (at, (tag, value)) in elements.iter().enumerate() {
        text::check_field(tag, PART, Place::Piece(at))?;
        room += base64::encoded_len(value.len()) + tag.len() + 2;
    }
    let mut out = String::with_capacity(room);
    for (tag, value) in elements {
        if !out.is_empty() {
            out.push(';');
        }
        text::push_pair(&mut out, value, tag);
    }
    Ok(out)
}

/// Values by their tags; of a tag that occurs twice the last one.
///
/// # Errors
/// The first that fails: `invalid_utf8`, `odd_element_count`, `value_base64`, and `invalid_utf8` for a
/// value.
pub fn parse(raw: &[u8]) -> Result<BTreeMap<Name, Name>, Error> {
    let pairs = match text::utf8(raw, PART)? {
        "" => return Ok(BTreeMap::new()),
        pairs => pairs,
    };
    let mut decoder = Decoder::default();
    let pairs = decoder.even_pairs(pairs, PART)?;
    let elements = pairs.into_iter().map(|pair| (pair.tag, pair.value));
    decoder.finish(elements.collect())
}

const PART: &str = "OR-set file";
