//! What the core wants done by one routine.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use crate::sync::{Mutex, lock};

use super::Stopped;
use super::strategy::{Stopping, Strategies, Waiting};

/// Whom to wake once no lock is held: wakers run what is not ours.
pub(super) type Wakers = Vec<Waker>;

/// A queue between the core, which files, and one routine, which takes. Another routine, the feeder, gives
/// the core what leads to more, and is held back while anything is filed.
pub(super) struct Outbox<T> {
    waiting: Waiting,
    stopping: Stopping,
    state: Mutex<State<T>>,
}

struct State<T> {
    queue: VecDeque<T>,
    phase: Phase,
    taker: Option<Waker>,
    feeder: Option<Waker>,
}

/// Nothing is filed in any phase but the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// The last was filed. The feeder goes on, though it leads to nothing.
    Finished,
    /// The core was told that nothing more comes, or the shell ends. What was filed is still taken.
    Ended,
    /// What was filed before this is void.
    Void,
}

impl<T: PartialEq> Outbox<T> {
    pub(super) fn new(how: &Strategies) -> Self {
        let state = State {
            queue: VecDeque::new(),
            phase: Phase::Open,
            taker: None,
            feeder: None,
        };
        Self {
            waiting: how.waiting,
            stopping: how.stopping,
            state: Mutex::new(state),
        }
    }

    /// Files an item.
    pub(super) fn file(&self, item: T, wakers: &mut Wakers) {
        self.change(Phase::Open, |queue| queue.push_back(item), wakers);
    }

    /// Files an item unless the latest, not taken yet, is the same.
    pub(super) fn file_once(&self, item: T, wakers: &mut Wakers) {
        let file = |queue: &mut VecDeque<T>| {
            if queue.back() != Some(&item) {
                queue.push_back(item);
            }
        };
        self.change(Phase::Open, file, wakers);
    }

    /// Files the last item.
    pub(super) fn finish(&self, item: T, wakers: &mut Wakers) {
        self.change(Phase::Finished, |queue| queue.push_back(item), wakers);
    }

    /// Files the last item in place of all that was not taken.
    pub(super) fn reset(&self, item: T, wakers: &mut Wakers) {
        let file = |queue: &mut VecDeque<T>| {
            queue.clear();
            queue.push_back(item);
        };
        self.change(Phase::Void, file, wakers);
    }

    /// Files nothing more, and nothing that was not taken matters: the peer is gone.
    pub(super) fn abandon(&self, wakers: &mut Wakers) {
        let mut state = lock(&self.state);
        state.queue.clear();
        state.phase = Phase::Void;
        wakers.extend(state.taker.take());
        wakers.extend(state.feeder.take());
    }

    fn change(&self, phase: Phase, change: impl FnOnce(&mut VecDeque<T>), wakers: &mut Wakers) {
        let mut state = lock(&self.state);
        if state.phase != Phase::Open {
            return;
        }
        change(&mut state.queue);
        state.phase = phase;
        wakers.extend(state.taker.take());
        if phase == Phase::Void && self.stopping == Stopping::Both {
            wakers.extend(state.feeder.take());
        }
    }

    /// Files nothing more.
    pub(super) fn end(&self, wakers: &mut Wakers) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Open | Phase::Finished) {
            state.phase = Phase::Ended;
            wakers.extend(state.taker.take());
            wakers.extend(state.feeder.take());
        }
    }

    /// Whether the feeder is stopped.
    pub(super) fn has_ended(&self) -> bool {
        lock(&self.state).phase.stops_the_feeder()
    }

    /// For the taker: the oldest item; nothing once there will be none.
    pub(super) fn poll_next(&self, context: &Context<'_>) -> Poll<Option<T>> {
        let next = |state: &mut State<T>| match state.queue.pop_front() {
            None => (state.phase != Phase::Open).then_some((None, None)),
            item if state.queue.is_empty() => Some((item, state.feeder.take())),
            item => Some((item, None)),
        };
        let taken = self.wait_for(next, |state| &mut state.taker, context);
        taken.map(|(item, feeder)| {
            feeder.into_iter().for_each(Waker::wake);
            item
        })
    }

    /// For the taker, while it is busy with an item: that is void.
    pub(super) fn poll_void(&self, context: &Context<'_>) -> Poll<()> {
        let void = |state: &mut State<T>| (state.phase == Phase::Void).then_some(());
        self.wait_for(void, |state| &mut state.taker, context)
    }

    /// For the feeder: all that was filed is taken.
    pub(super) fn poll_room(&self, context: &Context<'_>) -> Poll<Result<(), Stopped>> {
        let room = |state: &mut State<T>| {
            let stopped = state.phase.stops_the_feeder().then_some(Err(Stopped));
            stopped.or_else(|| state.queue.is_empty().then_some(Ok(())))
        };
        self.wait_for(room, |state| &mut state.feeder, context)
    }

    /// For the feeder: what it gives leads to nothing any more.
    pub(super) fn poll_stopped(&self, context: &Context<'_>) -> Poll<()> {
        let stopped = |state: &mut State<T>| state.phase.stops_the_feeder().then_some(());
        self.wait_for(stopped, |state| &mut state.feeder, context)
    }

    /// What `look` finds. If nothing, the task waits in `slot`.
    fn wait_for<O>(
        &self,
        look: impl FnOnce(&mut State<T>) -> Option<O>,
        slot: impl FnOnce(&mut State<T>) -> &mut Option<Waker>,
        context: &Context<'_>,
    ) -> Poll<O> {
        let mut state = lock(&self.state);
        if let Some(found) = look(&mut state) {
            return Poll::Ready(found);
        }
        if self.waiting == Waiting::CheckThenEnlist {
            drop(state);
            state = lock(&self.state);
        }
        let replaced = slot(&mut state).replace(context.waker().clone());
        // Dropping a waker may drop its task, and with it halves of streams.
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Phase {
    const fn stops_the_feeder(self) -> bool {
        matches!(self, Self::Ended | Self::Void)
    }
}
