//! Each fault of the broadcaster is found by the case that is named for it.

use std::sync::Arc;

use concord::models::broadcast::cases::{Case, W2, W3, W4, W5, W6, W7, W8A, W8B, W8C, W8D, W9};

use loom::thread;

use crate::broadcast::{
    Choice, Close, Drained, Overflow, Publication, Receipt, Strategies, Waiting,
};
use crate::explore::{explore, fails};

use super::checks::{assert_reference, assert_remedied};
use super::run::{prepared, run};
use super::setting::{Drive, Setting, options};

const REMEDIED: Strategies = Strategies::REMEDIED;

const LOCKED: Strategies = Strategies {
    publication: Publication::Locked,
    ..REMEDIED
};

const DEADLOCK: &str = "deadlock";
const APPEND: &str = "append to a closed queue";
const CLOSE: &str = "close of a closed queue";

/// Asserts that some interleaving of `case` fails with `message`. Each call takes `choice` where it
/// can.
#[track_caller]
fn assert_killed(strategies: Strategies, case: Case, choice: Choice, message: &str) {
    assert_killed_as(Drive::Thread, strategies, case, choice, message);
}

#[track_caller]
fn assert_killed_as(
    drive: Drive,
    strategies: Strategies,
    case: Case,
    choice: Choice,
    message: &str,
) {
    let found = fails(asserting(drive, strategies, case, choice));
    println!("{} {found}", case.name);
    assert!(found.contains(message), "{}: {found}", case.name);
}

/// Runs a case and asserts all that the remedied broadcaster keeps.
fn asserting(
    drive: Drive,
    strategies: Strategies,
    case: Case,
    choice: Choice,
) -> impl Fn() + Send + Sync {
    let choose = |options: &&'static [Choice]| match options.contains(&choice) {
        true => choice,
        false => options[0],
    };
    let choices = options(&case, drive);
    let choices = choices
        .iter()
        .map(|calls| calls.iter().map(choose).collect());
    let setting = Setting {
        case,
        strategies,
        drive,
        choices: choices.collect(),
        looks: if case.threads.len() < 3 { 2 } else { 0 },
    };
    move || {
        let ran = run(&setting);
        assert_reference(&setting.case, &ran);
        assert_remedied(&setting.case, &ran);
    }
}

fn overflow(overflow: Overflow) -> Strategies {
    Strategies {
        overflow,
        ..REMEDIED
    }
}

fn close(close: Close) -> Strategies {
    Strategies { close, ..REMEDIED }
}

/// B-H2.
#[test]
fn dropping_the_new_message_is_found_by_w2() {
    let newest = overflow(Overflow::Newest);
    assert_killed(newest, W2, Choice::Data, "BRC-S3 newest-kept");
}

/// B-H3.
#[test]
fn closing_bare_is_found_by_w7_and_w6() {
    let bare = close(Close::Bare);
    assert_killed(bare, W7, Choice::Parent, CLOSE);
    assert_killed(bare, W6, Choice::Parent, APPEND);
}

/// B-H4.
#[test]
fn waiting_for_the_oldest_under_the_mutex_is_found_by_w3() {
    assert_killed(
        overflow(Overflow::OldestBlocking),
        W3,
        Choice::Data,
        DEADLOCK,
    );
}

/// B-H5.
#[test]
fn closing_once_without_a_flag_is_found_by_w5_and_w6() {
    let once = close(Close::Once);
    assert_killed(once, W5, Choice::Parent, APPEND);
    assert_killed(once, W6, Choice::Parent, APPEND);
}

/// B-H6.
#[test]
fn publishing_under_the_mutex_is_found_by_w9() {
    assert_killed(LOCKED, W9, Choice::Data, DEADLOCK);
}

/// Were it not so, W9 would say nothing about publications that do not end.
#[test]
fn publication_under_the_mutex_gives_it_back() {
    explore("publication that ends", 12, None, || {
        let broadcaster = Arc::new(prepared(&W9, LOCKED));
        broadcaster.publisher().open();
        let other = Arc::clone(&broadcaster);
        let publisher = thread::spawn(move || other.broadcast(9));
        assert_eq!(broadcaster.inbox().receive(2), Receipt::DroppedOldest);
        let Ok(()) = publisher.join().expect("it ends");
    });
}

#[test]
fn closing_without_the_mutex_is_found_by_w5() {
    assert_killed(close(Close::Unlocked), W5, Choice::Parent, APPEND);
}

#[test]
fn closing_twice_is_found_by_w7() {
    assert_killed(close(Close::Repeated), W7, Choice::Parent, CLOSE);
}

#[test]
fn dropping_without_the_mutex_is_found_by_w2() {
    let unlocked = overflow(Overflow::OldestUnlocked);
    assert_killed(unlocked, W2, Choice::Data, "BRC-S2 bounded");
}

#[test]
fn waiting_without_another_look_is_found_by_w8() {
    let unchecked = Strategies {
        waiting: Waiting::Unchecked,
        ..REMEDIED
    };
    for case in [W8A, W8B, W8C, W8D] {
        for drive in [Drive::Thread, Drive::Task] {
            assert_killed_as(drive, unchecked, case, Choice::Data, DEADLOCK);
        }
    }
}

/// B-1.
#[test]
fn empty_message_after_close_is_found_by_w7() {
    let silent = Strategies {
        drained: Drained::NoMessage,
        ..REMEDIED
    };
    assert_killed(silent, W7, Choice::Data, "BRC-S9 no-phantom");
}

/// B-3. To look before and after the removal takes more preemptions than most failures need.
#[test]
#[should_panic(expected = "BRC-S7 drop-only-when-full")]
fn dropping_with_room_is_found_by_w4() {
    let oldest = overflow(Overflow::Oldest);
    let case = asserting(Drive::Thread, oldest, W4, Choice::Data);
    explore("W4 that drops with room", 1, None, case);
}
