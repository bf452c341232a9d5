//! One interleaving of a case: the calls of its threads, and what others see meanwhile.

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use concord::models::broadcast::cases::{Call, Case, Outcome, Returned};
use loom::thread::{self, JoinHandle};

use crate::broadcast::{
    Broadcaster, Choice, Counts, Inbox, PubSub, Reason, Signal, Stop, Strategies, Taken,
};
use crate::sync::{Condvar, Mutex, lock};
use crate::tasks::finish;

use super::setting::{Drive, Setting, cancels, is_signalled, publishes};

/// What can be seen of a channel while nobody is in the middle of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Look {
    pub(super) pending: Vec<u8>,
    pub(super) closed: bool,
    pub(super) cancelled: bool,
    pub(super) locked: bool,
    pub(super) counts: Counts,
}

/// A call that returned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) call: Call,
    pub(super) returned: Returned,
    /// After a Receive: whether the parent was not cancelled.
    pub(super) open: bool,
}

/// What came of one interleaving.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) threads: Vec<Vec<Ended>>,
    /// The start, what was seen meanwhile, and the end.
    pub(super) looks: Vec<Look>,
    /// Whether a publication was under way when every other thread had ended.
    pub(super) publishing: bool,
    /// Whether a task waited.
    pub(super) waited: bool,
}

impl Ran {
    pub(super) fn end(&self) -> &Look {
        self.looks.last().expect("the end is looked at")
    }

    /// What calls returned, thread by thread.
    pub(super) fn returned(&self) -> impl Iterator<Item = Returned> {
        self.threads.iter().flatten().map(|ended| ended.returned)
    }

    /// As the model tells it.
    pub(super) fn outcome(&self) -> Outcome {
        let thread = |calls: &Vec<Ended>| calls.iter().map(|ended| ended.returned).collect();
        let end = self.end();
        Outcome {
            calls: self.threads.iter().map(thread).collect(),
            closed: end.closed,
            dropped: end.counts.dropped,
            rejected: end.counts.rejected,
            pending: end.pending.clone(),
            aborted: None,
        }
    }
}

thread_local! {
    /// Loom runs the threads of a case on one thread.
    static WAITED: Cell<bool> = const { Cell::new(false) };
}

/// Runs the threads of a case once, in the interleaving that loom is at. Publications end when all
/// other threads have.
pub(super) fn run(setting: &Setting) -> Ran {
    WAITED.set(false);
    let broadcaster = Arc::new(prepared(&setting.case, setting.strategies));
    let inbox = broadcaster.inbox();
    let threads = 0..setting.case.threads.len();
    let signals = threads.clone().map(|thread| {
        let is_signalled = is_signalled(&setting.case, thread);
        is_signalled.then(|| inbox.signal())
    });
    let signals = Arc::new(signals.collect::<Vec<_>>());

    let mut looks = vec![look(inbox)];
    let spawned = threads.map(|thread| {
        let caller = Caller {
            setting: setting.clone(),
            thread,
            broadcaster: Arc::clone(&broadcaster),
            signals: Arc::clone(&signals),
        };
        Some(thread::spawn(move || caller.run()))
    });
    let mut spawned = spawned.collect::<Vec<_>>();
    looks.extend((0..setting.looks).map(|_| look(inbox)));

    let gate = broadcaster.publisher();
    let mut threads = vec![Vec::new(); spawned.len()];
    let mut join = |publishing| {
        for (thread, calls) in setting.case.threads.iter().enumerate() {
            if publishes(calls) == publishing {
                let handle: Option<JoinHandle<_>> = spawned[thread].take();
                threads[thread] = handle.expect("joined once").join().expect("it ends");
            }
        }
    };
    join(false);
    let publishing = gate.is_under_way();
    gate.open();
    join(true);
    looks.push(look(inbox));
    Ran {
        threads,
        looks,
        publishing,
        waited: WAITED.get(),
    }
}

/// As it is before the threads of a case begin.
pub(super) fn prepared(case: &Case, strategies: Strategies) -> Broadcaster<Gate, u8> {
    let inbox = Inbox::new(case.capacity, strategies);
    for message in case.pending {
        inbox.receive(*message);
    }
    if case.cancelled {
        inbox.cancel();
    }
    Broadcaster::new(Gate::new(), inbox)
}

fn look(inbox: &Inbox<u8>) -> Look {
    inbox.inspect(|channel| Look {
        pending: channel.pending().copied().collect(),
        closed: channel.is_closed(),
        cancelled: channel.is_cancelled(),
        locked: channel.is_locked(),
        counts: channel.counts(),
    })
}

/// A thread of a case.
struct Caller {
    setting: Setting,
    thread: usize,
    broadcaster: Arc<Broadcaster<Gate, u8>>,
    signals: Arc<Vec<Option<Signal<u8>>>>,
}

impl Caller {
    fn run(self) -> Vec<Ended> {
        let calls = self.setting.case.threads[self.thread].iter();
        let calls = calls.zip(&self.setting.choices[self.thread]);
        let ended = calls.map(|(call, choice)| self.make(*call, *choice));
        ended.collect()
    }

    fn make(&self, call: Call, choice: Choice) -> Ended {
        let inbox = self.broadcaster.inbox();
        let returned = match call {
            Call::Receive(message) => {
                Returned::Received(inbox.receive_preferring(message, &[choice]))
            }
            Call::Next => Returned::Taken(self.next(choice)),
            Call::Cancel | Call::Signal(_) | Call::Broadcast(_) => {
                self.tell(call);
                Returned::Done
            }
        };
        // A look costs many interleavings.
        let can_close = matches!(call, Call::Receive(_)) && cancels(&self.setting.case);
        let open = !can_close || inbox.inspect(|channel| !channel.is_cancelled());
        Ended {
            call,
            returned,
            open,
        }
    }

    fn tell(&self, call: Call) {
        match call {
            Call::Signal(thread) => {
                let signal = self.signals[usize::from(thread)].as_ref();
                let signal = signal.expect("who is signalled has one");
                signal.set(Reason::Cancelled);
            }
            Call::Broadcast(message) => {
                let Ok(()) = self.broadcaster.broadcast(message);
            }
            _ => self.broadcaster.inbox().cancel(),
        }
    }

    fn next(&self, choice: Choice) -> Result<Taken<u8>, Stop> {
        let inbox = self.broadcaster.inbox();
        let caller = self.signals[self.thread].as_ref();
        match self.setting.drive {
            Drive::Thread => inbox.blocking_next_preferring(caller, &[choice]),
            Drive::Task => {
                let (result, waited) = finish(inbox.next(caller));
                WAITED.set(WAITED.get() || waited);
                result
            }
        }
    }
}

/// A transport whose publications end once it is opened.
pub(super) struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    under_way: AtomicBool,
}

impl Gate {
    fn new() -> Self {
        Self {
            is_open: Mutex::new(false),
            opened: Condvar::new(),
            under_way: AtomicBool::new(false),
        }
    }

    pub(super) fn open(&self) {
        *lock(&self.is_open) = true;
        self.opened.notify_all();
    }

    fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed)
    }
}

impl PubSub<u8> for Gate {
    type Error = Infallible;

    fn subscribe(&self, _: &str, _: Box<dyn Fn(u8) + Send + Sync>) -> Result<(), Infallible> {
        unreachable!("cases hand messages over themselves")
    }

    fn publish(&self, _: &str, _: u8) -> Result<(), Infallible> {
        self.under_way.store(true, Ordering::Relaxed);
        let mut is_open = lock(&self.is_open);
        while !*is_open {
            is_open = self.opened.wait(is_open);
        }
        self.under_way.store(false, Ordering::Relaxed);
        Ok(())
    }
}
