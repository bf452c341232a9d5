//! A thread that keeps a shared engine up to date with the durable catalog (10, 13.5).

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use concord_systems::catalog::durable::{Follower, Syncing};
use concord_systems::catalog::limits::DEFAULT_INTERVAL;
use concord_systems::catalog::shell::SharedEngine;
use concord_systems::catalog::{Delta, Error, Route, Settings, Store};

/// How a watcher syncs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// From the end of one sync to the next; zero is ignored and the default of 100 ms taken.
    pub interval: Duration,
    /// Deltas that one sync takes at most, at level 2; if not positive 128.
    pub batch: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval: DEFAULT_INTERVAL,
            batch: 0,
        }
    }
}

/// A running watcher. It syncs at once, then once per interval. A sync that fails is reported and tried
/// again at the next interval. Dropping it cancels it and waits for the sync in progress.
#[derive(Debug)]
pub struct Watcher {
    cancel: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to watch `store` for `engine`; `failed` hears of every sync that fails.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start<S: Store + Send + 'static>(
        store: S,
        engine: SharedEngine,
        settings: Settings,
        options: Options,
        failed: impl Fn(&Error) + Send + 'static,
    ) -> io::Result<Self> {
        let (cancel, cancelled) = mpsc::channel();
        let interval = match options.interval {
            Duration::ZERO => DEFAULT_INTERVAL,
            interval => interval,
        };
        let mut engine = Shared(engine);
        let watch = move || {
            loop {
                let sync = Syncing::begin(options.batch);
                if let Err(error) = sync.finish(&store, &mut engine, &settings) {
                    failed(&error);
                }
                match cancelled.recv_timeout(interval) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = thread::Builder::new().name("catalog-watcher".to_owned());
        Ok(Self {
            cancel: Some(cancel),
            thread: Some(thread.spawn(watch)?),
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.cancel = None;
        if let Some(thread) = self.thread.take() {
            // A panic of `failed` was told by its own thread.
            let _ = thread.join();
        }
    }
}

struct Shared(SharedEngine);

impl Follower for Shared {
    fn version(&self) -> u64 {
        self.0.version()
    }

    fn apply_snapshot(&mut self, version: u64, routes: &[Route]) -> Result<(), Error> {
        self.0.apply_snapshot(version, routes)
    }

    fn apply_delta(&mut self, delta: &Delta) -> Result<(), Error> {
        self.0.apply_delta(delta)
    }
}
