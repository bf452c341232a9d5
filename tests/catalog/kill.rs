//! Catalogs under a process that is killed.

use std::env;
use std::thread::sleep;
use std::time::{Duration, Instant};

use concord::adapters::catalog::MvccStore;
use concord::systems::catalog::Level;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};
use crate::durability::{CACHE, Ledger, Life};
use crate::process::{again, next_line, say};

/// Kills of one database. What the child tells of it grows with it, and must not take longer than what it does.
const LIVES: u64 = 8;

/// Tells the child its seed and its database.
const ROLE: &str = "CONCORD_KILLED_CATALOG";

/// Works until it is killed, and says so: `life`, then for each operation `begin NAME PICTURE`, with what the
/// store holds after it, and `ack`. Line by line, so that the parent knows each before the next thing
/// happens.
fn work_until_killed(role: &str, ledger: &Ledger) {
    let (seed, database) = role.split_once(' ').expect("the parent says both");
    let seed = seed.parse().expect("the parent counts");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let store = MvccStore::open(database, CACHE).expect("the database opens");
    let mut life = Life::new(store, ledger.settings()).expect("it can be read");
    say(String::from("\nlife\n"));
    loop {
        let operation = life.draw(&mut rng);
        let (picture, expected) = life.foresee(&operation);
        say(format!("begin {} {picture}\n", operation.name()));
        let done = life.run(&operation);
        assert_eq!(done, expected, "nothing else fails but by being killed");
        say(String::from("ack\n"));
    }
}

/// What one killed process said.
#[derive(Default)]
struct Said {
    has_opened: bool,
    begun: u64,
    acknowledged: u64,
    /// The operation that has not returned.
    open: Option<String>,
}

impl Said {
    fn is_in_save_or_split(&self) -> bool {
        matches!(self.open.as_deref(), Some("save" | "split"))
    }

    fn hear(&mut self, line: &str, ledger: &mut Ledger) {
        let words: Vec<&str> = line.trim_end().splitn(3, ' ').collect();
        match words.as_slice() {
            ["life"] => self.has_opened = true,
            ["begin", operation, picture] => {
                ledger.begin((*picture).to_owned());
                self.open = Some((*operation).to_owned());
                self.begun += 1;
            }
            ["ack"] => {
                ledger.acknowledge();
                self.acknowledged += 1;
                self.open = None;
            }
            // The test harness of the child talks too.
            _ => {}
        }
    }
}

#[test]
fn a_killed_process_leaves_the_acknowledged_catalog_or_the_one_in_flight() {
    let test = "kill::a_killed_process_leaves_the_acknowledged_catalog_or_the_one_in_flight";
    kill_again_and_again(test, Level::One);
}

#[test]
fn a_killed_process_leaves_deltas_with_their_catalog() {
    let test = "kill::a_killed_process_leaves_deltas_with_their_catalog";
    kill_again_and_again(test, Level::Two);
}

/// `test` is the one that calls: it runs in the child as well, which is the process to be killed.
fn kill_again_and_again(test: &str, level: Level) {
    if let Ok(role) = env::var(ROLE) {
        return work_until_killed(&role, &Ledger::new(level));
    }
    let (kills, seed) = (soak(8, 200), seed());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::new(level);
    let mut file = folder.path().join("killed.redb");
    let (mut kill, mut inside, mut elsewhere, mut opening) = (0, 0, 0, 0);
    let (mut operations, mut kept, mut gone) = (0, 0, 0);
    // How long a save or split took last.
    let mut takes = Duration::from_millis(1);
    // Where a kill falls depends on how busy the machine is.
    while kill < kills || inside * 2 < kills {
        assert!(
            kill < kills * 8,
            "{inside} of {kill} kills inside a save or split"
        );
        if kill % LIVES == 0 {
            ledger = Ledger::new(level);
            file = folder.path().join(format!("killed-{kill}.redb"));
        }
        kill += 1;
        let role = format!("{} {}", rng.random::<u64>(), file.display());
        let (mut child, mut told) = again(test, ROLE, role);
        let mut said = Said::default();
        if rng.random_ratio(1, 8) {
            // While it starts, makes or opens the database.
            sleep(Duration::from_micros(rng.random_range(0..30_000)));
        } else {
            let operations = rng.random_range(1..15);
            let mut begun = Instant::now();
            while said.begun < operations || !said.is_in_save_or_split() {
                let was_in = said.is_in_save_or_split();
                let line = next_line(&mut told).expect("it runs until it is killed");
                said.hear(&line, &mut ledger);
                match said.is_in_save_or_split() {
                    true => begun = Instant::now(),
                    false if was_in => takes = begun.elapsed(),
                    false => {}
                }
            }
            let until = begun + takes.mul_f64(rng.random());
            // No sleep is as short as a save on a disk of memory.
            while Instant::now() < until {}
        }
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        while let Some(line) = next_line(&mut told) {
            said.hear(&line, &mut ledger);
        }
        inside += u64::from(said.is_in_save_or_split());
        elsewhere += u64::from(said.open.is_some() && !said.is_in_save_or_split());
        opening += u64::from(!said.has_opened);

        let store = MvccStore::open(&file, CACHE).expect("it opens after every kill");
        let before = (ledger.in_flight_kept, ledger.in_flight_gone);
        if let Err(loss) = ledger.check(&store) {
            panic!("seed {seed}, kill {kill}: {loss}");
        }
        kept += ledger.in_flight_kept - before.0;
        gone += ledger.in_flight_gone - before.1;
        operations += said.acknowledged;
        store.close().expect("nothing failed");
    }
    println!(
        "killed catalog, level {level:?}: seed {seed}, {kill} kills, {inside} inside a save or split, \
         {elsewhere} inside another operation, {opening} before the store was open, {operations} operations \
         acknowledged and found, {kept} in flight kept, {gone} in flight gone",
    );
}
