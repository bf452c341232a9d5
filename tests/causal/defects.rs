//! Each faulty choice of the node shows its defect on real bytes (9).

use bytes::Bytes;
use concord::systems::causal::strategy::{
    ClockSave, Confirmation, DeliveredEntries, DeliveryOrder, Malformed, Membership, Overflow,
    Receivers, Removal, RenameContents, Representable, Sending, Stamping, SubmitOrder, TornTail,
    WaitingEntry,
};
use concord::systems::causal::{
    Applied, Clock, CrashPoint, Dependencies, Duplicates, Halt, Input, LogName, Name, Output,
    Profile, Request, Settings, Strategies, TextRequest, Write,
};

use crate::driver::{
    PROFILES, Replica, append, bulk, create, group, msg, opaque, settings, text_send, transfer,
};

const REFERENCE: Strategies = Strategies::REFERENCE;

fn nodes(profile: Profile, strategies: Strategies) -> Vec<Replica> {
    group(profile, &["a", "b", "c"], strategies)
}

/// Nodes a and b that start with these clocks.
fn started(profile: Profile, strategies: Strategies, initial: [u64; 2]) -> [Replica; 2] {
    [0, 1].map(|me| {
        Replica::new(Settings {
            initial: Clock::from_entries(initial),
            strategies,
            ..settings(profile, &["a", "b"], me)
        })
    })
}

fn submit(node: &mut Replica, mailbox: &str) -> u64 {
    let request = create(node.settings.profile, mailbox, "t");
    node.submit(request).expect("it is not visible yet").seq
}

fn numbers(run: &Applied) -> Vec<(u16, u64)> {
    let applied = run.applied.iter();
    applied.map(|one| (one.sender.0, one.seq)).collect()
}

fn wires(node: &mut Replica, peer: u16) -> Vec<Bytes> {
    node.flush(peer).expect("it is a peer").wire
}

const APPLY: Input = Input::Apply { limit: None };

#[test]
fn d1_a_duplicate_below_the_clock_stays() {
    for profile in PROFILES {
        let strategies = Strategies {
            duplicates: Duplicates::EqualOnly,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        submit(&mut nodes[0], "M");
        let first = wires(&mut nodes[0], 1).swap_remove(0);
        submit(&mut nodes[0], "N");
        transfer(&mut nodes, 0, 1);
        nodes[1].apply();
        nodes[1].receive(&first).expect("it is well formed");
        let run = nodes[1].apply();
        assert_eq!((run.purged, run.log), (0, 1));
    }
}

#[test]
fn a_plain_fifo_check_delivers_an_effect_before_its_cause() {
    for profile in PROFILES {
        let strategies = Strategies {
            dependencies: Dependencies::OwnOnly,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        submit(&mut nodes[0], "M");
        transfer(&mut nodes, 0, 1);
        nodes[1].apply();
        submit(&mut nodes[1], "N");
        transfer(&mut nodes, 1, 2);
        assert_eq!(numbers(&nodes[2].apply()), [(1, 1)]);
    }
}

#[test]
fn d2_a_crash_after_the_clock_skips_a_number() {
    for profile in PROFILES {
        let strategies = Strategies {
            submit_order: SubmitOrder::ClockFirst,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        let recovered = nodes[0].crash_after(1, Input::Submit(create(profile, "M", "t")));
        assert_eq!(recovered.send_log, 0);
        assert_eq!(nodes[0].clock(), [1, 0, 0]);
        assert_eq!(submit(&mut nodes[0], "M"), 2);
        transfer(&mut nodes, 0, 1);
        assert_eq!(
            nodes[1].apply().log,
            1,
            "it waits for the first one for ever"
        );
    }
}

#[test]
fn d31_a_crash_after_the_effect_keeps_it_to_the_node() {
    for profile in PROFILES {
        let strategies = Strategies {
            submit_order: SubmitOrder::StateFirst,
            ..REFERENCE
        };
        let mut node = nodes(profile, strategies).swap_remove(0);
        let recovered = node.crash_after(1, Input::Submit(create(profile, "M", "t")));
        assert!(node.has("M"));
        assert_eq!(recovered.send_log, 0);
    }
}

#[test]
fn d3_a_message_sent_again_after_a_crash_has_another_number() {
    let strategies = Strategies {
        stamping: Stamping::AtSend,
        ..REFERENCE
    };
    let mut nodes = nodes(Profile::Text, strategies);
    submit(&mut nodes[0], "M");
    assert_eq!(nodes[0].disk.send_log.bytes(), "create|u|TQ==|TQ==;t\n");
    let first = wires(&mut nodes[0], 1).swap_remove(0);
    assert_eq!(first, "> ping <\r\na|a:1;b:0;c:0|create|u|TQ==|TQ==;t\r\n");
    assert_eq!(wires(&mut nodes[0], 2)[0], first, "while it runs");
    nodes[1].receive(&first).expect("it is well formed");
    nodes[0].restart();
    for peer in [1, 2] {
        let again = wires(&mut nodes[0], peer).swap_remove(0);
        assert_eq!(again, "> ping <\r\na|a:2;b:0;c:0|create|u|TQ==|TQ==;t\r\n");
        let peer = usize::from(peer);
        nodes[peer].receive(&again).expect("it is well formed");
    }
    assert_eq!(numbers(&nodes[1].apply()), [(0, 1), (0, 2)], "twice");
    assert_eq!(nodes[2].apply().log, 1, "a gap");
}

#[test]
fn late_stamps_leave_the_log_when_they_are_confirmed() {
    let strategies = Strategies {
        stamping: Stamping::AtSend,
        ..REFERENCE
    };
    let mut nodes = nodes(Profile::Text, strategies);
    submit(&mut nodes[0], "M");
    transfer(&mut nodes, 0, 1);
    assert_eq!(submit(&mut nodes[0], "N"), 2);
    transfer(&mut nodes, 0, 2);
    assert_eq!(nodes[0].disk.send_log.len(), 1);
    transfer(&mut nodes, 0, 1);
    assert_eq!(nodes[0].disk.send_log.len(), 0);
    for peer in [1, 2] {
        assert_eq!(numbers(&nodes[peer].apply()), [(0, 1), (0, 2)]);
        assert_eq!(nodes[peer].clock(), nodes[0].clock());
    }
}

#[test]
fn d4_what_was_written_counts_as_stored() {
    for profile in PROFILES {
        let strategies = Strategies {
            confirmation: Confirmation::OnWrite,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        submit(&mut nodes[0], "M");
        for peer in [1, 2] {
            assert_eq!(wires(&mut nodes[0], peer).len(), 1);
        }
        assert!(nodes[0].disk.send_log.is_empty(), "nobody has stored it");
        nodes[0].restart();
        assert!(wires(&mut nodes[0], 1).is_empty());
    }
}

#[test]
fn an_early_confirmation_comes_before_the_sync() {
    for profile in PROFILES {
        let strategies = Strategies {
            confirmation: Confirmation::BeforeSync,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        submit(&mut nodes[0], "M");
        let wire = wires(&mut nodes[0], 1).swap_remove(0);
        let outputs = nodes[1].step(Input::Receive { wire });
        assert!(
            matches!(
                outputs[..],
                [Output::Write(_), Output::Received(Ok(_)), Output::Sync]
            ),
            "{outputs:?}"
        );
    }
}

#[test]
fn d5_a_crash_between_effect_and_clock_repeats_the_delivery() {
    for profile in PROFILES {
        let strategies = Strategies {
            delivery_order: DeliveryOrder::EffectFirst,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        submit(&mut nodes[0], "M");
        transfer(&mut nodes, 0, 1);
        nodes[1].crash_after(1, APPLY);
        assert!(nodes[1].has("M"));
        assert_eq!(nodes[1].clock(), [0, 0, 0]);
        assert_eq!(numbers(&nodes[1].apply()), [(0, 1)]);
    }
}

#[test]
fn d6_what_cannot_be_decoded_is_stored_and_kills_again_at_every_start() {
    let strategies = Strategies {
        malformed: Malformed::Fatal,
        ..REFERENCE
    };
    let rows: [(Profile, &[u8]); 4] = [
        (Profile::Text, b"\r\n"),
        (Profile::Text, b"a|a:x|y\r\n"),
        (Profile::Framed, b"1;x"),
        (Profile::Framed, b"x;"),
    ];
    for (profile, wire) in rows {
        let mut nodes = nodes(profile, strategies);
        submit(&mut nodes[0], "M");
        transfer(&mut nodes, 0, 1);
        nodes[1].receive(wire).expect("anything is stored");
        let before = nodes[1].apply_up_to(1).expect("the scan stops in time");
        assert_eq!(numbers(&before), [(0, 1)], "what stands before it");
        if wire == b"x;" {
            continue;
        }
        for _ in 0..2 {
            assert_eq!(nodes[1].apply_up_to(0), None);
            assert_eq!(nodes[1].state.halted(), Some(Halt::Died));
            nodes[1].restart();
        }
    }
}

#[test]
fn d6_bytes_that_begin_no_frame_kill_until_they_are_cut() {
    let strategies = Strategies {
        malformed: Malformed::Fatal,
        torn_tail: TornTail::Kept,
        ..REFERENCE
    };
    let mut node = nodes(Profile::Framed, strategies).swap_remove(1);
    node.receive(b"x;").expect("anything is stored");
    for _ in 0..2 {
        assert_eq!(node.apply_up_to(0), None);
        node.restart();
    }
}

#[test]
fn d6_an_opaque_payload_kills_its_receiver() {
    for profile in PROFILES {
        let strategies = Strategies {
            malformed: Malformed::Fatal,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        nodes[0]
            .submit(opaque(profile))
            .expect("anything may be sent");
        transfer(&mut nodes, 0, 1);
        assert_eq!(nodes[1].apply_up_to(0), None);
        assert_eq!(nodes[1].clock(), [0, 0, 0]);
    }
}

#[test]
fn d7_the_next_line_is_glued_to_a_torn_one() {
    let strategies = Strategies {
        torn_tail: TornTail::Kept,
        ..REFERENCE
    };
    let mut nodes = nodes(Profile::Text, strategies);
    submit(&mut nodes[0], "M");
    let wire = wires(&mut nodes[0], 1).swap_remove(0);
    let torn = CrashPoint::ReceiveTorn { bytes: 20 };
    let recovered = nodes[1].crash(torn, Input::Receive { wire: wire.clone() });
    assert_eq!((recovered.discarded, recovered.log), (0, 0));
    nodes[1].receive(&wire).expect("it is well formed");
    assert_eq!(
        nodes[1].disk.receive_log.bytes(),
        "a|a:1;b:0;c:0|createa|a:1;b:0;c:0|create|u|TQ==|TQ==;t\n"
    );
    let run = nodes[1].apply();
    assert!(run.applied[0].opaque);
    assert!(!nodes[1].has("M"), "the message itself is lost");
}

#[test]
fn d7_a_torn_submit_is_sent_glued() {
    let strategies = Strategies {
        torn_tail: TornTail::Kept,
        ..REFERENCE
    };
    let mut nodes = nodes(Profile::Text, strategies);
    let torn = CrashPoint::SendTorn { bytes: 3 };
    nodes[0].crash(torn, Input::Submit(create(Profile::Text, "M", "t")));
    submit(&mut nodes[0], "M");
    let wire = wires(&mut nodes[0], 1).swap_remove(0);
    let refused = nodes[1].receive(&wire).expect_err("it is glued");
    assert_eq!(refused.code(), "invalid_vclock_element");
    nodes[0].restart();
    assert_eq!(wires(&mut nodes[0], 1), [wire], "for ever");
}

#[test]
fn d8_a_short_frame_swallows_the_next_one() {
    let strategies = Strategies {
        torn_tail: TornTail::Kept,
        ..REFERENCE
    };
    let mut nodes = nodes(Profile::Framed, strategies);
    submit(&mut nodes[0], "M");
    let wire = wires(&mut nodes[0], 1).swap_remove(0);
    let torn = CrashPoint::ReceiveTorn { bytes: 9 };
    nodes[1].crash(torn, Input::Receive { wire: wire.clone() });
    nodes[1].receive(&wire).expect("it is well formed");
    for _ in 0..2 {
        assert_eq!(nodes[1].apply_up_to(0), None);
        assert_eq!(nodes[1].state.halted(), Some(Halt::Died));
        nodes[1].restart();
    }
}

#[test]
fn d9_a_crash_before_the_cut_leaves_the_rest_twice() {
    for profile in PROFILES {
        let strategies = Strategies {
            removal: Removal::InPlace,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        let request = create(
            profile,
            "a long name of a mailbox, longer than the next",
            "t",
        );
        nodes[0].submit(request).expect("it is not visible yet");
        submit(&mut nodes[0], "M");
        transfer(&mut nodes, 0, 1);
        let before = nodes[1].disk.receive_log.bytes();
        let rest = {
            let mut healthy = nodes[1].clone();
            healthy.apply_up_to(1).expect("it survives");
            assert_eq!(numbers(&healthy.clone().apply()), [(0, 2)]);
            healthy.disk.receive_log.bytes()
        };
        let mut outputs = nodes[1].clone().step(APPLY);
        outputs.retain(|output| matches!(output, Output::Write(Write::Overwrite { .. })));
        let twice = [&rest, &before[rest.len()..]].concat();
        let log = LogName::Receive;
        let bytes = twice.into();
        assert_eq!(outputs[0], Output::Write(Write::Overwrite { log, bytes }));
        if profile == Profile::Text {
            nodes[1].crash_after(2, APPLY);
            assert_eq!(nodes[1].disk.receive_log.len(), 3);
            assert_eq!(nodes[1].apply_up_to(0), None, "it begins in a record");
            assert_eq!(nodes[1].state.halted(), Some(Halt::Died));
        }
    }
}

#[test]
fn d9_the_send_log_is_shortened_in_place_as_well() {
    let strategies = Strategies {
        removal: Removal::InPlace,
        ..REFERENCE
    };
    let mut node = nodes(Profile::Text, strategies).swap_remove(0);
    let request = create(Profile::Text, "a longer name", "t");
    node.submit(request).expect("it is not visible yet");
    submit(&mut node, "M");
    node.ack(1, 1).expect("it was sent");
    let seq = 1;
    let peer = concord::systems::causal::Node(2);
    node.crash_after(2, Input::Ack { peer, seq });
    assert_eq!(node.state.unconfirmed().count(), 3);
    assert_eq!(wires(&mut node, 1).len(), 3, "garbage in the middle");
}

#[test]
fn d10_a_cut_clock_file_sets_the_clock_back_or_cannot_be_parsed() {
    for profile in PROFILES {
        let strategies = Strategies {
            clock_save: ClockSave::InPlace,
            ..REFERENCE
        };
        let clocks_after = |theirs: u64, writes: usize| {
            let [mut a, _] = started(profile, strategies, [0, theirs]);
            // The log, then the file with its last entry missing, then with its last digit missing.
            a.crash_after(1 + writes, Input::Submit(create(profile, "M", "t")));
            (a.clock().to_vec(), a.state.halted())
        };
        assert_eq!(clocks_after(15, 0), (vec![1, 15], None));
        assert_eq!(clocks_after(15, 1), (vec![1, 0], None));
        assert_eq!(clocks_after(15, 2), (vec![1, 1], None));
        assert_eq!(clocks_after(15, 3), (vec![1, 15], None));
        assert_eq!(clocks_after(5, 2).1, Some(Halt::Died));
    }
}

#[test]
fn d11_two_receivers_on_one_socket_each_miss_what_the_other_got() {
    let strategies = Strategies {
        receivers: Receivers::PerPeer,
        ..REFERENCE
    };
    let mut nodes = nodes(Profile::Text, strategies);
    submit(&mut nodes[0], "M");
    submit(&mut nodes[0], "N");
    transfer(&mut nodes, 0, 2);
    let run = nodes[2].apply();
    assert_eq!((numbers(&run), run.log), (vec![(0, 1)], 1));
    submit(&mut nodes[1], "O");
    transfer(&mut nodes, 1, 2);
    assert_eq!(numbers(&nodes[2].apply()), [(1, 1)], "by chance");
    assert_eq!(nodes[2].state.received().count(), 1, "a2 waits for ever");
}

#[test]
fn d12_a_peer_that_confirms_nothing_stops_those_behind_it() {
    for profile in PROFILES {
        let strategies = Strategies {
            sending: Sending::InTurn,
            ..REFERENCE
        };
        let mut node = nodes(profile, strategies).swap_remove(0);
        submit(&mut node, "M");
        assert_eq!(wires(&mut node, 1).len(), 1);
        let flushed = node.flush(2).expect("c is a peer");
        assert_eq!((flushed.upto, flushed.wire.len()), (0, 0));
        node.ack(1, 1).expect("it was sent");
        assert_eq!(wires(&mut node, 2).len(), 1);
    }
}

#[test]
fn d16_the_first_entry_that_waits_is_looked_at_for_ever() {
    let strategies = Strategies {
        waiting_entry: WaitingEntry::LookedAtForever,
        ..REFERENCE
    };
    let mut node = nodes(Profile::Framed, strategies).swap_remove(1);
    node.receive(&bulk(&[msg("a", &[("a", 2)])]))
        .expect("it is well formed");
    let mut early = node.clone();
    assert_eq!(early.apply_up_to(0), None);
    node.receive(&bulk(&[msg("a", &[("a", 1)])]))
        .expect("it is well formed");
    for _ in 0..2 {
        assert_eq!(node.apply_up_to(0), None);
        assert_eq!(node.state.halted(), Some(Halt::Spins));
        node.restart();
    }
    assert_eq!(node.clock(), [0, 0, 0]);
}

#[test]
fn d17_the_receive_log_is_never_shortened() {
    for profile in PROFILES {
        let strategies = Strategies {
            delivered_entries: DeliveredEntries::Kept,
            ..REFERENCE
        };
        let mut nodes = nodes(profile, strategies);
        submit(&mut nodes[0], "M");
        transfer(&mut nodes, 0, 1);
        let run = nodes[1].apply();
        assert_eq!((run.applied.len(), run.log), (1, 1));
        nodes[1].restart();
        let run = nodes[1].apply();
        assert_eq!((run.applied.len(), run.purged, run.log), (0, 0, 1));
    }
}

#[test]
fn d18_the_number_after_the_largest_is_0_and_is_delivered_again_and_again() {
    for profile in PROFILES {
        let strategies = Strategies {
            overflow: Overflow::Wraps,
            ..REFERENCE
        };
        let largest = profile.largest();
        let [mut a, mut b] = started(profile, strategies, [largest, 0]);
        assert_eq!(submit(&mut a, "M"), 0);
        let wire = wires(&mut a, 1).swap_remove(0);
        for _ in 0..2 {
            b.receive(&wire).expect("it is well formed");
            assert_eq!(numbers(&b.apply()), [(0, 0)]);
        }
        assert_eq!(b.clock(), [largest, 0]);
        assert_eq!(submit(&mut a, "N"), 1);
        for wire in wires(&mut a, 1)
            .iter()
            .skip(usize::from(profile == Profile::Text))
        {
            b.receive(wire).expect("it is well formed");
        }
        let delivered = numbers(&b.apply());
        assert!(!delivered.contains(&(0, 1)), "the next one never comes");
    }
}

#[test]
fn d19_a_well_formed_rename_kills_its_receiver() {
    let strategies = Strategies {
        rename: RenameContents::WrongList,
        ..REFERENCE
    };
    let mut nodes = nodes(Profile::Text, REFERENCE);
    nodes[1] = Replica::new(Settings {
        strategies,
        ..settings(Profile::Text, &["a", "b", "c"], 1)
    });
    submit(&mut nodes[0], "M");
    let append = append(Profile::Text, "M", "t1", b"hi");
    nodes[0].submit(append).expect("M is visible");
    let rename = Request::Text(TextRequest::Rename {
        user: Name::new("u"),
        mailbox: Name::new("M"),
        new_mailbox: Name::new("N"),
        tag: Name::new("t2"),
        mail_tags: vec![Name::new("t3")],
    });
    nodes[0].submit(rename).expect("M is visible, N is not");
    transfer(&mut nodes, 0, 1);
    assert_eq!(nodes[1].apply_up_to(0), None);
    assert_eq!(nodes[1].clock(), [2, 0, 0]);
}

#[test]
fn d20_a_payload_with_a_line_feed_becomes_two_entries() {
    let strategies = Strategies {
        representable: Representable::Unchecked,
        ..REFERENCE
    };
    let mut nodes = nodes(Profile::Text, strategies);
    nodes[0]
        .submit(text_send("one\ntwo"))
        .expect("nothing is checked");
    assert_eq!(nodes[0].disk.send_log.len(), 2);
    let wires = wires(&mut nodes[0], 1);
    assert_eq!(nodes[1].receive(&wires[0]).map(|it| it.stored), Ok(1));
    assert_eq!(nodes[1].disk.receive_log.bytes(), "a|a:1;b:0;c:0|one\n");
    assert!(
        nodes[1].receive(&wires[1]).is_err(),
        "the rest is no message"
    );
    nodes[0].restart();
    assert_eq!(nodes[0].state.unconfirmed().count(), 2);
}

#[test]
fn d33_strangers_are_stored_and_a_missing_own_entry_vanishes() {
    let strategies = Strategies {
        membership: Membership::Unchecked,
        ..REFERENCE
    };
    let mut text = nodes(Profile::Text, strategies).swap_remove(0);
    for wire in [
        &b"x|x:1|y\r\n"[..],
        b"b|b:1;x:1|y\r\n",
        b"b|c:0|y\r\n",
        b"b|b:1;x:0|y\r\n",
    ] {
        text.receive(wire).expect("nothing is checked");
    }
    let run = text.apply();
    assert_eq!(numbers(&run), [(1, 1)]);
    assert_eq!(
        (run.purged, run.log),
        (1, 2),
        "the strangers' wait for ever"
    );
    text.receive(b"a|a:1|y\r\n").expect("nothing is checked");
    assert_eq!(
        numbers(&text.apply()),
        [(0, 1)],
        "its own number, given by somebody else"
    );
}

#[test]
fn upstream_works_while_nothing_goes_wrong() {
    let upstream = [
        (Profile::Text, Strategies::UPSTREAM_TEXT),
        (Profile::Framed, Strategies::UPSTREAM_FRAMED),
    ];
    for (profile, strategies) in upstream {
        let mut nodes = nodes(profile, strategies);
        submit(&mut nodes[0], "M");
        for (from, to) in [(0, 1), (0, 2)] {
            let wires = wires(&mut nodes[from], to as u16);
            for wire in wires {
                nodes[to].receive(&wire).expect("it is well formed");
            }
            nodes[from].ack(to as u16, 1).expect("it was sent");
        }
        for node in &mut nodes[1..] {
            assert_eq!(numbers(&node.apply()), [(0, 1)]);
            node.restart();
            assert!(node.has("M"));
            assert_eq!(node.clock(), [1, 0, 0]);
        }
        assert!(nodes[0].disk.send_log.is_empty());
    }
}
