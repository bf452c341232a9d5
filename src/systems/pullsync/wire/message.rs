//! Messages and their proto3 form (6).

use bytes::Bytes;
use prost::encoding;
use serde::{Deserialize, Serialize};

use super::fields::Fields;
use crate::proto;
use crate::pullsync::limits::HASH_SIZE;
use crate::pullsync::message;
use crate::pullsync::space::{Address, Delivery, Real};

/// Which message bytes are. They do not tell: it follows from stream and turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Message::Syn`].
    Syn,
    /// [`Message::Ack`].
    Ack,
    /// [`Message::Ruid`].
    Ruid,
    /// [`Message::GetRange`].
    GetRange,
    /// [`Message::Offer`].
    Offer,
    /// [`Message::Want`].
    Want,
    /// [`Message::Delivery`].
    Delivery,
    /// [`Message::Cancel`].
    Cancel,
}

/// A message with its fields as they are on the wire. What is absent there is 0 or empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Asks for cursors.
    Syn,
    /// Answers it.
    Ack {
        /// Field 1: the highest number assigned, per bin.
        cursors: Vec<u64>,
    },
    /// Begins an exchange.
    Ruid {
        /// Field 1: its random number.
        ruid: u32,
    },
    /// Asks for a range.
    GetRange {
        /// Field 1: bin of the server; any number.
        bin: i32,
        /// Field 2: the first insertion number.
        from: u64,
        /// Field 3: the last one.
        to: u64,
    },
    /// Offers a page.
    Offer {
        /// Field 1: up to where the page covers the range.
        topmost: u64,
        /// Field 2: addresses one after the other; any length.
        hashes: Bytes,
    },
    /// Says what of it is wanted.
    Want {
        /// Field 1: a bit per address (5).
        bit_vector: Bytes,
    },
    /// Delivers a chunk.
    Delivery {
        /// Field 1: its address; any length.
        address: Bytes,
        /// Field 2: its data.
        data: Bytes,
        /// Field 3: its stamp.
        stamp: Bytes,
    },
    /// Cancels an exchange.
    Cancel {
        /// Field 1: the number of the exchange.
        ruid: u32,
    },
}

/// Bytes that are no message of the expected kind (6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[error("byte {at} of the body: {what}")]
pub struct Malformed {
    /// Offset of what is wrong, at most the length of the body.
    pub at: usize,
    /// What it is, and what was expected.
    pub what: &'static str,
}

/// Hashes that are not a whole number of hashes (7, 4a).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} bytes of hashes, expected a multiple of 32")]
pub struct InconsistentHashLength(pub usize);

impl Malformed {
    /// `malformed`.
    pub const fn code(&self) -> &'static str {
        "malformed"
    }
}

impl InconsistentHashLength {
    /// `inconsistent_hash_length`.
    pub const fn code(&self) -> &'static str {
        "inconsistent_hash_length"
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Syn,
        Self::Ack,
        Self::Ruid,
        Self::GetRange,
        Self::Offer,
        Self::Want,
        Self::Delivery,
        Self::Cancel,
    ];
}

impl Message {
    /// Which message it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Syn => Kind::Syn,
            Self::Ack { .. } => Kind::Ack,
            Self::Ruid { .. } => Kind::Ruid,
            Self::GetRange { .. } => Kind::GetRange,
            Self::Offer { .. } => Kind::Offer,
            Self::Want { .. } => Kind::Want,
            Self::Delivery { .. } => Kind::Delivery,
            Self::Cancel { .. } => Kind::Cancel,
        }
    }

    /// The body: fields in ascending number, those that are 0 or empty left out, cursors packed. It may
    /// be longer than a frame allows.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode_into(&mut out);
        out.into()
    }

    /// Length of the body in bytes. O(1) but for cursors.
    pub fn encoded_len(&self) -> usize {
        match self {
            Self::Syn => 0,
            Self::Ack { cursors } => match packed_len(cursors) {
                0 => 0,
                length => proto::bytes_len(1, length),
            },
            Self::Ruid { ruid } | Self::Cancel { ruid } => number_len(1, (*ruid).into()),
            Self::GetRange { bin, from, to } => {
                number_len(1, int32(*bin)) + number_len(2, *from) + number_len(3, *to)
            }
            Self::Offer { topmost, hashes } => number_len(1, *topmost) + bytes_len(2, hashes),
            Self::Want { bit_vector } => bytes_len(1, bit_vector),
            Self::Delivery {
                address,
                data,
                stamp,
            } => bytes_len(1, address) + bytes_len(2, data) + bytes_len(3, stamp),
        }
    }

    /// Decodes any body that 6 allows. Bytes are slices of it. O(length).
    ///
    /// # Errors
    /// `malformed`.
    pub fn decode(kind: Kind, body: Bytes) -> Result<Self, Malformed> {
        let mut message = Self::empty(kind);
        let mut fields = Fields::new(&body);
        while let Some(field) = fields.next()? {
            match (&mut message, field.number) {
                (Self::Ack { cursors }, 1) => field.numbers_into(cursors)?,
                // The low 32 bits count.
                (Self::Ruid { ruid } | Self::Cancel { ruid }, 1) => *ruid = field.number()? as u32,
                (Self::GetRange { bin, .. }, 1) => *bin = field.number()? as i32,
                (Self::GetRange { from, .. }, 2) => *from = field.number()?,
                (Self::GetRange { to, .. }, 3) => *to = field.number()?,
                (Self::Offer { topmost, .. }, 1) => *topmost = field.number()?,
                (Self::Offer { hashes, .. }, 2) => *hashes = field.bytes()?,
                (Self::Want { bit_vector }, 1) => *bit_vector = field.bytes()?,
                (Self::Delivery { address, .. }, 1) => *address = field.bytes()?,
                (Self::Delivery { data, .. }, 2) => *data = field.bytes()?,
                (Self::Delivery { stamp, .. }, 3) => *stamp = field.bytes()?,
                _ => {}
            }
        }
        Ok(message)
    }

    /// Tells addresses apart.
    ///
    /// # Errors
    /// `inconsistent_hash_length` for an offer.
    pub fn typed(self) -> Result<message::Message<Real>, InconsistentHashLength> {
        Ok(match self {
            Self::Syn => message::Message::Syn,
            Self::Ack { cursors } => message::Message::Ack { cursors },
            Self::Ruid { ruid } => message::Message::Ruid { ruid },
            Self::GetRange { bin, from, to } => message::Message::GetRange { bin, from, to },
            Self::Offer { topmost, hashes } => match hashes.as_chunks() {
                (hashes, []) => message::Message::Offer {
                    topmost,
                    hashes: hashes.iter().copied().map(Address).collect(),
                },
                _ => return Err(InconsistentHashLength(hashes.len())),
            },
            Self::Want { bit_vector } => message::Message::Want { bit_vector },
            Self::Delivery {
                address,
                data,
                stamp,
            } => message::Message::Delivery(Delivery {
                address: <[u8; HASH_SIZE]>::try_from(&address[..]).ok().map(Address),
                data,
                stamp,
            }),
            Self::Cancel { ruid } => message::Message::Cancel { ruid },
        })
    }

    /// Puts addresses together; one that is none is empty.
    pub fn untyped(message: message::Message<Real>) -> Self {
        match message {
            message::Message::Syn => Self::Syn,
            message::Message::Ack { cursors } => Self::Ack { cursors },
            message::Message::Ruid { ruid } => Self::Ruid { ruid },
            message::Message::GetRange { bin, from, to } => Self::GetRange { bin, from, to },
            message::Message::Offer { topmost, hashes } => Self::Offer {
                topmost,
                hashes: hashes.iter().flat_map(|address| address.0).collect(),
            },
            message::Message::Want { bit_vector } => Self::Want { bit_vector },
            message::Message::Delivery(delivery) => Self::Delivery {
                address: match delivery.address {
                    Some(address) => Bytes::copy_from_slice(&address.0),
                    None => Bytes::new(),
                },
                data: delivery.data,
                stamp: delivery.stamp,
            },
            message::Message::Cancel { ruid } => Self::Cancel { ruid },
        }
    }

    pub(super) fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Self::Syn => {}
            Self::Ack { cursors } => put_packed(1, cursors, out),
            Self::Ruid { ruid } | Self::Cancel { ruid } => put_number(1, (*ruid).into(), out),
            Self::GetRange { bin, from, to } => {
                put_number(1, int32(*bin), out);
                put_number(2, *from, out);
                put_number(3, *to, out);
            }
            Self::Offer { topmost, hashes } => {
                put_number(1, *topmost, out);
                put_bytes(2, hashes, out);
            }
            Self::Want { bit_vector } => put_bytes(1, bit_vector, out),
            Self::Delivery {
                address,
                data,
                stamp,
            } => {
                put_bytes(1, address, out);
                put_bytes(2, data, out);
                put_bytes(3, stamp, out);
            }
        }
    }

    /// The message whose body is empty.
    const fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Syn => Self::Syn,
            Kind::Ack => Self::Ack {
                cursors: Vec::new(),
            },
            Kind::Ruid => Self::Ruid { ruid: 0 },
            Kind::GetRange => Self::GetRange {
                bin: 0,
                from: 0,
                to: 0,
            },
            Kind::Offer => Self::Offer {
                topmost: 0,
                hashes: Bytes::new(),
            },
            Kind::Want => Self::Want {
                bit_vector: Bytes::new(),
            },
            Kind::Delivery => Self::Delivery {
                address: Bytes::new(),
                data: Bytes::new(),
                stamp: Bytes::new(),
            },
            Kind::Cancel => Self::Cancel { ruid: 0 },
        }
    }
}

/// An int32 as its varint: the sign fills 64 bits.
const fn int32(value: i32) -> u64 {
    value as i64 as u64
}

fn put_number(number: u32, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        proto::put_varint(number, value, out);
    }
}

fn put_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        proto::put_bytes(number, bytes, out);
    }
}

fn put_packed(number: u32, values: &[u64], out: &mut Vec<u8>) {
    if !values.is_empty() {
        encoding::encode_key(number, encoding::WireType::LengthDelimited, out);
        encoding::encode_varint(packed_len(values) as u64, out);
        for value in values {
            encoding::encode_varint(*value, out);
        }
    }
}

const fn number_len(number: u32, value: u64) -> usize {
    match value {
        0 => 0,
        value => proto::varint_len(number, value),
    }
}

const fn bytes_len(number: u32, bytes: &Bytes) -> usize {
    match bytes.len() {
        0 => 0,
        length => proto::bytes_len(number, length),
    }
}

/// Bytes of the numbers in a packed block.
fn packed_len(values: &[u64]) -> usize {
    let values = values.iter();
    values
        .map(|value| encoding::encoded_len_varint(*value))
        .sum()
}
