//! Traces drawn at random, with results from the oracle: they conform, and a spoilt line is named.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::common::cases;
use super::oracle::{Oracle, Told};
use super::traces::verdict;

/// A step before its choice is settled.
#[derive(Clone, Debug)]
enum Op {
    Receive(Vec<u8>),
    Begin(u8, Vec<u8>),
    Pop(u8),
    Push(u8),
    Next(&'static str),
    Cancel,
    Broadcast(Vec<u8>, bool),
    State,
}

/// Cancellations are rare: little happens after the end. Opening and finishing is frequent, else a
/// trace would hang in an open call.
fn op() -> impl Strategy<Value = Op> {
    let data = || prop::collection::vec(any::<u8>(), 0..4);
    let id = || 0..2_u8;
    let ctx = prop::sample::select(&["live", "live", "live", "cancelled", "expired"][..]);
    prop_oneof![
        200 => data().prop_map(Op::Receive),
        150 => (id(), data()).prop_map(|(id, data)| Op::Begin(id, data)),
        100 => id().prop_map(Op::Pop),
        150 => id().prop_map(Op::Push),
        200 => ctx.prop_map(Op::Next),
        1 => Just(Op::Cancel),
        20 => (data(), any::<bool>()).prop_map(|(data, ok)| Op::Broadcast(data, ok)),
        50 => Just(Op::State),
    ]
}

/// Ops, each with a number that settles what is arbitrary.
fn steps(length: Range<usize>) -> impl Strategy<Value = Vec<(Op, u8)>> {
    prop::collection::vec((op(), any::<u8>()), length)
}

/// One line of a trace.
#[derive(Clone, Debug)]
struct Line {
    op: &'static str,
    args: Vec<String>,
    /// The cases possible here; none where the op has no choice.
    cases: Vec<&'static str>,
    choice: Option<&'static str>,
    told: Told,
}

impl Line {
    fn text(&self) -> String {
        let choice = self.choice.map(|choice| format!(r#""choice":"{choice}""#));
        let args: Vec<String> = self.args.iter().cloned().chain(choice).collect();
        let result = match &self.told {
            Told::Returns(value) => format!(r#""returns":{value}"#),
            Told::Fails(code) => format!(r#""fails":"{code}""#),
        };
        let (op, args) = (self.op, args.join(","));
        format!(r#"{{"op":"{op}","args":{{{args}}},{result}}}"#)
    }

    /// The op and its answer, but for what a message or state holds.
    fn kind(&self) -> String {
        let answer = match (self.op, &self.told) {
            (_, Told::Fails(code)) => code,
            ("state", _) => "a state",
            ("next" | "receive_pop", Told::Returns(value)) if value != "null" => "a message",
            (_, Told::Returns(value)) => value.trim_matches('"'),
        };
        format!("{}: {answer}", self.op)
    }
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Performs an op on the oracle. `pick` settles what is arbitrary, and whether a needless choice is
/// written.
fn perform(oracle: &mut Oracle, op: &Op, pick: u8) -> Line {
    let data_arg = |data: &str| format!(r#""data":"{data}""#);
    let id_arg = |id: u8| format!(r#""id":"{id}""#);
    let cases = match op {
        Op::Receive(_) | Op::Begin(..) => oracle.intake(),
        Op::Next(ctx) => oracle.offer(ctx),
        _ => Vec::new(),
    };
    let case = (!cases.is_empty()).then(|| cases[pick as usize % cases.len()]);
    let (op, args, told) = match op {
        Op::Receive(data) => {
            let data = hex(data);
            let told = oracle.receive(&data, case);
            ("receive", vec![data_arg(&data)], told)
        }
        Op::Begin(id, data) => {
            let data = hex(data);
            let told = oracle.receive_begin(*id, &data, case);
            ("receive_begin", vec![id_arg(*id), data_arg(&data)], told)
        }
        Op::Pop(id) => ("receive_pop", vec![id_arg(*id)], oracle.receive_pop(*id)),
        Op::Push(id) => ("receive_push", vec![id_arg(*id)], oracle.receive_push(*id)),
        Op::Next(ctx) => {
            let told = oracle.next(ctx, case);
            ("next", vec![format!(r#""ctx":"{ctx}""#)], told)
        }
        Op::Cancel => ("cancel", vec![], oracle.cancel()),
        Op::Broadcast(data, ok) => {
            let publish = if *ok { "ok" } else { "error" };
            let publish = format!(r#""publish":"{publish}""#);
            let args = vec![data_arg(&hex(data)), publish];
            ("broadcast", args, Oracle::broadcast(*ok))
        }
        Op::State => ("state", vec![], oracle.state()),
    };
    let needed = cases.len() > 1 || pick & 128 != 0;
    Line {
        op,
        args,
        choice: case.filter(|_| needed),
        cases,
        told,
    }
}

fn lines(capacity: usize, ops: &[(Op, u8)]) -> Vec<Line> {
    let mut oracle = Oracle::new(capacity);
    let lines = ops.iter().map(|(op, pick)| {
        let line = perform(&mut oracle, op, *pick);
        assert!(oracle.balances(), "{oracle:?}");
        line
    });
    lines.collect()
}

fn file(capacity: usize, lines: impl Iterator<Item = String>) -> String {
    let header = format!(
        r#"{{"trace":"concord/1","system":"broadcast","config":{{"capacity":{capacity}}}}}"#
    );
    let lines: Vec<String> = [header].into_iter().chain(lines).collect();
    lines.join("\n")
}

/// What is done to one line.
#[derive(Clone, Copy, Debug)]
enum Spoil {
    Result,
    LeaveChoiceOut,
    NameImpossible,
    Form,
}

impl Spoil {
    /// The line spoilt, with what is said of it in place of its number; none if it cannot be.
    fn apply(self, line: &Line, number: usize) -> Option<(String, String)> {
        let mut line = line.clone();
        match self {
            Self::Result => {
                line.told = Told::Fails("other");
                Some((line.text(), format!("diverges {number} {}", line.op)))
            }
            Self::Form => {
                let text = line.text().replacen(r#""op":""#, r#""op":"un"#, 1);
                Some((text, format!("unusable {number} op")))
            }
            Self::LeaveChoiceOut if line.cases.len() > 1 => {
                line.choice = None;
                Some((line.text(), format!("unusable {number} args.choice")))
            }
            Self::NameImpossible => {
                let all: &[&str] = match line.op {
                    "receive" | "receive_begin" => &["queue", "reject"],
                    "next" => &["data", "caller", "parent"],
                    _ => return None,
                };
                let wrong = all.iter().find(|case| !line.cases.contains(*case))?;
                line.choice = Some(wrong);
                Some((line.text(), format!("unusable {number} args.choice")))
            }
            Self::LeaveChoiceOut => None,
        }
    }
}

const SPOILS: &[Spoil] = &[
    Spoil::Result,
    Spoil::LeaveChoiceOut,
    Spoil::NameImpossible,
    Spoil::Form,
];

/// Only what occurs in the traces drawn is compared: each answer, with its numbers of possible cases.
#[test]
fn every_answer_is_drawn() {
    let mut runner = TestRunner::deterministic();
    let mut kinds = BTreeMap::<String, BTreeSet<usize>>::new();
    for capacity in [1, 2, 3].repeat(30) {
        let ops = steps(1000..1001).new_tree(&mut runner);
        let ops = ops.expect("nothing is rejected").current();
        for line in lines(capacity, &ops) {
            kinds
                .entry(line.kind())
                .or_default()
                .insert(line.cases.len());
        }
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, cases)| format!("{kind} {cases:?}"))
        .collect();
    insta::assert_snapshot!(kinds.join("\n"), @r#"
    broadcast: /warpnet/stats/1.0.0 {0}
    broadcast: publish_failed {0}
    cancel: null {0}
    next: a message {1, 2, 3}
    next: context_canceled {1, 2, 3}
    next: deadline_exceeded {1, 2, 3}
    next: null {2, 3}
    next: would_block {0, 1, 2, 3}
    receive: dropped_oldest {0}
    receive: queued {1, 2}
    receive: rejected {0, 1, 2}
    receive: would_block {0}
    receive_begin: full {0}
    receive_begin: queued {1, 2}
    receive_begin: rejected {0, 1, 2}
    receive_begin: would_block {0}
    receive_pop: a message {0}
    receive_pop: no_such_receive {0}
    receive_pop: null {0}
    receive_push: no_such_receive {0}
    receive_push: queued {0}
    state: a state {0}
    "#);
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn traces_of_the_oracle_conform_and_a_spoilt_line_is_named(
        capacity in 1..5_usize,
        ops in steps(1..2500),
        at in any::<prop::sample::Index>(),
        spoil in prop::sample::select(SPOILS),
    ) {
        let lines = lines(capacity, &ops);
        let right = file(capacity, lines.iter().map(Line::text));
        prop_assert_eq!(verdict(&right), format!("conforms {}", ops.len()));

        // The first line from there on that can be spoilt in this way.
        let from = at.index(lines.len());
        let spoilt = (from..lines.len()).find_map(|at| Some((at, spoil.apply(&lines[at], at + 2)?)));
        if let Some((at, (text, expected))) = spoilt {
            let mut lines: Vec<String> = lines.iter().map(Line::text).collect();
            lines[at] = text;
            prop_assert_eq!(verdict(&file(capacity, lines.into_iter())), expected);
        }
    }
}
