//! Drives futures with the primitives of the test crate, so that a checker of interleavings sees a
//! task that nobody wakes as a deadlock.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::sync::{Condvar, Mutex, lock};

/// Runs a future to its end on this thread, and tells whether it had to be woken.
pub(crate) fn finish<F: Future + Unpin>(future: F) -> (F::Output, bool) {
    // Not dropped where a deadlock ends the execution: what that does is not for then.
    let mut future = ManuallyDrop::new(future);
    let mut poll = |context: &mut Context<'_>| Pin::new(&mut *future).poll(context);
    let notice = Notice::new();
    let waker = Waker::from(Arc::clone(&notice));
    let mut context = Context::from_waker(&waker);
    let mut woken = false;
    let output = loop {
        match poll(&mut context) {
            Poll::Ready(output) => break output,
            Poll::Pending => notice.wait(),
        }
        woken = true;
    };
    drop(ManuallyDrop::into_inner(future));
    (output, woken)
}

/// What a future has ready; it is dropped even if that is nothing.
pub(crate) fn poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    let waker = Waker::from(Notice::new());
    match Pin::new(&mut future).poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

struct Notice {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Notice {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            woken: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    fn wait(&self) {
        let mut woken = lock(&self.woken);
        while !*woken {
            woken = self.changed.wait(woken);
        }
        *woken = false;
    }
}

impl Wake for Notice {
    fn wake(self: Arc<Self>) {
        *lock(&self.woken) = true;
        self.changed.notify_all();
    }
}
