//! What a connection carries (3.2).

use bytes::Bytes;

/// The keep-alive line, without its end.
pub const PING: &[u8] = b"> ping <";

const LINE_END: &[u8] = b"\r\n";

/// The message among what was read from a connection, if its line is complete: the first line that is
/// no ping, without any CR and LF at its end. What follows it is ignored.
pub fn line_of(connection: &[u8]) -> Option<&[u8]> {
    connection
        .split_inclusive(|byte| *byte == b'\n')
        .filter_map(complete)
        .find(|line| *line != PING)
}

/// What a connection carries: the ping line, then `line` with its end.
pub fn connection_of(line: &[u8]) -> Bytes {
    Bytes::from([PING, LINE_END, line, LINE_END].concat())
}

fn complete(line: &[u8]) -> Option<&[u8]> {
    let mut text = line.strip_suffix(b"\n")?;
    while let Some(shorter) = text.strip_suffix(b"\r") {
        text = shorter;
    }
    Some(text)
}
