//! Reads of one process while others of its callers write: keys as text, queries one by one.

use std::sync::Arc;

use concord_systems::counter::{
    DataKey, Direction, Failure, Generation, Input, Output, QueryEnd, State, Strategies, Text,
};
use concord_systems::machine::Machine as _;
use concord_systems::merkle::{self, Disk};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Budget, Fault, Property, Status};

/// Keys that touch: each lies below the first as a path, and no two are the same counter. The node
/// is called `a`.
const KEYS: [&str; 3] = ["/LIKES/t1", "/LIKES/t1/x", "/LIKES/t1/a"];

/// One replica with callers that bump and read.
#[derive(Debug)]
pub(super) struct Reads {
    strategies: Strategies,
    bumps: u8,
    reads: u8,
    closes: bool,
}

/// The replica and its callers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct Process {
    machine: Arc<State<Text<u32>>>,
    bumps: u8,
    reads: u8,
    /// The read under way.
    reading: Option<Reading>,
    /// Bumps of each key, up and down, as callers counted them.
    counted: [(u64, u64); KEYS.len()],
    flags: Flags,
}

/// A read under way: its key, and every value that the counter had since the call.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Reading {
    key: u8,
    values: Vec<u64>,
    cut: bool,
    /// Whether a bump came between.
    interleaved: bool,
}

/// What reads and bumps were seen to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Flags {
    /// A read returned a value that the counter never had during it.
    torn: bool,
    /// A read returned something else than the difference, and no other key was ever bumped.
    wrong: bool,
    /// A read whose query was cut returned a value.
    truncated: bool,
    /// A read during which nothing was bumped was wrong, and other keys had been bumped before.
    leaked: bool,
    /// A read returned although a bump came between.
    interleaved: bool,
    /// A read was refused because the store was closed.
    refused: bool,
}

/// What can happen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    /// A caller bumps a key.
    Bump(Direction, u8),
    /// A caller begins to read a key.
    Read(u8),
    /// The next query of the read runs.
    Query(QueryEnd),
    /// The store is closed.
    Close,
}

const CALL: u32 = 0;

impl Reads {
    fn key(key: u8) -> DataKey {
        DataKey::new(KEYS[usize::from(key)])
    }

    /// Steps the core and answers at once what a disk and a network answer.
    fn drive(
        machine: &mut State<Text<u32>>,
        input: Input<Text<u32>>,
    ) -> Option<Result<Option<u64>, Failure>> {
        let mut outputs = Vec::new();
        machine.step(input, &mut outputs);
        let mut returned = None;
        for output in outputs {
            let answer = match output {
                Output::Store(merkle::Output::Store(_)) => {
                    // One replica makes its blocks one after the other: none repeats.
                    let address = machine.store().disk().blocks.len() as u32;
                    Input::Store(merkle::Input::Stored(Some(address)))
                }
                Output::Publish { call, .. } => Input::Published { call, ok: true },
                Output::Returned { result, .. } => {
                    returned = Some(result);
                    continue;
                }
                Output::Store(_) | Output::Query { .. } => continue,
            };
            returned = Self::drive(machine, answer).or(returned);
        }
        returned
    }

    fn bump(&self, process: &mut Process, direction: Direction, key: u8) {
        let bump = Input::Bump {
            call: CALL + 1,
            direction,
            key: Self::key(key),
            unreadable: false,
        };
        let returned = Self::drive(Arc::make_mut(&mut process.machine), bump);
        process.bumps -= 1;
        if returned == Some(Ok(None)) {
            let (up, down) = &mut process.counted[usize::from(key)];
            match direction {
                Direction::Incr => *up += 1,
                Direction::Decr => *down += 1,
            }
        }
        if let Some(reading) = &mut process.reading {
            reading.interleaved = true;
            let value = difference(process.counted[usize::from(reading.key)]);
            if !reading.values.contains(&value) {
                reading.values.push(value);
            }
        }
    }

    fn returned(process: &mut Process, result: Result<Option<u64>, Failure>) {
        let Some(reading) = process.reading.take() else {
            return;
        };
        let flags = &mut process.flags;
        flags.refused |= result == Err(Failure::Closed);
        match result {
            Ok(value) => {
                let possible = value.is_some_and(|value| reading.values.contains(&value));
                let mut others = process.counted.iter().enumerate();
                let alone =
                    others.all(|(key, bumps)| key == usize::from(reading.key) || *bumps == (0, 0));
                flags.interleaved |= reading.interleaved;
                if !possible {
                    match (reading.cut, reading.interleaved) {
                        (true, _) => flags.truncated = true,
                        (false, true) => flags.torn = true,
                        (false, false) if alone => flags.wrong = true,
                        (false, false) => flags.leaked = true,
                    }
                }
            }
            Err(failure) => flags.wrong |= failure == Failure::NotFound,
        }
    }
}

/// The value of a counter, from what its callers counted: the oracle.
fn difference((up, down): (u64, u64)) -> u64 {
    up.saturating_sub(down)
}

impl Model for Reads {
    type State = Process;
    type Action = Action;

    fn init_states(&self) -> Vec<Process> {
        let generation = Generation([7; 16]);
        let machine = State::open("a".into(), generation, Disk::default(), self.strategies);
        vec![Process {
            machine: Arc::new(machine),
            bumps: self.bumps,
            reads: self.reads,
            reading: None,
            counted: Default::default(),
            flags: Flags::default(),
        }]
    }

    fn actions(&self, process: &Process, actions: &mut Vec<Action>) {
        let keys = 0..KEYS.len() as u8;
        if process.bumps > 0 {
            for key in keys.clone() {
                actions.push(Action::Bump(Direction::Incr, key));
                actions.push(Action::Bump(Direction::Decr, key));
            }
        }
        match &process.reading {
            None if process.reads > 0 => actions.extend(keys.map(Action::Read)),
            None => {}
            Some(_) => {
                actions.push(Action::Query(QueryEnd::Complete));
                if process.machine.is_closed() {
                    let entries = process.machine.store().disk().entries.len();
                    actions.extend((0..entries).map(|at| Action::Query(QueryEnd::Cut(at))));
                }
            }
        }
        if self.closes && !process.machine.is_closed() {
            actions.push(Action::Close);
        }
    }

    fn next_state(&self, last: &Process, action: Action) -> Option<Process> {
        let mut process = last.clone();
        let input = match action {
            Action::Bump(direction, key) => {
                process.bumps.checked_sub(1)?;
                self.bump(&mut process, direction, key);
                return Some(process);
            }
            Action::Read(key) => {
                process.reads = process.reads.checked_sub(1)?;
                process.reading = Some(Reading {
                    key,
                    values: vec![difference(process.counted[usize::from(key)])],
                    cut: false,
                    interleaved: false,
                });
                Input::Read {
                    call: CALL,
                    key: Self::key(key),
                }
            }
            Action::Query(end) => {
                let reading = process.reading.as_mut()?;
                reading.cut |= matches!(end, QueryEnd::Cut(_));
                Input::Queried { call: CALL, end }
            }
            Action::Close => Input::Close,
        };
        let returned = Self::drive(Arc::make_mut(&mut process.machine), input);
        if let Some(result) = returned {
            Self::returned(&mut process, result);
        }
        Some(process)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

type Is = Claim<Reads>;

impl Checkable for Reads {
    fn bounds(&self) -> Bounds {
        checker::bounds([
            ("bumps", self.bumps),
            ("reads", self.reads),
            ("keys", KEYS.len() as u8),
            ("closes", u8::from(self.closes)),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec!["increment", "decrement", "read", "query"];
        if self.closes {
            kinds.extend(["query_cut", "close"]);
        }
        kinds
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Bump(Direction::Incr, _) => "increment",
            Action::Bump(Direction::Decr, _) => "decrement",
            Action::Read(_) => "read",
            Action::Query(QueryEnd::Cut(_)) => "query_cut",
            Action::Query(_) => "query",
            Action::Close => "close",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        let name = |key: &u8| KEYS[usize::from(*key)];
        match action {
            Action::Bump(Direction::Incr, key) => format!("increment {}", name(key)),
            Action::Bump(Direction::Decr, key) => format!("decrement {}", name(key)),
            Action::Read(key) => format!("begin to read {}", name(key)),
            Action::Query(QueryEnd::Cut(at)) => format!("query, cut after {at} entries"),
            Action::Query(_) => "query".to_owned(),
            Action::Close => "close".to_owned(),
        }
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        vec![
            Is::always("read_is_difference", |_, process| !process.flags.wrong),
            Is::always("atomic_read", |_, process| !process.flags.torn),
            Is::always("no_silent_truncation", |_, process| {
                !process.flags.truncated
            }),
            Is::always("key_isolation", |_, process| !process.flags.leaked),
            Is::sometimes("read_among_bumps", |_, process| process.flags.interleaved),
            Is::sometimes("read_refused", |_, process| process.flags.refused),
            Is::sometimes("deficit", |_, process| {
                process.counted.iter().any(|(up, down)| up < down)
            }),
        ]
    }
}

/// The correct model or a variant.
pub(super) fn build(variant: Option<&str>, budget: Budget) -> Reads {
    let remedied = Strategies::REMEDIED;
    let reference = Strategies::REFERENCE;
    let strategies = match variant {
        None => remedied,
        Some("upstream") => reference,
        Some("torn_read") => Strategies {
            snapshot: reference.snapshot,
            ..remedied
        },
        Some("nested_keys") => Strategies {
            isolation: reference.isolation,
            ..remedied
        },
        Some("closed_read_truncated") => Strategies {
            closed_reads: reference.closed_reads,
            ..remedied
        },
        Some("empty_read_fails") => Strategies {
            empty_read: concord_systems::counter::EmptyRead::Error,
            ..remedied
        },
        Some("difference_wraps") => Strategies {
            difference: concord_systems::counter::Difference::Wrapping,
            ..remedied
        },
        Some(_) => unreachable!("the registry builds listed variants only"),
    };
    let (bumps, reads) = match budget {
        Budget::Quick => (3, 1),
        Budget::Full => (4, 2),
    };
    Reads {
        strategies,
        bumps,
        reads,
        closes: true,
    }
}

/// Documentation of every property.
pub(super) fn properties() -> Vec<Property> {
    let of = |name, id, witness, statement| Property {
        name,
        id,
        statement,
        witness,
    };
    vec![
        of(
            "read_is_difference",
            Some("CTR-S8"),
            Some("deficit"),
            "A read that nothing disturbs returns the clamped difference of two sums, each over exactly the entries under its prefix.",
        ),
        of(
            "atomic_read",
            Some("CTR-S9"),
            Some("read_among_bumps"),
            "A read returns a value that the clamped difference had at some instant between call and return.",
        ),
        of(
            "no_silent_truncation",
            Some("CTR-S10"),
            Some("read_refused"),
            "A read returns the full sums or an error.",
        ),
        of(
            "key_isolation",
            Some("CTR-S11"),
            Some("deficit"),
            "Bumps of one data key never change the read of a different data key.",
        ),
        of(
            "read_among_bumps",
            None,
            None,
            "A read returned although a bump came between.",
        ),
        of(
            "read_refused",
            None,
            None,
            "A read was refused because the store was closed.",
        ),
        of(
            "deficit",
            None,
            None,
            "A key was decremented more often than incremented.",
        ),
    ]
}

/// The variants.
pub(super) fn faults() -> Vec<Fault> {
    use Status::{Fixed, Present};
    vec![
        Fault::upstream(
            "upstream",
            &["C-3", "C-6", "C-8"],
            &["atomic_read", "no_silent_truncation", "key_isolation"],
            Present,
            "The counter as upstream has it, with no remedy.",
        ),
        Fault::upstream(
            "torn_read",
            &["C-3"],
            &["atomic_read"],
            Present,
            "The two sums of a read come from two snapshots.",
        ),
        Fault::upstream(
            "nested_keys",
            &["C-6"],
            &["key_isolation"],
            Present,
            "A read sums every entry below its prefix, those of other counters included.",
        ),
        Fault::upstream(
            "closed_read_truncated",
            &["C-8"],
            &["no_silent_truncation"],
            Present,
            "A query that closing cuts short counts as complete.",
        ),
        Fault::upstream(
            "empty_read_fails",
            &["C-H6"],
            &["read_is_difference"],
            Fixed,
            "A key without entries is an error.",
        ),
        Fault::mutant(
            "difference_wraps",
            &["read_is_difference"],
            "A read below zero wraps to a huge number.",
        ),
    ]
}
