//! What the command, the reports and the tests know of every system.

use crate::checker::{Bounds, Checkable};

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
    /// Defect ids of the spec that no variant stands for, each with the reason.
    pub not_expressible: &'static [NotExpressible],
}

/// A defect that no model can express.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A known defect of the original.
    Upstream,
    /// Our own, for a property that no known defect breaks.
    Mutant,
}

/// Whether the original still has the defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// In the latest release the spec knows.
    Present,
    /// Corrected since.
    Fixed,
}

/// The documentation of one variant.
#[derive(Clone, Copy, Debug)]
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
pub trait Subject: Send + Sync {
    /// Name as in `concord check counter/replicated`.
    fn name(&self) -> &'static str;
    /// Bounds of the correct model.
    fn bounds(&self, budget: Budget) -> Bounds;
    /// Documentation of every property.
    fn properties(&self) -> &[Property];
    /// Documentation of every variant.
    fn faults(&self) -> &[Fault];
}
