//! Requests, their answers, and the end of either side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::explore::{explore, reach};

use super::shell::{Strategies, Unanswered};
use super::small_node::{Core, Request, own};
use super::{joined, node, routine};

const REFERENCE: Strategies = Strategies::REFERENCE;

#[test]
fn two_callers_get_an_answer_of_their_own_each() {
    reach("causal: two callers", 5_500, Some(2), || {
        let (shell, owner) = node(1, REFERENCE);
        let callers = [(); 2].map(|()| routine(&shell, |shell| shell.submit(Request::Submit)));
        drop(shell);
        let core = own(owner);
        assert_eq!(core.submitted, 2);
        let answers = callers.map(joined);
        assert!(answers == [Ok(1), Ok(2)] || answers == [Ok(2), Ok(1)]);
        answers == [Ok(2), Ok(1)]
    });
}

/// A caller that needs no answer goes on, and what it posted is done in its order.
#[test]
fn requests_of_one_caller_stay_in_order() {
    explore("causal: one caller", 920, Some(3), || {
        let (shell, owner) = node(1, REFERENCE);
        let caller = routine(&shell, |shell| {
            let tickets = [(); 2].map(|()| {
                let (answer, ticket) = super::shell::answer();
                shell.post(Request::Submit(answer)).expect("it is open");
                ticket
            });
            tickets.map(|ticket| ticket.wait())
        });
        drop(shell);
        own(owner);
        assert_eq!(joined(caller), [Ok(1), Ok(2)]);
    });
}

#[test]
fn a_request_is_refused_or_answered_whenever_the_node_is_closed() {
    let refused = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&refused);
    reach(
        "causal: a request and the close",
        5_000,
        Some(3),
        move || {
            let (shell, owner) = node(1, REFERENCE);
            let caller = routine(&shell, |shell| shell.submit(Request::Submit));
            let closer = routine(&shell, |shell| shell.close());
            let core = own(owner);
            joined(closer);
            let answer = joined(caller);
            let done = match answer {
                Ok(1) => 1,
                Err(Unanswered::Refused) => 0,
                _ => panic!("{answer:?}"),
            };
            assert_eq!(core.submitted, done);
            seen.fetch_or(done == 0, Ordering::Relaxed);
            done == 1
        },
    );
    assert!(refused.load(Ordering::Relaxed), "never refused");
}

/// A full desk holds callers up, but not beyond the close.
#[test]
fn who_waits_for_room_is_refused_by_the_close() {
    explore("causal: a full desk and the close", 190, Some(3), || {
        let (shell, owner) = node(1, REFERENCE);
        let (answer, first) = super::shell::answer();
        shell.post(Request::Submit(answer)).expect("it is open");
        let caller = routine(&shell, |shell| shell.submit(Request::Submit));
        let closer = routine(&shell, |shell| shell.close());
        joined(closer);
        let core = own(owner);
        assert_eq!(first.wait(), Ok(1), "it was posted before");
        assert_eq!(core.submitted, 1);
        assert_eq!(joined(caller), Err(Unanswered::Refused));
    });
}

/// The step that fails answers nobody, as after a failed write.
#[test]
fn everyone_returns_when_the_owner_fails() {
    reach("causal: the owner's end", 9_900, Some(3), || {
        let (shell, owner) = node(1, REFERENCE);
        let callers = [(); 2].map(|()| routine(&shell, |shell| shell.submit(Request::Submit)));
        assert_eq!(
            owner.serve(|_, _| Err("a failed write")),
            Err("a failed write")
        );
        let answers = callers.map(joined);
        assert!(answers.contains(&Err(Unanswered::Abandoned)));
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        answers.contains(&Err(Unanswered::Refused))
    });
}

#[test]
fn an_answer_that_nobody_waits_for_is_lost() {
    explore("causal: a dropped ticket", 6_000, None, || {
        let (shell, owner) = node(1, REFERENCE);
        let caller = routine(&shell, |shell| {
            let (answer, ticket) = super::shell::answer();
            shell.post(Request::Submit(answer)).expect("it is open");
            drop(ticket);
        });
        drop(shell);
        let submitted = 1;
        assert_eq!(
            own(owner),
            Core {
                submitted,
                ..Core::default()
            }
        );
        joined(caller);
    });
}
