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
    explore("causal: two wake one", 32_900, None, || {
        two_wake_one(REFERENCE)
    });
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
    explore("causal: waking oneself", 170, None, || {
        waking_oneself(REFERENCE)
    });
}

/// D13, `self_signal`.
#[test]
fn self_signal_through_a_full_channel_is_found() {
    let found = fails(|| waking_oneself(CHECK_THEN_SEND));
    assert!(found.contains(DEADLOCK), "{found}");
}

/// A receiver, the applier, which delivers one message in a run, and the owner: as they ship.
#[test]
fn all_that_is_stored_is_delivered() {
    explore("causal: receive and apply", 6_500, Some(2), || {
        let (shell, owner) = node(1, REFERENCE);
        let receive = |answer| Request::Receive(2, answer);
        let receiver = routine(&shell, move |shell| shell.ask(receive));
        let applier = routine(&shell, |shell| apply(shell, 2));
        drop(shell);
        let core = own(owner);
        assert_eq!((core.log, core.delivered), (0, 2));
        assert_eq!(joined(receiver), Ok(()));
        joined(applier);
    });
}

/// A caller, the sender of a peer, and the owner: as they ship.
#[test]
fn all_that_is_submitted_is_confirmed() {
    explore("causal: submit and send", 6_500, Some(2), || {
        let (shell, owner) = node(1, REFERENCE);
        let caller = routine(&shell, |shell| shell.submit(Request::Submit));
        let sender = routine(&shell, |shell| send(shell, 0, 1));
        drop(shell);
        let core = own(owner);
        assert_eq!((core.submitted, core.cursors), (1, [1, 0]));
        assert_eq!(joined(caller), Ok(1));
        joined(sender);
    });
}

/// Whatever else wakes it.
#[test]
fn a_closed_wake_up_ends_its_routine() {
    explore("causal: a wake-up and the close", 270, None, || {
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
