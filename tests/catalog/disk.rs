//! Catalogs on a simulated disk that keeps, drops or tears what was not flushed when it crashes.

use concord::adapters::catalog::MvccStore;
use concord::systems::catalog::{Error, Level};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};
use crate::durability::{CACHE, Ledger, Life};
use crate::simulated::{self, Crashes, Flush};

#[derive(Default, Debug)]
struct Figures {
    crashes: Crashes,
    inside_a_call: u64,
    /// Acknowledged and found.
    acknowledged: u64,
    in_flight_kept: u64,
    in_flight_gone: u64,
}

/// Saves, splits and lets others write until the machine crashes, or for a while.
fn life(
    store: MvccStore,
    rng: &mut ChaCha8Rng,
    ledger: &mut Ledger,
    inside_a_call: &mut u64,
) -> Result<(), String> {
    ledger.check(&store)?;
    let life = Life::new(store, ledger.settings());
    let mut life = life.map_err(|error| error.to_string())?;
    for _ in 0..30 {
        let operation = life.draw(rng);
        let (picture, expected) = life.foresee(&operation);
        ledger.begin(picture);
        let done = life.run(&operation);
        if let Err(Error::Backend { .. }) = done {
            *inside_a_call += 1;
            return Ok(());
        }
        if done != expected {
            return Err(format!(
                "{operation:?} ended with {done:?}, not {expected:?}"
            ));
        }
        ledger.acknowledge();
    }
    Ok(())
}

fn run(seeds: u64, flush: Flush) -> (Figures, Vec<String>) {
    let mut all = Figures::default();
    let mut losses = Vec::new();
    for seed in seed()..seed() + seeds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let level = [Level::One, Level::Two][usize::from(seed % 2 == 0)];
        let mut ledger = Ledger::new(level);
        let Figures {
            crashes,
            inside_a_call,
            ..
        } = &mut all;
        let open = |disk| MvccStore::with_backend("simulated", disk, CACHE);
        let lived = simulated::lives(&mut rng, flush, 1..300, crashes, open, |store, rng| {
            life(store, rng, &mut ledger, inside_a_call)
        });
        if let Err(loss) = lived.and_then(|store| ledger.check(&store)) {
            losses.push(format!("seed {seed}: {loss}"));
        }
        all.acknowledged += ledger.operations;
        all.in_flight_kept += ledger.in_flight_kept;
        all.in_flight_gone += ledger.in_flight_gone;
    }
    println!(
        "catalogs on a simulated disk, flush {flush:?}: {seeds} seeds, {} bad, {all:?}",
        losses.len()
    );
    (all, losses)
}

#[test]
fn after_a_crash_of_the_machine_the_catalog_is_the_acknowledged_one_or_the_one_in_flight() {
    let (figures, losses) = run(soak(60, 2_000), Flush::Kept);
    assert!(losses.is_empty(), "{losses:#?}");
    // The hard cases were met.
    assert!(figures.crashes.while_opening > 0, "{figures:?}");
    assert!(figures.inside_a_call > 0, "{figures:?}");
    assert!(figures.in_flight_kept > 0, "{figures:?}");
    assert!(figures.in_flight_gone > 0, "{figures:?}");
}

/// A store that does not sync is the same as a disk that ignores it.
#[test]
fn a_store_that_does_not_sync_is_caught() {
    let (_, losses) = run(soak(20, 100), Flush::Ignored);
    assert!(!losses.is_empty());
}
