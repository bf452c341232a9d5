//! What a caller holds while it hands a local operation over (D14, D15).

use crate::explore::{explore, fails};

use super::shell::{Handover, Strategies, answer};
use super::small_node::{Core, Request, own};
use super::{DEADLOCK, joined, node, routine};

const fn handing(handover: Handover) -> Strategies {
    Strategies {
        handover,
        ..Strategies::REFERENCE
    }
}

/// The schedule of D14: an operation is submitted, a message is delivered, an operation is submitted
/// while the desk is full.
fn operations_and_a_delivery(handover: Handover) {
    let (shell, owner) = node(1, handing(handover));
    let (first, first_ticket) = answer();
    shell.post(Request::Submit(first)).expect("it is open");
    let applier = routine(&shell, |shell| shell.ask(Request::Apply));
    let caller = routine(&shell, |shell| shell.submit(Request::Submit));
    drop(shell);
    assert_eq!(own(owner).submitted, 2);
    assert_eq!(first_ticket.wait(), Ok(1));
    assert_eq!(joined(caller), Ok(2));
    assert!(joined(applier).is_ok());
}

#[test]
fn operations_and_a_delivery_all_end() {
    explore("causal: handing over", 6_300, Some(2), || {
        operations_and_a_delivery(Handover::Queued);
    });
}

/// D14, `lock_cycle`.
#[test]
fn lock_cycle_of_handing_over_under_the_state_lock_is_found() {
    let found = fails(|| operations_and_a_delivery(Handover::UnderLock));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// A client that sends the content of its operation only once it has seen a delivery.
fn a_slow_client(handover: Handover) {
    let (shell, owner) = node(2, handing(handover));
    let (content, awaited) = answer();
    let session = routine(&shell, |shell| {
        shell.submit(|answer| {
            awaited.wait().expect("the client sends it");
            Request::Submit(answer)
        })
    });
    let client = routine(&shell, |shell| {
        let stored = shell.ask(|answer| Request::Receive(1, answer));
        let applied = shell.ask(Request::Apply);
        content.give(());
        (stored, applied.map(|applied| applied.delivered))
    });
    drop(shell);
    let core = own(owner);
    let expected = Core {
        submitted: 1,
        delivered: 1,
        ..Core::default()
    };
    assert_eq!(core, expected);
    assert_eq!(joined(session), Ok(1));
    assert_eq!(joined(client), (Ok(()), Ok(1)));
}

#[test]
fn a_slow_client_holds_nobody_up() {
    for handover in [Handover::Queued, Handover::UnderLock] {
        explore("causal: a slow client", 3_400, Some(2), move || {
            a_slow_client(handover);
        });
    }
}

/// D15.
#[test]
fn silent_client_under_the_state_lock_is_found() {
    let found = fails(|| a_slow_client(Handover::LockedWhileBuilt));
    assert!(found.contains(DEADLOCK), "{found}");
}
