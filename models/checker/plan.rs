//! A model's claims, laid out for the search.

use super::edges::Instance;
use super::{Checkable, Claim, Goal, Predicate};

/// Most predicates in one model: their values in a state are the bits of one word.
const MOST_PREDICATES: usize = 64;

/// A model with its claims and kinds asked for once.
pub(crate) struct Plan<'m, M: Checkable> {
    pub(crate) model: &'m M,
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) claims: Vec<Claim<M>>,
    predicates: Vec<Predicate<M>>,
    /// Of each claim, the bit of its first predicate.
    first_bit: Vec<u32>,
    /// Kinds to which some claim owes fairness.
    fair: Vec<bool>,
}

impl<'m, M: Checkable> Plan<'m, M> {
    pub(crate) fn new(model: &'m M) -> Self {
        let kinds = model.kinds();
        let claims = model.claims();
        let mut predicates = Vec::new();
        let mut first_bit = Vec::new();
        let mut fair = vec![false; kinds.len()];
        for claim in &claims {
            first_bit.push(predicates.len() as u32);
            match claim.goal {
                Goal::Always(p) | Goal::Sometimes(p) | Goal::Eventually(p) => predicates.push(p),
                Goal::LeadsTo(p, q) => predicates.extend([p, q]),
            }
            for name in claim.fairness.weak.iter().chain(claim.fairness.strong) {
                assert!(
                    model.knows(name),
                    "claim {} is fair to {name}, which is no kind of action",
                    claim.name
                );
                if let Some(kind) = kinds.iter().position(|kind| kind == name) {
                    fair[kind] |= claim.goal.is_liveness();
                }
            }
        }
        assert!(
            predicates.len() <= MOST_PREDICATES,
            "a model has at most {MOST_PREDICATES} predicates, not {}",
            predicates.len()
        );
        Plan {
            model,
            kinds,
            claims,
            predicates,
            first_bit,
            fair,
        }
    }

    pub(crate) fn has_liveness(&self) -> bool {
        self.claims.iter().any(|claim| claim.goal.is_liveness())
    }

    /// The values of all predicates in `state`, one bit each.
    pub(crate) fn evaluate(&self, state: &M::State) -> u64 {
        let mut bits = 0;
        for (bit, predicate) in self.predicates.iter().enumerate() {
            bits |= u64::from(predicate(self.model, state)) << bit;
        }
        bits
    }

    /// The mask of the first predicate of a claim.
    pub(crate) fn mask(&self, claim: usize) -> u64 {
        1 << self.first_bit[claim]
    }

    /// The index of the kind of `action`.
    pub(crate) fn kind(&self, action: &M::Action) -> usize {
        let name = self.model.kind_of(action);
        let kind = self.kinds.iter().position(|kind| *kind == name);
        kind.unwrap_or_else(|| panic!("{action:?} is of kind {name}, which is not declared"))
    }

    /// What fairness may be owed to when `action` is enabled.
    pub(crate) fn instance(&self, kind: usize, action: &M::Action) -> Option<Instance> {
        self.fair[kind].then(|| Instance {
            kind: kind as u16,
            number: self.model.instance_of(action),
        })
    }

    /// Every enabled action of `state` with its successor, in the order of actions.
    ///
    /// An action is enabled if it has a successor and that lies within the boundary.
    pub(crate) fn steps(
        &self,
        state: &M::State,
        actions: &mut Vec<M::Action>,
        mut each: impl FnMut(&M::Action, M::State),
    ) {
        actions.clear();
        self.model.actions(state, actions);
        for action in actions.drain(..) {
            if let Some(next) = self.model.next_state(state, action.clone())
                && self.model.within_boundary(&next)
            {
                each(&action, next);
            }
        }
    }

    /// The initial states within the boundary.
    pub(crate) fn initial(&self) -> impl Iterator<Item = M::State> {
        let states = self.model.init_states().into_iter();
        states.filter(|state| self.model.within_boundary(state))
    }
}
