//! Traces by hand: what each operation answers (12).

mod altered;
mod chunks;
mod forms;
mod nodes;
mod oracle;
mod puller;
mod random;
mod recorder;
mod serving;
mod turns;
mod values;

use std::io::Cursor;

use concord::systems::pullsync::trace::replay;
use concord::systems::replay::Replayed;
use serde_json::{Value, json};

use super::notation;

const SAMPLE: &str = include_str!("traces/pullsync-sample.jsonl");

/// The largest number, as traces write it.
const MAX: u64 = u64::MAX;

fn run(trace: &str) -> Replayed {
    replay(Cursor::new(trace)).expect("reading from memory does not fail")
}

fn verdict(trace: &str) -> String {
    notation::verdict(run(trace))
}

fn config() -> Value {
    json!({"max_page": 2, "bins": 4, "pending_cancels": 2})
}

/// Payload and address of content-addressed chunks, all in bin 0 of a node whose overlay begins with a 0.
const CHUNKS: [(&str, &str); 6] = [
    (
        "00",
        "fe60ba40b87599ddfb9e8947c1c872a4a1a5b56f7d1b80f0a646005b38db52a5",
    ),
    (
        "01",
        "b53eefd07d02536e66551f7b3162e80fc41864bd989da51ac88e71807983fac2",
    ),
    (
        "02",
        "f3447f98e2c5676b763dde39c49ba6c4961fb77ca223e8f792d5f0b1ed8e2a93",
    ),
    (
        "03",
        "f6b7a81a0645eed6f6fd11deab9fca1384bab16a5e5130791c6118ce9aa0e6e0",
    ),
    (
        "05",
        "ecf390941d7a782f357a5e9f83fcd8b527cfaf7acc456730096527291cad91ca",
    ),
    (
        "06",
        "866cfd0c5f3d13eecda2cf640f1ef40aba58b979aaee31cd1c253d14b63ad65d",
    ),
];

fn trace(steps: &str) -> String {
    notation::trace("pullsync", &config(), &expanded(steps))
}

/// In steps, `$5a` stands for 32 bytes of which the first is 0x5a and the others are 0, `@0` for the
/// address of a chunk, `#0` for the chunk with a stamp of batch `$01`, `~0` for it with one of batch
/// `$02`, and `^0` and `&0` for the frames that deliver them.
fn expanded(steps: &str) -> String {
    let mut expanded = String::new();
    let mut rest = steps;
    while let Some(at) = rest.find(['$', '@', '#', '~', '^', '&']) {
        let (before, sign) = rest.split_at(at);
        expanded += before;
        let length = if sign.starts_with('$') { 3 } else { 2 };
        let (sign, after) = sign.split_at(length);
        expanded += &meaning(sign);
        rest = after;
    }
    expanded + rest
}

fn meaning(sign: &str) -> String {
    let (kind, which) = sign.split_at(1);
    if kind == "$" {
        return format!("{which}{}", "0".repeat(62));
    }
    let (payload, address) = CHUNKS[which.parse::<usize>().expect("the number of a chunk")];
    let data = format!("0100000000000000{payload}");
    let batch = if "#^".contains(kind) { "01" } else { "02" };
    let stamp = format!("{batch}{}", "0".repeat(192));
    match kind {
        "@" => address.into(),
        "#" | "~" => json!({"address": address, "data": data, "stamp": stamp}).to_string(),
        _ => format!("90010a20{address}1209{data}1a61{stamp}"),
    }
}

/// The trace is as the reference does it, to the last step.
#[track_caller]
fn conforms(steps: &str) {
    conforms_to(&config(), steps);
}

#[track_caller]
fn conforms_to(config: &Value, steps: &str) {
    let trace = notation::trace("pullsync", config, &expanded(steps));
    let expected = format!("conforms {}", trace.lines().count() - 1);
    let replayed = run(&trace);
    let told = replayed.to_json("pullsync", "x").to_string();
    assert_eq!(notation::verdict(replayed), expected, "{told}");
}

/// What stands in traces for these bytes.
fn hex(bytes: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(bytes.as_ref())
}
