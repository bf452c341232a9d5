//! Small traces in short notation, with what the original would have recorded.
//!
//! On top of `common/notation`, in steps `'ab'` stands for the bytes of a text (`0` is the byte 0), `<1:a..c=5>` for a route
//! (`..*` is unbounded; behind it perhaps `@` state, `^` parent, `#` split timestamp), `(1:a..c=5+2@0)` for a
//! route of an engine with load and state, `%1:a..c=5%` for the record of a route, `~v`, `~n`, `~f` for the
//! keys of version, next id and delta floor, `~r1` and `~d1` for those of a route and a delta, and `~=7` for
//! the record of a number. What stands behind ` ?? ` was recorded by the original instead of the result.

use std::io::Cursor;

use concord::systems::catalog::strategy::Strategies;
use concord::systems::catalog::trace::replay_on;
use serde_json::{Value, json};

use super::oracle::{
    FLOOR_KEY, NEXT_ID_KEY, Oracle, Route, VERSION_KEY, delta_key, encode_number, encode_route,
    route_key, told_route,
};
use super::{hex, notation, run, verdict};

/// A level, and how saves admit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config {
    pub(super) level: u8,
    pub(super) strict: bool,
}

pub(super) const ONE: Config = Config {
    level: 1,
    strict: true,
};
pub(super) const TWO: Config = Config {
    level: 2,
    strict: true,
};

impl Config {
    pub(super) const fn permissive(self) -> Self {
        let level = self.level;
        let strict = false;
        Self { level, strict }
    }

    pub(super) fn trace(self, steps: &str) -> String {
        let admission = if self.strict { "strict" } else { "permissive" };
        let config = json!({"admission": admission, "level": self.level, "nodes": ["a", "b"]});
        notation::trace("catalog", &config, &expanded(steps, self.level))
    }

    /// The reference does it so, to the last step, and so does the oracle.
    #[track_caller]
    pub(super) fn conforms(self, steps: &str) {
        let trace = self.trace(steps);
        let replayed = run(&trace);
        let told = replayed.to_json("catalog", "x").to_string();
        let expected = format!("conforms {}", trace.lines().count() - 1);
        assert_eq!(notation::verdict(replayed), expected, "{told}");
        self.oracle_agrees(&trace);
    }

    #[track_caller]
    fn oracle_agrees(self, trace: &str) {
        let mut oracle = Oracle::new(self.level, self.strict);
        for line in trace.lines().skip(1) {
            let step: Value = serde_json::from_str(line).expect("a trace is JSON");
            let op = step["op"].as_str().expect("an operation");
            let mut told = match oracle.perform(op, &step["args"]) {
                Ok(value) => json!({ "returns": value }),
                Err(code) => json!({ "fails": code }),
            };
            told["op"] = step["op"].clone();
            told["args"] = step["args"].clone();
            assert_eq!(told, step);
        }
    }

    /// As [`Config::original_diverges`]; and the variant does it as the original.
    #[track_caller]
    pub(super) fn variant_conforms(self, variant: Strategies, steps: &str) {
        self.original_diverges(steps);
        let lines = steps.lines().map(|line| chosen(line.trim(), true));
        let trace = self.trace(&lines.collect::<Vec<_>>().join("\n"));
        let replayed = replay_on(Cursor::new(&trace), variant);
        let replayed = replayed.expect("reading from memory does not fail");
        let told = replayed.to_json("catalog", "x").to_string();
        assert_eq!(replayed.verdict(), "conforms", "{told}");
    }

    /// The reference does it so; what the original recorded diverges at the first line where it differs.
    #[track_caller]
    pub(super) fn original_diverges(self, steps: &str) {
        let lines = || steps.lines().map(str::trim).filter(|line| !line.is_empty());
        let reference: Vec<String> = lines().map(|line| chosen(line, false)).collect();
        self.conforms(&reference.join("\n"));
        let original: Vec<String> = lines().map(|line| chosen(line, true)).collect();
        let at = lines().position(|line| line.contains(" ?? "));
        let at = at.expect("the original differs somewhere");
        let op = reference[at].split(" -> ").next().expect("a call");
        let mut op = op.split(" ! ").next().expect("a call").split_whitespace();
        let op = op.rfind(|word| !word.contains('='));
        let expected = format!("diverges {} {}", at + 2, op.expect("an operation"));
        assert_eq!(verdict(&self.trace(&original.join("\n"))), expected);
    }
}

/// A line with the result of the reference, or of the original.
fn chosen(line: &str, original: bool) -> String {
    let Some((reference, other)) = line.split_once(" ?? ") else {
        return line.to_owned();
    };
    if !original {
        return reference.to_owned();
    }
    let call = reference.split(" -> ").next().expect("a call");
    let call = call.split(" ! ").next().expect("a call");
    format!("{call} {other}")
}

/// Steps with JSON for the signs of this module.
fn expanded(steps: &str, level: u8) -> String {
    let mut expanded = String::new();
    let mut rest = steps;
    while let Some(at) = rest.find(['\'', '<', '(', '%', '~']) {
        let (before, sign) = rest.split_at(at);
        expanded += before;
        let (kind, sign) = sign.split_at(1);
        // An arrow and a comparison are no signs.
        let length = match kind {
            "~" => 1 + sign[1..].chars().take_while(char::is_ascii_digit).count(),
            _ => {
                let close = [("'", '\''), ("<", '>'), ("(", ')'), ("%", '%')];
                let (_, close) = close
                    .iter()
                    .find(|(open, _)| *open == kind)
                    .expect("a sign");
                sign.find(*close).expect("a sign ends")
            }
        };
        let (sign, after) = sign.split_at(length);
        expanded += &meaning(kind, sign, level).to_string();
        rest = if kind == "~" { after } else { &after[1..] };
    }
    expanded + rest
}

fn meaning(kind: &str, sign: &str, level: u8) -> Value {
    match kind {
        "'" => json!(hex(key(sign))),
        "<" => told_route(&route(sign), level),
        "%" => json!(hex(
            encode_route(&route(sign), level).expect("a valid route")
        )),
        "(" => {
            let (sign, state) = sign.split_once('@').unwrap_or((sign, "0"));
            let (sign, load) = sign.split_once('+').unwrap_or((sign, "0"));
            let route = route(&format!("{sign}@{state}"));
            json!({
                "end": route.end.map(hex), "group_id": route.group, "load": number(load),
                "route_id": route.id, "start": hex(route.start), "state": route.state,
            })
        }
        _ => {
            let (kind, rest) = sign.split_at(1);
            json!(hex(match kind {
                "v" => VERSION_KEY.to_vec(),
                "n" => NEXT_ID_KEY.to_vec(),
                "f" => FLOOR_KEY.to_vec(),
                "r" => route_key(number(rest)),
                "d" => delta_key(number(rest)),
                _ => encode_number(number(rest)),
            }))
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn key(text: &str) -> Vec<u8> {
    text.replace('0', "\0").into_bytes()
}

/// `1:a..c=5@1^2#3`
fn route(sign: &str) -> Route {
    let (sign, hlc) = sign.split_once('#').unwrap_or((sign, "0"));
    let (sign, parent) = sign.split_once('^').unwrap_or((sign, "0"));
    let (sign, state) = sign.split_once('@').unwrap_or((sign, "0"));
    let (id, range) = sign.split_once(':').expect("an id");
    let (range, group) = range.split_once('=').expect("a group");
    let (start, end) = range.split_once("..").expect("a range");
    Route {
        id: number(id),
        start: key(start),
        end: (end != "*").then(|| key(end)),
        group: number(group),
        state: state.parse().expect("a byte"),
        parent: number(parent),
        hlc: number(hlc),
    }
}
