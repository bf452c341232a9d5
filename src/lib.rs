//! concord: model-checks, property-tests, benchmarks and replays deterministic implementations of
//! replicated systems. This crate re-exports the parts, and [`cli`] is the `concord` command over
//! them.

pub mod cli;
pub mod goals;

pub use concord_adapters as adapters;
pub use concord_models as models;
pub use concord_systems as systems;
