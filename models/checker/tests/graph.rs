//! A model that is given state by state and step by step.

use serde::{Deserialize, Serialize};
use stateright::{Model, Property};

use super::super::{Bounds, Checkable, Claim, Fairness, Goal};

pub(super) const KINDS: [&str; 3] = ["a", "b", "c"];

/// One step of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Arrow {
    pub(super) from: u32,
    pub(super) to: u32,
    /// Index into [`KINDS`].
    pub(super) kind: usize,
    pub(super) instance: u64,
}

/// An arrow of kind `c`, to which no test is fair.
pub(super) fn plain(from: u32, to: u32) -> Arrow {
    arrow(from, to, "c", 0)
}

pub(super) fn arrow(from: u32, to: u32, kind: &str, instance: u64) -> Arrow {
    Arrow {
        from,
        to,
        kind: KINDS.iter().position(|name| *name == kind).unwrap(),
        instance,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Eventually,
    LeadsTo,
}

/// States are numbers; the claim is `live`: `eventually(q)` or `leads_to(p, q)`.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub(super) initial: Vec<u32>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) p: Vec<u32>,
    pub(super) q: Vec<u32>,
    pub(super) form: Form,
    pub(super) fairness: Fairness,
}

impl Graph {
    pub(super) fn eventually(arrows: &[Arrow], q: &[u32]) -> Self {
        Graph {
            initial: vec![0],
            arrows: arrows.to_vec(),
            p: Vec::new(),
            q: q.to_vec(),
            form: Form::Eventually,
            fairness: Fairness::default(),
        }
    }

    pub(super) fn leads_to(arrows: &[Arrow], p: &[u32], q: &[u32]) -> Self {
        Graph {
            p: p.to_vec(),
            form: Form::LeadsTo,
            ..Graph::eventually(arrows, q)
        }
    }

    pub(super) fn weak(self, weak: &'static [&'static str]) -> Self {
        let fairness = Fairness {
            weak,
            ..self.fairness
        };
        Graph { fairness, ..self }
    }

    pub(super) fn strong(self, strong: &'static [&'static str]) -> Self {
        let fairness = Fairness {
            strong,
            ..self.fairness
        };
        Graph { fairness, ..self }
    }
}

impl Model for Graph {
    type State = u32;
    type Action = Arrow;

    fn init_states(&self) -> Vec<u32> {
        self.initial.clone()
    }

    fn actions(&self, state: &u32, actions: &mut Vec<Arrow>) {
        actions.extend(self.arrows.iter().filter(|arrow| arrow.from == *state));
    }

    fn next_state(&self, _: &u32, arrow: Arrow) -> Option<u32> {
        Some(arrow.to)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::eventually("live", |graph: &Graph, state| {
            graph.q.contains(state)
        })]
    }
}

impl Checkable for Graph {
    fn bounds(&self) -> Bounds {
        Bounds::new()
    }

    fn kinds(&self) -> Vec<&'static str> {
        KINDS.to_vec()
    }

    fn kind_of(&self, arrow: &Arrow) -> &'static str {
        KINDS[arrow.kind]
    }

    fn instance_of(&self, arrow: &Arrow) -> u64 {
        arrow.instance
    }

    fn describe(&self, arrow: &Arrow) -> String {
        format!("{} {}->{}", KINDS[arrow.kind], arrow.from, arrow.to)
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        let p = |graph: &Graph, state: &u32| graph.p.contains(state);
        let q = |graph: &Graph, state: &u32| graph.q.contains(state);
        vec![Claim {
            name: "live",
            goal: match self.form {
                Form::Eventually => Goal::Eventually(q),
                Form::LeadsTo => Goal::LeadsTo(p, q),
            },
            fairness: self.fairness,
        }]
    }
}
