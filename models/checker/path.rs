//! Paths as states and actions, and what a path violates.

use serde_json::Value;

use super::edges::Instance;
use super::liveness::Lasso;
use super::plan::Plan;
use super::search::Explored;
use super::seen::fingerprint;
use super::{Checkable, Fairness, Goal};

/// A path that was executed: one state more than actions.
pub(crate) struct Path<M: Checkable> {
    pub(crate) states: Vec<M::State>,
    pub(crate) actions: Vec<M::Action>,
}

impl<M: Checkable> Path<M> {
    pub(crate) fn from(state: M::State) -> Self {
        Path {
            states: vec![state],
            actions: Vec::new(),
        }
    }

    pub(crate) fn last(&self) -> &M::State {
        self.states.last().expect("a path has a first state")
    }

    fn push(&mut self, action: M::Action, state: M::State) {
        self.actions.push(action);
        self.states.push(state);
    }

    /// Executes the steps between the explored states `ids`, the first of which is initial.
    pub(crate) fn along(plan: &Plan<'_, M>, explored: &Explored, ids: &[u32]) -> Self {
        let wanted = |id: u32| explored.seen.fingerprint(id);
        let first = plan
            .initial()
            .find(|state| fingerprint(state) == wanted(ids[0]))
            .expect("init_states gives the same states at every call");
        let mut path = Path::from(first);
        for id in &ids[1..] {
            let leads_on = |_, next: &M::State| fingerprint(next) == wanted(*id);
            path.take_first(plan, leads_on);
        }
        path
    }

    /// Executes a lasso.
    pub(crate) fn around(plan: &Plan<'_, M>, explored: &Explored, lasso: &Lasso) -> Self {
        let mut path = Path::along(plan, explored, &lasso.stem);
        let edges = explored
            .edges
            .as_ref()
            .expect("a lasso was found on steps that were kept");
        let mut at = *lasso.stem.last().expect("a stem has a first state");
        for position in &lasso.cycle {
            let number = position - edges.row(at).start;
            path.take_first(plan, |step, _| step == number);
            at = edges.target(*position);
        }
        path
    }

    fn take_first(&mut self, plan: &Plan<'_, M>, mut wanted: impl FnMut(usize, &M::State) -> bool) {
        let mut number = 0;
        let mut taken = None;
        plan.steps(self.last(), &mut Vec::new(), |action, next| {
            if taken.is_none() && wanted(number, &next) {
                taken = Some((action.clone(), next));
            }
            number += 1;
        });
        let (action, next) =
            taken.expect("actions and next_state give the same steps at every call");
        self.push(action, next);
    }

    /// Takes `action` if it is enabled, and says whether it was.
    pub(crate) fn take(&mut self, plan: &Plan<'_, M>, action: &M::Action) -> bool {
        let mut taken = None;
        plan.steps(self.last(), &mut Vec::new(), |enabled, next| {
            if taken.is_none() && enabled == action {
                taken = Some(next);
            }
        });
        let is_enabled = taken.is_some();
        if let Some(next) = taken {
            self.push(action.clone(), next);
        }
        is_enabled
    }

    /// Where a cycle that ends with the path can start.
    pub(crate) fn cycle_starts(&self) -> impl Iterator<Item = usize> {
        let starts = 0..self.actions.len();
        starts.filter(|start| self.states[*start] == *self.last())
    }

    /// Why this path does not violate a claim in the way given: for liveness going round the cycle
    /// that starts at a step, or ending for good where no action is enabled.
    pub(crate) fn objection(
        &self,
        plan: &Plan<'_, M>,
        claim: usize,
        cycle_start: Option<usize>,
    ) -> Option<String> {
        let claim = &plan.claims[claim];
        let model = plan.model;
        match claim.goal {
            Goal::Always(p) => {
                let holds = p(model, self.last());
                holds.then(|| "the property holds after the last step".to_owned())
            }
            Goal::Sometimes(_) => Some("no path violates a `sometimes`".to_owned()),
            Goal::Eventually(p) => {
                let met = self.states.iter().position(|state| p(model, state));
                met.map(|at| format!("the goal is met in state {at} of the path"))
                    .or_else(|| self.lasso_objection(plan, claim.fairness, cycle_start))
            }
            Goal::LeadsTo(p, q) => {
                let met = self.states.iter().rposition(|state| q(model, state));
                let owed = &self.states[met.map_or(0, |at| at + 1)..];
                if !owed.iter().any(|state| p(model, state)) {
                    return Some("the goal is not owed after it was last met".to_owned());
                }
                // A cycle repeats: the goal must not be met anywhere on it.
                if let (Some(met), Some(start)) = (met, cycle_start)
                    && met >= start
                {
                    return Some(format!("the goal is met in state {met}, on the cycle"));
                }
                self.lasso_objection(plan, claim.fairness, cycle_start)
            }
        }
    }

    fn lasso_objection(
        &self,
        plan: &Plan<'_, M>,
        fairness: Fairness,
        cycle_start: Option<usize>,
    ) -> Option<String> {
        let Some(start) = cycle_start else {
            let mut is_terminal = true;
            plan.steps(self.last(), &mut Vec::new(), |_, _| is_terminal = false);
            return (!is_terminal).then(|| "an action is enabled after the last step".to_owned());
        };
        if start >= self.actions.len() || self.states[start] != *self.last() {
            return Some(format!("the cycle from step {start} does not close"));
        }
        let starved = starved(
            plan,
            fairness,
            &self.states[start..],
            &self.actions[start..],
        );
        starved.map(|action| format!("the cycle is not fair to `{action}`"))
    }
}

/// An action to which a cycle is unfair, described.
fn starved<M: Checkable>(
    plan: &Plan<'_, M>,
    fairness: Fairness,
    states: &[M::State],
    actions: &[M::Action],
) -> Option<String> {
    let instance = |action: &M::Action| Instance {
        kind: plan.kind(action) as u16,
        number: plan.model.instance_of(action),
    };
    let taken: Vec<Instance> = actions.iter().map(instance).collect();
    let mut enabled: Vec<Vec<Instance>> = Vec::new();
    let mut untaken: Vec<(Instance, M::Action)> = Vec::new();
    for state in states {
        let mut here = Vec::new();
        plan.steps(state, &mut Vec::new(), |action, _| {
            let instance = instance(action);
            here.push(instance);
            let is_listed = untaken.iter().any(|(listed, _)| *listed == instance);
            if !is_listed && !taken.contains(&instance) {
                untaken.push((instance, action.clone()));
            }
        });
        enabled.push(here);
    }
    let starves = |(instance, _): &&(Instance, M::Action)| {
        let kind = plan.kinds[instance.kind as usize];
        fairness.strong.contains(&kind)
            || fairness.weak.contains(&kind) && enabled.iter().all(|here| here.contains(instance))
    };
    let starved = untaken.iter().find(starves);
    starved.map(|(_, action)| plan.model.describe(action))
}

/// A recorded action as its model knows it.
pub(crate) fn read_action<M: Checkable>(value: &Value) -> Result<M::Action, serde_json::Error> {
    serde_json::from_value(value.clone())
}
