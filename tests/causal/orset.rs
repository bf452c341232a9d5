//! Laws of the OR-set (7.2), and the defects of tags as the only identity (section 9).

use std::sync::Arc;

use concord::models::causal::oracle::{expected, observed};
use concord::models::causal::workload::{Cluster, Shape, history, reordered};
use concord::systems::causal::strategy::{
    Absent, CreateEffect, DeleteEffect, Dependencies, Identity, RenameContents, Strategies,
};
use concord::systems::causal::text::{self, Action, Triple};
use concord::systems::causal::{
    Change, Clock, Deliverability, Dot, Message, Node, Operation, Pair, Profile, Record, Set, Sets,
    framed,
};
use proptest::prelude::*;

use crate::common::cases;

const REFERENCE: Strategies = Strategies::REFERENCE;
const A: Node = Node(0);
const B: Node = Node(1);

fn pair(value: &str, tag: &str) -> Pair {
    Pair::new(&value.into(), &tag.into())
}

fn triple(value: &str, tag: &str, contents: &'static str) -> Triple {
    Triple {
        value: value.into(),
        tag: tag.into(),
        contents: contents.into(),
    }
}

fn message<const N: usize>(sender: Node, stamp: [u64; N], operation: Operation) -> Arc<Message> {
    Arc::new(Message {
        sender,
        stamp: Clock::from_entries(stamp),
        operation: Some(operation),
    })
}

/// On mailbox M of user u.
fn text<const N: usize>(sender: Node, stamp: [u64; N], action: Action) -> Arc<Message> {
    let operation = text::Operation {
        user: "u".into(),
        mailbox: "M".into(),
        action,
    };
    message(sender, stamp, Operation::Text(operation))
}

fn create<const N: usize>(sender: Node, stamp: [u64; N], tag: &str) -> Arc<Message> {
    let add = pair("M", tag);
    text(sender, stamp, Action::Create { add })
}

fn delete<const N: usize>(sender: Node, stamp: [u64; N], tag: &str) -> Arc<Message> {
    let remove = vec![pair("M", tag)];
    text(sender, stamp, Action::Delete { remove })
}

fn append<const N: usize>(sender: Node, stamp: [u64; N], value: &str, tag: &str) -> Arc<Message> {
    let add = triple(value, tag, "1");
    text(sender, stamp, Action::Append { add })
}

fn expunge<const N: usize>(sender: Node, stamp: [u64; N], value: &str, tag: &str) -> Arc<Message> {
    let remove = vec![pair(value, tag)];
    text(sender, stamp, Action::Expunge { remove })
}

/// On mailbox M of user u: removes one tag and adds another.
fn store_flags(sender: Node, stamp: [u64; 2], from: &str, to: &str) -> Arc<Message> {
    let store = framed::Store {
        user: "u".into(),
        mailbox: "M".into(),
        rmv_tag: from.into(),
        add_tag: to.into(),
        add_content: "1".into(),
    };
    message(
        sender,
        stamp,
        Operation::Framed(framed::Operation::Store(store)),
    )
}

/// The same without contents.
fn expunge_file(sender: Node, stamp: [u64; 2], from: &str, to: &str) -> Arc<Message> {
    let expunge = framed::Expunge {
        user: "u".into(),
        mailbox: "M".into(),
        rmv_tag: from.into(),
        add_tag: to.into(),
    };
    message(
        sender,
        stamp,
        Operation::Framed(framed::Operation::Expunge(expunge)),
    )
}

fn append_file(sender: Node, stamp: [u64; 2], tag: &str) -> Arc<Message> {
    let append = framed::Append {
        user: "u".into(),
        mailbox: "M".into(),
        add_tag: tag.into(),
        add_content: "1".into(),
    };
    message(
        sender,
        stamp,
        Operation::Framed(framed::Operation::Append(append)),
    )
}

/// What these leave, in this order.
fn delivered<'a>(
    strategies: &Strategies,
    messages: impl IntoIterator<Item = &'a Arc<Message>>,
) -> Arc<Sets> {
    let mut sets = Arc::<Sets>::default();
    for message in messages {
        assert!(
            sets.apply(message, strategies),
            "{message:?} ended the node"
        );
    }
    sets
}

/// The mails of mailbox M of user u, as values.
fn mails(sets: &Sets) -> Vec<&str> {
    let mails = sets.user(&"u".into()).and_then(|u| u.mails_of(&"M".into()));
    mails
        .into_iter()
        .flat_map(Set::values)
        .map(|v| v.as_str())
        .collect()
}

/// The tags of mailbox M of user u.
fn tags(sets: &Sets) -> Vec<&str> {
    let user = sets.user(&"u".into());
    let pairs = user.into_iter().flat_map(|user| user.structure.iter());
    pairs.map(|(pair, _)| pair.tag.as_str()).collect()
}

/// The reference converges where nodes deliver in these two orders, and this choice does not.
fn diverges<const N: usize>(faulty: Strategies, orders: [[&Arc<Message>; N]; 2]) -> [Arc<Sets>; 2] {
    let of = |strategies| orders.map(|order| delivered(strategies, order));
    let [at_a, at_b] = of(&REFERENCE);
    assert_eq!(at_a, at_b);
    let [at_a, at_b] = of(&faulty);
    assert_ne!(at_a, at_b);
    [at_a, at_b]
}

fn shapes() -> impl Strategy<Value = Shape> {
    let profiles = prop_oneof![Just(Profile::Text), Just(Profile::Framed)];
    (profiles, 2u16..5, 1usize..40).prop_map(|(profile, nodes, messages)| Shape {
        profile,
        nodes,
        messages,
    })
}

/// Every causal order of a history leaves the same sets, and after each message the sets hold what
/// the definition says.
fn converges(seed: u64, shape: Shape, orders: [u64; 2]) {
    let messages = history(seed, shape);
    let left = orders.map(|order| {
        let order = reordered(order, &messages);
        assert_eq!(order.len(), messages.len());
        let mut sets = Arc::<Sets>::default();
        for (last, message) in order.iter().enumerate() {
            assert!(sets.apply(message, &REFERENCE));
            let history: Vec<&Message> = order[..=last].iter().map(Arc::as_ref).collect();
            assert_eq!(observed(&sets), expected(&history));
        }
        sets
    });
    assert_eq!(left[0], left[1]);
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn every_causal_order_leaves_the_same_sets(
        seed: u64, shape in shapes(), orders: [u64; 2],
    ) {
        converges(seed, shape, orders);
    }

    #[test]
    fn concurrent_operations_commute(seed: u64, shape in shapes()) {
        let mut cluster = Cluster::new(seed, shape.profile, shape.nodes);
        for turn in 0..shape.messages {
            cluster.submit(Node(turn as u16 % shape.nodes));
            if turn % 3 == 0 {
                cluster.settle();
            }
        }
        cluster.settle();
        let before = Arc::clone(&cluster.record(A).payload);
        let (ours, theirs) = (cluster.submit(A), cluster.submit(B));
        let after = |order: [&Arc<Message>; 2]| {
            let mut sets = Arc::clone(&before);
            for message in order {
                assert!(sets.apply(message, &REFERENCE));
            }
            sets
        };
        prop_assert_eq!(after([&ours, &theirs]), after([&theirs, &ours]));
    }

    #[test]
    fn a_message_taken_twice_in_a_row_changes_nothing_the_second_time(seed: u64, shape in shapes()) {
        let mut sets = Arc::<Sets>::default();
        for message in history(seed, shape) {
            prop_assert!(sets.apply(&message, &REFERENCE));
            let once = Arc::clone(&sets);
            prop_assert!(sets.apply(&message, &REFERENCE));
            prop_assert_eq!(&sets, &once);
        }
    }

    #[test]
    fn nodes_with_equal_clocks_have_equal_sets(seed: u64, shape in shapes()) {
        let mut cluster = Cluster::new(seed, shape.profile, shape.nodes);
        for turn in 0..shape.messages {
            cluster.submit(Node(turn as u16 % shape.nodes));
            cluster.deliver(Node((turn as u16 + 1) % shape.nodes));
        }
        cluster.settle();
        for node in 1..shape.nodes {
            let (first, other) = (cluster.record(A), cluster.record(Node(node)));
            prop_assert_eq!(&first.clock, &other.clock);
            prop_assert_eq!(&first.payload, &other.payload);
            for message in cluster.messages() {
                let again = other.clock.deliverability(message.sender, &message.stamp);
                prop_assert_eq!(again, Deliverability::Duplicate);
            }
        }
    }

    #[test]
    fn a_set_agrees_with_a_scan_of_its_pairs(seed: u64, shape in shapes()) {
        let messages = history(seed, shape);
        let sets = delivered(&REFERENCE, &messages);
        for (_, user) in sets.users() {
            prop_assert!(!user.is_empty());
            for set in std::iter::once(&user.structure).chain(user.mails.values()) {
                let pairs: Vec<&Pair> = set.iter().map(|(pair, _)| pair).collect();
                prop_assert_eq!(set.len(), pairs.len());
                let mut values: Vec<_> = pairs.iter().map(|pair| &pair.value).collect();
                values.dedup();
                prop_assert!(set.values().eq(values.iter().copied()));
                for value in ["", "M", "N", "x", "y", "z"] {
                    let of: Vec<_> = pairs.iter().filter(|pair| pair.value == value).collect();
                    prop_assert_eq!(set.has_value(value), !of.is_empty());
                    prop_assert!(set.of_value(value).map(|(pair, _)| pair).eq(of.iter().copied().copied()));
                    let with = of.iter().filter(|pair| set.contents(pair).is_some_and(Option::is_some));
                    prop_assert!(set.tags_with_contents(value).eq(with.map(|pair| &pair.tag)));
                }
            }
            prop_assert!(user.mails.values().all(|mails| !mails.is_empty()));
        }
    }
}

quickcheck::quickcheck! {
    fn every_causal_order_leaves_the_same_sets_again(
        seed: u64, framed: bool, nodes: u8, messages: u8, orders: (u64, u64)
    ) -> bool {
        let shape = Shape {
            profile: if framed { Profile::Framed } else { Profile::Text },
            nodes: 2 + u16::from(nodes % 3),
            messages: usize::from(messages % 30),
        };
        converges(seed, shape, [orders.0, orders.1]);
        true
    }
}

#[test]
fn an_add_survives_a_concurrent_remove() {
    let seen = append(A, [1, 0], "x", "t");
    let again = append(A, [2, 0], "x", "t");
    let remove = expunge(B, [1, 1], "x", "t");
    for order in [[&seen, &again, &remove], [&seen, &remove, &again]] {
        assert_eq!(mails(&delivered(&REFERENCE, order)), ["x"]);
    }
    assert!(mails(&delivered(&REFERENCE, [&seen, &remove])).is_empty());
}

#[test]
fn what_is_empty_is_not_kept() {
    let orders = [
        vec![create(A, [1, 0], "t"), delete(A, [2, 0], "t")],
        vec![append(A, [1, 0], "x", "t"), expunge(A, [2, 0], "x", "t")],
        vec![expunge(A, [1, 0], "x", "t")],
        vec![delete(A, [1, 0], "t")],
    ];
    for order in &orders {
        assert_eq!(*delivered(&REFERENCE, order), Sets::default());
    }
}

#[test]
fn mails_live_independently_of_their_mailbox() {
    let sets = delivered(&REFERENCE, [&append(A, [1, 0], "x", "t")]);
    assert_eq!(mails(&sets), ["x"]);
    let user = sets.user(&"u".into()).expect("it has a mail");
    assert!(!user.is_visible("M"));
}

#[test]
fn a_delete_drops_the_mails_it_had_seen() {
    let created = create(A, [1, 0], "t");
    let seen = append(A, [2, 0], "x", "t");
    let unseen = append(B, [1, 1], "y", "t");
    let deleted = delete(A, [3, 0], "t");
    let sets = delivered(&REFERENCE, [&created, &seen, &unseen, &deleted]);
    assert_eq!(mails(&sets), ["y"]);
    assert!(tags(&sets).is_empty());
}

#[test]
fn a_rename_onto_the_same_name_removes_before_it_adds() {
    let created = create(A, [1, 0], "s");
    let seen = append(A, [2, 0], "x", "s");
    let rename = Action::Rename {
        remove: vec![pair("M", "s")],
        add: pair("M", "s"),
        mails: vec![triple("y", "s", "1")],
    };
    let renamed = text(A, [3, 0], rename);
    let sets = delivered(&REFERENCE, [&created, &seen, &renamed]);
    assert_eq!((mails(&sets), tags(&sets)), (vec!["y"], vec!["s"]));
}

#[test]
fn contents_are_those_of_the_greatest_number_and_then_of_the_last_name() {
    let mut set = Set::default();
    let adds = [(A, 2, "a2"), (B, 1, "b1"), (B, 2, "b2"), (A, 1, "a1")];
    for ((node, seq, contents), greatest) in adds.into_iter().zip(["a2", "a2", "b2", "b2"]) {
        set.add(pair("x", "t"), Dot { node, seq }, Some(contents.into()));
        assert_eq!(set.contents(&pair("x", "t")), Some(&Some(greatest.into())));
    }
    assert_eq!(set.contents(&pair("x", "s")), None);
}

#[test]
fn of_one_message_the_later_contents_replace_the_earlier() {
    let mails = vec![triple("x", "t", "1"), triple("x", "t", "2")];
    let sets = delivered(&REFERENCE, [&text(A, [1, 0], Action::Copy { mails })]);
    let user = sets.user(&"u".into()).expect("it has a mail");
    let set = user.mails_of(&"M".into()).expect("it has a mail");
    assert_eq!(set.contents(&pair("x", "t")), Some(&Some("2".into())));
    let (_, dots) = set.iter().next().expect("it has a mail");
    assert_eq!(dots.len(), 1);
}

#[test]
fn an_opaque_message_moves_the_clock_alone() {
    let mut record = Record::new(Clock::from_entries([0, 0]), A);
    let opaque = Arc::new(Message {
        sender: B,
        stamp: Clock::from_entries([0, 1]),
        operation: None,
    });
    assert!(record.change(&Change::Delivered(opaque), &REFERENCE));
    assert_eq!(record.clock.entries(), [0, 1]);
    assert_eq!(*record.payload, Sets::default());
}

#[test]
fn a_record_takes_in_each_change() {
    let mut record = Record::new(Clock::from_entries([5, 2]), A);
    assert_eq!(record.cursors.entries(), [5, 5]);
    for (seq, cursor) in [(7, 7), (6, 7)] {
        assert!(record.change(&Change::Cursor { peer: B, seq }, &REFERENCE));
        assert_eq!(record.cursors.entries(), [5, cursor]);
    }
    let mail = append(B, [6, 3], "x", "t");
    assert!(record.change(&Change::Effect(Arc::clone(&mail)), &REFERENCE));
    assert_eq!(
        (record.clock.entries(), mails(&record.payload)),
        ([5, 2].as_slice(), vec!["x"])
    );
    let own_only = Strategies {
        dependencies: Dependencies::OwnOnly,
        ..REFERENCE
    };
    let mut fifo = record.clone();
    assert!(fifo.change(&Change::Delivered(Arc::clone(&mail)), &own_only));
    assert_eq!(fifo.clock.entries(), [5, 3]);
    assert!(record.change(&Change::Delivered(mail), &REFERENCE));
    assert_eq!(record.clock.entries(), [6, 3]);
    assert!(record.change(&Change::Clock { node: A, value: 1 }, &REFERENCE));
    assert_eq!(record.clock.entries(), [1, 3]);
}

#[test]
fn a_create_that_resets_mails_diverges() {
    let ours = create(A, [1, 0], "a");
    let mail = append(A, [2, 0], "x", "t");
    let theirs = create(B, [0, 1], "b");
    let faulty = Strategies {
        create: CreateEffect::ResetsMails,
        ..REFERENCE
    };
    let orders = [[&ours, &mail, &theirs], [&theirs, &ours, &mail]];
    let [at_a, at_b] = diverges(faulty, orders);
    assert_eq!((mails(&at_a), mails(&at_b)), (vec![], vec!["x"]));
}

#[test]
fn a_delete_that_drops_all_mails_diverges() {
    let ours = create(A, [1, 0], "a");
    let deleted = delete(A, [2, 0], "a");
    let theirs = create(B, [0, 1], "b");
    let mail = append(B, [0, 2], "x", "t");
    let faulty = Strategies {
        delete: DeleteEffect::DropsAll,
        ..REFERENCE
    };
    let orders = [
        [&ours, &deleted, &theirs, &mail],
        [&theirs, &mail, &ours, &deleted],
    ];
    let [at_a, at_b] = diverges(faulty, orders);
    assert_eq!((mails(&at_a), mails(&at_b)), (vec!["x"], vec![]));
}

const BY_TAG: Strategies = Strategies {
    identity: Identity::Tag,
    ..REFERENCE
};

#[test]
fn a_tag_that_comes_back_diverges_if_tags_are_the_identity() {
    let mail = append_file(A, [1, 0], "t");
    let flagged = store_flags(A, [2, 0], "t", "tS");
    let cleared = store_flags(A, [3, 0], "tS", "t");
    let expunged = expunge_file(B, [1, 1], "t", "e");
    let orders = [
        [&mail, &flagged, &cleared, &expunged],
        [&mail, &expunged, &flagged, &cleared],
    ];
    let [at_a, at_b] = diverges(BY_TAG, orders);
    assert_eq!((tags(&at_a), tags(&at_b)), (vec!["e"], vec!["e", "t"]));
}

#[test]
fn a_tag_made_twice_diverges_if_tags_are_the_identity() {
    let mail = append_file(A, [1, 0], "t");
    let ours = store_flags(A, [2, 0], "t", "tS");
    let theirs = store_flags(B, [1, 1], "t", "tS");
    let expunged = expunge_file(A, [3, 0], "tS", "e");
    let orders = [
        [&mail, &ours, &expunged, &theirs],
        [&mail, &theirs, &ours, &expunged],
    ];
    let [at_a, at_b] = diverges(BY_TAG, orders);
    assert_eq!((tags(&at_a), tags(&at_b)), (vec!["e", "tS"], vec!["e"]));
}

#[test]
fn removing_what_is_absent_ends_a_faulty_node() {
    let faulty = Strategies {
        absent: Absent::Fatal,
        ..REFERENCE
    };
    let first = append_file(A, [1, 0], "t");
    let absent = [
        store_flags(B, [0, 1], "t", "t3"),
        expunge_file(B, [0, 1], "t", "e"),
        delete(B, [0, 1], "t"),
        expunge(B, [0, 1], "x", "t"),
    ];
    for message in &absent {
        let mut sets = Arc::<Sets>::default();
        assert!(!sets.apply(message, &faulty));
        assert_eq!(*sets, Sets::default());
        assert!(sets.apply(message, &REFERENCE));
    }
    let mut sets = delivered(&faulty, [&first, &store_flags(A, [2, 0], "t", "t2")]);
    assert!(!sets.apply(&store_flags(B, [1, 1], "t", "t3"), &faulty));
    assert_eq!(tags(&sets), ["t2"]);
}

#[test]
fn a_rename_ends_a_node_whose_parser_panics() {
    let faulty = Strategies {
        rename: RenameContents::WrongList,
        ..REFERENCE
    };
    let rename = Action::Rename {
        remove: vec![pair("M", "s")],
        add: pair("N", "s"),
        mails: vec![triple("x", "s", "1")],
    };
    let renamed = text(A, [1, 0], rename);
    let mut sets = Arc::<Sets>::default();
    assert!(!sets.apply(&renamed, &faulty));
    assert!(sets.apply(&append(A, [1, 0], "x", "t"), &faulty));
    assert!(sets.apply(&renamed, &REFERENCE));
}
