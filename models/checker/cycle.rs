//! A fair cycle in a component that has one.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::edges::{Edges, PLAIN};
use super::liveness::Duty;

/// Positions of the steps of a fair cycle from `entry` back to it, all of whose states are `within`
/// the component.
///
/// Starts with a walk of no steps and leads it to the nearest place that discharges some open duty,
/// until none is open, then home. The way home may open new ones; each is open at most once more,
/// since what was taken stays taken.
pub(crate) fn fair_cycle(
    edges: &Edges,
    duties: &[Duty],
    entry: u32,
    within: impl Fn(u32) -> bool,
) -> Vec<usize> {
    let mut walk = Walk {
        edges,
        duties,
        weak: enabled(edges, duties, entry, Duty::Weak),
        strong: enabled(edges, duties, entry, Duty::Strong),
        taken: BTreeSet::new(),
        at: entry,
        steps: Vec::new(),
    };
    loop {
        while walk.is_owing() {
            let way = nearest(edges, walk.at, &within, |walked, state| {
                walk.is_discharged_by(walked, state)
            });
            walk.follow(way.expect("a fair component discharges every duty"));
        }
        if walk.at == entry && !walk.steps.is_empty() {
            return walk.steps;
        }
        let home = nearest(edges, walk.at, &within, |_, state| state == entry);
        walk.follow(home.expect("a component is strongly connected"));
        if !walk.is_owing() {
            return walk.steps;
        }
    }
}

struct Walk<'a> {
    edges: &'a Edges,
    duties: &'a [Duty],
    /// Weakly fair labels enabled in every state so far.
    weak: BTreeSet<u32>,
    /// Strongly fair labels enabled in some state so far.
    strong: BTreeSet<u32>,
    taken: BTreeSet<u32>,
    at: u32,
    steps: Vec<usize>,
}

impl Walk<'_> {
    fn is_owing(&self) -> bool {
        self.weak
            .iter()
            .chain(&self.strong)
            .any(|label| !self.taken.contains(label))
    }

    /// Whether a step discharges an open duty: by taking it, or by leading where it is not enabled.
    fn is_discharged_by(&self, position: usize, state: u32) -> bool {
        let label = self.edges.label_of(position);
        let is_open = !self.taken.contains(&label);
        if is_open && (self.weak.contains(&label) || self.strong.contains(&label)) {
            return true;
        }
        let mut open = self.weak.difference(&self.taken);
        open.any(|label| {
            let mut row = self.edges.row(state);
            row.all(|position| self.edges.label_of(position) != *label)
        })
    }

    fn follow(&mut self, way: Vec<usize>) {
        for position in way {
            self.taken.insert(self.edges.label_of(position));
            self.at = self.edges.target(position);
            self.steps.push(position);
            let weak = enabled(self.edges, self.duties, self.at, Duty::Weak);
            self.weak.retain(|label| weak.contains(label));
            self.strong
                .extend(enabled(self.edges, self.duties, self.at, Duty::Strong));
        }
    }
}

/// The labels of one duty that are enabled in `state`.
fn enabled(edges: &Edges, duties: &[Duty], state: u32, duty: Duty) -> BTreeSet<u32> {
    let labels = edges.row(state).map(|position| edges.label_of(position));
    labels
        .filter(|label| *label != PLAIN && duties[*label as usize] == duty)
        .collect()
}

/// The steps of a shortest walk, of at least one step, that ends with one that is a `goal`.
fn nearest(
    edges: &Edges,
    from: u32,
    within: impl Fn(u32) -> bool,
    goal: impl Fn(usize, u32) -> bool,
) -> Option<Vec<usize>> {
    // The step by which each state was reached, and where that step began.
    let mut reached: HashMap<u32, (u32, usize)> = HashMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(state) = queue.pop_front() {
        for position in edges.row(state) {
            let target = edges.target(position);
            if !within(target) {
                continue;
            }
            if goal(position, target) {
                let mut way = vec![position];
                let mut at = state;
                while at != from {
                    let (previous, position) = reached[&at];
                    way.push(position);
                    at = previous;
                }
                way.reverse();
                return Some(way);
            }
            if target != from && !reached.contains_key(&target) {
                reached.insert(target, (state, position));
                queue.push_back(target);
            }
        }
    }
    None
}
