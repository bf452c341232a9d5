//! The shell of a causal node under shuttle, with more routines than loom can take.

use std::num::NonZeroUsize;

use shuttle::sync::Arc;
use shuttle::thread::{self, JoinHandle};

use crate::common::soak;
use crate::explore::{explore, fails};

#[path = "../../src/systems/causal/shell/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each case takes what it needs")]
pub(crate) mod shell;

#[path = "../common/small_node.rs"]
#[allow(dead_code, reason = "each case takes what it needs")]
mod small_node;

use shell::{Closing, Handover, Owner, Shell, Strategies, Unanswered, Waking};
use small_node::{Core, Request, apply, own, send};

const REFERENCE: Strategies = Strategies::REFERENCE;
const CALLERS: u64 = 3;
const PEERS: usize = 2;
/// Operations of each caller, and transfers from each peer.
const EACH: u64 = 2;

fn node(strategies: Strategies) -> (Arc<Shell<Request>>, Owner<Request>) {
    let limit = NonZeroUsize::new(2).expect("a desk has room");
    let (shell, owner) = Shell::new(limit, PEERS, strategies);
    (Arc::new(shell), owner)
}

/// A thread that holds the shell for as long as it runs. The last to end closes it.
fn routine<T: Send + 'static>(
    shell: &Arc<Shell<Request>>,
    run: impl FnOnce(&Shell<Request>) -> T + Send + 'static,
) -> JoinHandle<T> {
    let shell = Arc::clone(shell);
    thread::spawn(move || run(&shell))
}

fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a panic ends the case")
}

fn submits(shell: &Shell<Request>) -> Vec<Result<u64, Unanswered>> {
    let submit = |_| shell.submit(Request::Submit);
    (0..EACH).map(submit).collect()
}

/// Transfers of two messages each.
fn receives(shell: &Shell<Request>) -> Vec<Result<(), Unanswered>> {
    let receive = |_| shell.ask(|answer| Request::Receive(2, answer));
    (0..EACH).map(receive).collect()
}

/// Callers, receivers, senders and the applier, each until its work is done: all of it is done.
fn everyone_works(strategies: Strategies) {
    let (shell, owner) = node(strategies);
    let owner = thread::spawn(move || own(owner));
    let callers: Vec<_> = (0..CALLERS).map(|_| routine(&shell, submits)).collect();
    let receivers = [(); PEERS].map(|()| routine(&shell, receives));
    let received = 2 * EACH * PEERS as u64;
    let submitted = EACH * CALLERS;
    let senders = [0, 1].map(|peer| routine(&shell, move |shell| send(shell, peer, submitted)));
    let applier = routine(&shell, move |shell| apply(shell, received));
    drop(shell);

    let answers = callers.into_iter().map(joined);
    let answers: Vec<Vec<_>> = answers
        .map(|answers| {
            answers
                .into_iter()
                .map(|answer| answer.expect("an answer"))
                .collect()
        })
        .collect();
    assert!(
        answers.iter().all(|own| own.is_sorted_by(|a, b| a < b)),
        "{answers:?}"
    );
    let mut all = answers.concat();
    all.sort_unstable();
    assert!(
        all.into_iter().eq(1..=submitted),
        "each number once: {answers:?}"
    );
    for answers in receivers.map(joined) {
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
    senders.into_iter().for_each(joined);
    joined(applier);
    let expected = Core {
        submitted,
        cursors: [submitted; PEERS],
        log: 0,
        delivered: received,
    };
    assert_eq!(joined(owner), expected);
}

/// A peer that confirms only after everyone else is done (6.3).
fn a_silent_peer(strategies: Strategies) {
    let (shell, owner) = node(strategies);
    let owner = thread::spawn(move || own(owner));
    let (confirmation, awaited) = shell::answer();
    let silent = routine(&shell, |shell| {
        assert!(shell.sender(1).wait(), "closed");
        let upto = shell.ask(Request::Flush)?;
        awaited.wait()?;
        shell.ask(|answer| Request::Ack(1, upto, answer))
    });
    let callers: Vec<_> = (0..CALLERS).map(|_| routine(&shell, submits)).collect();
    let submitted = EACH * CALLERS;
    let sender = routine(&shell, move |shell| send(shell, 0, submitted));
    let receiver = routine(&shell, receives);
    let applier = routine(&shell, |shell| apply(shell, 2 * EACH));
    drop(shell);

    let answers: Vec<_> = callers.into_iter().flat_map(joined).collect();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(joined(receiver).iter().all(Result::is_ok));
    joined(sender);
    joined(applier);
    confirmation.give(());
    assert_eq!(joined(silent), Ok(()));
    let core = joined(owner);
    assert_eq!((core.delivered, core.cursors[0]), (2 * EACH, submitted));
    assert!((1..=submitted).contains(&core.cursors[1]), "{core:?}");
}

/// The node is closed among all this: everyone ends, and what was answered was done.
fn a_close_among_all(strategies: Strategies) {
    let (shell, owner) = node(strategies);
    let owner = thread::spawn(move || own(owner));
    let callers: Vec<_> = (0..CALLERS).map(|_| routine(&shell, submits)).collect();
    let senders = [0, 1].map(|peer| routine(&shell, move |shell| send(shell, peer, u64::MAX)));
    let receiver = routine(&shell, receives);
    let applier = routine(&shell, |shell| apply(shell, u64::MAX));
    let closer = routine(&shell, |shell| shell.close());

    let answers = callers.into_iter().flat_map(joined);
    let answers: Vec<_> = answers.collect();
    let stored = joined(receiver).into_iter().filter(Result::is_ok).count() as u64;
    senders.into_iter().for_each(joined);
    joined(applier);
    joined(closer);
    let core = joined(owner);
    let answered = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
    let refused = Err(Unanswered::Refused);
    assert!(
        answers
            .iter()
            .all(|answer| answer.is_ok() || *answer == refused)
    );
    assert_eq!(core.submitted, answered);
    assert_eq!(core.log + core.delivered, 2 * stored);
}

#[test]
fn everyone_comes_to_an_end_with_all_done() {
    explore("causal: everyone", soak(300, 30_000), || {
        everyone_works(REFERENCE);
    });
}

#[test]
fn everyone_ends_when_the_node_is_closed() {
    explore("causal: a close among all", soak(300, 30_000), || {
        a_close_among_all(REFERENCE);
    });
}

#[test]
fn a_silent_peer_holds_nobody_up() {
    explore("causal: a silent peer", soak(300, 30_000), || {
        a_silent_peer(REFERENCE);
    });
}

/// D13, `self_signal`.
#[test]
fn an_applier_that_waits_for_itself_is_found() {
    assert!(fails(3_000, || {
        everyone_works(Strategies {
            waking: Waking::CheckThenSend,
            ..REFERENCE
        });
    }));
}

/// D14, `lock_cycle`.
#[test]
fn lock_cycle_of_handing_over_under_the_state_lock_is_found() {
    assert!(fails(3_000, || {
        everyone_works(Strategies {
            handover: Handover::UnderLock,
            ..REFERENCE
        });
    }));
}

/// D24.
#[test]
fn silent_close_wakes_nobody_is_found() {
    assert!(fails(3_000, || {
        a_close_among_all(Strategies {
            closing: Closing::Silent,
            ..REFERENCE
        });
    }));
}
