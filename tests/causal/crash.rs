//! Crash points and recovery (6.5, 6.6).

use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use concord::systems::causal::{
    Change, Clock, CrashPoint, Disk, Input, Node, Output, Profile, Record, RecoverError, Settings,
    State, Write,
};
use proptest::prelude::*;

use crate::common::cases;
use crate::driver::{PROFILES, Replica, abc, append, create, delete, opaque, settings, transfer};
use crate::history::{History, PLAIN, Words, acts};

fn nth(nth: u64) -> NonZeroU64 {
    NonZeroU64::new(nth).expect("deliveries are counted from 1")
}

/// A node after it crashed at `point`, with the bytes that recovery dropped.
fn crashed(node: &Replica, point: CrashPoint, input: &Input) -> (Replica, usize) {
    let mut node = node.clone();
    let discarded = node.crash(point, input.clone()).discarded;
    (node, discarded)
}

/// The node after an input without a crash.
fn after(node: &Replica, input: &Input) -> Replica {
    let mut node = node.clone();
    node.step(input.clone());
    node
}

/// Bytes that an input appends.
fn appended(node: &Replica, input: &Input) -> Bytes {
    let outputs = node.clone().step(input.clone());
    let bytes = outputs.iter().find_map(|output| match output {
        Output::Write(Write::Append { bytes, .. }) => Some(bytes.clone()),
        _ => None,
    });
    bytes.expect("it appends")
}

/// Node b with a message that waits for a1, a duplicate of an own transfer and an unconfirmed one.
fn busy(profile: Profile) -> Vec<Replica> {
    let mut nodes = abc(profile);
    nodes[0]
        .submit(create(profile, "M", "t1"))
        .expect("M is not visible yet");
    nodes[0]
        .submit(append(profile, "M", "t2", b"hi"))
        .expect("M is visible");
    transfer(&mut nodes, 0, 2);
    nodes[2].apply();
    nodes[2]
        .submit(create(profile, "N", "t3"))
        .expect("N is not visible yet");
    nodes[1]
        .submit(create(profile, "O", "t4"))
        .expect("O is not visible yet");
    transfer(&mut nodes, 2, 1);
    nodes
}

fn submits(profile: Profile) -> [Input; 3] {
    [
        Input::Submit(create(profile, "P", "t5")),
        Input::Submit(delete(profile, "O")),
        Input::Submit(opaque(profile)),
    ]
}

#[test]
fn a_torn_submit_never_happened() {
    for profile in PROFILES {
        let node = &busy(profile)[1];
        for input in submits(profile) {
            let length = appended(node, &input).len() as u64;
            for bytes in 0..length {
                let torn = CrashPoint::SendTorn { bytes };
                let (found, discarded) = crashed(node, torn, &input);
                assert_eq!(discarded as u64, bytes);
                assert_eq!(found.state, node.state, "after {bytes} bytes");
                assert_eq!(found.disk, node.disk);
                let again = after(&found, &input);
                assert_eq!(again.state, after(node, &input).state, "its number is used");
            }
        }
    }
}

#[test]
fn a_logged_submit_is_redone() {
    for profile in PROFILES {
        let node = &busy(profile)[1];
        for input in submits(profile) {
            let length = appended(node, &input).len() as u64;
            let points = [
                CrashPoint::SendTorn { bytes: length },
                CrashPoint::SendTorn { bytes: u64::MAX },
                CrashPoint::SendAfterLog,
                CrashPoint::SendAfterState,
            ];
            for point in points {
                let (found, discarded) = crashed(node, point, &input);
                assert_eq!(discarded, 0);
                assert_eq!(found.state, after(node, &input).state, "{point:?}");
            }
        }
    }
}

#[test]
fn what_a_submit_has_logged_is_all_that_a_crash_leaves_of_it() {
    for profile in PROFILES {
        let node = &busy(profile)[1];
        let [input, ..] = submits(profile);
        let outputs = node.clone().step(input);
        let left = CrashPoint::SendAfterLog.survivors(&outputs);
        assert!(matches!(left[..], [Write::Append { .. }]), "{left:?}");
        let left = CrashPoint::SendAfterState.survivors(&outputs);
        assert!(
            matches!(left[..], [Write::Append { .. }, Write::Change(_)]),
            "{left:?}"
        );
        let left = CrashPoint::SendTorn { bytes: 0 }.survivors(&outputs);
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_torn_transfer_leaves_its_complete_records() {
    for profile in PROFILES {
        let nodes = busy(profile);
        let flushed = nodes[0].clone().flush(1).expect("b is a peer");
        let wire = flushed.wire[0].clone();
        let node = &nodes[1];
        let input = Input::Receive { wire };
        let bytes = appended(node, &input);
        // Where records end in what is appended.
        let ends: Vec<usize> = match profile {
            Profile::Text => vec![bytes.len()],
            Profile::Framed => {
                let first = node.settings.profile;
                assert_eq!(first, Profile::Framed);
                let (_, first) = concord::systems::causal::framed::first_frame(&bytes)
                    .expect("a bulk begins with a frame");
                assert!(first < bytes.len(), "two messages");
                vec![first, bytes.len()]
            }
        };
        for kept in 0..=bytes.len() + 1 {
            let torn = CrashPoint::ReceiveTorn { bytes: kept as u64 };
            let (found, discarded) = crashed(node, torn, &input);
            let complete = ends.iter().filter(|end| **end <= kept).count();
            let end = ends[..complete].last().copied().unwrap_or(0);
            assert_eq!(discarded, kept.min(bytes.len()) - end);
            let before = node.disk.receive_log.bytes();
            let expected = [&before[..], &bytes[..end]].concat();
            assert_eq!(found.disk.receive_log.bytes(), expected);
            assert_eq!(found.state.received().count(), 1 + complete);
            assert_eq!(found.disk.record, node.disk.record);
        }
        let (found, _) = crashed(node, CrashPoint::ReceiveAfterLog, &input);
        assert_eq!(found.state, after(node, &input).state);
    }
}

#[test]
fn a_transfer_repeated_after_a_crash_consists_of_duplicates() {
    for profile in PROFILES {
        let mut nodes = busy(profile);
        let wires = nodes[0].flush(1).expect("b is a peer").wire;
        for wire in &wires {
            let input = Input::Receive { wire: wire.clone() };
            nodes[1].crash(CrashPoint::ReceiveAfterLog, input);
        }
        for wire in &wires {
            nodes[1].receive(wire).expect("it is well formed");
        }
        let run = nodes[1].apply();
        assert_eq!((run.applied.len(), run.purged, run.log), (3, 2, 0));
    }
}

/// Node b with the log c1 (needs a1, a2), a1, a1, a2, a2, and how many removals lie before each
/// delivery.
fn full(profile: Profile) -> Replica {
    let mut nodes = busy(profile);
    let wires = nodes[0].flush(1).expect("b is a peer").wire;
    for wire in &wires {
        for _ in 0..2 {
            nodes[1].receive(wire).expect("it is well formed");
        }
    }
    nodes.swap_remove(1)
}

#[test]
fn a_crash_before_a_delivery_leaves_those_before_it_and_their_removals() {
    for profile in PROFILES {
        let node = full(profile);
        let run = node.clone().apply();
        assert_eq!((run.applied.len(), run.purged, run.log), (3, 2, 0));
        let input = Input::Apply { limit: None };
        for count in 1..=3 {
            let before = CrashPoint::ApplyBeforeState { nth: nth(count) };
            let (found, _) = crashed(&node, before, &input);
            // All that a run up to this delivery does, but for the delivery and its removal.
            let limited = Input::Apply {
                limit: NonZeroU64::new(count),
            };
            let mut outputs = node.clone().step(limited);
            let last = outputs.iter().rposition(is_delivery).expect("it delivers");
            outputs.truncate(last);
            let mut disk = node.disk.clone();
            for write in outputs.iter().filter_map(Output::as_write) {
                disk.apply(write, &node.settings);
            }
            assert_eq!(found.disk, disk);
            let delivered = found.clock().iter().sum::<u64>();
            assert_eq!(delivered, 1 + count - 1, "one of its own");
            let mut resumed = found;
            let rest = resumed.apply();
            assert_eq!(rest.applied[..], run.applied[count as usize - 1..]);
            assert_eq!(resumed.state, after(&node, &input).state);
        }
    }
}

fn is_delivery(output: &Output) -> bool {
    matches!(output, Output::Write(Write::Change(Change::Delivered(_))))
}

#[test]
fn a_crash_after_a_delivery_leaves_its_entry_a_duplicate() {
    for profile in PROFILES {
        let node = full(profile);
        let run = node.clone().apply();
        let input = Input::Apply { limit: None };
        for count in 1..=3 {
            let point = CrashPoint::ApplyAfterState { nth: nth(count) };
            let (found, _) = crashed(&node, point, &input);
            let last = run.applied[count as usize - 1];
            assert_eq!(found.state.record().clock.get(last.sender), last.seq);
            let left = found.state.received().map(|entry| &entry.message);
            let left = left.filter(|it| it.sender == last.sender && it.seq() == last.seq);
            assert!(left.count() > 0, "its entry is still there");
            let before = CrashPoint::ApplyBeforeState { nth: nth(count) };
            let (before, _) = crashed(&node, before, &input);
            assert_eq!(
                found.disk.receive_log, before.disk.receive_log,
                "only the state record lies between"
            );
            let mut resumed = found;
            let rest = resumed.apply();
            assert_eq!(rest.applied[..], run.applied[count as usize..]);
            assert!(rest.purged > 0);
            assert_eq!(resumed.state, after(&node, &input).state);
        }
    }
}

#[test]
fn an_operation_that_ends_before_its_point_is_durable() {
    for profile in PROFILES {
        let node = full(profile);
        let all = Input::Apply { limit: None };
        let two = Input::Apply {
            limit: NonZeroU64::new(2),
        };
        let refused = Input::Receive {
            wire: Bytes::from_static(b"1\r\n"),
        };
        let failing = Input::Submit(delete(profile, "nowhere"));
        let ack = Input::Ack {
            peer: Node(0),
            seq: 1,
        };
        let rows = [
            (CrashPoint::Idle, all.clone()),
            (CrashPoint::ApplyBeforeState { nth: nth(4) }, all.clone()),
            (CrashPoint::ApplyAfterState { nth: nth(u64::MAX) }, all),
            (CrashPoint::ApplyBeforeState { nth: nth(3) }, two.clone()),
            (CrashPoint::ApplyAfterState { nth: nth(3) }, two),
            (CrashPoint::ReceiveTorn { bytes: 1 }, refused.clone()),
            (CrashPoint::ReceiveAfterLog, refused),
            (CrashPoint::SendTorn { bytes: 1 }, failing.clone()),
            (CrashPoint::SendAfterLog, failing.clone()),
            (CrashPoint::SendAfterState, failing),
            // Another peer has less, so nothing is cut.
            (CrashPoint::AckBeforeTruncate, ack),
        ];
        for (point, input) in rows {
            let (found, _) = crashed(&node, point, &input);
            assert_eq!(found.state, after(&node, &input).state, "{}", point.name());
        }
    }
}

#[test]
fn an_ack_is_finished_by_recovery() {
    for profile in PROFILES {
        let mut node = abc(profile).swap_remove(0);
        for mailbox in ["L", "M", "N"] {
            node.submit(create(profile, mailbox, "t"))
                .expect("it is not visible yet");
        }
        node.ack(1, 3).expect("it was sent");
        let input = Input::Ack {
            peer: Node(2),
            seq: 2,
        };
        let outputs = node.clone().step(input.clone());
        let left = CrashPoint::AckBeforeTruncate.survivors(&outputs);
        assert!(
            matches!(left[..], [Write::Change(Change::Cursor { seq: 2, .. })]),
            "{left:?}"
        );
        let (found, _) = crashed(&node, CrashPoint::AckBeforeTruncate, &input);
        assert_eq!(found.state.unconfirmed().count(), 1);
        assert_eq!(found.state, after(&node, &input).state);
    }
}

#[test]
fn recovery_delivers_nothing() {
    for profile in PROFILES {
        let mut node = full(profile);
        let before = node.state.clone();
        let recovered = node.restart();
        assert_eq!(node.state, before);
        assert_eq!((recovered.log, recovered.send_log), (5, 1));
        assert_eq!(recovered.clock, Clock::from_entries([0, 1, 0]));
    }
}

#[test]
fn a_foreign_disk_is_refused_and_left_alone() {
    let text = settings(Profile::Text, &["a", "b"], 0);
    let framed = settings(Profile::Framed, &["a", "b"], 0);
    let rows: [(_, &'static [u8], &'static [u8], &str); 6] = [
        (
            &text,
            b"a|a:1;b:0|x\nno message\n",
            b"",
            "record 1 of the send log: invalid_sync_message, expected a message of this node; nothing changed",
        ),
        (
            &text,
            b"b|b:1|x\n",
            b"",
            "record 0 of the send log: unknown_sender, expected a message of this node; nothing changed",
        ),
        (
            &text,
            b"a|b:1|x\n",
            b"",
            "record 0 of the send log: missing_own_entry, expected a message of this node; nothing changed",
        ),
        (
            &text,
            b"a|a:2|x\na|a:2|x\n",
            b"",
            "record 1 of the send log: message 2, expected one above 2; nothing changed",
        ),
        (
            &text,
            b"",
            b"b|b:1|x\na|a:1|x\n",
            "record 1 of the receive log: from_self, expected a message of another member; nothing changed",
        ),
        (
            &framed,
            b"",
            b"1;x",
            "record 0 of the receive log: invalid_protobuf, expected a message of another member; nothing changed",
        ),
    ];
    for (settings, send, receive, expected) in rows {
        let torn = [receive, b"tail"].concat();
        let disk = Disk::read(settings, None, Bytes::from_static(send), torn.into());
        let mut outputs = Vec::new();
        let refused = State::recover(Arc::new(settings.clone()), disk, &mut outputs);
        let error = refused.map(|_| ()).expect_err("the disk is foreign");
        assert_eq!(error.to_string(), expected);
        assert_eq!(outputs, [], "not even the tail is cut");
    }
}

#[test]
fn the_record_of_another_group_is_refused() {
    let settings = settings(Profile::Text, &["a", "b"], 0);
    let record = Record::new(Clock::zero(3), Node(0));
    let disk = Disk::read(&settings, Some(record), Bytes::new(), Bytes::new());
    let refused = State::recover(Arc::new(settings), disk, &mut Vec::new());
    let error = refused
        .map(|_| ())
        .expect_err("the record has three entries");
    let (found, expected) = (3, 2);
    assert_eq!(error, RecoverError::Members { found, expected });
}

#[test]
fn a_clock_beyond_the_range_of_the_profile_is_refused() {
    for profile in PROFILES {
        let largest = profile.largest();
        let found = largest + 1;
        let settings = Settings {
            initial: Clock::from_entries([0, found]),
            ..settings(profile, &["a", "b"], 0)
        };
        let disk = Disk::new(&settings);
        let refused = State::recover(Arc::new(settings), disk, &mut Vec::new());
        let error = refused.map(|_| ()).expect_err("it is one too large");
        assert_eq!(error, RecoverError::Range { found, largest });
    }
}

const OTHER: Words = Words {
    members: ["node-1", "node-10", "\u{e9}"],
    prefix: "a longer prefix ",
    counts_bytes: false,
};

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn whatever_crashes_all_nodes_deliver_everything_once_and_agree(acts in acts()) {
        for profile in PROFILES {
            let mut history = History::run(profile, PLAIN, &acts);
            history.settle();
        }
    }

    #[test]
    fn equal_inputs_give_equal_outputs(acts in acts()) {
        for profile in PROFILES {
            let first = History::run(profile, PLAIN, &acts);
            let second = History::run(profile, PLAIN, &acts);
            prop_assert_eq!(first.outputs, second.outputs);
        }
    }

    #[test]
    fn a_renaming_that_keeps_the_order_commutes_with_every_step(acts in acts()) {
        for profile in PROFILES {
            let words = Words { counts_bytes: false, ..PLAIN };
            let plain = History::run(profile, words, &acts);
            let other = History::run(profile, OTHER, &acts);
            prop_assert_eq!(plain.told(), other.told());
        }
    }
}
