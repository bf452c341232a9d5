//! The shell with threads: everything ends, whatever is cancelled and closed meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use concord::systems::pullsync::shell::{self, Action, Event};
use concord::systems::pullsync::strategy;
use concord::systems::pullsync::{Message, Mode, Neighbour, Protocol, Reason, Storage};

use crate::common::soak;
use crate::small_streams::{
    BIN, LIVE, SmallDriver, SmallReader, SmallShell, SmallSpace, SmallWriter, actions, cancel,
    canceler, chunk, give, node, open, range, want,
};
use crate::tasks::finish;

const CORE: strategy::Strategies = strategy::Strategies::REFERENCE;
const SHELL: shell::Strategies = shell::Strategies::REFERENCE;
const PEERS: u8 = 4;
const CHUNKS: u8 = 15;

/// Serves a handler as a peer that wants the first chunk of each offer, to its end.
fn serve(
    (mut reader, mut writer): (SmallReader, SmallWriter),
    ruid: u32,
    asked: Message<SmallSpace>,
) {
    // A handler that is stopped has a last action too.
    let _ = open(&mut reader, ruid, asked);
    while let (Some(action), _) = finish(writer.action()) {
        match action {
            Action::Arm => writer.idle(),
            Action::Send(Message::Offer { hashes, .. }) if !hashes.is_empty() => {
                let _ = give(&mut reader, want());
            }
            Action::Send(_) => {}
            Action::Finish | Action::Reset => return,
        }
    }
    panic!("the end of a stream without a last action");
}

#[test]
fn every_handler_ends_that_is_cancelled_once() {
    let rounds = u32::try_from(soak(60, 100)).expect("fewer than may be pending");
    let (shell, driver) = node(2, 0, CORE, SHELL);
    drop(driver);
    thread::scope(|scope| {
        for peer in 1..=PEERS {
            let shell = &shell;
            scope.spawn(move || {
                for ruid in 0..rounds {
                    let stream = shell.accepted(peer, (peer, ruid), Protocol::Pullsync);
                    let from = u64::from(ruid % 20) + 1;
                    serve(stream.expect("the node is open"), ruid, range(from, LIVE));
                }
            });
            scope.spawn(move || {
                for ruid in 0..rounds {
                    cancel(canceler(shell, peer, rounds + ruid), ruid);
                }
            });
        }
        for number in 0..CHUNKS {
            let placed = shell.put(Mode::Upload, vec![chunk(number)]);
            assert_eq!(placed.map(|placed| placed.len()), Ok(1));
        }
    });
    shell.inspect(|node, _| {
        assert_eq!(node.server().handlers().count(), 0);
        assert_eq!(node.server().registered().count(), 0);
    });
    finish(shell.ended());
}

#[test]
fn a_close_ends_all_routines_and_lets_none_in() {
    let (shell, mut driver) = node(1, 0, CORE, SHELL);
    let each = u32::try_from(soak(8, 100)).expect("not many");
    thread::scope(|scope| {
        for peer in 1..=PEERS {
            for number in 0..each {
                let stream = shell.accepted(peer, (peer, number), Protocol::Pullsync);
                let (mut reader, mut writer) = stream.expect("the node is open");
                scope.spawn(move || {
                    // Some have asked, some have said nothing yet, when the node is closed.
                    if number % 2 == 0 {
                        let _ = open(&mut reader, number, range(1, LIVE));
                    }
                    finish(reader.stopped());
                    assert!(give(&mut reader, want()).is_err());
                });
                scope.spawn(move || {
                    assert!(matches!(actions(&mut writer)[..], [] | [Action::Reset]));
                });
            }
            let shell = &shell;
            scope.spawn(move || {
                // Until the node lets nobody in.
                for number in each.. {
                    let stream = (peer, number);
                    match shell.accepted(peer, stream, Protocol::Pullsync) {
                        Ok(halves) => fail_or_end(halves, number),
                        Err(shell::Refused) => return,
                    }
                }
            });
        }
        scope.spawn(move || assert_eq!(finish(driver.event()).0, None));
        for _ in 0..2 {
            scope.spawn(|| {
                shell.close();
                finish(shell.ended());
                assert_eq!(
                    shell.put(Mode::Upload, Vec::new()),
                    Err(shell::Refused.into())
                );
            });
        }
    });
    let late = shell.accepted(1, (1, u32::MAX), Protocol::Cursors);
    assert_eq!(late.err(), Some(shell::Refused));
    shell.inspect(|node, _| assert_eq!(node.server().handlers().count(), 0));
}

/// A handler whose range is refused, unless the node ends before.
fn fail_or_end((mut reader, mut writer): (SmallReader, SmallWriter), ruid: u32) {
    let _ = open(&mut reader, ruid, range(0, 0));
    assert!(matches!(actions(&mut writer)[..], [] | [Action::Reset]));
}

/// Passes on what one side says on a stream to the other.
fn pump(mut from: SmallWriter, mut to: SmallReader) {
    while let (Some(action), _) = finish(from.action()) {
        match action {
            Action::Arm => from.idle(),
            Action::Send(message) => {
                if give(&mut to, message).is_err() {
                    return;
                }
            }
            Action::Finish => return to.ended(Reason::Eof),
            Action::Reset => return to.ended(Reason::Reset),
        }
    }
}

/// Opens streams from one node to the other until it has sealed everything.
fn drive(
    mut driver: SmallDriver,
    puller: &Arc<SmallShell>,
    server: &Arc<SmallShell>,
    streams: &AtomicU32,
) {
    const PULLER: u8 = 2;
    thread::scope(|scope| {
        while let (Some(event), _) = finish(driver.event()) {
            let Event::Open { peer, purpose } = event else {
                continue;
            };
            let number = streams.fetch_add(1, Ordering::Relaxed);
            let stream = (PULLER, number);
            let protocol = purpose.protocol();
            let Ok((ours, theirs)) = puller
                .opened(peer, purpose, stream, number)
                .and_then(|ours| Ok((ours, server.accepted(PULLER, stream, protocol)?)))
            else {
                continue;
            };
            scope.spawn(|| pump(ours.1, theirs.0));
            scope.spawn(|| pump(theirs.1, ours.0));
        }
    });
}

#[test]
fn a_puller_gets_all_chunks_that_come_meanwhile() {
    const SERVER: u8 = 1;
    let (server, _) = node(2, 5, CORE, SHELL);
    let (puller, driver) = node(2, 0, CORE, SHELL);
    let (server, puller) = (Arc::new(server), Arc::new(puller));
    let streams = AtomicU32::new(0);
    thread::scope(|scope| {
        scope.spawn(|| drive(driver, &puller, &server, &streams));
        let order = 0;
        let peers = vec![Neighbour {
            peer: SERVER,
            order,
        }];
        puller.change(0, peers).expect("the node is open");
        for number in 5..CHUNKS {
            server
                .put(Mode::Upload, vec![chunk(number)])
                .expect("it does not fail");
        }
        let all = u64::from(CHUNKS);
        let sealed = || {
            puller.inspect(|_, disk| {
                let set = disk.intervals(&SERVER, BIN).expect("it does not fail");
                set.is_some_and(|set| set.ranges().eq([(1, all)]))
            })
        };
        while !sealed() {
            thread::yield_now();
        }
        puller.inspect(|_, disk| {
            let missing = (0..CHUNKS).filter(|n| disk.has(&chunk(*n).address) != Ok(true));
            assert_eq!(missing.count(), 0);
        });
        finish(puller.ended());
    });
    finish(server.ended());
    server.inspect(|node, _| assert_eq!(node.server().handlers().count(), 0));
}
