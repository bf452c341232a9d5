//! The end of the node while routines wait, join and work (8.4).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::explore::{both_ways, explore, fails};
use crate::small_streams::{LIVE, SmallDriver, SmallShell, SmallSpace, actions, node, open, range};
use crate::tasks::finish;

use super::shell::{self, Action, Enrolling, Event, Joining};
use super::{
    CORE, DEADLOCK, Mode, Neighbour, PEER, Protocol, Purpose, RUID, SHELL, accepted,
    assert_registered, joined, routine, serve, server,
};

/// Reader and writer of a handler wait when the node is closed.
#[test]
fn a_close_ends_a_handler_that_waits() {
    explore("pullsync: a close among waiting", 510, Some(2), || {
        let shell = server(1, 0, CORE, SHELL);
        let (mut reader, mut writer) = accepted(&shell, PEER, 0);
        open(&mut reader, RUID, range(1, LIVE)).expect("nobody stops it");
        let reading = routine(&shell, move |_| {
            finish(reader.stopped());
        });
        let writing = routine(&shell, move |_| actions(&mut writer));
        shell.close();
        finish(shell.ended());
        assert_registered(&shell, &[]);
        assert_eq!(joined(writing), [Action::Reset]);
        joined(reading);
    });
}

/// A peer opens a handler while the node is closed and its end awaited. Whether it was let in.
fn close_and_open(how: shell::Strategies) -> bool {
    let shell = server(1, 0, CORE, how);
    let over = Arc::new(AtomicBool::new(false));
    let handler = {
        let over = Arc::clone(&over);
        routine(&shell, move |shell| {
            let Ok(stream) = shell.accepted(PEER, (PEER, 0), Protocol::Pullsync) else {
                return None;
            };
            assert!(!over.load(Ordering::Relaxed), "joined after the end");
            Some(serve(stream, range(1, LIVE)))
        })
    };
    shell.close();
    finish(shell.ended());
    over.store(true, Ordering::Relaxed);
    assert_registered(&shell, &[]);
    let served = joined(handler);
    if let Some((actions, _)) = &served {
        // With nothing said on it, the stream has nothing to be reset for.
        assert!(matches!(actions[..], [Action::Reset] | []), "{actions:?}");
    }
    served.is_some()
}

#[test]
fn nobody_joins_once_the_end_is_awaited() {
    both_ways("pullsync: close, open", 190, Some(3), || {
        close_and_open(SHELL)
    });
}

/// D33.
#[test]
fn joining_after_the_end_is_found() {
    let how = shell::Strategies {
        joining: Joining::Always,
        ..SHELL
    };
    let found = fails(move || close_and_open(how));
    assert!(
        found.contains("joined after the end") || found.contains(DEADLOCK),
        "{found}"
    );
}

/// A peer opens a stream and says nothing on it.
fn close_and_accept(how: shell::Strategies) -> bool {
    let shell = server(1, 0, CORE, how);
    let silent = routine(&shell, |shell| {
        let accepted = shell.accepted(PEER, (PEER, 0), Protocol::Cursors);
        let Ok((mut reader, mut writer)) = accepted else {
            return false;
        };
        finish(reader.stopped());
        assert_eq!(actions(&mut writer), []);
        true
    });
    finish(shell.ended());
    joined(silent)
}

#[test]
fn a_stream_on_which_nothing_is_said_ends_with_the_node() {
    both_ways("pullsync: close, accept", 65, Some(3), || {
        close_and_accept(SHELL)
    });
}

/// A mutant.
#[test]
fn a_stream_that_is_enrolled_late_is_found() {
    let how = shell::Strategies {
        enrolling: Enrolling::AfterStep,
        ..SHELL
    };
    let found = fails(move || close_and_accept(how));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// As adapters have it: whoever is told of peers goes on while the driver waits and two routines close.
#[test]
fn a_second_close_is_harmless_and_the_driver_ends() {
    both_ways("pullsync: two closes", 9_200, Some(2), || {
        let (shell, driver) = node(1, 0, CORE, SHELL);
        let shell = super::Arc::new(shell);
        let driving = routine(&shell, move |_| drive(driver));
        let closers = [(); 2].map(|()| {
            routine(&shell, |shell| {
                shell.close();
                finish(shell.ended());
                assert!(shell.join().is_err());
            })
        });
        let order = 0;
        let changed = shell.change(0, vec![Neighbour { peer: PEER, order }]);
        closers.into_iter().for_each(joined);
        let events = joined(driving);
        assert!(shell.put(Mode::Upload, vec![]).is_err());
        let fetch = Event::Open {
            peer: PEER,
            purpose: Purpose::Fetch,
        };
        // A change that comes after the close is of no use, but one after the end is refused.
        assert!(events.is_empty() || events == [fetch]);
        changed.is_ok()
    });
}

fn drive(mut driver: SmallDriver) -> Vec<Event<SmallSpace>> {
    let mut events = Vec::new();
    while let (Some(event), _) = finish(driver.event()) {
        events.push(event);
    }
    events
}

/// What a routine leaves undone when it ends by a panic or is dropped ends its stream.
#[test]
fn a_dropped_reader_ends_its_handler() {
    explore("pullsync: a dropped reader", 1_000, None, || {
        let shell = server(1, 0, CORE, SHELL);
        let (mut reader, mut writer) = accepted(&shell, PEER, 0);
        open(&mut reader, RUID, range(1, LIVE)).expect("nobody stops it");
        let writing = routine(&shell, move |_| actions(&mut writer));
        drop(reader);
        assert_eq!(joined(writing), [Action::Reset]);
        assert_registered(&shell, &[]);
        finish(shell.ended());
    });
}

/// The last to hold the shell closes it.
#[test]
fn a_dropped_shell_ends_its_routines() {
    explore("pullsync: a dropped shell", 130, Some(2), || {
        let (shell, driver) = node(1, 0, CORE, SHELL);
        let (mut reader, mut writer) = accepted(&shell, PEER, 0);
        let driving = loom::thread::spawn(move || drive(driver));
        let reading = loom::thread::spawn(move || {
            finish(reader.stopped());
        });
        drop::<SmallShell>(shell);
        assert_eq!(actions(&mut writer), []);
        joined(reading);
        assert_eq!(joined(driving), []);
    });
}
