//! Stateright's own search and Explorer over the same model.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;

use stateright::{Checker, Model, Property};

use super::{Checkable, Goal, Predicate, Verdict};

/// What stateright's own search found of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Unique states.
    pub states: usize,
    /// Generated states, the initial ones included.
    pub generated: usize,
    /// States on the longest of the shortest paths, the initial one included.
    pub depth: usize,
    /// The verdict on each `always` and `sometimes`. Stateright's `eventually` misses violations on
    /// cycles and joins, so liveness is not asked for.
    pub verdicts: BTreeMap<&'static str, Verdict>,
}

/// Searches `model` breadth first with stateright, on one thread: only then does it count the same at every run.
pub fn peer<M: Checkable>(model: M) -> Peer {
    let model = Stateright::new(model);
    let kinds = model.kinds();
    judged(model.checker().threads(1).spawn_bfs().join(), kinds)
}

/// Searches `model` depth first: [`Peer::depth`] is then that of the deepest path it happened upon.
pub fn peer_depth_first<M: Checkable>(model: M) -> Peer {
    let model = Stateright::new(model);
    let kinds = model.kinds();
    judged(model.checker().threads(1).spawn_dfs().join(), kinds)
}

fn judged<M: Checkable>(
    checker: impl Checker<Stateright<M>>,
    kinds: Vec<(&'static str, bool)>,
) -> Peer {
    let discoveries = checker.discoveries();
    let verdict = |(name, wanted)| {
        let verdict = match (wanted, discoveries.contains_key(name)) {
            (true, true) => Verdict::Reached,
            (true, false) => Verdict::Unreached,
            (false, true) => Verdict::Violated,
            (false, false) => Verdict::Holds,
        };
        (name, verdict)
    };
    Peer {
        states: checker.unique_state_count(),
        generated: checker.state_count(),
        depth: checker.max_depth(),
        verdicts: kinds.into_iter().map(verdict).collect(),
    }
}

/// Serves stateright's Explorer of `model` at `address`, for as long as the process lives.
pub fn explore<M: Checkable>(model: M, address: &str) -> io::Result<()> {
    // The Explorer panics where it cannot listen; trying first turns that into an error.
    drop(TcpListener::bind(address)?);
    Stateright::new(model).checker().serve(address);
    Ok(())
}

/// The model with its `always` and `sometimes` claims as stateright's properties, and one more that
/// always holds: stateright stops when nothing is left to find.
struct Stateright<M: Checkable> {
    model: M,
    claims: Vec<SafetyClaim<M>>,
}

struct SafetyClaim<M: Checkable> {
    name: &'static str,
    /// Whether it is to be reached; else it is to hold.
    wanted: bool,
    predicate: Predicate<M>,
}

impl<M: Checkable> Stateright<M> {
    fn new(model: M) -> Self {
        let safety = |claim: super::Claim<M>| {
            let (wanted, predicate) = match claim.goal {
                Goal::Always(p) => (false, p),
                Goal::Sometimes(p) => (true, p),
                Goal::Eventually(_) | Goal::LeadsTo(..) => return None,
            };
            Some(SafetyClaim {
                name: claim.name,
                wanted,
                predicate,
            })
        };
        let claims = model.claims().into_iter().filter_map(safety).collect();
        Stateright { model, claims }
    }

    /// The name of each claim, and whether it is to be reached.
    fn kinds(&self) -> Vec<(&'static str, bool)> {
        let claims = self.claims.iter();
        claims.map(|claim| (claim.name, claim.wanted)).collect()
    }
}

/// The condition of a property is a plain function of the model and a state, so the number of the
/// claim that it stands for has to be part of its type.
fn condition<M: Checkable, const CLAIM: usize>(model: &Stateright<M>, state: &M::State) -> bool {
    (model.claims[CLAIM].predicate)(&model.model, state)
}

type Condition<M> = fn(&Stateright<M>, &<M as Model>::State) -> bool;

macro_rules! conditions {
    ($($claim:literal)*) => { [$(condition::<M, $claim> as Condition<M>),*] };
}

/// One condition per number; as many as a model may have predicates.
fn condition_of<M: Checkable>(claim: usize) -> Condition<M> {
    let conditions = conditions!(
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60
        61 62 63
    );
    conditions[claim]
}

impl<M: Checkable> Model for Stateright<M> {
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<M::State> {
        self.model.init_states()
    }

    fn actions(&self, state: &M::State, actions: &mut Vec<M::Action>) {
        self.model.actions(state, actions);
    }

    fn next_state(&self, state: &M::State, action: M::Action) -> Option<M::State> {
        self.model.next_state(state, action)
    }

    fn format_action(&self, action: &M::Action) -> String {
        self.model.describe(action)
    }

    fn format_step(&self, state: &M::State, action: M::Action) -> Option<String> {
        self.model.format_step(state, action)
    }

    fn within_boundary(&self, state: &M::State) -> bool {
        self.model.within_boundary(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![Property::always("every state is within reach", |_, _| true)];
        for (index, claim) in self.claims.iter().enumerate() {
            let condition = condition_of::<M>(index);
            properties.push(if claim.wanted {
                Property::sometimes(claim.name, condition)
            } else {
                Property::always(claim.name, condition)
            });
        }
        properties
    }
}
