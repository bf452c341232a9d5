//! The names that steps give, and which must be given before they are used (12).

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, format_smolstr};

use crate::replay::{Args, Flaw};

/// How names of handlers begin that `sync_interval` gives, and no other step.
const AUTO: &str = "auto-";

/// The names that steps gave so far, whatever came of these steps.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) sets: Given,
    pub(super) vectors: Given,
    nodes: BTreeMap<SmolStr, usize>,
    of_nodes: Vec<OfNode>,
}

/// The names that belong to one node.
#[derive(Debug, Default)]
pub(super) struct OfNode {
    handlers: Given,
    pub(super) sessions: Given,
}

/// Names of one kind.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeSet<SmolStr>);

/// The handler that a `sync_interval` with this ruid gives a name to (12.8).
pub(super) fn auto(ruid: u32) -> SmolStr {
    format_smolstr!("{AUTO}{ruid}")
}

/// A name that is of the right form, but which no step has created when it is used.
pub(super) fn not_created(field: &str, name: &str) -> Flaw {
    let message = format!("\"{name}\", but every step that should have created it has failed");
    Flaw::of(format!("args.{field}"), message)
}

/// A handler or session that is used where it cannot be.
pub(super) fn out_of_turn(field: &str, name: &str, state: &str) -> Flaw {
    let message = format!("\"{name}\" is {state}, which is out of turn for this operation");
    Flaw::of(format!("args.{field}"), message)
}

impl Names {
    /// The place of a node in the order of creation.
    pub(super) fn node(&self, args: &Args<'_>, field: &str) -> Result<usize, Flaw> {
        let name = args.string(field)?;
        let place = self.nodes.get(name).copied();
        place.ok_or_else(|| unknown(args, field, name))
    }

    /// A node that this step creates.
    pub(super) fn new_node(&mut self, args: &Args<'_>) -> Result<(), Flaw> {
        let name = args.string("node")?;
        let place = self.of_nodes.len();
        if self.nodes.contains_key(name) {
            return Err(taken(args, "node", name));
        }
        self.nodes.insert(name.into(), place);
        self.of_nodes.push(OfNode::default());
        Ok(())
    }

    pub(super) fn of_node(&mut self, node: usize) -> &mut OfNode {
        &mut self.of_nodes[node]
    }
}

impl OfNode {
    /// A handler that an earlier step named.
    pub(super) fn handler(&self, args: &Args<'_>) -> Result<SmolStr, Flaw> {
        self.handlers.known(args, "handler")
    }

    /// A handler that this step names.
    pub(super) fn new_handler(&mut self, args: &Args<'_>) -> Result<SmolStr, Flaw> {
        let name = args.string("handler")?;
        if name.starts_with(AUTO) {
            let message = format!("\"{name}\", but only sync_interval gives such names");
            return Err(args.flaw("handler", message));
        }
        self.handlers.fresh(args, "handler")
    }

    /// The handler that a `sync_interval` with this ruid names.
    pub(super) fn auto_handler(&mut self, ruid: u32) {
        self.handlers.0.insert(auto(ruid));
    }
}

impl Given {
    /// A name that an earlier step gave.
    pub(super) fn known(&self, args: &Args<'_>, field: &str) -> Result<SmolStr, Flaw> {
        let name = args.string(field)?;
        let given = self.0.get(name).cloned();
        given.ok_or_else(|| unknown(args, field, name))
    }

    /// A name that no earlier step gave.
    pub(super) fn fresh(&mut self, args: &Args<'_>, field: &str) -> Result<SmolStr, Flaw> {
        let name = SmolStr::new(args.string(field)?);
        match self.0.insert(name.clone()) {
            true => Ok(name),
            false => Err(taken(args, field, &name)),
        }
    }

    /// A name that this step gives, perhaps not as the first.
    pub(super) fn renewed(&mut self, args: &Args<'_>, field: &str) -> Result<SmolStr, Flaw> {
        let name = SmolStr::new(args.string(field)?);
        self.0.insert(name.clone());
        Ok(name)
    }
}

fn unknown(args: &Args<'_>, field: &str, name: &str) -> Flaw {
    let message = format!("\"{name}\", expected a name that an earlier step created");
    args.flaw(field, message)
}

fn taken(args: &Args<'_>, field: &str, name: &str) -> Flaw {
    let message = format!("\"{name}\", expected a name that no earlier step created");
    args.flaw(field, message)
}
