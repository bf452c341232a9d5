//! The database on a simulated disk that keeps, drops or tears what was not flushed when it crashes.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex};

use concord::adapters::{Counter, Database, Error, Ids, MerkleTables, Offline, StorageBackend};
use concord::systems::counter::{Direction, Generation};
use concord::systems::merkle::driver::Backend;
use concord::systems::merkle::{Disk, Write};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{seed, soak};
use crate::durability::{KEYS, Ledger, NODE, sub_counter};

type Tables = MerkleTables<Ids>;

/// What becomes of a flush.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Flush {
    Kept,
    /// The disk lies: a mutant.
    Ignored,
}

/// A disk shared by the database and the test.
#[derive(Clone, Debug)]
struct Simulated(Arc<Mutex<Platter>>);

#[derive(Debug)]
struct Platter {
    flush: Flush,
    /// What survives a crash for certain.
    flushed: Vec<u8>,
    /// What the database reads.
    current: Vec<u8>,
    /// Not flushed yet, oldest first.
    pending: Vec<Pending>,
    /// Writes, length changes and flushes left until the crash.
    left: u64,
}

#[derive(Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Len(usize),
}

impl Simulated {
    fn new(content: Vec<u8>, left: u64, flush: Flush) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            flush,
            flushed: content.clone(),
            current: content,
            pending: Vec::new(),
            left,
        })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Platter) -> T) -> T {
        f(&mut self.0.lock().expect("no panic while it is held"))
    }

    fn crash(&self) {
        self.with(|platter| platter.left = 0);
    }

    fn has_crashed(&self) -> bool {
        self.with(|platter| platter.left == 0)
    }

    /// What is on the disk after the crash: of every pending change all, nothing or a part.
    fn survivor(&self, rng: &mut ChaCha8Rng) -> Vec<u8> {
        self.with(|platter| {
            let mut content = platter.flushed.clone();
            let kept = [0.0, 0.5, 0.9, 1.0][rng.random_range(0..4)];
            for change in &platter.pending {
                let keep = rng.random_bool(kept);
                match change {
                    Pending::Len(len) if keep => content.resize(*len, 0),
                    Pending::Len(_) => {}
                    Pending::Write(at, data) if keep => put(&mut content, *at, data),
                    Pending::Write(at, data) if rng.random_bool(0.5) => {
                        let from = rng.random_range(0..=data.len());
                        let to = rng.random_range(from..=data.len());
                        // The middle, or all but the middle.
                        if rng.random_bool(0.5) {
                            put(&mut content, at + from, &data[from..to]);
                        } else {
                            put(&mut content, *at, &data[..from]);
                            put(&mut content, at + to, &data[to..]);
                        }
                    }
                    Pending::Write(..) => {}
                }
            }
            content
        })
    }
}

fn put(content: &mut Vec<u8>, at: usize, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    if content.len() < at + data.len() {
        content.resize(at + data.len(), 0);
    }
    content[at..at + data.len()].copy_from_slice(data);
}

fn dead() -> io::Error {
    io::Error::other("the simulated machine has crashed")
}

impl Platter {
    /// Whether the machine still runs after one more operation.
    fn survives(&mut self) -> io::Result<()> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { Err(dead()) } else { Ok(()) }
    }

    fn change(&mut self, change: Pending) -> io::Result<()> {
        if self.left == 0 {
            return Err(dead());
        }
        match &change {
            Pending::Write(at, data) => put(&mut self.current, *at, data),
            Pending::Len(len) => self.current.resize(*len, 0),
        }
        self.pending.push(change);
        self.survives()
    }
}

fn index(at: u64) -> usize {
    usize::try_from(at).expect("simulated disks are small")
}

impl StorageBackend for Simulated {
    fn len(&self) -> io::Result<u64> {
        self.with(|platter| Ok(platter.current.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|platter| {
            let end = index(offset) + out.len();
            let data = platter.current.get(index(offset)..end);
            out.copy_from_slice(data.ok_or(io::ErrorKind::UnexpectedEof)?);
            if platter.left == 0 {
                Err(dead())
            } else {
                Ok(())
            }
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|platter| platter.change(Pending::Len(index(len))))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|platter| {
            platter.survives()?;
            if platter.flush == Flush::Kept {
                platter.flushed.clone_from(&platter.current);
                platter.pending.clear();
            }
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|platter| platter.change(Pending::Write(index(offset), data.to_vec())))
    }
}

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
    crashes: u64,
    while_opening: u64,
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
    let mut content = Vec::new();
    for _ in 0..4 {
        let left = rng.random_range(1..120);
        let simulated = Simulated::new(content.clone(), left, flush);
        figures.crashes += 1;
        match Database::<Tables>::with_backend("simulated", simulated.clone()) {
            Ok(database) => {
                let mut generation = [0; 16];
                rng.fill_bytes(&mut generation);
                life(
                    adapter(database),
                    Generation(generation),
                    rng,
                    ledger,
                    figures,
                )?;
                // Few lives get this far without.
                simulated.crash();
            }
            Err(_) if simulated.has_crashed() => {
                figures.while_opening += 1;
                if content.is_empty() {
                    // The file gets its name when it is whole.
                    continue;
                }
            }
            Err(error) => return Err(format!("does not open: {error}")),
        }
        content = simulated.survivor(rng);
    }
    let simulated = Simulated::new(content, u64::MAX, Flush::Kept);
    let database = Database::<Tables>::with_backend("simulated", simulated);
    let mut database = database.map_err(|error| format!("does not open: {error}"))?;
    let disk = database.load().expect("it has just been read");
    ledger.check(&disk)
}

/// Bumps until the machine crashes, or for a while.
fn life<B>(
    mut disk: B,
    generation: Generation,
    rng: &mut ChaCha8Rng,
    ledger: &mut Ledger,
    figures: &mut Figures,
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
            figures.inside_a_call += 1;
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
    assert!(figures.while_opening > 0, "{figures:?}");
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
