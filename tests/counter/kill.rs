//! The database under a process that is killed.

use std::env;
use std::io::Write;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use concord::adapters::{Counter, Database, Ids, MerkleTables, Offline};
use concord::systems::counter::{Direction, Generation};
use concord::systems::merkle::driver::Backend;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};
use crate::durability::{KEYS, Ledger, NODE, sub_counter};
use crate::process::{again, next_line};

/// Tells the child its database.
const DATABASE: &str = "CONCORD_KILLED_DATABASE";
/// The test below, which runs in the child as well: there it is the process to be killed.
const TEST: &str = "kill::a_killed_process_loses_nothing_acknowledged";

/// Bumps until it is killed, and says so: `life GENERATION`, then for each call `begin DIRECTION KEY`
/// and `ack`. Line by line, so that the parent knows each before the next thing happens.
fn bump_until_killed(database: &str) {
    let mut counter = Counter::open(database, NODE).expect("the database opens");
    let mut out = std::io::stdout();
    let mut say = move |line: String| {
        out.write_all(line.as_bytes()).expect("the parent listens");
        out.flush().expect("the parent listens");
    };
    say(format!("\nlife {}\n", counter.generation()));
    for n in 0_usize.. {
        let key = KEYS[n % KEYS.len()];
        let bumped = if n % 4 == 3 {
            say(format!("begin decr {key}\n"));
            counter.decrement(key, &mut Offline)
        } else {
            say(format!("begin incr {key}\n"));
            counter.increment(key, &mut Offline)
        };
        bumped.expect("nothing fails but by being killed");
        say(String::from("ack\n"));
    }
}

/// What one killed process said.
#[derive(Default)]
struct Life {
    generation: Option<Generation>,
    /// The call begun and not acknowledged.
    open: Option<Arc<str>>,
    begun: u64,
}

impl Life {
    fn hear(&mut self, line: &str, ledger: &mut Ledger) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["life", generation] => self.generation = Generation::parse(generation),
            ["begin", direction, key] => {
                let direction = match *direction {
                    "decr" => Direction::Decr,
                    _ => Direction::Incr,
                };
                let generation = self.generation.expect("the life comes first");
                let own = sub_counter(direction, key, generation);
                ledger.begin(&own);
                self.open = Some(own);
                self.begun += 1;
            }
            ["ack"] => ledger.acknowledge(&self.open.take().expect("an ack follows a begin")),
            // The test harness of the child talks too.
            _ => {}
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    if let Ok(database) = env::var(DATABASE) {
        return bump_until_killed(&database);
    }
    let (kills, seed) = (soak(12, 200), seed());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("killed.redb");
    let mut ledger = Ledger::default();
    let (mut inside, mut opening) = (0, 0);
    for kill in 0..kills {
        let (mut child, mut said) = again(TEST, DATABASE, &file);
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
        inside += u64::from(life.open.is_some());
        opening += u64::from(life.generation.is_none());

        let database = Database::<MerkleTables<Ids>>::open(&file);
        let mut database = database.expect("it opens after every kill");
        let disk = database.load().expect("it has just been read");
        if let Err(loss) = ledger.check(&disk) {
            panic!("seed {seed}, kill {kill}: {loss}");
        }
    }
    println!(
        "killed process: seed {seed}, {kills} kills, {inside} inside a call, {opening} before the \
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
