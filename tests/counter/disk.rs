//! The database on a simulated disk that keeps, drops or tears what was not flushed when it crashes.

use concord::adapters::{Counter, Database, Error, Ids, MerkleTables, Offline};
use concord::systems::counter::{Direction, Generation};
use concord::systems::merkle::driver::Backend;
use concord::systems::merkle::{Disk, Write};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};
use crate::durability::{KEYS, Ledger, NODE, sub_counter};
use crate::simulated::{self, Crashes, Flush};

type Tables = MerkleTables<Ids>;

/// A mutant: acknowledges without making durable.
struct Forgetful(Database<Tables>);

impl Backend<Disk<Ids>, Write<Ids>> for Forgetful {
    type Error = Error;

    fn load(&mut self) -> Result<Disk<Ids>, Error> {
        self.0.load()
    }

    fn write(&mut self, write: &Write<Ids>) -> Result<(), Error> {
        self.0.write(write)
    }

    fn sync(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn wipe(&mut self) -> Result<(), Error> {
        self.0.wipe()
    }
}

#[derive(Default, Debug)]
struct Figures {
    crashes: Crashes,
    inside_a_call: u64,
    /// Acknowledged and found at the end.
    acknowledged: u64,
    in_doubt_kept: u64,
    in_doubt_gone: u64,
}

/// Several process lives on one disk, each ended by a crash of the machine. Says what was found
/// missing, if anything.
fn lives<B>(
    rng: &mut ChaCha8Rng,
    flush: Flush,
    adapter: impl Fn(Database<Tables>) -> B,
    ledger: &mut Ledger,
    figures: &mut Figures,
) -> Result<(), String>
where
    B: Backend<Disk<Ids>, Write<Ids>, Error = Error>,
{
    let open = |disk| Database::<Tables>::with_backend("simulated", disk);
    let Figures {
        crashes,
        inside_a_call,
        ..
    } = figures;
    let found = simulated::lives(rng, flush, 1..120, crashes, open, |database, rng| {
        let mut generation = [0; 16];
        rng.fill_bytes(&mut generation);
        let disk = adapter(database);
        life(disk, Generation(generation), rng, ledger, inside_a_call)
    });
    let disk = found?.load().expect("it has just been read");
    ledger.check(&disk)
}

/// Bumps until the machine crashes, or for a while.
fn life<B>(
    mut disk: B,
    generation: Generation,
    rng: &mut ChaCha8Rng,
    ledger: &mut Ledger,
    inside_a_call: &mut u64,
) -> Result<(), String>
where
    B: Backend<Disk<Ids>, Write<Ids>, Error = Error>,
{
    let found = disk.load().map_err(|error| error.to_string())?;
    ledger.check(&found)?;
    let counter = Counter::on(disk, NODE, generation);
    let mut counter = counter.map_err(|error| error.to_string())?;
    for _ in 0..60 {
        let key = KEYS[rng.random_range(0..KEYS.len())];
        let up = rng.random_bool(0.7);
        let direction = if up { Direction::Incr } else { Direction::Decr };
        let own = sub_counter(direction, key, generation);
        ledger.begin(&own);
        let bumped = if up {
            counter.increment(key, &mut Offline)
        } else {
            counter.decrement(key, &mut Offline)
        };
        if bumped.is_err() {
            *inside_a_call += 1;
            return Ok(());
        }
        ledger.acknowledge(&own);
    }
    Ok(())
}

fn run<B>(
    seeds: u64,
    flush: Flush,
    adapter: impl Fn(Database<Tables>) -> B + Copy,
) -> (Figures, Vec<String>)
where
    B: Backend<Disk<Ids>, Write<Ids>, Error = Error>,
{
    let mut all = Figures::default();
    let mut losses = Vec::new();
    for seed in seed()..seed() + seeds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut ledger = Ledger::default();
        if let Err(loss) = lives(&mut rng, flush, adapter, &mut ledger, &mut all) {
            losses.push(format!("seed {seed}: {loss}"));
        }
        all.acknowledged += ledger.acknowledged();
        all.in_doubt_kept += ledger.in_doubt_kept;
        all.in_doubt_gone += ledger.in_doubt_gone;
    }
    println!(
        "simulated disk, flush {flush:?}: {seeds} seeds, {} bad, {all:?}",
        losses.len()
    );
    (all, losses)
}

#[test]
fn no_acknowledged_bump_is_lost_by_a_crash_of_the_machine() {
    let seeds = soak(100, 2_000);
    let (figures, losses) = run(seeds, Flush::Kept, |database| database);
    assert!(losses.is_empty(), "{losses:#?}");
    // The hard cases were met.
    assert!(figures.crashes.while_opening > 0, "{figures:?}");
    assert!(figures.inside_a_call > 0, "{figures:?}");
    assert!(figures.in_doubt_kept > 0, "{figures:?}");
    assert!(figures.in_doubt_gone > 0, "{figures:?}");
}

#[test]
fn an_adapter_that_does_not_sync_is_caught() {
    let (_, losses) = run(soak(20, 100), Flush::Kept, Forgetful);
    assert!(
        losses.iter().any(|loss| loss.contains("acknowledged")),
        "{losses:#?}"
    );
}

#[test]
fn a_disk_that_ignores_flushes_is_caught() {
    let (_, losses) = run(soak(20, 100), Flush::Ignored, |database| database);
    assert!(!losses.is_empty());
}
