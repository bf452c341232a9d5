//! The steps between states, kept only for liveness.

use std::collections::HashMap;
use std::mem::size_of;

/// Label of a step to which no claim owes fairness.
pub(crate) const PLAIN: u32 = 0;

/// One kind of action with one instance: what fairness is owed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Instance {
    /// Index into the kinds of the model.
    pub(crate) kind: u16,
    /// As the model tells instances apart.
    pub(crate) number: u64,
}

/// Every step out of every expanded state, in the order of actions, in compressed rows.
pub(crate) struct Edges {
    /// Row `s` is `starts[s]..starts[s + 1]`; one row per expanded state.
    starts: Vec<u64>,
    targets: Vec<u32>,
    labels: Vec<u32>,
    /// Label to instance; [`PLAIN`] has none.
    instances: Vec<Option<Instance>>,
    known: HashMap<Instance, u32>,
}

impl Edges {
    pub(crate) fn new() -> Self {
        Edges {
            starts: vec![0],
            targets: Vec::new(),
            labels: Vec::new(),
            instances: vec![None],
            known: HashMap::new(),
        }
    }

    /// Adds a step to the row that is being written.
    pub(crate) fn push(&mut self, target: u32, instance: Option<Instance>) {
        let label = instance.map_or(PLAIN, |instance| self.label(instance));
        self.targets.push(target);
        self.labels.push(label);
    }

    fn label(&mut self, instance: Instance) -> u32 {
        *self.known.entry(instance).or_insert_with(|| {
            self.instances.push(Some(instance));
            (self.instances.len() - 1) as u32
        })
    }

    /// Ends the row of the next state.
    pub(crate) fn end_row(&mut self) {
        self.starts.push(self.targets.len() as u64);
    }

    /// States whose rows are complete: exactly the ids below this number.
    pub(crate) fn rows(&self) -> u32 {
        (self.starts.len() - 1) as u32
    }

    /// Positions of the steps out of `state`.
    pub(crate) fn row(&self, state: u32) -> std::ops::Range<usize> {
        let state = state as usize;
        self.starts[state] as usize..self.starts[state + 1] as usize
    }

    pub(crate) fn is_terminal(&self, state: u32) -> bool {
        self.row(state).is_empty()
    }

    pub(crate) fn target(&self, position: usize) -> u32 {
        self.targets[position]
    }

    pub(crate) fn label_of(&self, position: usize) -> u32 {
        self.labels[position]
    }

    /// What each label stands for.
    pub(crate) fn instances(&self) -> &[Option<Instance>] {
        &self.instances
    }

    pub(crate) fn bytes(&self) -> usize {
        let per_label = size_of::<Option<Instance>>() + size_of::<(Instance, u32)>();
        self.starts.capacity() * size_of::<u64>()
            + (self.targets.capacity() + self.labels.capacity()) * size_of::<u32>()
            + self.instances.len() * per_label
    }
}
