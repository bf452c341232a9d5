//! Interval sets on their own: two sets of one process, of different limits.

mod oracle;

use concord_systems::pullsync::strategy::{
    Edge, Full, Inside, Intervals, Inverted, Parse, ZeroEnd,
};
use concord_systems::pullsync::{Gap, IntervalSet};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Budget, Family, Fault, Property, Status, Subject};

use oracle::{Held, Spans};

const MAX: u64 = u64::MAX;
const FEW: Spans = &[(0, 0), (1, 1), (2, 2), (3, 3), (4, MAX - 1), (MAX, MAX)];
const MANY: Spans = &[
    (0, 0),
    (1, 1),
    (2, 2),
    (3, 3),
    (4, 4),
    (5, MAX - 2),
    (MAX - 1, MAX - 1),
    (MAX, MAX),
];

/// Spans at which the sets begin.
const LIMITS: [usize; 2] = [0, 2];
const NAMES: [&str; LIMITS.len()] = ["a", "b"];

/// A limit that is nobody's, a range, and what is none.
const MALFORMED: &[u8] = b"1;3,3;5";

/// Two sets, to which spans are added as one likes.
#[derive(Debug)]
struct Sets {
    intervals: Intervals,
    spans: Spans,
}

/// The sets, what they must hold, and what was seen.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Process {
    sets: [IntervalSet; LIMITS.len()],
    held: [Held; LIMITS.len()],
    seen: Seen,
}

/// What calls were seen to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Seen {
    /// A number that is in the set was reported as missing.
    reported: bool,
    /// An answer was not the one that follows from what the set must hold.
    wrong: bool,
    /// Ranges that touch became one.
    joined: bool,
    /// An inverted range was refused.
    refused: bool,
}

/// What can happen to the set of this place. Spans stand for where ranges start and end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// It gets a range: the first number of one span to the last one of another.
    Add(u8, u8, u8),
    /// It gets all ranges of the other place.
    Merge(u8, u8),
    /// It is replaced by what a text says.
    Parse(u8, Text),
    /// It is asked what is missing first, up to the end of a span.
    Next(u8, Option<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Text {
    /// That of the set itself.
    Own,
    /// That of an empty set of the same limit.
    Empty,
    /// None of a set.
    Malformed,
}

impl Process {
    fn of(&mut self, set: u8) -> (&mut IntervalSet, &mut Held, &mut Seen) {
        let at = usize::from(set);
        (&mut self.sets[at], &mut self.held[at], &mut self.seen)
    }
}

impl Sets {
    fn add(&self, process: &mut Process, set: u8, from: u8, to: u8) {
        let limit = LIMITS[usize::from(set)];
        let [first, last] = [from, to].map(usize::from);
        let (lowest, highest) = (self.spans[first].0, self.spans[last].1);
        let (set, held, seen) = process.of(set);
        let is_refused = set.add_by(lowest, highest, self.intervals).is_err();
        let is_inverted = first > last;
        seen.wrong |= is_refused != is_inverted;
        if is_inverted {
            seen.refused |= is_refused;
            return;
        }
        let is_new = !held.has_some(self.spans, lowest, highest);
        if is_new && first > limit && held.has(first - 1) {
            let before = self.spans[first - 1].1;
            seen.joined |= set.ranges().any(|(a, b)| a <= before && highest <= b);
        }
        *held = held.with(first, last, limit);
    }

    fn parse(&self, process: &mut Process, set: u8, text: Text) {
        let (set, held, seen) = process.of(set);
        let text = match text {
            Text::Own => set.encode().into_bytes(),
            Text::Empty => {
                *held = Held::default();
                IntervalSet::new(set.start()).encode().into_bytes()
            }
            Text::Malformed => MALFORMED.to_vec(),
        };
        let is_parsed = set.decode_into(&text, self.intervals).is_ok();
        seen.wrong |= is_parsed != (text != MALFORMED);
    }

    fn next(&self, process: &mut Process, set: u8, ceiling: Option<u8>) {
        let limit = LIMITS[usize::from(set)];
        let (set, held, seen) = process.of(set);
        let top = ceiling.map(|span| self.spans[usize::from(span)].1);
        let gap = set.next_by(top, self.intervals);
        if let (Some(from), false) = (gap.start, gap.empty) {
            let to = gap.end.unwrap_or(MAX);
            seen.reported |= held.has_some(self.spans, from, to);
        }
        seen.wrong |= gap != right_answer(held.missing(self.spans, limit), top);
        let from = usize::from(ceiling.unwrap_or(0));
        let missing = held.missing(self.spans, from.max(limit));
        seen.wrong |= set.gap_from(self.spans[from].0) != missing;
    }

    /// Whether a set holds what it must, and says so.
    fn is_exact(&self, set: &IntervalSet, held: Held) -> bool {
        let mut spans = self.spans.iter().enumerate();
        let is_held = spans.all(|(at, (from, to))| {
            let is_whole = set.ranges().any(|(a, b)| a <= *from && *to <= b);
            let is_touched = set.ranges().any(|(a, b)| a <= *to && *from <= b);
            let says = [*from, *to].map(|number| set.contains(number));
            [is_whole, is_touched] == [held.has(at); 2] && says == [held.has(at); 2]
        });
        is_held && set.last() == held.last(self.spans)
    }

    /// Whether a set holds at least what it must.
    fn has_all(&self, set: &IntervalSet, held: Held) -> bool {
        let mut spans = self.spans.iter().enumerate();
        spans.all(|(at, (from, to))| {
            !held.has(at) || set.ranges().any(|(a, b)| a <= *from && *to <= b)
        })
    }
}

fn right_answer(missing: Option<(u64, Option<u64>)>, ceiling: Option<u64>) -> Gap {
    let (start, end, empty) = match (missing, ceiling) {
        (None, None | Some(0)) => (None, None, true),
        (Some((start, end)), None | Some(0)) => (Some(start), end, false),
        (Some((start, end)), Some(top)) if start <= top => {
            (Some(start), Some(end.unwrap_or(top).min(top)), false)
        }
        (_, Some(top)) => (Some(top), Some(top), true),
    };
    Gap { start, end, empty }
}

fn is_normal(set: &IntervalSet) -> bool {
    let ranges: Vec<(u64, u64)> = set.ranges().collect();
    let is_apart = |pair: &[(u64, u64)]| pair[0].1 < pair[1].0 && pair[1].0 - pair[0].1 > 1;
    let is_canonical = ranges
        .iter()
        .all(|(from, to)| set.start() <= *from && from <= to)
        && ranges.windows(2).all(is_apart);
    is_canonical && IntervalSet::decode(set.encode().as_bytes()).as_ref() == Ok(set)
}

impl Model for Sets {
    type State = Process;
    type Action = Action;

    fn init_states(&self) -> Vec<Process> {
        vec![Process {
            sets: LIMITS.map(|limit| IntervalSet::new(self.spans[limit].0)),
            held: Default::default(),
            seen: Seen::default(),
        }]
    }

    /// What must change nothing is done to sets that have something to lose.
    fn actions(&self, process: &Process, actions: &mut Vec<Action>) {
        let spans = 0..self.spans.len() as u8;
        let sets = 0..LIMITS.len() as u8;
        for set in sets.clone() {
            let is_empty = process.held[usize::from(set)].is_empty();
            for from in spans.clone() {
                let ends = spans.clone().filter(|to| from <= *to || !is_empty);
                actions.extend(ends.map(|to| Action::Add(set, from, to)));
            }
            actions.extend(sets.clone().map(|other| Action::Merge(set, other)));
            if !is_empty {
                let texts = [Text::Own, Text::Empty, Text::Malformed];
                actions.extend(texts.map(|text| Action::Parse(set, text)));
            }
            let ceilings = spans.clone().map(Some).chain([None]);
            actions.extend(ceilings.map(|ceiling| Action::Next(set, ceiling)));
        }
    }

    fn next_state(&self, last: &Process, action: Action) -> Option<Process> {
        let mut process = last.clone();
        match action {
            Action::Add(set, from, to) => self.add(&mut process, set, from, to),
            Action::Merge(set, other) => {
                let limit = LIMITS[usize::from(set)];
                let theirs = last.held[usize::from(other)];
                let (set, held, _) = process.of(set);
                set.merge_by(&last.sets[usize::from(other)], self.intervals);
                *held = held.and(theirs, limit);
            }
            Action::Parse(set, text) => self.parse(&mut process, set, text),
            Action::Next(set, ceiling) => self.next(&mut process, set, ceiling),
        }
        Some(process)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

type Is = Claim<Sets>;

impl Checkable for Sets {
    fn bounds(&self) -> Bounds {
        checker::bounds([("sets", LIMITS.len()), ("spans", self.spans.len())])
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec![
            "add",
            "add_inverted",
            "merge",
            "parse",
            "parse_malformed",
            "next",
        ]
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Add(_, from, to) if from > to => "add_inverted",
            Action::Add(..) => "add",
            Action::Merge(..) => "merge",
            Action::Parse(_, Text::Malformed) => "parse_malformed",
            Action::Parse(..) => "parse",
            Action::Next(..) => "next",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        let name = |set: &u8| NAMES[usize::from(*set)];
        let span = |span: &u8| self.spans[usize::from(*span)];
        match action {
            Action::Add(set, from, to) => {
                format!("add {}..={} to {}", span(from).0, span(to).1, name(set))
            }
            Action::Merge(set, other) => format!("merge {} into {}", name(other), name(set)),
            Action::Parse(set, Text::Own) => format!("parse the text of {0} into {0}", name(set)),
            Action::Parse(set, Text::Empty) => format!("parse an empty set into {}", name(set)),
            Action::Parse(set, Text::Malformed) => {
                let text = String::from_utf8_lossy(MALFORMED);
                format!("parse {text} into {}", name(set))
            }
            Action::Next(set, None) => format!("next of {}", name(set)),
            Action::Next(set, Some(ceiling)) => {
                format!("next of {} up to {}", name(set), span(ceiling).1)
            }
        }
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        vec![
            Is::always("intervals_normal", |_, process| {
                process.sets.iter().all(is_normal)
            }),
            Is::always("intervals_grow", |model, process| {
                let mut sets = process.sets.iter().zip(process.held);
                !process.seen.reported && sets.all(|(set, held)| model.has_all(set, held))
            }),
            Is::always("intervals_exact", |model, process| {
                let mut sets = process.sets.iter().zip(process.held);
                !process.seen.wrong && sets.all(|(set, held)| model.is_exact(set, held))
            }),
            Is::sometimes("touching_joined", |_, process| process.seen.joined),
            Is::sometimes("inverted_refused", |_, process| process.seen.refused),
            Is::sometimes("full_to_the_end", |_, process| {
                process.sets.iter().all(|set| set.next(None).empty)
            }),
        ]
    }
}

/// The correct model or a variant.
fn build(variant: Option<&str>, budget: Budget) -> Sets {
    let reference = Intervals::REFERENCE;
    let intervals = match variant {
        None => reference,
        Some("upstream") => Intervals::UPSTREAM,
        Some("inside_kept") => Intervals {
            inside: Inside::Kept,
            ..reference
        },
        Some("wrapping_edge") => Intervals {
            edge: Edge::Wrapping,
            ..reference
        },
        Some("inverted_stored") => Intervals {
            inverted: Inverted::Stored,
            ..reference
        },
        Some("full_from_zero") => Intervals {
            full: Full::FromZero,
            ..reference
        },
        Some("zero_end_unbounded") => Intervals {
            zero_end: ZeroEnd::Unbounded,
            ..reference
        },
        Some("piecewise_parse") => Intervals {
            parse: Parse::Piecewise,
            ..reference
        },
        Some(_) => unreachable!("the registry builds listed variants only"),
    };
    let spans = match budget {
        Budget::Quick => FEW,
        Budget::Full => MANY,
    };
    Sets { intervals, spans }
}

fn properties() -> Vec<Property> {
    let of = |name, witness, statement| Property {
        name,
        id: None,
        statement,
        witness,
    };
    vec![
        of(
            "intervals_normal",
            Some("touching_joined"),
            "A set is in canonical form after every operation, and its text is parsed into the same set.",
        ),
        of(
            "intervals_grow",
            Some("inverted_refused"),
            "No addition, merge or failed parse removes a number, and next never reports a number that is in the set.",
        ),
        of(
            "intervals_exact",
            Some("full_to_the_end"),
            "A set holds what was added since it was replaced and nothing else, all that is asked of it is answered accordingly, and inverted ranges and malformed texts alone are refused.",
        ),
        of(
            "touching_joined",
            None,
            "Two ranges without a number between them became one.",
        ),
        of("inverted_refused", None, "An inverted range was refused."),
        of(
            "full_to_the_end",
            None,
            "Nothing is missing up to the largest number.",
        ),
    ]
}

fn faults() -> Vec<Fault> {
    use Status::Present;
    vec![
        Fault::upstream(
            "upstream",
            &["D1", "D2", "D3", "D4", "D5", "D7"],
            &["intervals_normal", "intervals_grow", "intervals_exact"],
            Present,
            "Interval sets as upstream has them, with no remedy.",
        ),
        Fault::upstream(
            "inside_kept",
            &["D1"],
            &["intervals_normal"],
            Present,
            "A range strictly inside another is kept beside it.",
        ),
        Fault::upstream(
            "wrapping_edge",
            &["D2"],
            &["intervals_normal", "intervals_grow"],
            Present,
            "The number behind the largest one is 0.",
        ),
        Fault::upstream(
            "inverted_stored",
            &["D3"],
            &["intervals_normal"],
            Present,
            "An inverted range is stored.",
        ),
        Fault::upstream(
            "full_from_zero",
            &["D4"],
            &["intervals_grow"],
            Present,
            "What is missing from a set that is full begins at 0.",
        ),
        Fault::upstream(
            "zero_end_unbounded",
            &["D5"],
            &["intervals_grow"],
            Present,
            "A gap that ends at 0 is taken for one without an end.",
        ),
        Fault::upstream(
            "piecewise_parse",
            &["D7"],
            &["intervals_grow", "intervals_exact"],
            Present,
            "A parse changes the set range by range, so that a failed one leaves a part and an empty one the old ranges.",
        ),
    ]
}

/// `pullsync/intervals`.
pub(super) fn family() -> Box<dyn Subject> {
    Box::new(Family {
        name: "pullsync/intervals",
        properties: properties(),
        faults: faults(),
        build,
    })
}
