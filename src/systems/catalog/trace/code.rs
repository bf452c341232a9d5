//! Codes of failures (15.8).

use crate::catalog::Error;

/// Why a step fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Code(pub(super) &'static str);

pub(super) const NODE_DOWN: Code = Code("node_down");
pub(super) const NODE_RUNNING: Code = Code("node_running");
pub(super) const UNKNOWN_PLAN: Code = Code("unknown_plan");
pub(super) const UNKNOWN_CHECKPOINT: Code = Code("unknown_checkpoint");
pub(super) const INJECTED_FAULT: Code = Code("injected_fault");

impl From<Error> for Code {
    fn from(error: Error) -> Self {
        Self(error.code())
    }
}
