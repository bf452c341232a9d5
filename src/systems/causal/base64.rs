//! Standard base64 with padding, as the text format reads it (3.3).

use data_encoding::{BASE64, BASE64_MIME_PERMISSIVE};

/// Appends `raw` with padding to `out`.
pub fn encode(raw: &[u8], out: &mut String) {
    BASE64.encode_append(raw, out);
}

/// How many characters `raw` bytes become.
pub fn encoded_len(raw: usize) -> usize {
    BASE64.encode_len(raw)
}

/// What `text` encodes, or none if it is no base64. O(n).
///
/// CR and LF are ignored wherever they stand; padding is mandatory, and nothing follows it; unused
/// trailing bits may be set.
///
/// ```
/// use concord_systems::causal::base64::decode;
/// assert_eq!(decode("aG\r\nk=").as_deref(), Some(&b"hi"[..]));
/// assert_eq!(decode("TR=\n=").as_deref(), Some(&b"M"[..]));
/// assert_eq!(decode("TQ"), None);
/// assert_eq!(decode("TQ==TQ=="), None);
/// ```
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    decode_to(text, &mut decoded)?;
    Some(decoded)
}

/// As [`decode`], in place of what `out` held, so that its room is used again.
pub(crate) fn decode_to(text: &str, out: &mut Vec<u8>) -> Option<()> {
    if !ends_with_padding(text) {
        return None;
    }
    out.clear();
    out.resize(DECODER.decode_len(text.len()).ok()?, 0);
    let decoded = DECODER.decode_mut(text.as_bytes(), out).ok()?;
    out.truncate(decoded);
    Some(())
}

/// Ignores CR and LF, and does not look at trailing bits.
const DECODER: data_encoding::Encoding = BASE64_MIME_PERMISSIVE;

/// Whether nothing stands behind padding: the library takes padded texts one after the other.
fn ends_with_padding(text: &str) -> bool {
    let padding = text.find('=').map_or("", |start| &text[start..]);
    padding
        .bytes()
        .all(|byte| matches!(byte, b'=' | b'\r' | b'\n'))
}
