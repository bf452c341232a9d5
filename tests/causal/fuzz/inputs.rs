//! Valid encodings for each decoder.

use bytes::Bytes;
use concord::systems::causal::text::{self, Action, Line, Operation, Triple};
use concord::systems::causal::{Name, Pair, areas, base64, clock_file, framed, orset_file};
use proptest::prelude::*;

use super::super::framed::msg;

/// Encodings of values of a target.
pub(crate) fn valid(target: &str) -> BoxedStrategy<Vec<u8>> {
    match target {
        "line" => connection().boxed(),
        "message" => message().boxed(),
        "payload" => any_operation().prop_map(|made| formatted(&made)).boxed(),
        "msg" => msg().prop_map(|msg| msg.encode().into()).boxed(),
        "frames" => frames().boxed(),
        "bulk" => contents()
            .prop_map(|data| framed::encode_bulk(&data).into())
            .boxed(),
        "confirmation" => prop_oneof![Just(0), 1..300_u32, any::<u32>()]
            .prop_map(|status| framed::encode_confirmation(status).into())
            .boxed(),
        "clock_text" => clock(any::<i64>()).boxed(),
        "clock_framed" => clock(0..=i64::from(u32::MAX)).boxed(),
        "areas" => ranges().boxed(),
        "orset" => set().boxed(),
        "base64" => contents().prop_map(|raw| base64_of(&raw)).boxed(),
        word => rest(word).boxed(),
    }
}

/// Legal in every place: names of nodes, users, tags.
fn name() -> impl Strategy<Value = Name> {
    prop::sample::select(&["a", "b", "node-1", "é", "t1"][..]).prop_map(Name::new)
}

/// Encoded before it is written, so it may hold anything.
fn value() -> impl Strategy<Value = Name> {
    prop::sample::select(&["", "M", "|;\r\n", "Über", "INBOX.x"][..]).prop_map(Name::new)
}

fn contents() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn pair() -> impl Strategy<Value = Pair> {
    (value(), name()).prop_map(|(value, tag)| Pair { value, tag })
}

fn triple() -> impl Strategy<Value = Triple> {
    (value(), name(), contents()).prop_map(|(value, tag, contents)| Triple {
        value,
        tag,
        contents,
    })
}

fn action(word: &str) -> BoxedStrategy<Action> {
    let pairs = || prop::collection::vec(pair(), 1..4);
    let triples = || prop::collection::vec(triple(), 1..4);
    match word {
        "create" => pair().prop_map(|add| Action::Create { add }).boxed(),
        "delete" => pairs().prop_map(|remove| Action::Delete { remove }).boxed(),
        "append" => triple().prop_map(|add| Action::Append { add }).boxed(),
        "expunge" => pairs()
            .prop_map(|remove| Action::Expunge { remove })
            .boxed(),
        "store" => (pairs(), triple())
            .prop_map(|(remove, add)| Action::Store { remove, add })
            .boxed(),
        "rename" => (pairs(), pair(), triples())
            .prop_map(|(remove, add, mails)| Action::Rename { remove, add, mails })
            .boxed(),
        "copy" => triples().prop_map(|mails| Action::Copy { mails }).boxed(),
        _ => panic!("{word} is no operation"),
    }
}

fn operation(word: &str) -> impl Strategy<Value = Operation> + use<> {
    (name(), value(), action(word)).prop_map(|(user, mailbox, action)| Operation {
        user,
        mailbox,
        action,
    })
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let words = [
        "create", "delete", "append", "expunge", "store", "rename", "copy",
    ];
    prop::strategy::Union::new(words.map(operation))
}

fn formatted(operation: &Operation) -> Vec<u8> {
    let payload = operation.format();
    payload
        .expect("its names are legal, its lists not empty")
        .into()
}

/// What follows the word of this operation.
fn rest(word: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let start = word.len() + 1;
    operation(word).prop_map(move |operation| formatted(&operation)[start..].to_vec())
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let clock = prop::collection::btree_map(name(), any::<i64>(), 1..4);
    (name(), clock, any_operation()).prop_map(|(sender, clock, operation)| {
        let payload = formatted(&operation).into();
        let line = Line {
            sender,
            clock,
            payload,
        };
        let raw = text::format_message(&line);
        raw.expect("its names and its payload are legal").into()
    })
}

fn connection() -> impl Strategy<Value = Vec<u8>> {
    message().prop_map(|line| text::connection_of(&line).into())
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let bodies = prop::collection::vec(
        prop_oneof![contents(), msg().prop_map(|msg| msg.encode())],
        0..4,
    );
    bodies.prop_map(|bodies| bodies.iter().flat_map(|body| framed::frame(body)).collect())
}

fn clock(values: impl Strategy<Value = i64>) -> impl Strategy<Value = Vec<u8>> {
    let clock = prop::collection::btree_map(name(), values, 0..4);
    clock.prop_map(|clock| {
        clock_file::format(&clock)
            .expect("its names are legal")
            .into()
    })
}

fn ranges() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((0..3_i64, 0..1_000_i64), 0..5).prop_map(|steps| {
        let mut end = 0;
        let ranges = steps.iter().map(|(gap, length)| {
            let start = end + gap;
            end = start + length;
            (start, end)
        });
        let ranges: Vec<_> = ranges.collect();
        areas::format(&ranges).expect("they are in order").into()
    })
}

fn set() -> impl Strategy<Value = Vec<u8>> {
    let set = prop::collection::btree_map(name(), value(), 0..4);
    set.prop_map(|set| orset_file::format(&set).expect("its tags are legal").into())
}

fn base64_of(raw: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    base64::encode(raw, &mut text);
    text.into()
}
