//! The shell of a node among real threads (6.7, 10).

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use concord::systems::causal::shell::{
    Abandoned, Answer, Owner, Refused, Shell, Strategies, Unanswered, answer,
};

use super::common::soak;

const CALLERS: u64 = 4;

/// Who asks, the how-manieth of its requests, and the answer.
type Request = (u64, u64, Answer<u64>);

fn node<R>(limit: usize, senders: usize) -> (Shell<R>, Owner<R>) {
    let limit = NonZeroUsize::new(limit).expect("a desk has room");
    Shell::new(limit, senders, Strategies::REFERENCE)
}

/// Serves everything and returns it.
fn served<R>(owner: Owner<R>) -> Vec<R> {
    let mut served = Vec::new();
    let Ok(()) = owner.serve(|_, request| {
        served.push(request);
        Ok::<_, Infallible>(())
    });
    served
}

#[test]
fn every_request_is_served_once_and_those_of_a_caller_in_order() {
    let each = soak(2_000, 200_000);
    for limit in [1, 2, 100] {
        let (shell, owner) = node::<Request>(limit, 0);
        let mut counts = [0; CALLERS as usize];
        thread::scope(|scope| {
            let shell = &shell;
            let ask = |caller| {
                move || {
                    for number in 0..each {
                        let answer = shell.submit(|answer| (caller, number, answer));
                        assert_eq!(answer, Ok(number + 1));
                    }
                }
            };
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| scope.spawn(ask(caller)))
                .collect();
            scope.spawn(move || {
                callers
                    .into_iter()
                    .for_each(|caller| caller.join().expect("it ends"));
                shell.close();
            });
            let Ok(()) = owner.serve(|_, (caller, number, answer)| {
                let count = &mut counts[caller as usize];
                assert_eq!(*count, number, "of caller {caller}");
                *count += 1;
                answer.give(*count);
                Ok::<_, Infallible>(())
            });
        });
        assert_eq!(counts, [each; CALLERS as usize], "limit {limit}");
    }
}

/// When so many requests are taken, no more than that and the limit have been posted.
#[test]
fn a_full_desk_holds_callers_up() {
    const LIMIT: usize = 3;
    let each = soak(2_000, 200_000);
    let (shell, owner) = node(LIMIT, 0);
    let posted = AtomicUsize::new(0);
    let mut taken = 0;
    thread::scope(|scope| {
        let (shell, posted) = (&shell, &posted);
        let callers = [(); 2].map(|()| {
            scope.spawn(move || {
                for number in 0..each {
                    shell.post(number).expect("it is open");
                    posted.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        scope.spawn(move || {
            for caller in callers {
                caller.join().expect("it ends");
            }
            shell.close();
        });
        let Ok(()) = owner.serve(|_, _| {
            taken += 1;
            let posted = posted.load(Ordering::Relaxed);
            assert!(posted <= taken + LIMIT, "{posted} posted, {taken} taken");
            Ok::<_, Infallible>(())
        });
    });
    assert_eq!(taken as u64, 2 * each);
}

#[test]
fn what_is_posted_before_the_close_is_served_and_what_comes_after_comes_back() {
    let (shell, owner) = node(4, 0);
    assert_eq!(shell.post(1), Ok(()));
    assert_eq!(shell.post(2), Ok(()));
    shell.close();
    shell.close();
    assert_eq!(shell.post(3), Err(Refused(3)));
    assert_eq!(served(owner), [1, 2]);
}

#[test]
fn a_shell_that_is_dropped_is_closed() {
    let (shell, owner) = node(4, 1);
    shell.post(1).expect("it is open");
    drop(shell);
    assert!(owner.applier().is_closed() && owner.senders()[0].is_closed());
    assert_eq!(served(owner), [1]);
}

#[test]
fn a_step_that_fails_is_the_last() {
    let (shell, owner) = node(4, 0);
    let tickets = [(); 3].map(|()| {
        let (answer, ticket) = answer();
        shell.post(answer).expect("it is open");
        ticket
    });
    let mut steps = 0;
    let failed = owner.serve(|_, answer| {
        steps += 1;
        if steps == 2 {
            return Err("the disk is full");
        }
        answer.give(steps);
        Ok(())
    });
    assert_eq!(failed, Err("the disk is full"));
    let answers = tickets.map(|ticket| ticket.wait());
    assert_eq!(answers, [Ok(1), Err(Abandoned), Err(Abandoned)]);
    assert_eq!(shell.ask(|answer| answer), Err(Unanswered::Refused));
}

/// D24, where the end is a panic.
#[test]
fn everyone_is_told_when_the_owner_panics() {
    let (shell, owner) = node::<Answer<()>>(1, 1);
    thread::scope(|scope| {
        let shell = &shell;
        let callers = [(); 3].map(|()| scope.spawn(|| shell.ask(|answer| answer)));
        let waiting = [shell.applier(), shell.sender(0)].map(|wake| scope.spawn(|| wake.wait()));
        let served = catch_unwind(AssertUnwindSafe(|| {
            owner.serve(|_, _| -> Result<(), Infallible> { panic!("a step that panics") })
        }));
        assert!(served.is_err());
        let answers = callers.map(|caller| caller.join().expect("it ends"));
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        assert!(answers.contains(&Err(Unanswered::Abandoned)), "{answers:?}");
        let woken = waiting.map(|routine| routine.join().expect("it ends"));
        assert_eq!(woken, [false; 2]);
    });
}

#[test]
fn a_wake_up_is_one_however_often_it_is_set() {
    let (shell, owner) = node::<()>(1, 2);
    for _ in 0..3 {
        owner.senders()[1].set();
    }
    assert!(shell.sender(1).wait());
    shell.sender(1).set();
    shell.close();
    assert!(!shell.sender(1).wait(), "closed, though set");
    assert!(!shell.sender(0).wait());
    assert!(!shell.applier().wait());
}

#[test]
fn an_answer_reaches_its_ticket_before_and_after_the_wait_begins() {
    let (first, ticket) = answer();
    first.give(1);
    assert_eq!(ticket.wait(), Ok(1));

    let (second, ticket) = answer();
    let waiting = thread::spawn(|| ticket.wait());
    second.give(2);
    assert_eq!(waiting.join().expect("it ends"), Ok(2));

    let (third, ticket) = answer::<u64>();
    drop(third);
    assert_eq!(ticket.wait(), Err(Abandoned));
}
