//! Messages and operations at random, and ways to write them that no formatter has.

use bytes::Bytes;
use concord::systems::causal::text::{Action, Line, Operation, Triple};
use concord::systems::causal::{Name, Pair, base64};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Any text, often with what separates.
pub(super) fn anything() -> impl Strategy<Value = Name> {
    prop_oneof![
        3 => "(?s).{0,30}",
        1 => "[a|;:\r\n=]{0,4}",
        1 => Just(String::new()),
    ]
    .prop_map(Name::from)
}

/// A legal user or tag.
pub(super) fn field() -> impl Strategy<Value = Name> {
    without("|;\r\n")
}

/// A legal node name.
pub(super) fn name() -> impl Strategy<Value = Name> {
    without("|;:\r\n").prop_map(|name| if name.is_empty() { "n".into() } else { name })
}

fn without(separators: &'static str) -> impl Strategy<Value = Name> {
    let keep = |name: Name| {
        name.chars()
            .filter(|it| !separators.contains(*it))
            .collect()
    };
    anything().prop_map(keep)
}

/// A message that can be formatted.
pub(super) fn line() -> impl Strategy<Value = Line> {
    let payload = "(?s).{0,40}".prop_map(|text| Bytes::from(text.replace(['\r', '\n'], "|")));
    parts(name(), name(), payload, 1)
}

/// A message of any parts.
pub(super) fn any_line() -> impl Strategy<Value = Line> {
    let bytes = prop_oneof![
        anything().prop_map(|text| Bytes::from(text.to_string())),
        vec(any::<u8>(), 0..10).prop_map(Bytes::from),
    ];
    parts(anything(), anything(), bytes, 0)
}

fn parts(
    sender: impl Strategy<Value = Name>,
    names: impl Strategy<Value = Name>,
    payload: impl Strategy<Value = Bytes>,
    entries: usize,
) -> impl Strategy<Value = Line> {
    let value = prop_oneof![any::<i64>(), 0..3_i64, select(vec![i64::MIN, i64::MAX])];
    (sender, btree_map(names, value, entries..4), payload).prop_map(|(sender, clock, payload)| {
        Line {
            sender,
            clock,
            payload,
        }
    })
}

/// An operation of any of the seven kinds, with such users and tags, and lists of at least so many
/// elements.
pub(super) fn operation<F>(fields: fn() -> F, shortest: usize) -> impl Strategy<Value = Operation>
where
    F: Strategy<Value = Name> + 'static,
{
    let pair = move || (anything(), fields()).prop_map(|(value, tag)| Pair { value, tag });
    let triple = move || {
        let contents = vec(any::<u8>(), 0..20).prop_map(Bytes::from);
        (anything(), fields(), contents).prop_map(|(value, tag, contents)| Triple {
            value,
            tag,
            contents,
        })
    };
    let remove = move || vec(pair(), shortest..4);
    let mails = move || vec(triple(), shortest..4);
    let action = prop_oneof![
        pair().prop_map(|add| Action::Create { add }),
        remove().prop_map(|remove| Action::Delete { remove }),
        triple().prop_map(|add| Action::Append { add }),
        remove().prop_map(|remove| Action::Expunge { remove }),
        (remove(), triple()).prop_map(|(remove, add)| Action::Store { remove, add }),
        (remove(), pair(), mails()).prop_map(|(remove, add, mails)| Action::Rename {
            remove,
            add,
            mails
        }),
        mails().prop_map(|mails| Action::Copy { mails }),
    ];
    (fields(), anything(), action).prop_map(|(user, mailbox, action)| Operation {
        user,
        mailbox,
        action,
    })
}

/// Choices of a writer.
#[derive(Clone, Debug)]
pub(super) struct Noise(Vec<Index>, usize);

pub(super) fn noise() -> impl Strategy<Value = Noise> {
    vec(any::<Index>(), 1..40).prop_map(|choices| Noise(choices, 0))
}

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.1 += 1;
        self.0[self.1 % self.0.len()].index(bound)
    }

    fn one_of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    /// A message line that says the same: entries in any order, some twice, numbers with signs and
    /// zeros, further sub-pieces.
    pub(super) fn line(&mut self, line: &Line) -> Vec<u8> {
        let mut last: Vec<String> = Vec::new();
        let mut overwritten: Vec<String> = Vec::new();
        for (name, value) in &line.clock {
            let sign = match value {
                ..0 => "-",
                _ => self.one_of(&["", "+"]),
            };
            let zeros = self.one_of(&["", "0", "000000000000000000000000"]);
            let more = self.one_of(&["", ":", ":7", ": x:-"]);
            let entry = format!("{name}:{sign}{zeros}{}{more}", value.unsigned_abs());
            last.insert(self.below(last.len() + 1), entry);
            if self.below(3) == 0 {
                overwritten.push(format!("{name}:{}", self.below(9)));
            }
        }
        overwritten.extend(last);
        let mut text = format!("{}|{}|", line.sender, overwritten.join(";")).into_bytes();
        text.extend_from_slice(&line.payload);
        text.extend(self.one_of(&["", "\n"]).bytes());
        text
    }

    /// What follows the operation word of a payload, with other base64 of the same.
    pub(super) fn rest(&mut self, operation: &Operation) -> String {
        let widths: &[usize] = match operation.action {
            Action::Create { .. } | Action::Delete { .. } | Action::Expunge { .. } => &[2],
            Action::Append { .. } | Action::Copy { .. } => &[3],
            Action::Store { .. } => &[2, 3],
            Action::Rename { .. } => &[2, 2, 3],
        };
        let payload = operation.format().expect("it is representable");
        let payload = std::str::from_utf8(&payload).expect("payloads are text");
        let mut parts = payload.split('|').skip(1);
        let user = parts.next().expect("a user follows the word");
        let mailbox = parts.next().expect("a mailbox follows the user");
        let mut out = vec![user.to_owned(), self.base64(mailbox)];
        for (part, width) in parts.zip(widths) {
            let pieces = part
                .split(';')
                .enumerate()
                .map(|(at, piece)| match at % width {
                    1 => piece.to_owned(),
                    _ => self.base64(piece),
                });
            let pieces: Vec<String> = pieces.collect();
            out.push(pieces.join(";"));
        }
        out.join("|")
    }

    /// Line ends anywhere, and unused bits set.
    fn base64(&mut self, text: &str) -> String {
        let unused = match (text.ends_with("=="), text.ends_with('=')) {
            (true, _) => 4,
            (_, true) => 2,
            _ => 0,
        };
        let mut text = text.to_owned();
        if unused > 0 {
            let at = text.trim_end_matches('=').len() - 1;
            let mut symbols = String::new();
            base64::encode(&every_symbol(), &mut symbols);
            let symbol = symbols.find(&text[at..=at]).expect("it is base64");
            let other = symbol | self.below(1 << unused);
            text.replace_range(at..=at, &symbols[other..=other]);
        }
        for _ in 0..self.below(4) {
            let at = self.below(text.len() + 1);
            text.insert_str(at, self.one_of(&["\r", "\n", "\r\n"]));
        }
        text
    }
}

/// What encodes to the 64 symbols in order.
fn every_symbol() -> Vec<u8> {
    let bits = (0..64_u8).flat_map(|symbol| (0..6).rev().map(move |bit| symbol >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    let bytes = bits
        .chunks(8)
        .map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit));
    bytes.collect()
}

/// Changes text here and there: cuts, repeats, drops, and puts in what separates.
pub(super) fn mutated(valid: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let mutation = (0..5_u8, any::<Index>(), any::<Index>(), any::<u8>());
    (valid, vec(mutation, 1..6)).prop_map(|(mut bytes, mutations)| {
        for (kind, from, to, byte) in mutations {
            let (from, to) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
            let range = from.min(to)..from.max(to);
            match kind {
                0 => bytes.truncate(from),
                1 => bytes.insert(from, b"|;:=\r\n+-0"[usize::from(byte) % 9]),
                2 => bytes.insert(from, byte),
                3 => drop(bytes.drain(range)),
                _ => bytes.extend_from_within(range),
            }
        }
        bytes
    })
}
