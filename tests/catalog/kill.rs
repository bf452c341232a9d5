//! Catalogs under a process that is killed.

use std::env;
use std::thread::sleep;
use std::time::Duration;

use concord::adapters::catalog::MvccStore;
use concord::systems::catalog::Level;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};
use crate::durability::{CACHE, Ledger, Life};
use crate::process::{again, next_line, say};

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
    /// The operation that has not returned.
    open: Option<String>,
}

impl Said {
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
    let mut ledger = Ledger::new(level);
    if let Ok(role) = env::var(ROLE) {
        return work_until_killed(&role, &ledger);
    }
    let (kills, seed) = (soak(8, 200), seed());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("killed.redb");
    let (mut kill, mut inside, mut elsewhere, mut opening) = (0, 0, 0, 0);
    // Where a kill falls depends on how busy the machine is.
    while kill < kills || inside * 2 < kill {
        assert!(
            kill < kills * 8,
            "{inside} of {kill} kills inside a save or split"
        );
        kill += 1;
        let role = format!("{} {}", rng.random::<u64>(), file.display());
        let (mut child, mut told) = again(test, ROLE, role);
        let mut said = Said::default();
        if rng.random_ratio(1, 8) {
            // While it starts, makes or opens the database.
            sleep(Duration::from_micros(rng.random_range(0..30_000)));
        } else {
            let operations = rng.random_range(1..30);
            let wanted = |said: &Said| matches!(said.open.as_deref(), Some("save" | "split"));
            while said.begun < operations || !wanted(&said) {
                let line = next_line(&mut told).expect("it runs until it is killed");
                said.hear(&line, &mut ledger);
            }
            sleep(Duration::from_micros(rng.random_range(0..1_000)));
        }
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        while let Some(line) = next_line(&mut told) {
            said.hear(&line, &mut ledger);
        }
        match said.open.as_deref() {
            Some("save" | "split") => inside += 1,
            Some(_) => elsewhere += 1,
            None => {}
        }
        opening += u64::from(!said.has_opened);

        let store = MvccStore::open(&file, CACHE).expect("it opens after every kill");
        if let Err(loss) = ledger.check(&store) {
            panic!("seed {seed}, kill {kill}: {loss}");
        }
        store.close().expect("nothing failed");
    }
    println!(
        "killed catalog, level {level:?}: seed {seed}, {kill} kills, {inside} inside a save or split, \
         {elsewhere} inside another operation, {opening} before the store was open, {} operations \
         acknowledged and found, {} in flight kept, {} in flight gone",
        ledger.operations, ledger.in_flight_kept, ledger.in_flight_gone,
    );
}
