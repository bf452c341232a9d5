//! Valid encodings for each decoder.

use concord::systems::pullsync::IntervalSet;
use concord::systems::pullsync::limits::{CHUNK_SIZE, HASH_SIZE, SPAN_SIZE};
use concord::systems::pullsync::wire::{Kind, Message, frame};
use proptest::prelude::*;

use super::super::wire::message;
use super::targets::TURNS;

/// Encodings of values of a target.
pub(crate) fn valid(target: &str) -> BoxedStrategy<Vec<u8>> {
    match target {
        "syn" => body(Kind::Syn),
        "ack" => body(Kind::Ack),
        "ruid" => body(Kind::Ruid),
        "get_range" => body(Kind::GetRange),
        "offer" => offer().boxed(),
        "want" => body(Kind::Want),
        "delivery" => body(Kind::Delivery),
        "cancel" => body(Kind::Cancel),
        "frames" => frames().boxed(),
        "intervals" => intervals().boxed(),
        "bits" => bits().boxed(),
        "chunk" => chunk().boxed(),
        "soc" => soc().boxed(),
        _ => panic!("{target} is no target"),
    }
}

fn body(kind: Kind) -> BoxedStrategy<Vec<u8>> {
    message(kind)
        .prop_map(|message| message.encode().into())
        .boxed()
}

/// Of whole hashes.
fn offer() -> impl Strategy<Value = Vec<u8>> {
    message(Kind::Offer).prop_map(|message| {
        let Message::Offer { topmost, hashes } = message else {
            unreachable!("it is an offer");
        };
        let whole = hashes.len() / HASH_SIZE * HASH_SIZE;
        let hashes = hashes.slice(..whole);
        Message::Offer { topmost, hashes }.encode().into()
    })
}

/// The first messages of an exchange, as both sides send them.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let turns = TURNS.map(message);
    (turns, 1..=TURNS.len()).prop_map(|(messages, count)| {
        let messages = messages.iter().take(count);
        messages
            .flat_map(|message| frame(message).expect("it is short"))
            .collect()
    })
}

fn intervals() -> impl Strategy<Value = Vec<u8>> {
    let number = || prop_oneof![0..100_u64, any::<u64>()];
    let ranges = prop::collection::vec((number(), number()), 0..6);
    (number(), ranges).prop_map(|(start, ranges)| {
        let mut set = IntervalSet::new(start);
        for (one, other) in ranges {
            let added = set.add(one.min(other), one.max(other));
            added.expect("the lesser one comes first");
        }
        set.encode().into()
    })
}

/// The number of bits in two bytes, then bits.
fn bits() -> impl Strategy<Value = Vec<u8>> {
    (1..400_u16, any::<bool>()).prop_flat_map(|(length, has_surplus)| {
        let bytes = match has_surplus {
            true => usize::from(length / 8 + 1),
            false => usize::from(length.div_ceil(8)),
        };
        let bits = prop::collection::vec(any::<u8>(), bytes);
        bits.prop_map(move |bits| [&length.to_le_bytes()[..], &bits].concat())
    })
}

/// Span and payload; often short, often as long as can be.
fn chunk() -> impl Strategy<Value = Vec<u8>> {
    let lengths = prop_oneof![0..4_usize, 0..200_usize, CHUNK_SIZE - 2..=CHUNK_SIZE];
    lengths.prop_flat_map(|payload| prop::collection::vec(any::<u8>(), SPAN_SIZE + payload))
}

/// Whose signature recovers a key, as r is the abscissa of a point.
fn soc() -> impl Strategy<Value = Vec<u8>> {
    let v = prop::sample::select(&[27, 28, 31, 32][..]);
    let id = any::<[u8; HASH_SIZE]>();
    // Below the order.
    let s = (1..=0x7f_u8, any::<[u8; HASH_SIZE - 1]>());
    (id, s, v, chunk()).prop_map(|(id, (high, low), v, chunk)| {
        let (id, low) = (&id[..], &low[..]);
        [id, &ABSCISSA, &[high], low, &[v], &chunk].concat()
    })
}

/// Of the generator of secp256k1.
const ABSCISSA: [u8; HASH_SIZE] = [
    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07,
    0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];
