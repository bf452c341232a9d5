//! A disk that keeps, drops or tears what was not flushed when the machine crashes.

use std::fmt::Display;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use concord::adapters::StorageBackend;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What becomes of a flush.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Flush {
    Kept,
    /// The disk lies: a mutant.
    Ignored,
}

/// A disk shared by the database and the test.
#[derive(Clone, Debug)]
pub(crate) struct Simulated(Arc<Mutex<Platter>>);

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
    pub(crate) fn new(content: Vec<u8>, left: u64, flush: Flush) -> Self {
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

    pub(crate) fn crash(&self) {
        self.crash_after(0);
    }

    /// Nothing works any more after so many operations.
    pub(crate) fn crash_after(&self, operations: u64) {
        self.with(|platter| platter.left = operations);
    }

    /// What was flushed.
    pub(crate) fn flushed(&self) -> Vec<u8> {
        self.with(|platter| platter.flushed.clone())
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.with(|platter| platter.left == 0)
    }

    /// What is on the disk after the crash: of every pending change all, nothing or a part.
    pub(crate) fn survivor(&self, rng: &mut ChaCha8Rng) -> Vec<u8> {
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

/// How the lives on a disk ended.
#[derive(Default, Debug)]
pub(crate) struct Crashes {
    pub(crate) crashes: u64,
    pub(crate) while_opening: u64,
}

/// Four lives of a process on one disk, each ended by a crash of the machine after a number of operations
/// of the disk; then what opens at the end. Says what is wrong, if anything.
pub(crate) fn lives<T, E: Display>(
    rng: &mut ChaCha8Rng,
    flush: Flush,
    operations: Range<u64>,
    crashes: &mut Crashes,
    open: impl Fn(Simulated) -> Result<T, E>,
    mut life: impl FnMut(T, &mut ChaCha8Rng) -> Result<(), String>,
) -> Result<T, String> {
    let mut content = Vec::new();
    for _ in 0..4 {
        let left = rng.random_range(operations.clone());
        let simulated = Simulated::new(content.clone(), left, flush);
        crashes.crashes += 1;
        match open(simulated.clone()) {
            Ok(opened) => {
                life(opened, rng)?;
                // Few lives get this far without.
                simulated.crash();
            }
            Err(_) if simulated.has_crashed() => {
                crashes.while_opening += 1;
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
    open(simulated).map_err(|error| format!("does not open: {error}"))
}
