//! Strongly connected components, without recursion.

use super::edges::Edges;

/// No component.
pub(crate) const NONE: u32 = 0;

/// Divides states into strongly connected components, again and again on ever smaller sets.
///
/// Each state carries the number of the set it is in, so that "inside the same component" is one
/// comparison, and a set is divided by renumbering its states.
pub(crate) struct Partition {
    /// Number of the set of each state.
    set: Vec<u32>,
    unused: u32,
    /// Tarjan's index and low link of each state; index 0 is not yet visited.
    index: Vec<u32>,
    low: Vec<u32>,
}

impl Partition {
    /// `states` states, in no set.
    pub(crate) fn new(states: u32) -> Self {
        Partition {
            set: vec![NONE; states as usize],
            unused: NONE + 1,
            index: vec![0; states as usize],
            low: vec![0; states as usize],
        }
    }

    /// Number of the set that `state` is in.
    pub(crate) fn set(&self, state: u32) -> u32 {
        self.set[state as usize]
    }

    /// Whether `state` is in the set `number`; a state that was never expanded is in none.
    pub(crate) fn is_in(&self, state: u32, number: u32) -> bool {
        self.set.get(state as usize) == Some(&number)
    }

    /// Makes one set of `states` and returns its number.
    pub(crate) fn gather(&mut self, states: &[u32]) -> u32 {
        let number = self.unused;
        self.unused += 1;
        for state in states {
            self.set[*state as usize] = number;
        }
        number
    }

    /// Takes `state` out of its set.
    pub(crate) fn remove(&mut self, state: u32) {
        self.set[state as usize] = NONE;
    }

    /// Divides the set of `states` into strongly connected components, by Tarjan's algorithm, and
    /// calls `each` with the states of one after the other. Ends early if `cut` says so.
    pub(crate) fn divide(
        &mut self,
        states: &[u32],
        edges: &Edges,
        mut cut: impl FnMut() -> bool,
        mut each: impl FnMut(&mut Self, Vec<u32>),
    ) {
        let Some(first) = states.first() else { return };
        let whole = self.set(*first);
        for state in states {
            self.index[*state as usize] = 0;
        }
        let mut visited = 0;
        let mut open: Vec<u32> = Vec::new();
        // States on the current path, each with the position of its next step.
        let mut path: Vec<(u32, usize)> = Vec::new();
        for root in states {
            // Not in the set any more once its component was split off.
            if !self.is_in(*root, whole) {
                continue;
            }
            path.push((*root, edges.row(*root).start));
            while let Some((state, position)) = path.last().copied() {
                let at = state as usize;
                if self.index[at] == 0 {
                    visited += 1;
                    if visited % 65_536 == 0 && cut() {
                        return;
                    }
                    self.index[at] = visited;
                    self.low[at] = visited;
                    open.push(state);
                }
                if position < edges.row(state).end {
                    let target = edges.target(position);
                    let top = path.len() - 1;
                    path[top].1 += 1;
                    if !self.is_in(target, whole) {
                        continue;
                    }
                    match self.index[target as usize] {
                        0 => path.push((target, edges.row(target).start)),
                        seen => self.low[at] = self.low[at].min(seen),
                    }
                    continue;
                }
                path.pop();
                if let Some((parent, _)) = path.last() {
                    let parent = *parent as usize;
                    self.low[parent] = self.low[parent].min(self.low[at]);
                }
                if self.low[at] == self.index[at] {
                    let start = open
                        .iter()
                        .rposition(|open| *open == state)
                        .expect("a state stays open until its component is complete");
                    let component = open.split_off(start);
                    self.gather(&component);
                    each(self, component);
                }
            }
        }
    }
}
