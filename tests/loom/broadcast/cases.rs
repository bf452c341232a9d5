//! The cases of section 5 on upstream's broadcaster and on the remedied one: every interleaving has
//! the properties, what must be seen is seen, and all ends together are those of the model.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use concord::models::broadcast::cases::{
    Case, Outcome, Returned, W1, W2, W3, W4, W5, W6, W7, W8A, W8B, W8C, W8D, W9, outcomes,
};

use crate::broadcast::{Choice, Receipt, Stop, Strategies};
use crate::explore::explore;

use super::checks::{assert_reference, assert_remedied};
use super::run::{Look, Ran, run};
use super::setting::{Drive, Setting, choices, options};

/// What must be seen in some interleaving.
type Sight = (&'static str, fn(&Ran) -> bool);

/// How a case is explored.
#[derive(Clone, Copy)]
struct Exploration {
    case: Case,
    drive: Drive,
    /// How often the channel is looked at meanwhile.
    looks: usize,
    preemption_bound: Option<usize>,
    /// Interleavings with upstream's broadcaster and with the remedied one, at the least.
    minima: [u64; 2],
}

impl Exploration {
    /// Every interleaving of threads that wait.
    const fn of(case: Case, minima: [u64; 2]) -> Self {
        Self {
            case,
            drive: Drive::Thread,
            looks: 0,
            preemption_bound: None,
            minima,
        }
    }

    /// With looks at the channel, each at any time.
    const fn watched(self) -> Self {
        Self { looks: 2, ..self }
    }

    /// A thread more than loom can explore without a bound: the one that looks.
    const fn bounded(self) -> Self {
        Self {
            preemption_bound: Some(3),
            ..self
        }
    }

    const fn of_tasks(self) -> Self {
        Self {
            drive: Drive::Task,
            ..self
        }
    }

    /// Asserts everything of upstream's broadcaster, which shows `sights`.
    fn holds_on_reference(&self, sights: &[Sight]) {
        self.holds(Strategies::REFERENCE, self.minima[0], sights);
    }

    /// Asserts everything of the remedied broadcaster, which shows `sights`.
    fn holds_on_remedied(&self, sights: &[Sight]) {
        self.holds(Strategies::REMEDIED, self.minima[1], sights);
    }

    fn holds_on_both(&self, sights: &[Sight]) {
        self.holds_on_reference(sights);
        self.holds_on_remedied(sights);
    }

    fn holds(&self, strategies: Strategies, minimum: u64, sights: &[Sight]) {
        let found = Arc::new(Mutex::new(Found::default()));
        let choices = choices(&options(&self.case, self.drive));
        let start = Instant::now();
        let iterations = choices.into_iter().map(|choices| {
            let setting = Setting {
                case: self.case,
                strategies,
                drive: self.drive,
                choices,
                looks: self.looks,
            };
            self.explore(setting, sights.to_vec(), &found)
        });
        let iterations: u64 = iterations.sum();
        let seconds = start.elapsed().as_secs_f64();
        let name = format!("{} {}", self.case.name, named(strategies));
        println!(
            "{name} {:?} looks {}: {iterations} {seconds:.2}",
            self.drive, self.looks
        );
        assert!(iterations >= minimum, "{name}: only {iterations}");

        let found = found.lock().expect("no interleaving failed");
        for (sight, _) in sights {
            assert!(found.sights.contains(sight), "{name}: never {sight}");
        }
        self.agrees(strategies, &found.ends);
    }

    fn explore(&self, setting: Setting, sights: Vec<Sight>, found: &Arc<Mutex<Found>>) -> u64 {
        let found = Arc::clone(found);
        let name = format!(
            "{} {} {:?}",
            self.case.name,
            named(setting.strategies),
            setting.choices
        );
        explore(&name, 1, self.preemption_bound, move || {
            let ran = run(&setting);
            assert_reference(&setting.case, &ran);
            if setting.strategies == Strategies::REMEDIED {
                assert_remedied(&setting.case, &ran);
            }
            let mut found = found
                .lock()
                .expect("an interleaving that fails is the last");
            let seen = sights.iter().filter(|(_, sees)| sees(&ran));
            found.sights.extend(seen.map(|(sight, _)| *sight));
            found.ends.insert(ran.outcome());
        })
    }

    /// Asserts that the ends are those of the model. With a bound some may be missing, and so may
    /// those of upstream's broadcaster that tell choosing from closing, where both prefer the same
    /// case: the shell does these in one piece.
    fn agrees(&self, strategies: Strategies, found: &BTreeSet<Outcome>) {
        let order: &[Choice] = match self.drive {
            Drive::Thread => &[],
            Drive::Task => &[Choice::Data, Choice::Caller, Choice::Parent],
        };
        let expected = outcomes(&self.case, strategies, order);
        let name = self.case.name;
        assert_eq!(expected.stuck, BTreeSet::new(), "{name}: by the model");
        let surplus = listed(found.difference(&expected.ended));
        let missing = listed(expected.ended.difference(found));
        let prefers = self.drive == Drive::Task && strategies == Strategies::REFERENCE;
        let is_complete = missing.is_empty() || prefers || self.preemption_bound.is_some();
        assert!(
            surplus.is_empty() && is_complete,
            "{name}: only the shell ends in\n{surplus}only the model ends in\n{missing}"
        );
    }
}

#[derive(Default)]
struct Found {
    sights: BTreeSet<&'static str>,
    ends: BTreeSet<Outcome>,
}

fn named(strategies: Strategies) -> &'static str {
    if strategies == Strategies::REMEDIED {
        "remedied"
    } else {
        "reference"
    }
}

fn listed<'a>(ends: impl Iterator<Item = &'a Outcome>) -> String {
    ends.fold(String::new(), |mut list, end| {
        writeln!(list, "  {end}").expect("text takes text");
        list
    })
}

fn took(ran: &Ran, message: Option<u8>) -> bool {
    let mut returned = ran.returned();
    returned
        .any(|returned| matches!(returned, Returned::Taken(Ok(taken)) if taken.message == message))
}

fn received(ran: &Ran, wanted: Receipt) -> bool {
    let mut returned = ran.returned();
    returned.any(|returned| returned == Returned::Received(wanted))
}

/// How many Nexts closed.
fn closed(ran: &Ran) -> usize {
    let closes = |returned: &Returned| {
        matches!(
            returned,
            Returned::Taken(Err(Stop::Cancelled | Stop::Ended))
        )
    };
    ran.returned().filter(closes).count()
}

fn dropped(ran: &Ran) -> u64 {
    ran.end().counts.dropped
}

/// Whether a look fell between R3 and R4 of a Receive that finds the queue full, with so many
/// messages left by then.
fn left_before_removal(ran: &Ran, pending: usize) -> bool {
    let full = |look: &Look| look.locked && look.counts.dropped == 0;
    let mut looks = ran.looks.iter();
    looks.any(|look| full(look) && look.pending.len() == pending)
}

#[test]
fn w1_next_takes_the_old_message_or_the_new_one() {
    let sights: [Sight; 2] = [
        ("the old one", |ran| took(ran, Some(1)) && dropped(ran) == 0),
        ("the new one", |ran| took(ran, Some(2)) && dropped(ran) == 1),
    ];
    Exploration::of(W1, [1_400, 1_400])
        .watched()
        .holds_on_both(&sights);
}

#[test]
fn w2_a_receive_drops_what_the_other_received() {
    let sights: [Sight; 3] = [
        ("two dropped", |ran| dropped(ran) == 2),
        ("one dropped", |ran| dropped(ran) == 1),
        ("the old one taken", |ran| took(ran, Some(1))),
    ];
    Exploration::of(W2, [25_000, 25_000]).holds_on_both(&sights);
}

#[test]
fn w2_is_bounded_at_any_time() {
    let sights: [Sight; 1] = [("removed, not yet appended", |ran| {
        let mut looks = ran.looks.iter();
        looks.any(|look| look.locked && look.pending.is_empty())
    })];
    let watched = Exploration::of(W2, [5_000, 4_900]).watched().bounded();
    watched.holds_on_both(&sights);
}

#[test]
fn w3_queue_drained_under_the_mutex_takes_the_message_and_drops_none() {
    let sights: [Sight; 1] = [("drained under the mutex", |ran| {
        left_before_removal(ran, 0) && received(ran, Receipt::Queued) && dropped(ran) == 0
    })];
    Exploration::of(W3, [3_400, 2_800])
        .watched()
        .holds_on_both(&sights);
}

#[test]
fn w4_reference_drops_with_room_and_the_remedied_one_appends() {
    let watched = Exploration::of(W4, [1_200, 1_100]).watched();
    watched.holds_on_reference(&[("dropped with room (B-3)", |ran| {
        left_before_removal(ran, 1) && took(ran, Some(1)) && ran.end().pending == [3]
    })]);
    watched.holds_on_remedied(&[("appended by the second try", |ran| {
        left_before_removal(ran, 1) && took(ran, Some(1)) && ran.end().pending == [2, 3]
    })]);
}

#[test]
fn w5_receive_is_done_before_a_close_or_finds_it() {
    let sights: [Sight; 4] = [
        ("rejected, and closed", |ran| {
            received(ran, Receipt::Rejected) && closed(ran) == 1
        }),
        ("rejected, and not closed", |ran| {
            received(ran, Receipt::Rejected) && closed(ran) == 0
        }),
        ("dropped the oldest, and closed", |ran| {
            received(ran, Receipt::DroppedOldest) && closed(ran) == 1
        }),
        ("taken", |ran| took(ran, Some(2))),
    ];
    Exploration::of(W5, [47_000, 47_000]).holds_on_both(&sights);
}

#[test]
fn w5_close_waits_for_a_receive() {
    let sights: [Sight; 2] = [
        ("cancelled between R3 and R4, closed after R6", |ran| {
            let mut looks = ran.looks.iter();
            looks.any(|look| look.locked && look.cancelled && !look.closed) && closed(ran) == 1
        }),
        ("closed before R1", |ran| {
            let mut looks = ran.looks.iter();
            looks.any(|look| look.closed && look.counts.received == 1)
        }),
    ];
    let watched = Exploration::of(W5, [11_700, 11_700]).watched().bounded();
    watched.holds_on_both(&sights);
}

#[test]
fn w5_task_waits_for_a_receive_to_close() {
    let tasks = Exploration::of(W5, [193_000, 193_000]).of_tasks();
    tasks.holds_on_remedied(&[("closed after waiting", |ran| ran.waited && closed(ran) == 1)]);
}

#[test]
fn w6_message_is_queued_or_rejected() {
    let sights: [Sight; 4] = [
        ("queued", |ran| received(ran, Receipt::Queued)),
        ("rejected", |ran| received(ran, Receipt::Rejected)),
        ("taken", |ran| took(ran, Some(1))),
        ("closed", |ran| closed(ran) == 1),
    ];
    Exploration::of(W6, [9_600, 9_600]).holds_on_both(&sights);
}

#[test]
fn w7_two_nexts_close_once() {
    let watched = Exploration::of(W7, [1_180, 1_180]).watched();
    let both: Sight = ("both close", |ran| closed(ran) == 2);
    watched.holds_on_reference(&[
        both,
        ("no message (B-1)", |ran| {
            took(ran, None) && closed(ran) == 1
        }),
    ]);
    watched.holds_on_remedied(&[both]);
}

#[test]
fn w8_waiting_next_is_woken_by_a_message() {
    let threads = Exploration::of(W8A, [460, 460]).watched();
    let tasks = Exploration::of(W8A, [1_880, 1_880]).watched().of_tasks();
    threads.holds_on_both(&[("taken", |ran| took(ran, Some(1)))]);
    tasks.holds_on_both(&[("taken after waiting", |ran| {
        ran.waited && took(ran, Some(1))
    })]);
}

#[test]
fn w8_waiting_next_is_woken_by_cancelling() {
    let threads = Exploration::of(W8B, [930, 930]).watched();
    let tasks = Exploration::of(W8B, [1_880, 1_880]).watched().of_tasks();
    threads.holds_on_both(&[("closed", |ran| closed(ran) == 1)]);
    tasks.holds_on_both(&[("closed after waiting", |ran| ran.waited && closed(ran) == 1)]);
}

#[test]
fn w8_waiting_next_is_woken_by_its_caller() {
    fn gave_up(ran: &Ran) -> bool {
        let mut returned = ran.returned();
        returned.any(|returned| matches!(returned, Returned::Taken(Err(Stop::Caller(_)))))
    }
    let threads = Exploration::of(W8C, [980, 980]).watched();
    let tasks = Exploration::of(W8C, [1_900, 1_900]).watched().of_tasks();
    threads.holds_on_both(&[("given up", gave_up)]);
    tasks.holds_on_both(&[("given up after waiting", |ran| ran.waited && gave_up(ran))]);
}

#[test]
fn w8_waiting_next_is_woken_while_another_closes() {
    let both: Sight = ("both close", |ran| closed(ran) == 2);
    let threads = Exploration::of(W8D, [6_700, 6_700]).watched();
    let tasks = Exploration::of(W8D, [8_700, 8_700]).watched().of_tasks();
    threads.holds_on_both(&[both]);
    tasks.holds_on_reference(&[("a task waits", |ran| ran.waited)]);
    tasks.holds_on_remedied(&[both, ("a task waits", |ran| ran.waited)]);
}

#[test]
fn w9_publication_that_does_not_end_holds_up_nobody() {
    let sights: [Sight; 3] = [
        ("closed meanwhile", |ran| ran.publishing && closed(ran) == 1),
        ("received meanwhile", |ran| {
            ran.publishing && received(ran, Receipt::DroppedOldest)
        }),
        ("taken meanwhile", |ran| {
            ran.publishing && took(ran, Some(2))
        }),
    ];
    Exploration::of(W9, [15_000, 15_000]).holds_on_both(&sights);
}
