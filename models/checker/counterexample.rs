//! Paths that violate a property, as they are saved: `concord.counterexample/1`.

use std::fmt::{Debug, Write as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::path::Path;
use super::plan::Plan;
use super::report::{FairKinds, Kind};
use super::{Bounds, Checkable};

/// Schema of a saved counterexample.
pub const SCHEMA: &str = "concord.counterexample/1";

/// A path that violates a property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counterexample {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name of the system.
    pub system: String,
    /// Name of the model.
    pub model: String,
    /// `correct` or the name of a variant.
    pub variant: String,
    /// The bounds of the model.
    pub bounds: Bounds,
    /// Name of the violated claim.
    pub property: String,
    /// Its kind.
    pub kind: Kind,
    /// The fairness it was judged under, if it is about liveness.
    pub fairness: Option<FairKinds>,
    /// [`digest`] of the initial state.
    pub init: String,
    /// The steps from there.
    pub steps: Vec<Step>,
    /// Index of the first step of a lasso's cycle. None for safety, and for liveness violated by
    /// ending where no action is enabled.
    pub cycle_start: Option<usize>,
}

/// One step of a counterexample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The action, as its model serialises it.
    pub action: Value,
    /// The action for people.
    pub text: String,
    /// [`digest`] of the state after it.
    pub state: String,
}

/// Which model a path belongs to.
pub(crate) struct Origin<'a> {
    pub(crate) model: &'a str,
    pub(crate) variant: &'a str,
}

impl Origin<'_> {
    /// The part of the model's name that names the system.
    pub(crate) fn system(&self) -> &str {
        self.model.split('/').next().unwrap_or(self.model)
    }
}

impl Counterexample {
    pub(crate) fn new<M: Checkable>(
        plan: &Plan<'_, M>,
        origin: &Origin<'_>,
        claim: usize,
        path: &Path<M>,
        cycle_start: Option<usize>,
    ) -> Self {
        let claim = &plan.claims[claim];
        let steps = path.actions.iter().zip(&path.states[1..]);
        Counterexample {
            schema: SCHEMA.to_owned(),
            system: origin.system().to_owned(),
            model: origin.model.to_owned(),
            variant: origin.variant.to_owned(),
            bounds: plan.model.bounds(),
            property: claim.name.to_owned(),
            kind: claim.goal.kind(),
            fairness: FairKinds::of(&claim.goal, claim.fairness),
            init: digest(&path.states[0]),
            steps: steps
                .map(|(action, state)| Step {
                    action: serde_json::to_value(action)
                        .expect("a model's actions have a JSON form"),
                    text: plan.model.describe(action),
                    state: digest(state),
                })
                .collect(),
            cycle_start,
        }
    }

    /// The name of its file: `counter-replicated-node_keyed-no_lost_increment.json`.
    pub fn file_name(&self) -> String {
        let model = self.model.replace('/', "-");
        format!("{model}-{}-{}.json", self.variant, self.property)
    }

    /// The recorded actions alone.
    pub fn actions(&self) -> Vec<Value> {
        self.steps.iter().map(|step| step.action.clone()).collect()
    }
}

/// Sixteen hex digits that stand for a state: the first 64 bits of the SHA-256 of its JSON form with
/// sorted keys and without spaces. They depend on nothing but the state, so they stay the same
/// across platforms and versions. A state without a JSON form, such as one with a map whose keys are
/// no strings, is digested by its `Debug` form instead.
pub fn digest<S: Serialize + Debug>(state: &S) -> String {
    let text = match serde_json::to_value(state) {
        Ok(mut value) => {
            // Does nothing unless a dependency makes maps keep the order of insertion.
            value.sort_all_objects();
            value.to_string()
        }
        Err(_) => format!("{state:?}"),
    };
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string can be written to");
        hex
    })
}
