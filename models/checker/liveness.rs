//! Liveness under fairness, on the explored graph.
//!
//! `eventually(P)` is violated by a path of not-P states from an initial state to a fair cycle of
//! not-P states, or to a not-P state without any enabled action; `leads_to(P, Q)` by the same from a
//! reachable P-and-not-Q state, with not-Q. Both are one question: from *starts*, staying *inside*.
//!
//! Fairness is owed per instance of an action. Whether an instance is enabled is judged on all steps
//! out of a state, also on those that leave the inside. A step from a state to itself counts as
//! enabled, as taken, and as a cycle.

use super::components::{NONE, Partition};
use super::cycle::fair_cycle;
use super::edges::{Edges, PLAIN};
use super::limits::{Clock, Stop};
use super::plan::Plan;
use super::search::Explored;
use super::{Checkable, Fairness, Goal};

/// What fairness a claim owes to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// None.
    None,
    /// It is not enabled for good without being taken.
    Weak,
    /// It is not enabled again and again without being taken.
    Strong,
}

/// A violating path through the explored graph.
pub(crate) struct Lasso {
    /// Ids from an initial state to the entry of the cycle, or to a terminal state.
    pub(crate) stem: Vec<u32>,
    /// Positions of the steps of the cycle; empty at a terminal state.
    pub(crate) cycle: Vec<usize>,
}

/// A violation of the liveness claim with this index, with a shortest stem, if the explored part
/// of the space contains one.
pub(crate) fn violation<M: Checkable>(
    plan: &Plan<'_, M>,
    explored: &Explored,
    claim: usize,
    clock: &Clock<'_>,
) -> Result<Option<Lasso>, Stop> {
    if let Some(stop) = clock.stop() {
        return Err(stop);
    }
    let edges = explored
        .edges
        .as_ref()
        .expect("a run with a liveness claim keeps its steps");
    let first = plan.mask(claim);
    let bits = |state: u32| explored.bits[state as usize];
    let region = match plan.claims[claim].goal {
        Goal::Eventually(_) => Region::reach(
            explored,
            edges,
            |state| explored.seen.is_initial(state),
            |state| bits(state) & first == 0,
        ),
        Goal::LeadsTo(..) => Region::reach(
            explored,
            edges,
            |state| bits(state) & first != 0,
            // The second predicate has the next bit.
            |state| bits(state) & (first << 1) == 0,
        ),
        Goal::Always(_) | Goal::Sometimes(_) => return Ok(None),
    };
    let duties = duties(plan, edges, plan.claims[claim].fairness);
    let fair = FairComponents::find(&region, edges, &duties, clock)?;
    let entry = region
        .order
        .iter()
        .find(|state| edges.is_terminal(**state) || fair.holds(**state));
    Ok(entry.map(|entry| Lasso {
        stem: region.stem(explored, *entry),
        cycle: if edges.is_terminal(*entry) {
            Vec::new()
        } else {
            let set = fair.partition.set(*entry);
            fair_cycle(edges, &duties, *entry, |state| {
                fair.partition.is_in(state, set)
            })
        },
    }))
}

/// The duty to each label.
fn duties<M: Checkable>(plan: &Plan<'_, M>, edges: &Edges, fairness: Fairness) -> Vec<Duty> {
    let duty = |instance: &super::edges::Instance| {
        let kind = plan.kinds[instance.kind as usize];
        if fairness.strong.contains(&kind) {
            Duty::Strong
        } else if fairness.weak.contains(&kind) {
            Duty::Weak
        } else {
            Duty::None
        }
    };
    let instances = edges.instances().iter();
    instances
        .map(|instance| instance.as_ref().map_or(Duty::None, duty))
        .collect()
}

/// Not visited by the walk through a region.
const UNSEEN: u32 = u32::MAX;
/// Where the walk through a region started.
const START: u32 = u32::MAX - 1;

/// The states that a violating path can be in, by the length of the shortest path to them.
struct Region {
    order: Vec<u32>,
    /// The state from which each was reached, or [`UNSEEN`], or [`START`].
    from: Vec<u32>,
}

impl Region {
    /// Walks from every `start` that is `inside`, along steps that stay inside. A start comes as late
    /// as its own distance from the initial states, so that whole paths are shortest.
    fn reach(
        explored: &Explored,
        edges: &Edges,
        start: impl Fn(u32) -> bool,
        inside: impl Fn(u32) -> bool,
    ) -> Self {
        let expanded = edges.rows();
        let mut region = Region {
            order: Vec::new(),
            from: vec![UNSEEN; expanded as usize],
        };
        let mut begun = 0;
        for depth in 0.. {
            let until = region.order.len();
            for at in begun..until {
                let state = region.order[at];
                for position in edges.row(state) {
                    let target = edges.target(position);
                    // What was not expanded may have any successors: nothing is said about it.
                    if target < expanded && inside(target) {
                        region.visit(target, state);
                    }
                }
            }
            begun = until;
            if let Some(first) = explored.layers.get(depth) {
                let end = explored.layers.get(depth + 1).copied();
                for state in *first..end.unwrap_or(expanded).min(expanded) {
                    if start(state) && inside(state) {
                        region.visit(state, START);
                    }
                }
            } else if region.order.len() == until {
                break;
            }
        }
        region
    }

    fn visit(&mut self, state: u32, from: u32) {
        let slot = &mut self.from[state as usize];
        if *slot == UNSEEN {
            *slot = from;
            self.order.push(state);
        }
    }

    /// The ids of a shortest path from an initial state through a start to `state`.
    fn stem(&self, explored: &Explored, state: u32) -> Vec<u32> {
        let mut inside = Vec::new();
        let mut at = state;
        while self.from[at as usize] != START {
            inside.push(at);
            at = self.from[at as usize];
        }
        let mut stem = explored.seen.path_to(at);
        stem.extend(inside.iter().rev());
        stem
    }
}

/// The largest sets of states of a region that a fair path can go round in for ever.
struct FairComponents {
    partition: Partition,
    fair: Vec<bool>,
}

impl FairComponents {
    fn find(
        region: &Region,
        edges: &Edges,
        duties: &[Duty],
        clock: &Clock<'_>,
    ) -> Result<Self, Stop> {
        let mut partition = Partition::new(edges.rows());
        let mut tally = Tally::new(duties);
        let mut fair = Vec::new();
        partition.gather(&region.order);
        let mut undivided = vec![region.order.clone()];
        while let Some(states) = undivided.pop() {
            let mut stop = None;
            let cut = || {
                stop = clock.stop();
                stop.is_some()
            };
            partition.divide(&states, edges, cut, |partition, component| {
                match tally.judge(partition, edges, &component) {
                    Judgement::Fair => fair.push(partition.set(component[0])),
                    Judgement::Unfair => {}
                    Judgement::Without(rest) => undivided.push(rest),
                }
            });
            if let Some(stop) = stop {
                return Err(stop);
            }
        }
        let sets = fair.iter().max().map_or(0, |most| *most as usize + 1);
        let mut is_fair = vec![false; sets];
        for set in fair {
            is_fair[set as usize] = true;
        }
        Ok(FairComponents {
            partition,
            fair: is_fair,
        })
    }

    fn holds(&self, state: u32) -> bool {
        let set = self.partition.set(state) as usize;
        self.fair.get(set).copied().unwrap_or(false)
    }
}

enum Judgement {
    /// A path can stay in the component and be fair by visiting all of it.
    Fair,
    /// No path that stays in it is fair.
    Unfair,
    /// A fair path can at most stay in these states of it.
    Without(Vec<u32>),
}

/// Counts, per instance, in how many states of a component it is enabled, and whether it is taken.
struct Tally<'a> {
    duties: &'a [Duty],
    enabled: Vec<u32>,
    taken: Vec<bool>,
    last_state: Vec<u32>,
    touched: Vec<u32>,
}

impl<'a> Tally<'a> {
    fn new(duties: &'a [Duty]) -> Self {
        Tally {
            duties,
            enabled: vec![0; duties.len()],
            taken: vec![false; duties.len()],
            last_state: vec![UNSEEN; duties.len()],
            touched: Vec::new(),
        }
    }

    fn judge(&mut self, partition: &mut Partition, edges: &Edges, states: &[u32]) -> Judgement {
        let set = partition.set(states[0]);
        let inner = |position| partition.is_in(edges.target(position), set);
        let is_cyclic = states.len() > 1 || edges.row(states[0]).any(inner);
        if !is_cyclic {
            return Judgement::Unfair;
        }
        self.count(partition, edges, states, set);
        let untaken =
            |label: u32, duty| self.duties[label as usize] == duty && !self.taken[label as usize];
        let starves = |label: &u32| {
            untaken(*label, Duty::Weak) && self.enabled[*label as usize] as usize == states.len()
        };
        let judgement = if self.touched.iter().any(starves) {
            // It stays enabled and untaken in every part of the component.
            Judgement::Unfair
        } else if self
            .touched
            .iter()
            .any(|label| untaken(*label, Duty::Strong))
        {
            let mut rest = Vec::new();
            for state in states {
                let mut labels = edges.row(*state).map(|position| edges.label_of(position));
                if labels.any(|label| untaken(label, Duty::Strong)) {
                    partition.remove(*state);
                } else {
                    rest.push(*state);
                }
            }
            Judgement::Without(rest)
        } else {
            Judgement::Fair
        };
        self.clear();
        judgement
    }

    fn count(&mut self, partition: &Partition, edges: &Edges, states: &[u32], set: u32) {
        for state in states {
            for position in edges.row(*state) {
                let label = edges.label_of(position);
                if label == PLAIN || self.duties[label as usize] == Duty::None {
                    continue;
                }
                let at = label as usize;
                if self.last_state[at] != *state {
                    self.last_state[at] = *state;
                    if self.enabled[at] == 0 {
                        self.touched.push(label);
                    }
                    self.enabled[at] += 1;
                }
                self.taken[at] |= partition.is_in(edges.target(position), set);
            }
        }
    }

    fn clear(&mut self) {
        for label in self.touched.drain(..) {
            let at = label as usize;
            self.enabled[at] = 0;
            self.taken[at] = false;
            self.last_state[at] = UNSEEN;
        }
    }
}

// A state of no set is in no fair component: the number of no set is never handed out.
const _: () = assert!(NONE == 0);
