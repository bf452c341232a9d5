//! What the command, the reports and the tests know of every system.

mod list;
mod names;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Seek};

use concord_systems::replay::Replayed;
use serde::Serialize;
use serde_json::Value;

use crate::checker::{
    self, Bounds, Checkable, Counterexample, Drawing, FairKinds, Job, Kind, Limits, Observer,
    Outcome, Peer, Rerun, Trial,
};

pub use list::{ListedModel, ListedProperty, ListedSystem, Listing};
pub use names::{Target, names, resolve};

/// How large a space to explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Bounds for every commit: seconds.
    Quick,
    /// Bounds for a release: minutes.
    Full,
}

/// One system with its models, and the defects that no model can express.
pub struct System {
    /// Name as in `concord check NAME`.
    pub name: &'static str,
    /// One line: what the system is.
    pub summary: &'static str,
    /// Its models, built anew at each call.
    pub models: fn() -> Vec<Box<dyn Subject>>,
    /// Replays a trace on the reference.
    pub replay: fn(&mut dyn Source) -> io::Result<Replayed>,
    /// Defect ids of the spec that no variant stands for, each with the reason.
    pub not_expressible: &'static [NotExpressible],
}

/// Where a trace is read from, twice.
pub trait Source: BufRead + Seek {}

impl<T: BufRead + Seek> Source for T {}

/// A defect that no model can express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NotExpressible {
    /// Id exactly as in the spec.
    pub id: &'static str,
    /// Why no variant stands for it.
    pub reason: &'static str,
}

/// The documentation of one property.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Name of the claim.
    pub name: &'static str,
    /// Id of the invariant in the spec, if it has one: `CTR-S3`.
    pub id: Option<&'static str>,
    /// One sentence.
    pub statement: &'static str,
    /// The `sometimes` that shows its interesting case is reached.
    pub witness: Option<&'static str>,
}

/// Where a fault comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A known defect of the original.
    Upstream,
    /// Our own, for a property that no known defect breaks.
    Mutant,
}

/// Whether the original still has the defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In the latest release the spec knows.
    Present,
    /// Corrected since.
    Fixed,
}

/// The documentation of one variant.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Fault {
    /// Name as in `counter/replicated@NAME`.
    pub name: &'static str,
    /// Defect ids of the spec that it stands for.
    pub ids: &'static [&'static str],
    /// Properties that it must violate.
    pub violates: &'static [&'static str],
    /// Where it comes from.
    pub origin: Origin,
    /// Whether the original still has it; none for mutants.
    pub status: Option<Status>,
    /// One sentence.
    pub statement: &'static str,
}

impl Fault {
    /// A variant that stands for known defects.
    pub const fn upstream(
        name: &'static str,
        ids: &'static [&'static str],
        violates: &'static [&'static str],
        status: Status,
        statement: &'static str,
    ) -> Self {
        Fault {
            name,
            ids,
            violates,
            origin: Origin::Upstream,
            status: Some(status),
            statement,
        }
    }

    /// A variant of our own.
    pub const fn mutant(
        name: &'static str,
        violates: &'static [&'static str],
        statement: &'static str,
    ) -> Self {
        Fault {
            name,
            ids: &[],
            violates,
            origin: Origin::Mutant,
            status: None,
            statement,
        }
    }
}

/// A typed model with its variants, before its type is erased.
pub struct Family<M: Checkable> {
    /// Name as in `concord check counter/replicated`.
    pub name: &'static str,
    /// Documentation of every claim of every variant.
    pub properties: Vec<Property>,
    /// The variants.
    pub faults: Vec<Fault>,
    /// Builds the correct model (`None`) or a variant.
    pub build: fn(Option<&str>, Budget) -> M,
}

/// A model whose type is erased: all that commands, reports and tests do with one.
///
/// A `variant` of `None` is the correct model. Methods that take a variant panic on a name that
/// [`Subject::faults`] does not list; [`resolve`] gives only names that are listed.
pub trait Subject: Send + Sync {
    /// Name as in `concord check counter/replicated`.
    fn name(&self) -> &'static str;
    /// Bounds of the correct model.
    fn bounds(&self, budget: Budget) -> Bounds;
    /// Documentation of every property.
    fn properties(&self) -> &[Property];
    /// Documentation of every variant.
    fn faults(&self) -> &[Fault];
    /// What a variant claims, in its own order.
    fn claims(&self, variant: Option<&str>, budget: Budget) -> Vec<Claimed>;
    /// Checks every claim.
    fn check(
        &self,
        variant: Option<&str>,
        budget: Budget,
        limits: &Limits,
        observer: &dyn Observer,
    ) -> Outcome;
    /// Executes a counterexample on the variant it names, under the budget whose bounds it records.
    fn rerun(&self, recorded: &Counterexample) -> Rerun;
    /// Executes actions that were recorded on another variant.
    fn trial(&self, variant: Option<&str>, budget: Budget, steps: &[Value]) -> Trial;
    /// Serves stateright's Explorer at `address`, for as long as the process lives.
    fn explore(&self, variant: Option<&str>, budget: Budget, address: &str) -> io::Result<()>;
    /// Draws the first `most_states` states with the steps between them.
    fn graph(&self, variant: Option<&str>, budget: Budget, most_states: usize) -> Drawing;
    /// Searches with stateright instead, breadth first, on one thread.
    fn peer(&self, variant: Option<&str>, budget: Budget) -> Peer;
    /// Likewise, depth first.
    fn peer_depth_first(&self, variant: Option<&str>, budget: Budget) -> Peer;
}

/// A claim without its predicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Name of the claim.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The fairness it is judged under, if it is about liveness.
    pub fairness: Option<FairKinds>,
}

impl<M: Checkable> Family<M> {
    fn fault(&self, variant: &str) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.name == variant)
    }

    fn model(&self, variant: Option<&str>, budget: Budget) -> M {
        if let Some(variant) = variant {
            let is_listed = self.fault(variant).is_some();
            assert!(is_listed, "{} has no variant {variant}", self.name);
        }
        (self.build)(variant, budget)
    }
}

impl<M: Checkable> Subject for Family<M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn bounds(&self, budget: Budget) -> Bounds {
        self.model(None, budget).bounds()
    }

    fn properties(&self) -> &[Property] {
        &self.properties
    }

    fn faults(&self) -> &[Fault] {
        &self.faults
    }

    fn claims(&self, variant: Option<&str>, budget: Budget) -> Vec<Claimed> {
        let claims = self.model(variant, budget).claims().into_iter();
        claims
            .map(|claim| Claimed {
                name: claim.name,
                kind: claim.goal.kind(),
                fairness: FairKinds::of(&claim.goal, claim.fairness),
            })
            .collect()
    }

    fn check(
        &self,
        variant: Option<&str>,
        budget: Budget,
        limits: &Limits,
        observer: &dyn Observer,
    ) -> Outcome {
        let model = self.model(variant, budget);
        let fault = variant.and_then(|variant| self.fault(variant));
        let job = Job {
            model: self.name,
            variant: fault.map(|fault| (fault.name, fault.violates)),
        };
        checker::check(&model, job, limits, observer)
    }

    fn rerun(&self, recorded: &Counterexample) -> Rerun {
        let variant = match recorded.variant.as_str() {
            checker::CORRECT => None,
            variant if self.fault(variant).is_some() => Some(variant),
            variant => return Rerun::unusable(format!("{} has no variant {variant}", self.name)),
        };
        let budgets = [Budget::Quick, Budget::Full].into_iter();
        let mut models = budgets.map(|budget| self.model(variant, budget));
        match models.find(|model| model.bounds() == recorded.bounds) {
            Some(model) => checker::rerun(&model, recorded),
            None => Rerun::unusable(format!("{} has these bounds under no budget", self.name)),
        }
    }

    fn trial(&self, variant: Option<&str>, budget: Budget, steps: &[Value]) -> Trial {
        checker::trial(&self.model(variant, budget), steps)
    }

    fn explore(&self, variant: Option<&str>, budget: Budget, address: &str) -> io::Result<()> {
        checker::explore(self.model(variant, budget), address)
    }

    fn graph(&self, variant: Option<&str>, budget: Budget, most_states: usize) -> Drawing {
        checker::draw(&self.model(variant, budget), most_states)
    }

    fn peer(&self, variant: Option<&str>, budget: Budget) -> Peer {
        checker::peer(self.model(variant, budget))
    }

    fn peer_depth_first(&self, variant: Option<&str>, budget: Budget) -> Peer {
        checker::peer_depth_first(self.model(variant, budget))
    }
}
