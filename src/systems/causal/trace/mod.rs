//! Traces of causal (section 11 of its spec).

mod call;
mod codec;
mod json;
pub mod live;
mod node;

use std::io::{self, BufRead, Seek};

use crate::replay::{self, Answer, Args, Flaw, Interpreter, Replayed, Vocabulary};

use call::Call;
use codec::Codec;
use json::name;
use node::Nodes;

use super::Name;
use super::clock::{Clock, Node};
use super::group::{Group, Profile};

/// Replays a trace on the reference.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay(source: impl BufRead + Seek) -> io::Result<Replayed> {
    replay::replay(source, |words: &Words| Ok(Replay(Nodes::new(words))))
}

/// The vocabulary of one profile, and the group (11.1).
#[derive(Debug)]
pub struct Words {
    profile: Profile,
    group: Group,
    /// With which each member starts, in order of the members.
    clocks: Vec<Clock>,
}

/// One step of a trace.
#[derive(Debug)]
pub struct Step(Op);

#[derive(Debug)]
enum Op {
    Codec(Codec),
    Node {
        /// None if the step names nobody of the group.
        node: Option<Node>,
        call: Call,
    },
    Converged,
}

const PROFILES: &[(&str, Profile)] = &[("text", Profile::Text), ("framed", Profile::Framed)];

impl Words {
    /// Those of a group that starts with clocks of 0.
    pub fn new(profile: Profile, group: Group) -> Self {
        let clocks = vec![Clock::zero(group.size()); group.size()];
        Self {
            profile,
            group,
            clocks,
        }
    }
}

impl Vocabulary for Words {
    const SYSTEM: &'static str = "causal";
    type Step = Step;

    fn configure(config: &Args<'_>) -> Result<Self, Flaw> {
        let profile = config.choice("profile", PROFILES)?;
        let names = config.strings("nodes")?.into_iter().map(Name::new);
        let group = Group::new(names).map_err(|error| config.flaw("nodes", error.to_string()))?;
        let clocks = read_clocks(config, profile, &group)?;
        Ok(Self {
            profile,
            group,
            clocks,
        })
    }

    fn parse(&mut self, op: &str, args: &Args<'_>) -> Result<Step, Flaw> {
        if let Some(codec) = Codec::read(op, args, self.profile)? {
            return Ok(Step(Op::Codec(codec)));
        }
        if op == "converged" {
            return Ok(Step(Op::Converged));
        }
        let read = call::reader(op, self.profile).ok_or_else(|| Args::unknown_op(op))?;
        let node = self.group.node(&name(args, "node")?);
        let call = read(self, args)?;
        Ok(Step(Op::Node { node, call }))
    }
}

/// The initial clocks: what is not told is 0.
fn read_clocks(config: &Args<'_>, profile: Profile, group: &Group) -> Result<Vec<Clock>, Flaw> {
    let mut clocks = vec![Clock::zero(group.size()); group.size()];
    let Some(given) = config.optional_object("clocks")? else {
        return Ok(clocks);
    };
    let member = |name: &str| {
        let wanted = "expected a member of the group";
        let node = group.node(name);
        node.ok_or_else(|| config.flaw("clocks", format!("\"{name}\", {wanted}")))
    };
    for (owner, entries) in given.all_objects()? {
        let clock = &mut clocks[member(owner)?.index()];
        for (name, value) in entries.all_integers(json::clock_range(profile, 0))? {
            clock.set(member(name)?, value.unsigned_abs());
        }
    }
    Ok(clocks)
}

/// The reference under replay.
#[derive(Debug)]
struct Replay(Nodes);

impl Interpreter for Replay {
    type Vocabulary = Words;

    fn perform(&mut self, Step(op): Step) -> Result<Answer, Flaw> {
        let Self(nodes) = self;
        Ok(match op {
            Op::Codec(codec) => codec.perform(),
            Op::Node { node: None, .. } => Answer::Fails("unknown_node"),
            Op::Node {
                node: Some(node),
                call,
            } => nodes.call(node, call),
            Op::Converged => nodes.converged(),
        })
    }
}
