//! What runs found: `concord.check/1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Bounds, Fairness, Goal};
use stateright::Model;

/// The name of the correct model where a variant's name would stand.
pub const CORRECT: &str = "correct";

/// The kind of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Holds in every reachable state.
    Always,
    /// Holds in some reachable state.
    Sometimes,
    /// Holds at some time on every fair path.
    Eventually,
    /// One predicate is followed by another on every fair path.
    LeadsTo,
}

impl Kind {
    /// As in reports: `leads_to`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Always => "always",
            Kind::Sometimes => "sometimes",
            Kind::Eventually => "eventually",
            Kind::LeadsTo => "leads_to",
        }
    }

    /// Whether it is about infinite paths, and is judged under fairness.
    pub fn is_liveness(self) -> bool {
        matches!(self, Kind::Eventually | Kind::LeadsTo)
    }
}

/// The kinds of action to which a claim owes fairness, as reports print them.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FairKinds {
    /// Weakly fair.
    pub weak: Vec<String>,
    /// Strongly fair.
    pub strong: Vec<String>,
}

impl FairKinds {
    /// The fairness of a claim; safety has none.
    pub(crate) fn of<M: Model>(goal: &Goal<M>, fairness: Fairness) -> Option<Self> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        goal.is_liveness().then(|| FairKinds {
            weak: owned(fairness.weak),
            strong: owned(fairness.strong),
        })
    }
}

/// What is known of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Proved within the bounds.
    Holds,
    /// A path shows that it does not hold.
    Violated,
    /// A state with it was found.
    Reached,
    /// The whole space has no such state.
    Unreached,
    /// The run ended before it was settled.
    Unknown,
}

/// The judgement of a run, and of all runs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// A correct model did what it claims, or a variant was caught.
    Pass,
    /// A claim of a correct model is violated, one of its actions never fired, or a variant escaped.
    Fail,
    /// A limit ended the run before either was known.
    Inconclusive,
}

/// Where a counterexample is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its steps.
    pub length: usize,
    /// The file it was saved in, if it was.
    pub file: Option<String>,
}

/// The verdict on one property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyVerdict {
    /// Name of the claim.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// The fairness it was judged under, if it is about liveness.
    pub fairness: Option<FairKinds>,
    /// What is known.
    pub verdict: Verdict,
    /// What had to be found; a property of which nothing is expected never decides.
    pub expected: Option<Verdict>,
    /// The path that violates it.
    pub counterexample: Option<Reference>,
}

/// One model, checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the system.
    pub system: String,
    /// Name of the model.
    pub model: String,
    /// [`CORRECT`] or the name of a variant.
    pub variant: String,
    /// The bounds of the model.
    pub bounds: Bounds,
    /// How the space was searched.
    pub strategy: String,
    /// Threads used.
    pub threads: usize,
    /// Unique states.
    pub states: usize,
    /// Generated successors: enabled actions over all expanded states, initial states excluded.
    pub transitions: u64,
    /// Steps on the longest of the shortest paths from an initial state to each state.
    pub depth: usize,
    /// Whether the whole space was covered and every claim settled.
    pub complete: bool,
    /// Time taken.
    pub seconds: f64,
    /// Unique states per second.
    pub states_per_second: u64,
    /// Most bytes of table, frontier and steps at any time, by the checker's own account.
    pub peak_bytes: usize,
    /// Transitions by kind of action, zeros included.
    pub actions: BTreeMap<String, u64>,
    /// The claims, in the order of the model.
    pub properties: Vec<PropertyVerdict>,
}

impl Run {
    /// Whether this is a run of a correct model.
    pub fn is_correct(&self) -> bool {
        self.variant == CORRECT
    }

    /// The model's name with the variant's: `counter/replicated@node_keyed`.
    pub fn name(&self) -> String {
        if self.is_correct() {
            self.model.clone()
        } else {
            format!("{}@{}", self.model, self.variant)
        }
    }

    /// Pass, fail, or inconclusive. A variant that passes was caught; one that fails has escaped.
    pub fn judgement(&self) -> Judgement {
        if !self.failures().is_empty() {
            return Judgement::Fail;
        }
        let mut expecting = self.properties.iter().filter(|p| p.expected.is_some());
        let is_as_expected = expecting.all(|p| p.expected == Some(p.verdict));
        if is_as_expected && (self.complete || !self.is_correct()) {
            Judgement::Pass
        } else {
            Judgement::Inconclusive
        }
    }

    /// Why this run fails, one line each; empty if it does not.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        if !self.is_correct() && self.properties.iter().all(|p| p.expected.is_none()) {
            failures.push("the variant is expected to violate nothing".to_owned());
        }
        for property in &self.properties {
            let name = &property.name;
            match (property.expected, property.verdict) {
                (Some(Verdict::Holds), Verdict::Violated) => {
                    failures.push(format!("{name} is violated"));
                }
                (Some(Verdict::Reached), Verdict::Unreached) => {
                    failures.push(format!("{name} is never reached"));
                }
                (Some(Verdict::Violated), Verdict::Holds) => {
                    failures.push(format!("{name} holds: the fault escaped"));
                }
                _ => {}
            }
        }
        if self.is_correct() && self.complete {
            let silent = self.actions.iter().filter(|(_, count)| **count == 0);
            failures.extend(silent.map(|(kind, _)| format!("action {kind} never fired")));
        }
        failures
    }
}

/// All runs of one invocation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `concord.check/1`.
    pub schema: String,
    /// Of all runs together.
    pub verdict: Judgement,
    /// Time taken.
    pub seconds: f64,
    /// The runs.
    pub runs: Vec<Run>,
}

impl Report {
    /// Judges `runs` together: one failure fails all, and else one doubt leaves all in doubt.
    pub fn new(runs: Vec<Run>, seconds: f64) -> Self {
        let is_any = |judgement| runs.iter().any(|run| run.judgement() == judgement);
        let verdict = if is_any(Judgement::Fail) {
            Judgement::Fail
        } else if is_any(Judgement::Inconclusive) {
            Judgement::Inconclusive
        } else {
            Judgement::Pass
        };
        Report {
            schema: "concord.check/1".to_owned(),
            verdict,
            seconds,
            runs,
        }
    }

    /// 0 passed, 1 failed, 3 inconclusive.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Judgement::Pass => 0,
            Judgement::Fail => 1,
            Judgement::Inconclusive => 3,
        }
    }
}
