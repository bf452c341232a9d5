//! Section 5: what must be seen in each case, and what each must kill.

use std::collections::BTreeSet;

use concord_systems::broadcast::{
    Abort, Choice, Close, Overflow, Publication, Receipt, Strategies, Waiting,
};

use super::cases::{
    ALL, Case, Outcomes, Returned, W1, W2, W3, W4, W5, W6, W7, W8A, W8B, W8C, W8D, W9, outcomes,
};

const REMEDIED: Strategies = Strategies::REMEDIED;

/// As the shell prefers them.
const SHELL: [Choice; 5] = [
    Choice::Reject,
    Choice::Queue,
    Choice::Data,
    Choice::Caller,
    Choice::Parent,
];

fn texts(outcomes: &Outcomes) -> BTreeSet<String> {
    assert_eq!(outcomes.stuck, BTreeSet::new());
    outcomes.ended.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_ends_in(case: Case, strategies: Strategies, expected: &[&str]) {
    let found = texts(&outcomes(&case, strategies, &[]));
    let expected: BTreeSet<_> = expected.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(found, expected, "{}", case.name);
}

#[test]
fn full_queue_gives_the_old_message_or_drops_it() {
    let expected = [
        "a: queued | b: 1 | dropped 0, rejected 0, pending [2]",
        "a: queued, oldest dropped | b: 2 (1 missed) | dropped 1, rejected 0, pending []",
    ];
    assert_ends_in(W1, REMEDIED, &expected);
}

#[test]
fn message_of_the_later_receive_is_never_lost() {
    for strategies in [REMEDIED, Strategies::REFERENCE] {
        for outcome in outcomes(&W2, strategies, &[]).ended {
            let calls = outcome.calls.iter().flatten();
            let taken = calls.filter_map(|returned| match returned {
                Returned::Taken(Ok(taken)) => taken.message,
                _ => None,
            });
            let kept: BTreeSet<u8> = taken.chain(outcome.pending.iter().copied()).collect();
            // Of three messages the first alone may go, or the first two in either order.
            assert!(kept.contains(&2) || kept.contains(&3), "{outcome}");
            assert_eq!(outcome.dropped as usize + kept.len(), 3, "{outcome}");
        }
    }
}

#[test]
fn queue_drained_under_the_lock_takes_the_new_message() {
    let drained = "a: queued | b: 1, 2 | dropped 0, rejected 0, pending [3]";
    let dropped =
        "a: queued, oldest dropped | b: 2 (1 missed), 3 | dropped 1, rejected 0, pending []";
    assert_ends_in(W3, REMEDIED, &[drained, dropped]);
}

#[test]
fn only_the_reference_drops_with_room() {
    let kept = "a: queued | b: 1 | dropped 0, rejected 0, pending [2, 3]";
    let needed = "a: queued, oldest dropped | b: 2 (1 missed) | dropped 1, rejected 0, pending [3]";
    assert_ends_in(W4, REMEDIED, &[kept, needed]);
    let needless = "a: queued, oldest dropped | b: 1 | dropped 1, rejected 0, pending [3]";
    let needed = "a: queued, oldest dropped | b: 2 | dropped 1, rejected 0, pending [3]";
    assert_ends_in(W4, Strategies::REFERENCE, &[kept, needless, needed]);
}

#[test]
fn cancelled_receive_is_queued_or_rejected() {
    let full = [
        "a: queued | b: done | c: 1 | dropped 0, rejected 0, pending [2]",
        "a: queued, oldest dropped | b: done | c: 2 (1 missed) | dropped 1, rejected 0, pending []",
        "a: queued, oldest dropped | b: done | c: ended | closed, dropped 1, rejected 0, pending [2]",
        "a: rejected | b: done | c: 1 | dropped 0, rejected 1, pending []",
        "a: rejected | b: done | c: ended | closed, dropped 0, rejected 1, pending [1]",
    ];
    assert_ends_in(W5, REMEDIED, &full);
    let empty = [
        "a: queued | b: done | c: 1 | dropped 0, rejected 0, pending []",
        "a: queued | b: done | c: ended | closed, dropped 0, rejected 0, pending [1]",
        "a: rejected | b: done | c: ended | closed, dropped 0, rejected 1, pending []",
    ];
    assert_ends_in(W6, REMEDIED, &empty);
}

#[test]
fn both_nexts_close() {
    let closed = "a: ended | b: ended | closed, dropped 0, rejected 0, pending []";
    assert_ends_in(W7, REMEDIED, &[closed]);
}

#[test]
fn no_wake_up_is_lost() {
    let nothing = "dropped 0, rejected 0, pending []";
    for (case, expected) in [
        (W8A, format!("a: 1 | b: queued | {nothing}")),
        (W8B, format!("a: ended | b: done | closed, {nothing}")),
        (W8C, format!("a: caller cancelled | b: done | {nothing}")),
        (
            W8D,
            format!("a: ended | b: done, ended | closed, {nothing}"),
        ),
    ] {
        assert_ends_in(case, REMEDIED, &[&expected]);
    }
}

#[test]
fn publication_that_outlasts_the_others_holds_up_none() {
    let found = texts(&outcomes(&W9, REMEDIED, &[]));
    let rejected =
        "a: done | b: rejected | c: done, ended | closed, dropped 0, rejected 1, pending [1]";
    assert!(found.contains(rejected), "{found:?}");
}

#[test]
fn one_order_of_cases_gives_fewer_outcomes() {
    for case in ALL {
        let any = outcomes(&case, REMEDIED, &[]);
        let one = outcomes(&case, REMEDIED, &SHELL);
        assert!(one.ended.is_subset(&any.ended), "{}", case.name);
        assert!(!one.ended.is_empty(), "{}", case.name);
    }
    // Cancelled with a message pending, the shell delivers it.
    let ended = |order| outcomes(&W6, REMEDIED, order).ended.len();
    assert_eq!((ended(&[]), ended(&SHELL)), (3, 2));
}

#[test]
fn mutants_are_killed_by_their_cases() {
    let stuck = |case: Case, change: fn(&mut Strategies)| {
        let mut strategies = REMEDIED;
        change(&mut strategies);
        outcomes(&case, strategies, &[]).stuck
    };
    let waits = |case, change| stuck(case, change).iter().any(|o| o.aborted.is_none());
    let aborts = |case, change, abort| stuck(case, change).iter().any(|o| o.aborted == Some(abort));
    assert!(waits(W3, |s| s.overflow = Overflow::OldestBlocking));
    assert!(waits(W8A, |s| s.waiting = Waiting::Unchecked));
    assert!(waits(W9, |s| s.publication = Publication::Locked));
    let append = Abort::AppendToClosed;
    assert!(aborts(W5, |s| s.close = Close::Unlocked, append));
    assert!(aborts(
        W7,
        |s| s.close = Close::Repeated,
        Abort::ClosedTwice
    ));

    let newest = Strategies {
        overflow: Overflow::Newest,
        ..REMEDIED
    };
    let lost = Returned::Received(Receipt::DroppedNewest);
    let mut found = outcomes(&W2, newest, &[]).ended.into_iter();
    assert!(found.any(|outcome| outcome.calls.concat().contains(&lost)));
    let unlocked = Strategies {
        overflow: Overflow::OldestUnlocked,
        ..REMEDIED
    };
    let mut found = outcomes(&W2, unlocked, &[]).ended.into_iter();
    assert!(found.any(|outcome| outcome.pending.len() > 1));
}
