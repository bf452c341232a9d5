//! Channels as one would write them: the oldest message gives way, what is dropped or refused is
//! counted, and there is an end.

use std::collections::VecDeque;
use std::sync;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};

use crossbeam_queue::ArrayQueue;

use super::Message;

/// What is measured.
pub(crate) trait Channel: Send + Sync + 'static {
    /// Keeps at most `capacity` messages.
    fn of(capacity: usize) -> Self;

    /// If there is no room, the oldest message is dropped; after the end, this one.
    fn receive(&self, message: Message);

    fn try_next(&self) -> Option<Message>;

    /// Waits for a message; none after the end.
    fn next(&self) -> Option<Message>;

    fn close(&self);

    /// How many were received, returned, dropped, and came after the end.
    fn counts(&self) -> [u64; 4];
}

/// A lock and a variable of condition.
pub(crate) trait Monitor: Default + Send + Sync + 'static {
    /// Calls `visit` under the lock.
    fn visit<T>(&self, visit: impl FnOnce(&mut Inner) -> T) -> T;

    /// Visits again and again until there is an answer, and waits in between.
    fn wait<T>(&self, visit: impl FnMut(&mut Inner) -> Option<T>) -> T;

    fn notify(&self);
}

/// A queue behind a lock.
pub(crate) struct Locked<M>(M);

/// What the lock guards.
#[derive(Default)]
pub(crate) struct Inner {
    pending: VecDeque<Message>,
    capacity: usize,
    closed: bool,
    received: u64,
    returned: u64,
    dropped: u64,
    rejected: u64,
    /// Nobody is notified if nobody waits.
    waiting: usize,
}

impl<M: Monitor> Channel for Locked<M> {
    fn of(capacity: usize) -> Self {
        let monitor = M::default();
        monitor.visit(|inner| inner.capacity = capacity);
        Self(monitor)
    }

    fn receive(&self, message: Message) {
        let notify = self.0.visit(|inner| {
            inner.received += 1;
            if inner.closed {
                inner.rejected += 1;
                return false;
            }
            if inner.pending.len() == inner.capacity {
                inner.pending.pop_front();
                inner.dropped += 1;
            }
            inner.pending.push_back(message);
            inner.waiting > 0
        });
        if notify {
            self.0.notify();
        }
    }

    fn try_next(&self) -> Option<Message> {
        self.0.visit(Inner::take)
    }

    fn next(&self) -> Option<Message> {
        let take = |inner: &mut Inner| match inner.take() {
            None if !inner.closed => None,
            message => Some(message),
        };
        self.0.wait(take)
    }

    fn close(&self) {
        self.0.visit(|inner| inner.closed = true);
        self.0.notify();
    }

    fn counts(&self) -> [u64; 4] {
        self.0.visit(|inner| {
            [
                inner.received,
                inner.returned,
                inner.dropped,
                inner.rejected,
            ]
        })
    }
}

impl Inner {
    fn take(&mut self) -> Option<Message> {
        let message = self.pending.pop_front()?;
        self.returned += 1;
        Some(message)
    }
}

#[derive(Default)]
pub(crate) struct Std(sync::Mutex<Inner>, sync::Condvar);

const NO_PANIC: &str = "no one panics under the lock";

impl Monitor for Std {
    fn visit<T>(&self, visit: impl FnOnce(&mut Inner) -> T) -> T {
        visit(&mut self.0.lock().expect(NO_PANIC))
    }

    fn wait<T>(&self, mut visit: impl FnMut(&mut Inner) -> Option<T>) -> T {
        let mut inner = self.0.lock().expect(NO_PANIC);
        loop {
            if let Some(answer) = visit(&mut inner) {
                return answer;
            }
            inner.waiting += 1;
            inner = self.1.wait(inner).expect(NO_PANIC);
            inner.waiting -= 1;
        }
    }

    fn notify(&self) {
        self.1.notify_all();
    }
}

#[derive(Default)]
pub(crate) struct ParkingLot(parking_lot::Mutex<Inner>, parking_lot::Condvar);

impl Monitor for ParkingLot {
    fn visit<T>(&self, visit: impl FnOnce(&mut Inner) -> T) -> T {
        visit(&mut self.0.lock())
    }

    fn wait<T>(&self, mut visit: impl FnMut(&mut Inner) -> Option<T>) -> T {
        let mut inner = self.0.lock();
        loop {
            if let Some(answer) = visit(&mut inner) {
                return answer;
            }
            inner.waiting += 1;
            self.1.wait(&mut inner);
            inner.waiting -= 1;
        }
    }

    fn notify(&self) {
        self.1.notify_all();
    }
}

/// A queue without a lock; there is one only to wait.
pub(crate) struct LockFree {
    pending: ArrayQueue<Message>,
    closed: AtomicBool,
    received: AtomicU64,
    returned: AtomicU64,
    dropped: AtomicU64,
    rejected: AtomicU64,
    waiting: AtomicUsize,
    lock: sync::Mutex<()>,
    changed: sync::Condvar,
}

impl LockFree {
    fn notify(&self) {
        // Else the message could become visible only after nobody was found waiting.
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            // Whoever waits has either seen the change or waits already.
            drop(self.lock.lock());
            self.changed.notify_all();
        }
    }

    fn answer(&self) -> Option<Option<Message>> {
        // Closed first: what is there after that is the last.
        let closed = self.closed.load(Ordering::SeqCst);
        match self.try_next() {
            None if !closed => None,
            message => Some(message),
        }
    }
}

impl Channel for LockFree {
    fn of(capacity: usize) -> Self {
        Self {
            pending: ArrayQueue::new(capacity),
            closed: AtomicBool::default(),
            received: AtomicU64::default(),
            returned: AtomicU64::default(),
            dropped: AtomicU64::default(),
            rejected: AtomicU64::default(),
            waiting: AtomicUsize::default(),
            lock: sync::Mutex::default(),
            changed: sync::Condvar::default(),
        }
    }

    fn receive(&self, message: Message) {
        self.received.fetch_add(1, Ordering::Relaxed);
        if self.closed.load(Ordering::SeqCst) {
            self.rejected.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.pending.force_push(message).is_some() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.notify();
    }

    fn try_next(&self) -> Option<Message> {
        let message = self.pending.pop()?;
        self.returned.fetch_add(1, Ordering::Relaxed);
        Some(message)
    }

    fn next(&self) -> Option<Message> {
        if let Some(answer) = self.answer() {
            return answer;
        }
        let mut guard = self.lock.lock().expect(NO_PANIC);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let answer = loop {
            if let Some(answer) = self.answer() {
                break answer;
            }
            guard = self.changed.wait(guard).expect(NO_PANIC);
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.notify();
    }

    fn counts(&self) -> [u64; 4] {
        let counts = [
            &self.received,
            &self.returned,
            &self.dropped,
            &self.rejected,
        ];
        counts.map(|count| count.load(Ordering::Relaxed))
    }
}
