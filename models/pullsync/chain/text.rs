//! Streams, packets and calls for people.

use std::fmt::Write as _;

use concord_systems::pullsync::{Message, Mode, Worker};

use super::Ids;
use super::protocol::{Body, CANCEL, Call, End, FETCH, FOREIGN, LIVE, Packet, Stream};
use crate::cluster::letter;

/// Who opened a stream, and for what; a stroke for each exchange that failed before.
pub(super) fn stream((opener, number): Stream) -> String {
    let purpose = match number {
        _ if number & FETCH != 0 => format!("fetch{}", number & 0xf),
        _ if number & CANCEL != 0 => "cancel".to_owned(),
        _ if number & FOREIGN != 0 => format!("ask{}", number & 0xf),
        _ => ruid(number),
    };
    format!("{}.{purpose}", letter(opener))
}

/// Exchanges have the number of their stream for a ruid.
fn ruid(number: u32) -> String {
    let worker = match number & LIVE {
        0 => "hist",
        _ => "live",
    };
    let failures = "'".repeat((number >> 12 & 3) as usize);
    let life = "*".repeat((number >> 16 & 3) as usize);
    format!("{worker}{}{failures}{life}", number & (LIVE - 1))
}

pub(super) fn packet(packet: &Packet) -> String {
    let part = match &packet.body {
        Body::Connected => return "connected".to_owned(),
        Body::Part(part) => part,
    };
    let mut text = stream(part.stream);
    for message in &part.messages {
        // Writing to a string cannot fail.
        let _ = write!(text, " {}", message_text(message));
    }
    text.push_str(match part.end {
        End::Open => "",
        End::Finished => " end",
        End::Reset => " reset",
        End::Cut => " cut",
    });
    text
}

fn message_text(message: &Message<Ids>) -> String {
    match message {
        Message::Syn => "syn".to_owned(),
        Message::Ack { cursors } => format!("cursors {cursors:?}"),
        Message::Ruid { ruid } => format!("ruid {}", self::ruid(*ruid)),
        Message::GetRange { bin, from, to } if *to == u64::MAX => format!("get {bin}:{from}.."),
        Message::GetRange { bin, from, to } => format!("get {bin}:{from}..={to}"),
        Message::Offer { topmost, hashes } => format!("offer {} up to {topmost}", names(hashes)),
        Message::Want { bit_vector } => format!("want {:b}", bit_vector.first().unwrap_or(&0)),
        Message::Delivery(delivery) => match delivery.address {
            Some(address) => format!("chunk {}", name(address)),
            None => "chunk without address".to_owned(),
        },
        Message::Cancel { ruid } => format!("cancel {}", self::ruid(*ruid)),
    }
}

/// A chunk is a letter from the end of the alphabet; one whose stamp is not verifiable a capital.
pub(super) fn name(address: u8) -> String {
    match address {
        0 => "zero".to_owned(),
        _ => match address & 0xf {
            4 => "w".to_owned(),
            nth @ 1..=3 => char::from(b'w' + nth).to_string(),
            7 => "?".to_owned(),
            nth => char::from(b'W' + (nth & 7)).to_string(),
        },
    }
}

fn names(addresses: &[u8]) -> String {
    let names: Vec<String> = addresses.iter().map(|address| name(*address)).collect();
    format!("[{}]", names.join(" "))
}

pub(super) fn call(call: &Call) -> String {
    let worker = |worker: &Worker| match worker {
        Worker::Hist => "hist",
        Worker::Live => "live",
    };
    match call {
        Call::Put(Mode::Upload, chunk) => format!("upload {}", name(chunk.address)),
        Call::Put(Mode::Sync, chunk) => format!("sync {}", name(chunk.address)),
        Call::Put(Mode::Cache, chunk) => format!("cache {}", name(chunk.address)),
        Call::Delete(address) => format!("delete {}", name(*address)),
        Call::Evict(address) => format!("evict {}", name(*address)),
        Call::Expire(which) => format!("deadline of the {} exchange", worker(which)),
        Call::Drop => "drop the peer".to_owned(),
        Call::Return => "the peer returns".to_owned(),
        Call::Refuse(failing) => format!("the next {failing:?} fails").to_lowercase(),
        Call::Unreachable => "the next stream fails to open".to_owned(),
        Call::Close => "shut down".to_owned(),
        Call::Ask {
            to,
            ruid,
            bin,
            from,
            until,
            ..
        } => format!(
            "ask {} ruid {} for {bin}:{from}..={until}",
            letter(*to),
            self::ruid(*ruid)
        ),
    }
}
