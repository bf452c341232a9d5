//! Valid encodings for each decoder.

use concord::systems::catalog::codec::{encode_delta, encode_number, encode_route};
use concord::systems::catalog::keys;
use concord::systems::catalog::strategy::Level;
use proptest::prelude::*;

use super::super::codec::{delta, number, route, settings};

const TRACES: [&str; 3] = [
    include_str!("../traces/catalog-sample.jsonl"),
    include_str!("../corpus/trace/valid-drawn_one_permissive"),
    include_str!("../corpus/trace/valid-drawn_two_strict"),
];

/// Encodings of values of a target.
pub(crate) fn valid(target: &str) -> BoxedStrategy<Vec<u8>> {
    match target {
        "version" => number()
            .prop_map(|number| encode_number(number).into())
            .boxed(),
        "next_route_id" | "delta_floor" => number()
            .prop_map(|number| encode_number(number.max(1)).into())
            .boxed(),
        "route_one" => record(Level::One).boxed(),
        "route_two" => record(Level::Two).boxed(),
        "delta_one" => delta_record(Level::One).boxed(),
        "delta_two" => delta_record(Level::Two).boxed(),
        "route_key" => number().prop_map(|id| keys::route(id).into()).boxed(),
        "delta_key" => number()
            .prop_map(|version| keys::delta(version.max(1)).into())
            .boxed(),
        "trace" => trace().boxed(),
        _ => panic!("{target} is no target"),
    }
}

/// The header and the first steps of a trace, with blanks where they say nothing.
fn trace() -> impl Strategy<Value = Vec<u8>> {
    let blanks = prop::collection::vec(0..16_usize, 8);
    let trace = prop::sample::select(&TRACES[..]);
    (trace, 0..16_usize, blanks).prop_map(|(trace, steps, blanks)| {
        let mut blanks = blanks.into_iter().cycle();
        let mut raw = String::new();
        for line in trace.lines().take(1 + steps) {
            for member in line.split_inclusive([',', '{', '[']) {
                raw.push_str(member);
                raw.extend(blanks.next().map(|count| " ".repeat(count)));
            }
            raw.push('\n');
        }
        raw.into()
    })
}

fn record(level: Level) -> impl Strategy<Value = Vec<u8>> {
    route(level).prop_map(move |route| {
        let raw = encode_route(&route, &settings(level));
        raw.expect("it is valid").into()
    })
}

fn delta_record(level: Level) -> impl Strategy<Value = Vec<u8>> {
    delta(level).prop_map(move |delta| {
        let raw = encode_delta(&delta, &settings(level));
        raw.expect("it is valid").into()
    })
}
