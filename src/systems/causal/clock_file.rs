//! The clock file (section 5).

use std::collections::BTreeMap;

use super::{Name, Profile, text};

/// Entries in order of the names. # Errors `unrepresentable_field`.
pub fn format(_clock: &BTreeMap<Name, i64>) -> Result<String, text::Error> {
    todo!()
}
/// # Errors `invalid_utf8`, `invalid_vclock_element`, `invalid_vclock_number`.
pub fn parse(_raw: &[u8], _profile: Profile) -> Result<BTreeMap<Name, i64>, text::Error> {
    todo!()
}
