//! The shell of pullsync: the registry on one key, the seals of one set, and the end of the node.

pub use concord::systems::pullsync::*;

// Takes the place of the one that ships.
#[path = "../../../src/systems/pullsync/shell/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each case takes what it needs")]
pub mod shell;

mod closing;
mod registry;
mod seals;
mod waits;

use loom::thread::{self, JoinHandle};

use crate::sync::Arc;

use crate::small_streams::{
    SmallAction, SmallReader, SmallShell, SmallSpace, SmallWriter, actions, node, open,
};

const DEADLOCK: &str = "deadlock";
const CORE: strategy::Strategies = strategy::Strategies::REFERENCE;
const SHELL: shell::Strategies = shell::Strategies::REFERENCE;
const PEER: u8 = 1;
const RUID: u32 = 7;

/// A node without a driver.
fn server(
    max_page: usize,
    chunks: u8,
    core: strategy::Strategies,
    how: shell::Strategies,
) -> Arc<SmallShell> {
    let (shell, driver) = node(max_page, chunks, core, how);
    drop(driver);
    Arc::new(shell)
}

fn routine<T: 'static>(
    shell: &Arc<SmallShell>,
    run: impl FnOnce(&SmallShell) -> T + 'static,
) -> JoinHandle<T> {
    let shell = Arc::clone(shell);
    thread::spawn(move || run(&shell))
}

fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a panic ends the case")
}

/// A stream of the peer for a handler.
fn accepted(shell: &SmallShell, peer: u8, stream: u32) -> (SmallReader, SmallWriter) {
    let accepted = shell.accepted(peer, (peer, stream), Protocol::Pullsync);
    accepted.expect("the node is open")
}

/// A handler from its registration to its end: what it did, and whether it was stopped before it had its range.
fn serve(
    (mut reader, mut writer): (SmallReader, SmallWriter),
    range: Message<SmallSpace>,
) -> (Vec<SmallAction>, bool) {
    let stopped = open(&mut reader, RUID, range).is_err();
    (actions(&mut writer), stopped)
}

/// A key is registered if and only if a handler that runs owns it (`registry_exact`).
fn assert_registered(shell: &SmallShell, expected: &[(u8, u32)]) {
    shell.inspect(|node, _| {
        let server = node.server();
        let mut running = Vec::new();
        for (key, stream) in server.registered() {
            let handler = server.handler(stream).expect("it runs");
            assert_eq!((handler.peer, handler.ruid), *key);
            running.push((*key, stream));
        }
        let keys: Vec<_> = running.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, expected);
        assert_eq!(server.handlers().count(), expected.len());
    });
}
