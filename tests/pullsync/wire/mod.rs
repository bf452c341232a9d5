//! Messages and frames (6).

mod bodies;
mod frames;
pub(crate) mod peer;
mod refused;
mod typed;

use bytes::Bytes;
use concord::systems::pullsync::wire::{Kind, Message};
use proptest::prelude::*;

/// A message of this kind; numbers of every length, often 0, and bytes that are often none.
pub(crate) fn message(kind: Kind) -> BoxedStrategy<Message> {
    match kind {
        Kind::Syn => Just(Message::Syn).boxed(),
        Kind::Ack => prop::collection::vec(number(), 0..40)
            .prop_map(|cursors| Message::Ack { cursors })
            .boxed(),
        Kind::Ruid => ruid().prop_map(|ruid| Message::Ruid { ruid }).boxed(),
        Kind::GetRange => (bin(), number(), number())
            .prop_map(|(bin, from, to)| Message::GetRange { bin, from, to })
            .boxed(),
        Kind::Offer => (number(), hashes())
            .prop_map(|(topmost, hashes)| Message::Offer { topmost, hashes })
            .boxed(),
        Kind::Want => contents()
            .prop_map(|bit_vector| Message::Want { bit_vector })
            .boxed(),
        Kind::Delivery => (contents(), contents(), contents())
            .prop_map(|(address, data, stamp)| Message::Delivery {
                address,
                data,
                stamp,
            })
            .boxed(),
        Kind::Cancel => ruid().prop_map(|ruid| Message::Cancel { ruid }).boxed(),
    }
}

/// A message of any kind.
pub(crate) fn any_message() -> impl Strategy<Value = Message> {
    prop::sample::select(&Kind::ALL[..]).prop_flat_map(message)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(u64::MAX),
        (any::<u64>(), 0..64).prop_map(|(value, shift)| value >> shift),
    ]
}

fn ruid() -> impl Strategy<Value = u32> {
    number().prop_map(|value| value as u32)
}

fn bin() -> impl Strategy<Value = i32> {
    prop_oneof![0..32, any::<i32>()]
}

fn contents() -> impl Strategy<Value = Bytes> {
    let length = prop_oneof![Just(0..1_usize), Just(1..40), Just(120..140)];
    let bytes = length.prop_flat_map(|length| prop::collection::vec(any::<u8>(), length));
    bytes.prop_map(Bytes::from)
}

/// A whole number of hashes, or not.
fn hashes() -> impl Strategy<Value = Bytes> {
    let whole = (0..5_usize).prop_flat_map(|count| prop::collection::vec(any::<u8>(), 32 * count));
    prop_oneof![whole.prop_map(Bytes::from), contents()]
}
