//! Recorded steps, executed again: `concord.rerun/1`.

use serde::Serialize;
use serde_json::Value;

use super::counterexample::{Counterexample, SCHEMA, digest};
use super::path::{Path, read_action};
use super::plan::Plan;
use super::report::{FairKinds, Kind};
use super::{Checkable, Goal};

/// Whether a counterexample still is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RerunVerdict {
    /// Every step is enabled, the digests match and the property is violated as recorded.
    Confirmed,
    /// The model has changed.
    NotReproduced,
    /// It cannot be read, or names what does not exist.
    Unusable,
}

/// What executing a counterexample again gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rerun {
    /// Whether it still is one.
    pub verdict: RerunVerdict,
    /// Index of the step at which the difference showed, if it showed at a step.
    pub step: Option<usize>,
    /// The difference, or why the counterexample is unusable.
    pub message: Option<String>,
}

impl Rerun {
    /// A counterexample that cannot be read or names what does not exist.
    pub fn unusable(message: impl Into<String>) -> Self {
        Rerun {
            verdict: RerunVerdict::Unusable,
            step: None,
            message: Some(message.into()),
        }
    }

    fn unusable_at(step: usize, message: String) -> Self {
        Rerun {
            step: Some(step),
            ..Rerun::unusable(message)
        }
    }

    fn differs(step: Option<usize>, message: impl Into<String>) -> Self {
        Rerun {
            verdict: RerunVerdict::NotReproduced,
            step,
            message: Some(message.into()),
        }
    }

    /// The document `concord.rerun/1` for a file.
    pub fn document<'a>(&self, file: &'a str) -> impl Serialize + use<'a> {
        Document {
            schema: "concord.rerun/1",
            file,
            verdict: self.verdict,
            step: self.step,
        }
    }

    /// 0 confirmed, 1 not reproduced, 2 unusable.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            RerunVerdict::Confirmed => 0,
            RerunVerdict::NotReproduced => 1,
            RerunVerdict::Unusable => 2,
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    file: &'a str,
    verdict: RerunVerdict,
    step: Option<usize>,
}

/// Executes `recorded` on the model it was found on.
pub fn rerun<M: Checkable>(model: &M, recorded: &Counterexample) -> Rerun {
    execute(model, recorded).unwrap_or_else(|rerun| rerun)
}

fn execute<M: Checkable>(model: &M, recorded: &Counterexample) -> Result<Rerun, Rerun> {
    let plan = Plan::new(model);
    if recorded.schema != SCHEMA {
        let message = format!("schema is `{}`, not `{SCHEMA}`", recorded.schema);
        return Err(Rerun::unusable(message));
    }
    let mut claims = plan.claims.iter();
    let claim = claims
        .position(|claim| claim.name == recorded.property)
        .ok_or_else(|| {
            let property = &recorded.property;
            Rerun::unusable(format!("the model claims no property `{property}`"))
        })?;
    let actions = read_actions::<M>(recorded.steps.iter().map(|step| &step.action))
        .map_err(|(step, error)| Rerun::unusable_at(step, error))?;
    let initial = plan.initial().find(|state| digest(state) == recorded.init);
    let initial = initial.ok_or_else(|| {
        let init = &recorded.init;
        Rerun::differs(None, format!("no initial state has the digest {init}"))
    })?;
    let mut path = Path::from(initial);
    for (index, (step, action)) in recorded.steps.iter().zip(&actions).enumerate() {
        if !path.take(&plan, action) {
            let message = format!("`{}` is not enabled", step.text);
            return Err(Rerun::differs(Some(index), message));
        }
        let reached = digest(path.last());
        if reached != step.state {
            let message = format!(
                "`{}` leads to state {reached}, not {}",
                step.text, step.state
            );
            return Err(Rerun::differs(Some(index), message));
        }
    }
    let last = recorded.steps.len().checked_sub(1);
    let goal = &plan.claims[claim].goal;
    if goal.kind() != recorded.kind
        || FairKinds::of(goal, plan.claims[claim].fairness) != recorded.fairness
    {
        let message = "the property is of another kind, or judged under other fairness";
        return Err(Rerun::differs(last, message));
    }
    match path.objection(&plan, claim, recorded.cycle_start) {
        Some(objection) => Err(Rerun::differs(last, objection)),
        None => Ok(Rerun {
            verdict: RerunVerdict::Confirmed,
            step: None,
            message: None,
        }),
    }
}

/// The recorded actions, or the first that the model does not know.
fn read_actions<'a, M: Checkable>(
    values: impl Iterator<Item = &'a Value>,
) -> Result<Vec<M::Action>, (usize, String)> {
    let read = |(step, value)| {
        read_action::<M>(value)
            .map_err(|error| (step, format!("{value} is no action of the model: {error}")))
    };
    values.enumerate().map(read).collect()
}

/// What steps that were recorded on one variant do on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// A step is not enabled.
    NotEnabled {
        /// Its index.
        step: usize,
    },
    /// A step is no action of the model at all.
    Unknown {
        /// Its index.
        step: usize,
        /// Why.
        message: String,
    },
    /// All steps were executed.
    Executed {
        /// Claims that the path violates: `always` in any of its states, liveness by ending where
        /// no action is enabled or by going round any cycle that ends with the path.
        violated: Vec<&'static str>,
    },
}

impl Trial {
    /// Whether the steps violate nothing, be it because one of them is not enabled.
    pub fn is_harmless(&self) -> bool {
        match self {
            Trial::NotEnabled { .. } => true,
            Trial::Unknown { .. } => false,
            Trial::Executed { violated } => violated.is_empty(),
        }
    }
}

/// Executes recorded actions from every initial state of a model, and tells the worst that happens.
pub fn trial<M: Checkable>(model: &M, steps: &[Value]) -> Trial {
    let plan = Plan::new(model);
    let actions = match read_actions::<M>(steps.iter()) {
        Ok(actions) => actions,
        Err((step, message)) => return Trial::Unknown { step, message },
    };
    let mut furthest = 0;
    let mut executed: Option<Vec<&'static str>> = None;
    for initial in plan.initial() {
        let mut path = Path::from(initial);
        let blocked = actions.iter().position(|action| !path.take(&plan, action));
        if let Some(step) = blocked {
            furthest = furthest.max(step);
            continue;
        }
        let violated = executed.get_or_insert_default();
        for (index, claim) in plan.claims.iter().enumerate() {
            if !violated.contains(&claim.name) && violates(&plan, &path, index) {
                violated.push(claim.name);
            }
        }
    }
    match executed {
        Some(violated) => Trial::Executed { violated },
        None => Trial::NotEnabled { step: furthest },
    }
}

fn violates<M: Checkable>(plan: &Plan<'_, M>, path: &Path<M>, claim: usize) -> bool {
    let goal = &plan.claims[claim].goal;
    if let Goal::Always(p) = goal {
        return path.states.iter().any(|state| !p(plan.model, state));
    }
    let objects = |cycle_start| path.objection(plan, claim, cycle_start).is_some();
    goal.kind() != Kind::Sometimes
        && !(objects(None) && path.cycle_starts().all(|start| objects(Some(start))))
}
