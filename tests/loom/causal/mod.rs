//! The shell of a causal node.

mod closing;
mod handover;
mod requests;
mod wakes;

#[path = "../../../src/systems/causal/shell/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each case takes what it needs")]
pub(crate) mod shell;

#[path = "../../common/small_node.rs"]
#[allow(dead_code, reason = "each case takes what it needs")]
mod small_node;

use std::num::NonZeroUsize;

use loom::thread::{self, JoinHandle};

use crate::sync::Arc;

use shell::{Owner, Shell, Strategies};
use small_node::Request;

const DEADLOCK: &str = "deadlock";

/// A node with one sender and a desk for so many requests.
fn node(limit: usize, strategies: Strategies) -> (Arc<Shell<Request>>, Owner<Request>) {
    let limit = NonZeroUsize::new(limit).expect("a desk has room");
    let (shell, owner) = Shell::new(limit, 1, strategies);
    (Arc::new(shell), owner)
}

/// A thread that holds the shell for as long as it runs. The last to end closes it.
fn routine<T: 'static>(
    shell: &Arc<Shell<Request>>,
    run: impl FnOnce(&Shell<Request>) -> T + 'static,
) -> JoinHandle<T> {
    let shell = Arc::clone(shell);
    thread::spawn(move || run(&shell))
}

fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a panic ends the case")
}
