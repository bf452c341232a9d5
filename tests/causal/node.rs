//! What a node does with each input (6.2 to 6.4, 6.7).

use concord::systems::causal::{
    AckError, Clock, CrashPoint, Delivery, FlushError, FramedRequest, Halt, Input, Node, Output,
    Profile, Request, Settings, SubmitError, TextRequest, Write,
};

use crate::driver::{
    PROFILES, Replica, abc, append, bulk, create, delete, msg, opaque, settings, text_send,
    transfer,
};

const PING: &str = "> ping <\r\n";

fn line(line: &str) -> Vec<u8> {
    format!("{PING}{line}\r\n").into_bytes()
}

fn delivered(node: u16, seq: u64) -> Delivery {
    Delivery {
        sender: Node(node),
        seq,
        opaque: false,
    }
}

#[test]
fn the_worked_sample_of_the_spec_is_what_nodes_do() {
    let mut nodes = abc(Profile::Text);
    let [a, b, c] = &mut nodes[..] else {
        unreachable!("there are three")
    };
    let created = a.submit(create(Profile::Text, "M", "t1"));
    let created = created.expect("M is not visible yet");
    assert_eq!(created.seq, 1);
    assert_eq!(created.clock.entries(), [1, 0, 0]);
    assert_eq!(created.wire, "a|a:1;b:0;c:0|create|u|TQ==|TQ==;t1");
    let first = line("a|a:1;b:0;c:0|create|u|TQ==|TQ==;t1");
    let received = b.receive(&first).expect("it is well formed");
    assert_eq!((received.stored, received.log), (1, 1));
    let run = b.apply();
    assert_eq!(run.applied, [delivered(0, 1)]);
    assert_eq!((run.purged, run.log), (0, 0));
    assert_eq!(run.clock.entries(), [1, 0, 0]);

    let appended = b.submit(append(Profile::Text, "M", "t2", b"hi"));
    let appended = appended.expect("M is visible");
    assert_eq!(appended.clock.entries(), [1, 1, 0]);
    let flushed = b.flush(2).expect("c is a peer");
    assert_eq!(flushed.upto, 1);
    assert_eq!(c.receive(&flushed.wire[0]).map(|answer| answer.log), Ok(1));
    let run = c.apply();
    assert_eq!((run.applied, run.purged, run.log), (vec![], 0, 1));
    assert_eq!(c.receive(&first).map(|answer| answer.log), Ok(2));
    assert_eq!(c.receive(&first).map(|answer| answer.log), Ok(3));
    let run = c.apply();
    assert_eq!(run.applied, [delivered(0, 1), delivered(1, 1)]);
    assert_eq!((run.purged, run.log), (1, 0));

    let torn = CrashPoint::SendTorn { bytes: 7 };
    let recovered = a.crash(torn, Input::Submit(delete(Profile::Text, "M")));
    assert_eq!(recovered.clock.entries(), [1, 0, 0]);
    assert_eq!(
        (recovered.discarded, recovered.log, recovered.send_log),
        (7, 0, 1)
    );
}

#[test]
fn a_transfer_of_text_is_refused_for_the_first_thing_wrong_with_it() {
    let rows = [
        // Check 1 comes before all others.
        (&b"\r\n"[..], "invalid_sync_message"),
        (b"b|a:1\r\n", "invalid_sync_message"),
        (b"\xff|a:1|x\r\n", "invalid_utf8"),
        (b"|x|\r\n", "missing_sender"),
        (b"x|x|y\r\n", "invalid_vclock_element"),
        (b"x|x:y|y\r\n", "invalid_vclock_number"),
        // Check 2.
        (b"x|x:-1;y:1|y\r\n", "unknown_sender"),
        // Check 3.
        (b"a|a:-1;y:1|y\r\n", "from_self"),
        // Check 4.
        (b"b|b:0;c:-1;y:0|y\r\n", "negative_clock_value"),
        // Check 5, even with value 0.
        (b"b|c:1;y:0|y\r\n", "unknown_clock_node"),
        (b"b|:0;b:1|y\r\n", "unknown_clock_node"),
        // Check 6.
        (b"b|c:1|y\r\n", "missing_own_entry"),
        (b"b|b:0;c:1|y\r\n", "missing_own_entry"),
    ];
    for (wire, code) in rows {
        let mut node = abc(Profile::Text).swap_remove(0);
        let before = node.state.clone();
        let refused = node.receive(wire).expect_err("it is not well formed");
        assert_eq!(refused.code(), code, "{}", wire.escape_ascii());
        assert!(refused.to_string().contains("nothing was stored"));
        assert_eq!(node.state, before);
    }
}

#[test]
fn a_bulk_is_unframed_and_decoded_to_its_end_before_the_first_message_is_checked() {
    let good = msg("b", &[("b", 1)]);
    let stranger = msg("x", &[("x", 0), ("y", 1)]);
    let no_msg = b"1;\x08";
    let join = |parts: &[&[u8]]| parts.concat();
    let of = |msgs: &[_]| bulk(msgs);
    let unknown = bulk(std::slice::from_ref(&stranger));
    let rows = [
        (join(&[&unknown, no_msg, b"x"]), "invalid_frame_length"),
        (join(&[&unknown, no_msg, b"9;"]), "truncated_frame"),
        (join(&[&unknown, no_msg]), "invalid_protobuf"),
        (of(&[good.clone(), stranger]), "unknown_sender"),
        (of(&[good.clone(), msg("", &[])]), "unknown_sender"),
        (of(&[msg("a", &[("y", 1)])]), "from_self"),
        (of(&[msg("b", &[("y", 0)])]), "unknown_clock_node"),
        (of(&[msg("b", &[("c", 1)])]), "missing_own_entry"),
        (of(&[msg("b", &[("b", 0)])]), "missing_own_entry"),
        // All checks of a message come before those of the next one.
        (of(&[msg("b", &[]), msg("x", &[])]), "missing_own_entry"),
        (
            of(&[good, msg("b", &[]), msg("x", &[])]),
            "missing_own_entry",
        ),
    ];
    for (wire, code) in rows {
        let mut node = abc(Profile::Framed).swap_remove(0);
        let before = node.state.clone();
        let refused = node.receive(&wire).expect_err("it is not well formed");
        assert_eq!(refused.code(), code, "{}", wire.escape_ascii());
        assert_eq!(node.state, before);
    }
}

#[test]
fn a_refused_message_is_named_by_its_place_in_the_bulk() {
    let mut node = abc(Profile::Framed).swap_remove(0);
    let wire = bulk(&[msg("b", &[("b", 1)]), msg("c", &[("c", 1), ("y", 0)])]);
    let refused = node.receive(&wire).expect_err("y is no member");
    assert_eq!(
        refused.to_string(),
        "message 1: the clock names \"y\", no member; nothing was stored"
    );
}

#[test]
fn a_transfer_without_messages_is_stored_without_a_write() {
    let rows: [(Profile, &[u8]); 4] = [
        (Profile::Text, b""),
        (Profile::Text, b"> ping <\r\n> ping <\n"),
        (Profile::Text, b"> ping <\r\nb|b:1|unfinished"),
        (Profile::Framed, b""),
    ];
    for (profile, wire) in rows {
        let mut node = abc(profile).swap_remove(0);
        let outputs = node.step(Input::Receive {
            wire: bytes::Bytes::from_static(wire),
        });
        let [Output::Received(Ok(received))] = outputs[..] else {
            panic!("{outputs:?}")
        };
        assert_eq!((received.stored, received.log), (0, 0));
    }
}

#[test]
fn the_log_keeps_a_message_as_it_was_received() {
    let mut text = abc(Profile::Text).swap_remove(0);
    let odd = b"> ping <\r\nb|c:+0;b:01:9|\rx|\r\r\n ignored \r\n";
    text.receive(odd).expect("it is well formed");
    assert_eq!(text.disk.receive_log.bytes(), "b|c:+0;b:01:9|\rx|\n");

    let mut framed = abc(Profile::Framed).swap_remove(0);
    let body = [&b"\x12\x05\x0a\x01b\x10\x01"[..], b"\x0a\x01b\x78\x00"].concat();
    let odd = [format!("00{};", body.len()).as_bytes(), &body].concat();
    framed.receive(&odd).expect("it is well formed");
    assert_eq!(framed.disk.receive_log.bytes(), odd);
    assert_eq!(framed.restart().log, 1);
    assert_eq!(framed.apply().applied.len(), 1);
}

#[test]
fn a_submit_is_logged_before_it_takes_effect_and_answered_last() {
    for profile in PROFILES {
        let mut node = abc(profile).swap_remove(0);
        let outputs = node.step(Input::Submit(create(profile, "M", "t")));
        let [
            Output::Write(Write::Append { bytes, .. }),
            Output::Sync,
            Output::Write(Write::Change(_)),
            Output::Sync,
            Output::Submitted(Ok(submitted)),
        ] = &outputs[..]
        else {
            panic!("{outputs:?}")
        };
        match profile {
            Profile::Text => assert_eq!(*bytes, [&submitted.wire[..], b"\n"].concat()),
            Profile::Framed => assert_eq!(*bytes, submitted.wire),
        }
        assert!(node.has("M"));
        assert_eq!(node.clock(), [1, 0, 0]);
    }
}

#[test]
fn a_failing_submit_changes_nothing() {
    for profile in PROFILES {
        let mut node = abc(profile).swap_remove(0);
        let before = node.state.clone();
        let other = match profile {
            Profile::Text => Request::Framed(FramedRequest::Send(Box::default())),
            Profile::Framed => text_send("x"),
        };
        assert_eq!(node.submit(other), Err(SubmitError::WrongProfile));
        let deleted = node
            .submit(delete(profile, "M"))
            .map_err(|error| error.code());
        assert_eq!(deleted.map(|_| ()), Err("element_not_found"));
        assert_eq!(node.state, before);
    }
}

#[test]
fn overflow_is_told_last_and_changes_nothing() {
    for profile in PROFILES {
        let largest = profile.largest();
        let mut node = Replica::new(Settings {
            initial: Clock::from_entries([largest - 1, 0]),
            ..settings(profile, &["a", "b"], 0)
        });
        let last = node
            .submit(create(profile, "M", "t"))
            .expect("one number is left");
        assert_eq!(last.seq, largest);
        let before = node.state.clone();
        assert_eq!(
            node.submit(create(profile, "N", "t")),
            Err(SubmitError::ClockOverflow(largest))
        );
        let again = node.submit(create(profile, "M", "t"));
        assert_eq!(
            again.map_err(|error| error.code()).map(|_| ()),
            Err("mailbox_exists")
        );
        if profile == Profile::Text {
            let sent = node.submit(text_send("two\nlines"));
            let code = sent.map_err(|error| error.code()).map(|_| ());
            assert_eq!(code, Err("unrepresentable_field"));
        }
        assert_eq!(node.state, before);
    }
}

#[test]
fn an_opaque_payload_takes_its_number_and_leaves_the_sets_alone() {
    for profile in PROFILES {
        let mut nodes = abc(profile);
        nodes[0]
            .submit(opaque(profile))
            .expect("anything may be sent");
        transfer(&mut nodes, 0, 1);
        let run = nodes[1].apply();
        assert_eq!(
            run.applied,
            [Delivery {
                opaque: true,
                ..delivered(0, 1)
            }]
        );
        assert_eq!(nodes[1].clock(), [1, 0, 0]);
        assert_eq!(nodes[1].state.record().payload.users().count(), 0);
    }
}

#[test]
fn a_flush_gives_what_is_above_the_cursor_and_changes_nothing() {
    for profile in PROFILES {
        let mut node = abc(profile).swap_remove(0);
        let nothing = node.flush(1).expect("b is a peer");
        assert_eq!((nothing.upto, nothing.wire.len()), (0, 0));
        let wires: Vec<_> = ["L", "M", "N"]
            .map(|mailbox| node.submit(create(profile, mailbox, "t")))
            .into_iter()
            .map(|submitted| submitted.expect("it is not visible yet").wire)
            .collect();
        assert_eq!(node.ack(1, 1), Ok(3));
        let before = node.state.clone();
        for (peer, above) in [(1, 1), (2, 0), (2, 0)] {
            let flushed = node.flush(peer).expect("it is a peer");
            assert_eq!(flushed.upto, 3);
            let expected = match profile {
                Profile::Text => wires[above..]
                    .iter()
                    .map(|wire| line(std::str::from_utf8(wire).expect("it is text")))
                    .collect(),
                Profile::Framed => vec![wires[above..].concat()],
            };
            assert_eq!(flushed.wire, expected);
        }
        assert_eq!(node.state, before);
        node.ack(1, 3).expect("it was sent");
        let nothing = node.flush(1).expect("b is a peer");
        assert_eq!((nothing.upto, nothing.wire.len()), (3, 0));
        for nobody in [0, 3, u16::MAX] {
            assert_eq!(node.flush(nobody), Err(FlushError::UnknownPeer));
        }
    }
}

#[test]
fn the_send_log_is_cut_at_the_smallest_cursor() {
    for profile in PROFILES {
        let mut node = abc(profile).swap_remove(0);
        for mailbox in ["L", "M", "N"] {
            node.submit(create(profile, mailbox, "t"))
                .expect("it is not visible yet");
        }
        assert_eq!(node.ack(0, 1), Err(AckError::UnknownPeer));
        assert_eq!(node.ack(3, 1), Err(AckError::UnknownPeer));
        assert_eq!(
            node.ack(1, 4),
            Err(AckError::AckBeyondLog { seq: 4, last: 3 })
        );
        assert_eq!(node.ack(1, 3), Ok(3), "c has nothing yet");
        assert_eq!(node.ack(2, 2), Ok(1));
        let seqs = node.state.unconfirmed().map(|entry| entry.message.seq());
        assert_eq!(seqs.collect::<Vec<_>>(), [3]);
        let outputs = node.step(Input::Ack {
            peer: Node(2),
            seq: 1,
        });
        assert_eq!(outputs, [Output::Acked(Ok(1))], "a lower one is a no-op");
        assert_eq!(node.state.record().cursors.entries(), [0, 3, 2]);
        assert_eq!(node.ack(2, 3), Ok(0));
    }
}

#[test]
fn cursors_start_at_the_own_entry_of_the_initial_clock() {
    for profile in PROFILES {
        let mut node = Replica::new(Settings {
            initial: Clock::from_entries([5, 2, 0]),
            ..settings(profile, &["a", "b", "c"], 0)
        });
        assert_eq!(node.flush(1).map(|flushed| flushed.upto), Ok(5));
        assert_eq!(
            node.submit(create(profile, "M", "t")).map(|it| it.seq),
            Ok(6)
        );
        assert_eq!(node.ack(1, 5), Ok(1));
        assert_eq!(node.ack(1, 6), Ok(1));
        assert_eq!(node.ack(2, 6), Ok(0));
    }
}

/// b1 needs a1; then a1 and a2 arrive.
fn crossed(profile: Profile) -> Replica {
    let mut nodes = abc(profile);
    nodes[0]
        .submit(create(profile, "M", "t1"))
        .expect("M is not visible yet");
    transfer(&mut nodes, 0, 1);
    nodes[1].apply();
    nodes[1]
        .submit(create(profile, "N", "t2"))
        .expect("N is not visible yet");
    nodes[0]
        .submit(create(profile, "O", "t3"))
        .expect("O is not visible yet");
    transfer(&mut nodes, 1, 2);
    transfer(&mut nodes, 0, 2);
    nodes.swap_remove(2)
}

#[test]
fn text_restarts_after_each_delivery_and_framed_sweeps() {
    let orders = [
        (
            Profile::Text,
            [delivered(0, 1), delivered(1, 1), delivered(0, 2)],
        ),
        (
            Profile::Framed,
            [delivered(0, 1), delivered(0, 2), delivered(1, 1)],
        ),
    ];
    for (profile, order) in orders {
        let mut node = crossed(profile);
        assert_eq!(node.apply().applied, order);
        assert!(node.disk.receive_log.is_empty());
    }
}

#[test]
fn a_limit_ends_a_run_right_after_that_many_deliveries() {
    for profile in PROFILES {
        let mut node = crossed(profile);
        // The next run starts at the oldest entry again, so both profiles deliver b1 second.
        let runs: Vec<_> = (0..4)
            .map(|_| node.apply_up_to(1).expect("it survives").applied)
            .collect();
        assert_eq!(
            runs,
            [
                vec![delivered(0, 1)],
                vec![delivered(1, 1)],
                vec![delivered(0, 2)],
                vec![]
            ]
        );
    }
}

#[test]
fn purges_do_not_count_against_the_limit() {
    for profile in PROFILES {
        let mut nodes = abc(profile);
        nodes[0]
            .submit(create(profile, "M", "t"))
            .expect("M is not visible yet");
        let wire = nodes[0].flush(1).expect("b is a peer").wire.swap_remove(0);
        for _ in 0..3 {
            nodes[1].receive(&wire).expect("it is well formed");
        }
        let run = nodes[1].apply_up_to(1).expect("it survives");
        assert_eq!((run.applied.len(), run.purged, run.log), (1, 0, 2));
        let run = nodes[1].apply_up_to(1).expect("it survives");
        assert_eq!((run.applied.len(), run.purged, run.log), (0, 2, 0));
    }
}

#[test]
fn a_run_that_finds_nothing_to_do_writes_nothing() {
    for profile in PROFILES {
        let mut node = abc(profile).swap_remove(0);
        let outputs = node.step(Input::Apply { limit: None });
        assert!(
            matches!(outputs[..], [Output::Applied(Ok(_))]),
            "{outputs:?}"
        );
    }
}

#[test]
fn a_node_that_is_shut_down_refuses_everything_and_loses_nothing() {
    for profile in PROFILES {
        let mut node = crossed(profile);
        node.submit(create(profile, "P", "t"))
            .expect("P is not visible yet");
        let outputs = node.step(Input::Shutdown);
        let [Output::Stopped(Ok(stopped))] = outputs[..] else {
            panic!("{outputs:?}")
        };
        assert_eq!((stopped.log, stopped.send_log), (3, 1));
        assert_eq!(node.state.halted(), Some(Halt::Stopped));
        let disk = node.disk.clone();
        assert_eq!(node.submit(opaque(profile)), Err(SubmitError::NodeDown));
        assert_eq!(node.flush(0), Err(FlushError::NodeDown));
        assert_eq!(node.ack(0, 1), Err(AckError::NodeDown));
        let refused = node.receive(b"").expect_err("it is down");
        assert_eq!(refused.code(), "node_down");
        assert_eq!(node.apply_up_to(0), None);
        let outputs = node.step(Input::Shutdown);
        assert!(
            matches!(outputs[..], [Output::Stopped(Err(_))]),
            "{outputs:?}"
        );
        assert_eq!(node.disk, disk);
        let recovered = node.restart();
        assert_eq!((recovered.log, recovered.send_log), (3, 1));
        assert_eq!(node.apply().applied.len(), 3);
    }
}

#[test]
fn a_payload_that_could_not_be_parsed_back_is_refused() {
    let mut node = abc(Profile::Text).swap_remove(0);
    for payload in [&b"a\nb"[..], b"a\r", b"\xff"] {
        let payload = bytes::Bytes::from_static(payload);
        let sent = node.submit(Request::Text(TextRequest::Send { payload }));
        let code = sent.map_err(|error| error.code()).map(|_| ());
        assert_eq!(code, Err("unrepresentable_field"));
    }
    assert!(node.disk.send_log.is_empty());
}
