//! The OR-set file of upstream: tags and their values (section 5).

use std::collections::BTreeMap;

use super::{Name, text};

/// # Errors `unrepresentable_field`.
pub fn format(_elements: &BTreeMap<Name, Name>) -> Result<String, text::Error> {
    todo!()
}
/// # Errors `invalid_utf8`, `odd_element_count`, `value_base64`.
pub fn parse(_raw: &[u8]) -> Result<BTreeMap<Name, Name>, text::Error> {
    todo!()
}
