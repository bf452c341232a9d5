//! The checker: what a model claims, and the search that judges it.
//!
//! [`check()`] covers the space breadth first and keeps, per state, a fingerprint and a parent; where
//! a claim is about liveness also every step. Safety is judged during the search, liveness afterwards
//! on the strongly connected components of the graph. Stateright supplies the `Model` trait and the
//! Explorer; its own search is a peer in tests ([`Peer`]), since it misses `eventually` violations
//! on cycles and joins, and passes what it did not finish.
//!
//! `transitions` and `depth` of a [`Run`] leave out the initial states: stateright and TLC count
//! those as generated, and print the states of a path where concord counts its steps.

mod check;
mod components;
mod counterexample;
mod cycle;
mod drawing;
mod edges;
mod limits;
mod liveness;
mod path;
mod peer;
mod plan;
mod report;
mod rerun;
mod search;
mod seen;
#[cfg(test)]
mod tests;

pub use check::{Job, Outcome, check};
pub use counterexample::{Counterexample, SCHEMA, Step, digest};
pub use drawing::{Drawing, Edge, Node, draw};
pub use limits::{Limits, Observer, Progress, Stop};
pub use peer::{Peer, explore, peer, peer_depth_first};
pub use report::{
    CORRECT, FairKinds, Judgement, Kind, PropertyVerdict, Reference, Report, Run, Verdict,
};
pub use rerun::{Rerun, RerunVerdict, Trial, rerun, trial};

use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;
use stateright::Model;

/// Bounds of a model as they are printed: name to number (or name).
pub type Bounds = serde_json::Map<String, serde_json::Value>;

/// Bounds that are all numbers.
pub fn bounds<N: Into<serde_json::Value>>(
    numbers: impl IntoIterator<Item = (&'static str, N)>,
) -> Bounds {
    let numbers = numbers.into_iter();
    numbers
        .map(|(name, number)| (name.to_owned(), number.into()))
        .collect()
}

/// A predicate on states. A plain function: what it needs to know stands in the model.
pub type Predicate<M> = fn(&M, &<M as Model>::State) -> bool;

/// A [`Model`] that declares what stateright's `Property` cannot: liveness goals under fairness,
/// the kinds of its actions, and its bounds.
///
/// An action is enabled where `next_state` gives a state within the boundary. A step to the same
/// state is a step: it is enabled, it is taken, and it can be gone round for ever. A state without
/// enabled actions is where a path ends for good. The claims of one model have at most 64 predicates.
pub trait Checkable:
    Model<
        State: Clone + Eq + Hash + Debug + Serialize + Send + Sync,
        Action: Clone + Eq + Debug + Serialize + DeserializeOwned + Send + Sync,
    > + Send
    + Sync
    + Sized
    + 'static
{
    /// Every bound of this model, under the name that reports print.
    fn bounds(&self) -> Bounds;

    /// Every kind of action that this model declares under its bounds, in the order of reports.
    fn kinds(&self) -> Vec<&'static str>;

    /// The kind of `action`, one of [`Checkable::kinds`].
    fn kind_of(&self, action: &Self::Action) -> &'static str;

    /// Whether some bounds of this model, not necessarily these, have actions of this kind. Fairness
    /// may be owed to such a kind even where it cannot occur.
    fn knows(&self, kind: &str) -> bool {
        self.kinds().contains(&kind)
    }

    /// Tells apart actions of one kind to which fairness is owed separately: delivering one
    /// message does not discharge the obligation to deliver another.
    fn instance_of(&self, action: &Self::Action) -> u64;

    /// One line for people, for example `deliver {B1} a->b`.
    fn describe(&self, action: &Self::Action) -> String;

    /// What this model claims.
    fn claims(&self) -> Vec<Claim<Self>>;

    /// Heap bytes owned by `state`, for the checker's account of memory.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// One named claim about a model.
pub struct Claim<M: Model> {
    /// Snake-case name, unique in the model.
    pub name: &'static str,
    /// What is claimed.
    pub goal: Goal<M>,
    /// Under which fairness; only liveness goals have any.
    pub fairness: Fairness,
}

impl<M: Model> Claim<M> {
    /// `predicate` holds in every reachable state.
    pub fn always(name: &'static str, predicate: Predicate<M>) -> Self {
        Claim {
            name,
            goal: Goal::Always(predicate),
            fairness: Fairness::default(),
        }
    }

    /// `predicate` holds in some reachable state.
    pub fn sometimes(name: &'static str, predicate: Predicate<M>) -> Self {
        Claim {
            name,
            goal: Goal::Sometimes(predicate),
            fairness: Fairness::default(),
        }
    }

    /// Whenever `from` holds, `to` holds then or later on every path that is fair in this way.
    pub fn leads_to(
        name: &'static str,
        from: Predicate<M>,
        to: Predicate<M>,
        fairness: Fairness,
    ) -> Self {
        Claim {
            name,
            goal: Goal::LeadsTo(from, to),
            fairness,
        }
    }
}

/// What a [`Claim`] says of the state space.
pub enum Goal<M: Model> {
    /// The predicate holds in every reachable state.
    Always(Predicate<M>),
    /// The predicate holds in some reachable state.
    Sometimes(Predicate<M>),
    /// On every fair path the predicate holds at some time.
    Eventually(Predicate<M>),
    /// Whenever the first holds, the second holds then or later on every fair path.
    LeadsTo(Predicate<M>, Predicate<M>),
}

impl<M: Model> Goal<M> {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Goal::Always(_) => Kind::Always,
            Goal::Sometimes(_) => Kind::Sometimes,
            Goal::Eventually(_) => Kind::Eventually,
            Goal::LeadsTo(..) => Kind::LeadsTo,
        }
    }

    /// Whether it is about infinite paths, and is judged under fairness.
    pub fn is_liveness(&self) -> bool {
        self.kind().is_liveness()
    }
}

/// The claims that stateright's own search can judge: safety only, since its `eventually` overlooks
/// cycles.
pub fn safety<M: Model>(claims: &[Claim<M>]) -> Vec<stateright::Property<M>> {
    let of = |claim: &Claim<M>| {
        let (expectation, condition) = match claim.goal {
            Goal::Always(condition) => (stateright::Expectation::Always, condition),
            Goal::Sometimes(condition) => (stateright::Expectation::Sometimes, condition),
            Goal::Eventually(_) | Goal::LeadsTo(..) => return None,
        };
        Some(stateright::Property {
            expectation,
            name: claim.name,
            condition,
        })
    };
    claims.iter().filter_map(of).collect()
}

/// Kinds of action to which fairness is owed, per instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Fairness {
    /// Kinds whose every instance, once enabled for good, is taken.
    pub weak: &'static [&'static str],
    /// Kinds whose every instance, enabled again and again, is taken.
    pub strong: &'static [&'static str],
}
