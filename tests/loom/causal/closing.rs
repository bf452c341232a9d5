//! A close, or the owner's end, while routines wait (D24).

use crate::explore::{explore, fails};

use super::shell::{Closing, Strategies, Unanswered};
use super::small_node::{Request, apply, own, send};
use super::{DEADLOCK, joined, node, routine};

/// All routines wait, each for something else, when the node is closed: the caller for room.
fn close_among_waiting(closing: Closing) {
    let strategies = Strategies {
        closing,
        ..Strategies::REFERENCE
    };
    let (shell, owner) = node(1, strategies);
    let applier = routine(&shell, |shell| apply(shell, u64::MAX));
    let sender = routine(&shell, |shell| send(shell, 0, u64::MAX));
    let closer = routine(&shell, |shell| shell.close());
    own(owner);
    joined(closer);
    joined(applier);
    joined(sender);
    assert_eq!(shell.submit(Request::Submit), Err(Unanswered::Refused));
}

#[test]
fn everyone_ends_when_the_node_is_closed() {
    explore("causal: a close among waiting", 6_600, Some(2), || {
        close_among_waiting(Closing::Wakes);
    });
}

/// D24.
#[test]
fn silent_close_wakes_nobody_is_found() {
    let found = fails(|| close_among_waiting(Closing::Silent));
    assert!(found.contains(DEADLOCK), "{found}");
}

#[test]
fn everyone_ends_when_the_owner_does() {
    explore("causal: an end among waiting", 6_500, Some(3), || {
        let (shell, owner) = node(1, Strategies::REFERENCE);
        let applier = routine(&shell, |shell| apply(shell, u64::MAX));
        let sender = routine(&shell, |shell| send(shell, 0, u64::MAX));
        let caller = routine(&shell, |shell| shell.submit(Request::Submit));
        drop(owner);
        assert!(joined(caller).is_err());
        joined(applier);
        joined(sender);
    });
}
