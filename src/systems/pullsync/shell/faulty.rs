//! Where a locked step may be two.

use crate::pullsync::{Input, Message, Node, Output, Space, Storage};
use crate::sync::{MutexGuard, let_in, lock};

use super::strategy::{Enrolling, Registering, Sealing};
use super::{Core, Line, Shared};

impl<S: Space, D: Storage<S>> Shared<S, D> {
    /// Steps the core.
    pub(super) fn run<'a>(
        &'a self,
        core: MutexGuard<'a, Core<S, D>>,
        input: Input<S>,
        outputs: &mut Vec<Output<S>>,
    ) -> MutexGuard<'a, Core<S, D>> {
        let mut core = match &input {
            Input::Message { stream, message } => match message {
                Message::Ruid { .. } if self.how.registering == Registering::CheckThenInsert => {
                    self.check_then_let_in(core)
                }
                Message::Offer { .. } | Message::Delivery(_)
                    if self.how.sealing == Sealing::ReadThenWrite =>
                {
                    self.read_then_let_in(core, stream)
                }
                _ => core,
            },
            _ => core,
        };
        let Core { node, storage, .. } = &mut *core;
        node.step(storage, input, outputs);
        core
    }

    /// The core is told of the stream, and its routines join.
    pub(super) fn step_enrolled<'a>(
        &'a self,
        mut core: MutexGuard<'a, Core<S, D>>,
        stream: S::Stream,
        line: Line<S>,
        input: Input<S>,
    ) {
        core.members += line.halves;
        match self.how.enrolling {
            Enrolling::BeforeStep => {
                core.lines.insert(stream, line);
                self.step(core, input);
            }
            Enrolling::AfterStep => {
                self.step(core, input);
                lock(&self.core).lines.insert(stream, line);
            }
        }
    }

    /// What the core holds is taken for what it held before somebody came in between (D26).
    fn check_then_let_in<'a>(
        &'a self,
        core: MutexGuard<'a, Core<S, D>>,
    ) -> MutexGuard<'a, Core<S, D>> {
        let checked: Node<S> = core.node.clone();
        let mut core = let_in(&self.core, core);
        core.node = checked;
        core
    }

    /// The set that the exchange of a stream adds to is taken for what it was before somebody came in between
    /// (D35).
    fn read_then_let_in<'a>(
        &'a self,
        core: MutexGuard<'a, Core<S, D>>,
        stream: &S::Stream,
    ) -> MutexGuard<'a, Core<S, D>> {
        let mut exchanges = core.node.exchanges();
        let of_stream = exchanges.find(|(known, _)| *known == stream);
        let key = of_stream.map(|(_, running)| (running.peer, running.bin));
        drop(exchanges);
        let Some((peer, bin)) = key else {
            return core;
        };
        let read = core.storage.intervals(&peer, bin);
        let mut core = let_in(&self.core, core);
        // The reference does none of this, and a storage that fails is not what this is about.
        let _ = match read {
            Ok(Some(set)) => core.storage.set_intervals(&peer, bin, &set).map(drop),
            _ => core.storage.remove_intervals(&peer, bin).map(drop),
        };
        core
    }
}
