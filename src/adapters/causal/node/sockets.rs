//! What must be ended from outside when a node stops.

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The open connections of one kind, at most so many.
#[derive(Debug)]
pub(super) struct Sockets {
    limit: usize,
    open: Mutex<Open>,
    /// One was closed.
    left: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    sockets: BTreeMap<u64, TcpStream>,
    next: u64,
    /// No more are taken.
    closed: bool,
}

/// The place of a connection among the open ones, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    sockets: Arc<Sockets>,
    number: u64,
}

impl Sockets {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            open: Mutex::default(),
            left: Condvar::new(),
        })
    }

    /// Takes a connection in, unless there are too many or the node stops.
    pub(super) fn admit(self: &Arc<Self>, socket: &TcpStream) -> io::Result<Place> {
        let socket = socket.try_clone()?;
        let mut open = self.open();
        if open.closed || open.sockets.len() >= self.limit {
            let why = if open.closed {
                "the node stops"
            } else {
                "too many connections"
            };
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, why));
        }
        let number = open.next;
        open.next += 1;
        open.sockets.insert(number, socket);
        Ok(Place {
            sockets: Arc::clone(self),
            number,
        })
    }

    /// Ends all connections, and those to come: whoever reads or writes there is told so.
    pub(super) fn close(&self) {
        let mut open = self.open();
        open.closed = true;
        for socket in open.sockets.values() {
            // One that the peer has ended already cannot be shut down.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Waits until every place is given up.
    pub(super) fn wait_until_empty(&self) {
        let mut open = self.open();
        while !open.sockets.is_empty() {
            open = self.left.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sockets.open().sockets.remove(&self.number);
        self.sockets.left.notify_all();
    }
}

/// Says that the node stops, also to those who pause.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(super) fn set(&self) {
        *self.stopped() = true;
        self.changed.notify_all();
    }

    pub(super) fn is_set(&self) -> bool {
        *self.stopped()
    }

    /// Pauses. False if the node stops.
    pub(super) fn pause(&self, duration: Duration) -> bool {
        let begun = Instant::now();
        let mut stopped = self.stopped();
        while !*stopped {
            let Some(left) = duration
                .checked_sub(begun.elapsed())
                .filter(|left| !left.is_zero())
            else {
                return true;
            };
            let waited = self.changed.wait_timeout(stopped, left);
            stopped = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn stopped(&self) -> MutexGuard<'_, bool> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
