//! The clock file (section 5): entries `name:value` joined by semicolons, without newline; empty for a
//! clock without entries.

use std::collections::BTreeMap;

use super::{Name, Profile, text};

/// Entries in order of the names.
///
/// # Errors
/// `unrepresentable_field` for a name that is not legal.
pub fn format(clock: &BTreeMap<Name, i64>) -> Result<String, text::Error> {
    text::check_names(clock)?;
    let mut out = String::new();
    text::push_entries(&mut out, clock.iter().map(|(name, value)| (&**name, value)));
    Ok(out)
}

/// Entries as they stand, of a name that occurs twice the last one. Numbers are those of the profile:
/// in text signed 64 bits, in framed up to 4294967295 and only digits.
///
/// # Errors
/// `invalid_utf8`, else the first bad entry: `invalid_vclock_element`, `invalid_vclock_number`.
pub fn parse(raw: &[u8], profile: Profile) -> Result<BTreeMap<Name, i64>, text::Error> {
    match text::utf8(raw, "clock file")? {
        "" => Ok(BTreeMap::new()),
        entries => match profile {
            Profile::Text => text::parse_entries(entries, text::signed, text::SIGNED),
            Profile::Framed => text::parse_entries(entries, unsigned, UNSIGNED),
        },
    }
}

const UNSIGNED: &str = "digits, at most 4294967295";

fn unsigned(text: &str) -> Option<i64> {
    let value: u32 = match text.starts_with('+') {
        true => return None,
        false => text.parse().ok()?,
    };
    Some(value.into())
}
