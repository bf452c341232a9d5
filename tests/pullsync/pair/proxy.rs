//! The way between two nodes, which cuts connections at arbitrary bytes until told to behave.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Where one node dials to reach the other.
pub(super) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    target: SocketAddr,
    rng: Mutex<ChaCha8Rng>,
    /// Connections that were cut.
    cuts: AtomicU64,
    calm: AtomicBool,
    closed: AtomicBool,
}

impl Proxy {
    pub(super) fn new(target: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            target,
            rng: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
            cuts: AtomicU64::new(0),
            calm: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        Self {
            address,
            shared,
            accepting: Some(thread::spawn(move || accepting.accept(&listener))),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// From now on everything passes.
    pub(super) fn behave(&self) {
        self.shared.calm.store(true, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Connections end with the processes at their ends.
        if TcpStream::connect(self.address).is_ok() {
            let ended = self.accepting.take().map(JoinHandle::join);
            assert!(thread::panicking() || !matches!(ended, Some(Err(_))));
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for socket in listener.incoming() {
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            if let Ok(socket) = socket {
                // Whatever ends a connection, its ends see it.
                let _ = self.carry(socket);
            }
        }
    }

    /// Lets so many bytes pass in both directions together; some greetings are not among them.
    fn carry(self: &Arc<Self>, dialler: TcpStream) -> io::Result<()> {
        let listener = TcpStream::connect(self.target)?;
        let shift = self.rng.lock().expect("no panic").random_range(4..=17);
        let below = 1_i64 << shift;
        let left = self.rng.lock().expect("no panic").random_range(0..below);
        let left = Arc::new(AtomicI64::new(left));
        for (from, to) in [(&dialler, &listener), (&listener, &dialler)] {
            from.set_nodelay(true)?;
            let (from, to) = (from.try_clone()?, to.try_clone()?);
            let (shared, left) = (Arc::clone(self), Arc::clone(&left));
            thread::spawn(move || {
                // An error is the end of the connection.
                let _ = shared.pass(&from, &to, &left);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Ok(())
    }

    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream, left: &AtomicI64) -> io::Result<()> {
        let mut block = [0; 4096];
        loop {
            let read = from.read(&mut block)?;
            if read == 0 {
                return Ok(());
            }
            let size = i64::try_from(read).expect("it is small");
            let before = left.fetch_sub(size, Ordering::SeqCst);
            if before < size && !self.calm.load(Ordering::SeqCst) {
                let rest = usize::try_from(before).unwrap_or(0);
                to.write_all(&block[..rest])?;
                // The other direction finds nothing left, too.
                if before >= 0 {
                    self.cuts.fetch_add(1, Ordering::SeqCst);
                }
                return Ok(());
            }
            to.write_all(&block[..read])?;
        }
    }
}
