//! What may arrive in place of a message.

use concord_systems::pullsync::{Message, Protocol as Streams, SmallData};

use super::protocol::{End, FOREIGN, LIVE, Part};

/// What a connection or a misbehaving server makes of what was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forgery {
    /// The stream ends after so many of the messages.
    Cut,
    /// An offer names its first hash twice.
    RepeatedHash,
    /// An offer names the zero hash.
    ZeroHash,
    /// The topmost of an offer lies below the range.
    TopmostBelow,
    /// The topmost of an offer lies above the range.
    TopmostAbove,
    /// The topmost of an offer is the largest number.
    TopmostMax,
    /// A list of cursors lacks its last one.
    ShortCursors,
    /// A delivered chunk has other data.
    InvalidChunk,
    /// A delivered chunk has another address.
    Unsolicited,
}

/// The address of a chunk that nobody has.
const STRANGER: u8 = 0x17;

impl Forgery {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::RepeatedHash => "repeated_hash",
            Self::ZeroHash => "zero_hash",
            Self::TopmostBelow => "topmost_below",
            Self::TopmostAbove => "topmost_above",
            Self::TopmostMax => "topmost_max",
            Self::ShortCursors => "short_cursors",
            Self::InvalidChunk => "invalid_chunk",
            Self::Unsolicited => "unsolicited",
        }
    }
}

/// What may arrive in place of `part`.
pub(super) fn of(kind: Forgery, part: &Part) -> Vec<Part> {
    if kind == Forgery::Cut {
        return cuts(part);
    }
    // To a range that never ends no topmost is too high.
    if kind == Forgery::TopmostAbove && part.stream.1 & LIVE != 0 {
        return Vec::new();
    }
    let forged = |at: usize, message| {
        let mut part = part.clone();
        part.messages[at] = message;
        part
    };
    let messages = part.messages.iter().enumerate();
    messages
        .filter_map(|(at, message)| Some(forged(at, forge(kind, message)?)))
        .collect()
}

/// The stream ends after each number of messages. Cancels are lost instead, and streams of clients are
/// left alone.
fn cuts(part: &Part) -> Vec<Part> {
    if part.opens == Some(Streams::Cancel) || part.stream.1 & FOREIGN != 0 {
        return Vec::new();
    }
    // A request that arrives in part is as one that does not.
    let most = match part.opens {
        Some(_) => part.messages.len().min(1),
        None => part.messages.len(),
    };
    (0..most)
        .map(|kept| Part {
            messages: part.messages[..kept].to_vec(),
            end: End::Cut,
            ..part.clone()
        })
        .collect()
}

fn forge(kind: Forgery, message: &Message<super::Ids>) -> Option<Message<super::Ids>> {
    let mut message = message.clone();
    match (kind, &mut message) {
        (Forgery::RepeatedHash, Message::Offer { hashes, .. }) => hashes.push(*hashes.first()?),
        (Forgery::ZeroHash, Message::Offer { hashes, .. }) => *hashes.first_mut()? = 0,
        (Forgery::TopmostBelow, Message::Offer { topmost, hashes }) if !hashes.is_empty() => {
            *topmost = 0;
        }
        (Forgery::TopmostAbove, Message::Offer { topmost, hashes }) if !hashes.is_empty() => {
            *topmost = topmost.saturating_add(3);
        }
        (Forgery::TopmostMax, Message::Offer { topmost, .. }) => *topmost = u64::MAX,
        (Forgery::ShortCursors, Message::Ack { cursors }) => {
            cursors.pop()?;
        }
        (Forgery::InvalidChunk, Message::Delivery(delivery)) => delivery.data = SmallData::Invalid,
        (Forgery::Unsolicited, Message::Delivery(delivery)) => delivery.address = Some(STRANGER),
        _ => return None,
    }
    Some(message)
}
