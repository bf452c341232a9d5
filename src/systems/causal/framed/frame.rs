//! Frames: decimal length, `;`, body (4.1).

use std::ops::Range;

use bytes::Bytes;

use super::{Error, Reason};

/// `body` as one frame; the length has no leading zeros.
pub fn frame(body: &[u8]) -> Bytes {
    let length = body.len().to_string();
    let mut out = Vec::with_capacity(length.len() + 1 + body.len());
    out.extend_from_slice(length.as_bytes());
    out.push(b';');
    out.extend_from_slice(body);
    out.into()
}

/// The bodies of all frames, as slices of `raw`; none if it is empty. O(bytes of the lengths).
///
/// # Errors
/// Those of the first frame that is wrong (4.1): `invalid_frame_length`, `truncated_frame`.
pub fn unframe(raw: &Bytes) -> Result<Vec<Bytes>, Error> {
    let mut bodies = Vec::new();
    let mut start = 0;
    while start < raw.len() {
        let (body, length) = first_frame(&raw[start..]).map_err(|error| Error {
            offset: start + error.offset,
            ..error
        })?;
        bodies.push(raw.slice(start + body.start..start + body.end));
        start += length;
    }
    Ok(bodies)
}

/// Reads the frame at the start of `raw`: where its body is, and the length of the whole frame.
///
/// # Errors
/// `truncated_frame` if `raw` is a proper prefix of a frame, be it empty, or ends within digits, and
/// `invalid_frame_length` if no further bytes make it one (4.1).
pub fn first_frame(raw: &[u8]) -> Result<(Range<usize>, usize), Error> {
    let fail = |reason| Error {
        reason,
        field: None,
        offset: 0,
    };
    let digits = raw.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match raw.get(digits) {
        None => return Err(fail(Reason::UnfinishedLength)),
        Some(b';') if digits > 0 => {}
        Some(_) => return Err(fail(Reason::NoLength)),
    }
    let expected = number(&raw[..digits]).ok_or_else(|| fail(Reason::LengthTooLarge))?;
    let start = digits + 1;
    let left = raw.len() - start;
    match usize::try_from(expected) {
        Ok(length) if length <= left => Ok((start..start + length, start + length)),
        _ => Err(fail(Reason::UnfinishedBody { expected, left })),
    }
}

/// None if it is above the largest signed number of 64 bits.
fn number(digits: &[u8]) -> Option<u64> {
    let number = digits.iter().try_fold(0_i64, |number, digit| {
        number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
    });
    number.map(i64::unsigned_abs)
}
