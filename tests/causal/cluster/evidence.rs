//! What the traces of nodes tell.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use bytes::Bytes;
use concord::systems::causal::framed::unframe;
use data_encoding::HEXLOWER;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::group::{Home, concord, text};

/// A message: name of the sender, number among its messages.
pub(super) type Id = (String, u64);

/// The trace of one node.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) steps: u64,
    pub(super) shutdowns: u64,
    /// How often it crashed at each point.
    pub(super) crashes: BTreeMap<String, u64>,
    /// How often each message was delivered, by the results.
    pub(super) delivered: BTreeMap<Id, u64>,
    /// Deliveries of runs that a crash cut short, which have no result.
    pub(super) delivered_unseen: u64,
    /// Bodies of all frames that it submitted or received.
    pub(super) frames: Vec<Bytes>,
}

impl Evidence {
    pub(super) fn read(home: &Home, name: &str) -> Self {
        let trace = File::open(home.trace(name)).expect("the node made it");
        let mut evidence = Self::default();
        let mut last = Value::Null;
        for line in BufReader::new(trace).lines().skip(1) {
            let line = line.expect("it can be read");
            // The node may be writing the last one.
            let Ok(step) = serde_json::from_str::<Value>(&line) else {
                break;
            };
            if last["op"] == "shutdown" {
                let found = (&step["op"], &step["returns"]["discarded"]);
                assert_eq!(
                    found,
                    (&"recover".into(), &0.into()),
                    "after a shutdown: {step}"
                );
            }
            evidence.add(&step);
            last = step;
        }
        evidence
    }

    /// Crashes in the midst of an operation.
    pub(super) fn crashes_within(&self) -> u64 {
        let points = self.crashes.iter();
        let within = points.filter(|(point, _)| *point != "idle");
        within.map(|(_, times)| times).sum()
    }

    fn add(&mut self, step: &Value) {
        self.steps += 1;
        let (args, returns) = (&step["args"], &step["returns"]);
        match step["op"].as_str().expect("every step has one") {
            "shutdown" => self.shutdowns += 1,
            "crash" => self.add_crash(args),
            "apply_ready" => {
                for delivery in returns["applied"].as_array().expect("a run never fails") {
                    assert_eq!(delivery[2], "ok", "{step}");
                    let sender = delivery[0].as_str().expect("a name").to_owned();
                    let seq = delivery[1].as_u64().expect("a number");
                    *self.delivered.entry((sender, seq)).or_default() += 1;
                }
            }
            "receive" => {
                assert!(step.get("fails").is_none(), "nobody sends nonsense: {step}");
                self.add_frames(&args["wire"]);
            }
            "create" | "delete" | "append" | "expunge" | "store" if !returns.is_null() => {
                self.add_frames(&returns["wire"]);
            }
            _ => {}
        }
    }

    fn add_crash(&mut self, args: &Value) {
        let point = args["point"].as_str().expect("a point");
        *self.crashes.entry(point.to_owned()).or_default() += 1;
        let nth = args["nth"].as_u64().unwrap_or(1);
        self.delivered_unseen += match point {
            "apply_before_state" => nth - 1,
            "apply_after_state" => nth,
            _ => 0,
        };
    }

    fn add_frames(&mut self, wire: &Value) {
        let frames = unframe(&bytes(wire)).expect("nodes send frames");
        // Slices would keep all of a bulk in memory.
        let frames = frames.iter().map(|frame| Bytes::copy_from_slice(frame));
        self.frames.extend(frames);
    }
}

/// What hexadecimal digits stand for.
pub(super) fn bytes(hex: &Value) -> Bytes {
    let hex = hex.as_str().expect("hexadecimal digits");
    let bytes = HEXLOWER.decode(hex.as_bytes());
    bytes.expect("hexadecimal digits").into()
}

/// The document of a replay.
pub(super) fn replayed(trace: &Path) -> Value {
    let ran = concord(&["replay", "causal", "--format", "json", text(trace)]);
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// Copies a trace, but for one number of a result somewhere in the middle: the line.
pub(super) fn altered(trace: &Path, copy: &Path, rng: &mut ChaCha8Rng) -> u64 {
    let trace = fs::read_to_string(trace).expect("the node made it");
    let mut lines: Vec<String> = trace.lines().map(str::to_owned).collect();
    let first = rng.random_range(lines.len() / 3..lines.len() / 2);
    for (at, line) in lines.iter_mut().enumerate().skip(first) {
        let mut step: Value = serde_json::from_str(line).expect("every step is JSON");
        let mut found = Vec::new();
        numbers(&mut step["returns"], &mut found);
        if !found.is_empty() {
            let number = found.swap_remove(rng.random_range(0..found.len()));
            *number = (number.as_u64().expect("no number is negative") + 1).into();
            *line = step.to_string();
            fs::write(copy, lines.join("\n")).expect("there is space");
            return at as u64 + 1;
        }
    }
    panic!("no result behind line {first} has a number");
}

fn numbers<'a>(value: &'a mut Value, found: &mut Vec<&'a mut Value>) {
    if value.is_number() {
        return found.push(value);
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| numbers(item, found)),
        Value::Object(map) => map.values_mut().for_each(|item| numbers(item, found)),
        _ => {}
    }
}
