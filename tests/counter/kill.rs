//! The database under a process that is killed.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::thread::{scope, sleep};
use std::time::Duration;

use concord::adapters::{Counter, Database, Durability, Ids, MerkleTables, Offline, SharedCounter};
use concord::systems::counter::{Direction, Generation};
use concord::systems::merkle::driver::Backend;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};
use crate::durability::{KEYS, Ledger, NODE, sub_counter};
use crate::process::{again, next_line, say};

/// Tells the child how many threads share the counter, none if one thread has it to itself, and its
/// database.
const ROLE: &str = "CONCORD_KILLED_COUNTER";

/// Bumps until it is killed, and says so: `life GENERATION`, then for each call `begin THREAD
/// DIRECTION KEY` and `ack THREAD`. Line by line, so that the parent knows each before the next thing
/// happens.
fn bump_until_killed(role: &str) {
    let (threads, database) = role.split_once(' ').expect("the parent says both");
    let threads: usize = threads.parse().expect("the parent counts");
    if threads == 0 {
        let mut counter = Counter::open(database, NODE).expect("the database opens");
        say(format!("\nlife {}\n", counter.generation()));
        return bump_forever(0, |direction, key| match direction {
            Direction::Incr => counter.increment(key, &mut Offline).is_ok(),
            Direction::Decr => counter.decrement(key, &mut Offline).is_ok(),
        });
    }
    let durability = Durability::EachIncrement;
    let counter = SharedCounter::open(database, NODE, Offline, durability);
    let counter = counter.expect("the database opens");
    say(format!("\nlife {}\n", counter.generation()));
    scope(|scope| {
        for thread in 0..threads {
            let mut writer = counter.writer();
            scope.spawn(move || {
                bump_forever(thread, |direction, key| match direction {
                    Direction::Incr => writer.increment(key).is_ok(),
                    Direction::Decr => writer.decrement(key).is_ok(),
                });
            });
        }
    });
}

fn bump_forever(thread: usize, mut bump: impl FnMut(Direction, &str) -> bool) {
    for n in 0_usize.. {
        let key = KEYS[n % KEYS.len()];
        let (direction, name) = match n % 4 {
            3 => (Direction::Decr, "decr"),
            _ => (Direction::Incr, "incr"),
        };
        say(format!("begin {thread} {name} {key}\n"));
        assert!(bump(direction, key), "nothing fails but by being killed");
        say(format!("ack {thread}\n"));
    }
}

/// What one killed process said.
#[derive(Default)]
struct Life {
    generation: Option<Generation>,
    /// The calls begun and not acknowledged, by thread.
    open: BTreeMap<String, Arc<str>>,
    begun: u64,
}

impl Life {
    fn hear(&mut self, line: &str, ledger: &mut Ledger) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["life", generation] => self.generation = Generation::parse(generation),
            ["begin", thread, direction, key] => {
                let direction = match *direction {
                    "decr" => Direction::Decr,
                    _ => Direction::Incr,
                };
                let generation = self.generation.expect("the life comes first");
                let own = sub_counter(direction, key, generation);
                ledger.begin(&own);
                self.open.insert((*thread).to_owned(), own);
                self.begun += 1;
            }
            ["ack", thread] => {
                let call = self.open.remove(*thread);
                ledger.acknowledge(&call.expect("an ack follows a begin"));
            }
            // The test harness of the child talks too.
            _ => {}
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    kill_again_and_again("kill::a_killed_process_loses_nothing_acknowledged", 0);
}

/// Increments that share a commit included.
#[test]
fn a_killed_process_loses_nothing_that_its_threads_were_told_is_durable() {
    let test = "kill::a_killed_process_loses_nothing_that_its_threads_were_told_is_durable";
    kill_again_and_again(test, 3);
}

/// `test` is the one that calls: it runs in the child as well, which is the process to be killed.
fn kill_again_and_again(test: &str, threads: usize) {
    if let Ok(role) = env::var(ROLE) {
        return bump_until_killed(&role);
    }
    let (kills, seed) = (soak(12, 200), seed());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("killed.redb");
    let mut ledger = Ledger::default();
    let (mut inside, mut opening) = (0, 0);
    for kill in 0..kills {
        let role = format!("{threads} {}", file.display());
        let (mut child, mut said) = again(test, ROLE, role);
        let mut life = Life::default();
        if rng.random_ratio(1, 8) {
            // While it starts, makes or opens the database.
            sleep(Duration::from_micros(rng.random_range(0..30_000)));
        } else {
            let calls = rng.random_range(1..40);
            while life.begun < calls {
                let line = next_line(&mut said).expect("it runs until it is killed");
                life.hear(&line, &mut ledger);
            }
            sleep(Duration::from_micros(rng.random_range(0..5_000)));
        }
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        while let Some(line) = next_line(&mut said) {
            life.hear(&line, &mut ledger);
        }
        inside += u64::from(!life.open.is_empty());
        opening += u64::from(life.generation.is_none());

        let database = Database::<MerkleTables<Ids>>::open(&file);
        let mut database = database.expect("it opens after every kill");
        let disk = database.load().expect("it has just been read");
        if let Err(loss) = ledger.check(&disk) {
            panic!("seed {seed}, kill {kill}: {loss}");
        }
    }
    println!(
        "killed process, {threads} threads: seed {seed}, {kills} kills, {inside} inside a call, {opening} before the \
         counter was open, {kills} recoveries, {} bumps acknowledged and found, {} in doubt kept, {} \
         in doubt gone, 0 units lost beyond the table",
        ledger.acknowledged(),
        ledger.in_doubt_kept,
        ledger.in_doubt_gone,
    );
    assert!(
        inside * 2 >= kills,
        "{inside} of {kills} kills inside a call"
    );
}
