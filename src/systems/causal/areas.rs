//! The area file: half-open ranges of bytes (section 5).

use super::text;

/// # Errors `invalid_area`.
pub fn format(_areas: &[(i64, i64)]) -> Result<String, text::Error> {
    todo!()
}
/// # Errors `invalid_area`.
pub fn parse(_raw: &[u8]) -> Result<Vec<(i64, i64)>, text::Error> {
    todo!()
}
