//! Handlers that open, finish and are cancelled under one key (8.1, 8.3, 8.4).

use crate::explore::{both_ways, explore, fails};
use crate::small_streams::{
    LIVE, SmallAction, SmallReader, SmallShell, SmallWriter, actions, cancel, canceler, chunk,
    give, open, range, want,
};
use crate::tasks::{finish, poll_once};

use super::shell::{self, Action, Registering, Stopping, Waiting};
use super::strategy::{EarlyCancel, Keys, Strategies, Unregister};
use super::{
    CORE, DEADLOCK, Message, Mode, PEER, RUID, SHELL, accepted, assert_registered, joined, routine,
    serve, server,
};

fn offer(topmost: u64, chunks: &[u8]) -> SmallAction {
    let hashes = chunks.iter().map(|number| chunk(*number).address).collect();
    Action::Send(Message::Offer { topmost, hashes })
}

fn is_delivery(action: &SmallAction) -> bool {
    matches!(action, Action::Send(Message::Delivery(_)))
}

/// A handler that would wait for ever is opened while it is cancelled. Whether the cancel came first.
fn open_and_cancel(core: Strategies, how: shell::Strategies) -> bool {
    let shell = server(1, 0, core, how);
    let canceling = canceler(&shell, PEER, 1);
    let stream = accepted(&shell, PEER, 0);
    let handler = routine(&shell, move |_| serve(stream, range(1, LIVE)));
    cancel(canceling, RUID);
    let (actions, stopped) = joined(handler);
    assert_eq!(actions, [Action::Reset]);
    assert_registered(&shell, &[]);
    shell.inspect(|node, _| assert!(node.server().pending(&PEER).is_empty()));
    stopped
}

#[test]
fn a_handler_ends_whether_it_or_its_cancel_comes_first() {
    both_ways("pullsync: open, cancel", 140, Some(3), || {
        open_and_cancel(CORE, SHELL)
    });
}

/// D26.
#[test]
fn a_forgotten_cancel_is_found() {
    let core = Strategies {
        early_cancel: EarlyCancel::Forgotten,
        ..CORE
    };
    let found = fails(move || open_and_cancel(core, SHELL));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// D26, between the check and the registration.
#[test]
fn a_cancel_between_check_and_registration_is_found() {
    let how = shell::Strategies {
        registering: Registering::CheckThenInsert,
        ..SHELL
    };
    let found = fails(move || open_and_cancel(CORE, how));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// A handler gets its want while it is cancelled. Whether it finished.
fn finish_and_cancel() -> bool {
    let shell = server(1, 1, CORE, SHELL);
    let canceling = canceler(&shell, PEER, 1);
    let (mut reader, mut writer) = offered(&shell);
    let handler = routine(&shell, move |_| {
        // Stopped or not, what it did tells.
        let _ = give(&mut reader, want());
        actions(&mut writer)
    });
    cancel(canceling, RUID);
    let actions = joined(handler);
    let finished = shell.inspect(|node, _| node.server().pending(&PEER) == [RUID]);
    match &actions[..] {
        [delivery, Action::Finish] if is_delivery(delivery) => assert!(finished),
        [Action::Reset] => assert!(!finished),
        _ => panic!("{actions:?}"),
    }
    assert_registered(&shell, &[]);
    finished
}

#[test]
fn a_handler_delivers_all_or_is_reset() {
    both_ways("pullsync: finish, cancel", 140, Some(3), finish_and_cancel);
}

/// Two handlers are opened under one key, then it is cancelled. Whether the second stream was the first.
fn open_twice() -> bool {
    let shell = server(1, 0, CORE, SHELL);
    let canceling = canceler(&shell, PEER, 2);
    let streams = [0, 1].map(|stream| accepted(&shell, PEER, stream));
    let handlers = streams.map(|(mut reader, writer)| {
        routine(&shell, move |_| {
            // One of them may be stopped before it has its range.
            let _ = open(&mut reader, RUID, range(1, LIVE));
            (reader, writer)
        })
    });
    let mut handlers = handlers.map(joined);
    assert_registered(&shell, &[(PEER, RUID)]);
    let replaced = handlers
        .each_mut()
        .map(|(_, writer)| poll_once(writer.action()).is_some());
    cancel(canceling, RUID);
    let left = handlers.each_mut().map(|(_, writer)| actions(writer));
    let expected = replaced.map(|replaced| {
        if replaced {
            vec![]
        } else {
            vec![Action::Reset]
        }
    });
    assert_eq!(left, expected);
    assert!(replaced[0] != replaced[1], "{replaced:?}");
    replaced[1]
}

#[test]
fn the_later_of_two_handlers_replaces_the_other() {
    both_ways("pullsync: open, open", 100, Some(3), open_twice);
}

/// A handler finishes while another is opened under its key, which is cancelled afterwards. Whether the
/// first finished.
fn finish_and_replace(core: Strategies) -> bool {
    let shell = server(1, 1, core, SHELL);
    let canceling = canceler(&shell, PEER, 2);
    let mut first = offered(&shell);
    let finishing = routine(&shell, move |_| {
        let _ = give(&mut first.0, want());
        actions(&mut first.1)
    });
    let (mut reader, mut writer) = accepted(&shell, PEER, 1);
    open(&mut reader, RUID, range(2, LIVE)).expect("nobody stops it");
    cancel(canceling, RUID);
    assert_eq!(actions(&mut writer), [Action::Reset]);
    let finished = joined(finishing) != [Action::Reset];
    assert_registered(&shell, &[]);
    finished
}

#[test]
fn a_handler_that_ends_leaves_the_registration_of_another() {
    both_ways("pullsync: finish, open", 270, Some(3), || {
        finish_and_replace(CORE)
    });
}

/// D25.
#[test]
fn unregistering_another_is_found() {
    let core = Strategies {
        unregister: Unregister::Key,
        ..CORE
    };
    let found = fails(move || finish_and_replace(core));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// Two peers open handlers under one ruid, and each cancels its own.
fn two_peers(core: Strategies) {
    let shell = server(1, 0, core, SHELL);
    let peers = [PEER, PEER + 1].map(|peer| {
        let (mut reader, mut writer) = accepted(&shell, peer, 0);
        let canceling = canceler(&shell, peer, 1);
        routine(&shell, move |_| {
            open(&mut reader, RUID, range(1, LIVE)).expect("nobody else stops it");
            cancel(canceling, RUID);
            assert_eq!(actions(&mut writer), [Action::Reset]);
        })
    });
    peers.into_iter().for_each(joined);
    assert_registered(&shell, &[]);
}

#[test]
fn a_cancel_ends_handlers_of_its_own_peer_only() {
    explore("pullsync: two peers", 380, Some(2), || two_peers(CORE));
}

/// D24.
#[test]
fn ruids_that_peers_share_are_found() {
    let core = Strategies {
        keys: Keys::Shared,
        ..CORE
    };
    let found = fails(move || two_peers(core));
    assert!(
        found.contains("nobody else") || found.contains(DEADLOCK),
        "{found}"
    );
}

/// A chunk comes that completes the page of a handler, while the handler is cancelled. Whether the offer
/// went out.
fn put_and_cancel() -> bool {
    let shell = server(1, 0, CORE, SHELL);
    let canceling = canceler(&shell, PEER, 1);
    let (mut reader, mut writer) = accepted(&shell, PEER, 0);
    open(&mut reader, RUID, range(1, LIVE)).expect("nobody stops it");
    let handler = routine(&shell, move |_| actions(&mut writer));
    let uploader = routine(&shell, |shell| shell.put(Mode::Upload, vec![chunk(0)]));
    cancel(canceling, RUID);
    joined(uploader).expect("the node is open");
    let actions = joined(handler);
    let sent = actions.len() == 2;
    let expected = [offer(1, &[0]), Action::Reset];
    assert_eq!(actions, expected[usize::from(!sent)..]);
    assert_registered(&shell, &[]);
    sent
}

#[test]
fn a_waiting_handler_is_woken_by_chunk_and_cancel() {
    both_ways("pullsync: put, cancel", 1_800, Some(3), put_and_cancel);
}

/// As before, where the page waits for its timer.
fn put_and_cancel_of_a_longer_page() -> bool {
    let shell = server(2, 0, CORE, SHELL);
    let canceling = canceler(&shell, PEER, 1);
    let (mut reader, mut writer) = accepted(&shell, PEER, 0);
    open(&mut reader, RUID, range(1, LIVE)).expect("nobody stops it");
    let handler = routine(&shell, move |_| {
        let first = finish(writer.action()).0;
        if first == Some(Action::Arm) {
            writer.idle();
        }
        (first, actions(&mut writer))
    });
    let uploader = routine(&shell, |shell| shell.put(Mode::Upload, vec![chunk(0)]));
    cancel(canceling, RUID);
    joined(uploader).expect("the node is open");
    let (first, rest) = joined(handler);
    assert_registered(&shell, &[]);
    match (first, &rest[..]) {
        (Some(Action::Reset), []) | (Some(Action::Arm), [Action::Reset]) => false,
        (Some(Action::Arm), [sent, Action::Reset]) => {
            assert_eq!(*sent, offer(1, &[0]));
            true
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_idle_timer_and_a_cancel_are_both_heeded() {
    both_ways(
        "pullsync: put, idle, cancel",
        1_800,
        Some(3),
        put_and_cancel_of_a_longer_page,
    );
}

/// A handler gets its want while its peer goes. Whether it finished.
fn finish_and_disconnect() -> bool {
    let shell = server(1, 1, CORE, SHELL);
    let (mut reader, mut writer) = offered(&shell);
    let handler = routine(&shell, move |_| {
        let _ = give(&mut reader, want());
        actions(&mut writer)
    });
    shell.disconnected(PEER).expect("the node is open");
    let actions = joined(handler);
    match &actions[..] {
        [] => {}
        [delivery] | [delivery, Action::Finish] if is_delivery(delivery) => {}
        _ => panic!("{actions:?}"),
    }
    assert_registered(&shell, &[]);
    actions.last() == Some(&Action::Finish)
}

#[test]
fn a_peer_that_goes_ends_its_handler() {
    both_ways(
        "pullsync: finish, disconnect",
        17,
        Some(3),
        finish_and_disconnect,
    );
}

/// Reader and writer of a handler wait, each for its own, when it is cancelled.
fn cancel_of_waiting_halves(how: shell::Strategies) {
    let shell = server(1, 0, CORE, how);
    let canceling = canceler(&shell, PEER, 1);
    let (mut reader, mut writer) = accepted(&shell, PEER, 0);
    open(&mut reader, RUID, range(1, LIVE)).expect("nobody stops it");
    let reading = routine(&shell, move |_| {
        finish(reader.stopped());
        reader.expects()
    });
    let writing = routine(&shell, move |_| actions(&mut writer));
    cancel(canceling, RUID);
    assert_eq!(joined(writing), [Action::Reset]);
    assert_eq!(joined(reading), None);
    assert_registered(&shell, &[]);
}

#[test]
fn a_cancel_ends_both_routines_of_a_handler() {
    explore("pullsync: a cancel among waiting", 410, Some(2), || {
        cancel_of_waiting_halves(SHELL);
    });
}

/// The writer is busy until the reader has ended.
fn cancel_while_the_writer_is_busy(how: shell::Strategies) {
    let shell = server(1, 0, CORE, how);
    let canceling = canceler(&shell, PEER, 1);
    let (mut reader, mut writer) = accepted(&shell, PEER, 0);
    open(&mut reader, RUID, range(1, LIVE)).expect("nobody stops it");
    let reading = routine(&shell, move |_| {
        finish(reader.stopped());
    });
    cancel(canceling, RUID);
    joined(reading);
    finish(writer.void());
    assert_eq!(actions(&mut writer), [Action::Reset]);
}

#[test]
fn a_cancel_ends_a_reader_whose_writer_is_busy() {
    explore("pullsync: a cancel beside a busy writer", 430, None, || {
        cancel_while_the_writer_is_busy(SHELL);
    });
}

/// A mutant.
#[test]
fn a_reader_that_is_not_stopped_is_found() {
    let how = shell::Strategies {
        stopping: Stopping::WriterOnly,
        ..SHELL
    };
    let found = fails(move || cancel_while_the_writer_is_busy(how));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// A mutant.
#[test]
fn a_wake_up_between_looking_and_waiting_is_found() {
    let how = shell::Strategies {
        waiting: Waiting::CheckThenEnlist,
        ..SHELL
    };
    let found = fails(move || cancel_of_waiting_halves(how));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// A handler that offered a page of one chunk.
fn offered(shell: &SmallShell) -> (SmallReader, SmallWriter) {
    let (mut reader, mut writer) = accepted(shell, PEER, 0);
    open(&mut reader, RUID, range(1, 1)).expect("nobody stops it");
    assert_eq!(finish(writer.action()).0, Some(offer(1, &[0])));
    (reader, writer)
}
