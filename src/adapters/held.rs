//! Storage whose writes wait until the file is known to be good.
//!
//! Opening a database repairs what a crash left and marks the file as open. A file that turns out to
//! be damaged or foreign must not be touched by that, so writes are kept in memory, in order and with
//! the flushes between them, until [`Held::release`] carries them out as they would have been.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, Range};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{BackendError, StorageBackend};

/// A handle on the storage; the database holds one, whoever opens it another.
#[derive(Debug)]
pub(crate) struct Held<B>(Arc<Inner<B>>);

#[derive(Debug)]
struct Inner<B> {
    storage: B,
    /// What waits; none once released.
    log: RwLock<Option<Log>>,
}

#[derive(Debug)]
struct Log {
    /// Length of the storage itself.
    stored: u64,
    /// Length of the storage as the database sees it.
    len: u64,
    ops: Vec<Op>,
}

#[derive(Debug)]
enum Op {
    Write(u64, Vec<u8>),
    Len(u64),
    Sync,
}

impl<B: StorageBackend> Held<B> {
    /// Holds back all writes from now on.
    pub(crate) fn new(storage: B) -> io::Result<Self> {
        let stored = storage.len()?;
        let log = RwLock::new(Some(Log {
            stored,
            len: stored,
            ops: Vec::new(),
        }));
        Ok(Self(Arc::new(Inner { storage, log })))
    }

    /// Carries out what was held back, and from now on every write at once. If it fails, the storage
    /// is as a crash at that moment leaves it, and the database must not be used.
    pub(crate) fn release(&self) -> io::Result<()> {
        let mut log = self.0.log.write().unwrap_or_else(PoisonError::into_inner);
        let held = log.as_mut().map(|log| std::mem::take(&mut log.ops));
        for op in held.unwrap_or_default() {
            match op {
                Op::Write(offset, data) => self.0.storage.write(offset, &data)?,
                Op::Len(len) => self.0.storage.set_len(len)?,
                Op::Sync => self.0.storage.sync_data()?,
            }
        }
        *log = None;
        Ok(())
    }

    /// Whether writes are still held back; if so, `op` waits with them.
    fn holds(&self, op: impl FnOnce() -> Op) -> bool {
        let mut log = self.0.log.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = &mut *log {
            log.push(op());
        }
        log.is_some()
    }
}

impl<B> Clone for Held<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Log {
    fn push(&mut self, op: Op) {
        match &op {
            Op::Write(offset, data) => self.len = self.len.max(offset + data.len() as u64),
            Op::Len(len) => self.len = *len,
            Op::Sync => {}
        }
        self.ops.push(op);
    }

    /// Lays what was written over `out`, which was read at `offset`.
    fn overlay(&self, offset: u64, out: &mut [u8]) {
        for op in &self.ops {
            match op {
                Op::Write(at, data) => {
                    let over = overlap(offset, out.len(), *at, data.len());
                    let from = overlap(*at, data.len(), offset, out.len());
                    out[over].copy_from_slice(&data[from]);
                }
                Op::Len(len) => {
                    let left = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX);
                    let left = left.min(out.len());
                    out[left..].fill(0);
                }
                Op::Sync => {}
            }
        }
    }
}

/// The part of the `len` bytes at `start` that the `other_len` bytes at `other` cover, counted from
/// `start`; empty if there is none.
fn overlap(start: u64, len: usize, other: u64, other_len: usize) -> Range<usize> {
    let clip = |at: u64| {
        let at = at.saturating_sub(start);
        usize::try_from(at).unwrap_or(usize::MAX).min(len)
    };
    clip(other)..clip(other.saturating_add(other_len as u64))
}

impl<B: StorageBackend> StorageBackend for Held<B> {
    fn len(&self) -> io::Result<u64> {
        let log = self.0.log.read().unwrap_or_else(PoisonError::into_inner);
        match &*log {
            Some(log) => Ok(log.len),
            None => self.0.storage.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let log = self.0.log.read().unwrap_or_else(PoisonError::into_inner);
        let Some(log) = &*log else {
            return self.0.storage.read(offset, out);
        };
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > log.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        let stored = log.stored.saturating_sub(offset);
        let stored = usize::try_from(stored).unwrap_or(usize::MAX);
        let stored = stored.min(out.len());
        if stored > 0 {
            self.0.storage.read(offset, &mut out[..stored])?;
        }
        log.overlay(offset, out);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.holds(|| Op::Len(len)) {
            return Ok(());
        }
        self.0.storage.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.holds(|| Op::Sync) {
            return Ok(());
        }
        self.0.storage.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.holds(|| Op::Write(offset, data.to_vec())) {
            return Ok(());
        }
        self.0.storage.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.storage.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.storage.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use redb::backends::InMemoryBackend;

    use super::*;

    const NO_FAILURE: &str = "memory does not fail";

    #[derive(Clone, Debug)]
    enum Call {
        Write(u64, Vec<u8>),
        Len(u64),
        Read(u64, usize),
    }

    fn calls() -> impl Strategy<Value = Vec<Call>> {
        let data = prop::collection::vec(any::<u8>(), 1..40);
        let call = prop_oneof![
            (0_u64..100, data).prop_map(|(at, data)| Call::Write(at, data)),
            (0_u64..140).prop_map(Call::Len),
            (0_u64..140, 1_usize..60).prop_map(|(at, len)| Call::Read(at, len)),
        ];
        prop::collection::vec(call, 0..30)
    }

    fn carry(storage: &impl StorageBackend, call: &Call) -> Option<Vec<u8>> {
        let len = storage.len().expect(NO_FAILURE);
        match call {
            Call::Write(at, data) if at + data.len() as u64 <= len => {
                storage.write(*at, data).expect(NO_FAILURE);
            }
            Call::Len(len) => storage.set_len(*len).expect(NO_FAILURE),
            Call::Read(at, length) if at + *length as u64 <= len => {
                let mut out = vec![7; *length];
                storage.read(*at, &mut out).expect(NO_FAILURE);
                return Some(out);
            }
            Call::Write(..) | Call::Read(..) => {}
        }
        None
    }

    fn whole(storage: &impl StorageBackend) -> Vec<u8> {
        let mut out = vec![0; usize::try_from(storage.len().expect(NO_FAILURE)).expect("small")];
        storage.read(0, &mut out).expect(NO_FAILURE);
        out
    }

    proptest! {
        #[test]
        fn looks_like_what_it_will_be(before in calls(), held in calls()) {
            let (plain, storage) = (InMemoryBackend::new(), InMemoryBackend::new());
            for call in &before {
                carry(&plain, call);
                carry(&storage, call);
            }
            let untouched = whole(&storage);
            let storage = Held::new(storage).expect(NO_FAILURE);
            for call in &held {
                prop_assert_eq!(carry(&storage, call), carry(&plain, call));
                prop_assert_eq!(whole(&storage), whole(&plain));
            }
            prop_assert_eq!(whole(&storage.0.storage), untouched);
            storage.release().expect(NO_FAILURE);
            prop_assert_eq!(whole(&storage.0.storage), whole(&plain));
        }
    }
}
