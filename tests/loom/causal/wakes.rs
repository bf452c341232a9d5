//! Wake-ups (D13): none is lost, and a routine may set its own.

use loom::thread;

use crate::explore::{explore, fails};
use crate::sync::{Arc, Mutex, lock};

use super::shell::{Strategies, Waking};
use super::small_node::{Request, apply, own, send};
use super::{DEADLOCK, joined, node, routine};

const REFERENCE: Strategies = Strategies::REFERENCE;

const CHECK_THEN_SEND: Strategies = Strategies {
    waking: Waking::CheckThenSend,
    ..REFERENCE
};

/// Two routines have something done by a third, which looks only when it is woken.
fn two_wake_one(strategies: Strategies) {
    let (shell, _owner) = node(1, strategies);
    let work = Arc::new(Mutex::new(0));
    let wakers = [(); 2].map(|()| {
        let work = Arc::clone(&work);
        routine(&shell, move |shell| {
            *lock(&work) += 1;
            shell.applier().set();
        })
    });
    let mut done = 0;
    while done < 2 {
        assert!(shell.applier().wait(), "closed");
        done = *lock(&work);
    }
    wakers.into_iter().for_each(joined);
}

#[test]
fn no_wake_up_is_lost() {
    explore("causal: two wake one", 1, None, || two_wake_one(REFERENCE));
}

/// The applier finds more to do than one run may, and wakes itself, while a receiver wakes it.
fn waking_oneself(strategies: Strategies) {
    let (shell, _owner) = node(1, strategies);
    let log = Arc::new(Mutex::new(2));
    shell.applier().set();
    let receiver = {
        let log = Arc::clone(&log);
        routine(&shell, move |shell| {
            *lock(&log) += 1;
            shell.applier().set();
        })
    };
    let mut delivered = 0;
    while delivered < 3 {
        assert!(shell.applier().wait(), "closed");
        let mut log = lock(&log);
        if *log > 0 {
            *log -= 1;
            delivered += 1;
        }
        let more = *log > 0;
        drop(log);
        if more {
            shell.applier().set();
        }
    }
    joined(receiver);
}

#[test]
fn a_routine_may_wake_itself() {
    explore("causal: waking oneself", 1, None, || {
        waking_oneself(REFERENCE)
    });
}

/// D13, `self_signal`.
#[test]
fn waking_oneself_through_a_full_channel_is_found() {
    let found = fails(|| waking_oneself(CHECK_THEN_SEND));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// A receiver, the applier and the owner, as they ship: all that is stored is delivered.
fn receive_and_apply(strategies: Strategies) {
    let (shell, owner) = node(1, strategies);
    let receiver = routine(&shell, |shell| {
        let stored = [(); 2].map(|()| shell.ask(|answer| Request::Receive(1, answer)));
        assert_eq!(stored, [Ok(()); 2]);
    });
    let applier = routine(&shell, |shell| apply(shell, 2));
    drop(shell);
    let core = own(owner);
    assert_eq!((core.log, core.delivered), (0, 2));
    joined(receiver);
    joined(applier);
}

#[test]
fn all_that_is_stored_is_delivered() {
    let case = || receive_and_apply(REFERENCE);
    explore("causal: receive and apply", 1, Some(2), case);
}

/// D13 among all routines.
#[test]
fn an_applier_that_waits_for_itself_is_found() {
    let found = fails(|| receive_and_apply(CHECK_THEN_SEND));
    assert!(found.contains(DEADLOCK), "{found}");
}

#[test]
fn all_that_is_submitted_is_confirmed() {
    explore("causal: submit and send", 1, Some(2), || {
        let (shell, owner) = node(1, REFERENCE);
        let caller = routine(&shell, |shell| {
            let submitted = [(); 2].map(|()| shell.submit(Request::Submit));
            assert_eq!(submitted, [Ok(1), Ok(2)]);
        });
        let sender = routine(&shell, |shell| send(shell, 0, 2));
        drop(shell);
        let core = own(owner);
        assert_eq!((core.submitted, core.cursors), (2, [2, 0]));
        joined(caller);
        joined(sender);
    });
}

/// A wake-up set by nobody but the closing.
#[test]
fn a_closed_wake_up_ends_its_routine() {
    explore("causal: a wake-up and the close", 1, None, || {
        let (shell, owner) = node(1, REFERENCE);
        let waiting = routine(&shell, |shell| {
            while shell.sender(0).wait() {}
            shell.sender(0).is_closed()
        });
        let waker = thread::spawn(move || {
            owner.senders()[0].set();
            owner
        });
        shell.close();
        assert!(joined(waiting));
        drop(joined(waker));
    });
}
