//! A state space as a drawing.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::Checkable;
use super::counterexample::digest;
use super::plan::Plan;
use super::seen::fingerprint;

/// States and the steps between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// States in the order in which they were found.
    pub nodes: Vec<Node>,
    /// Steps between them.
    pub edges: Vec<Edge>,
    /// Whether states were left out because there are too many.
    pub is_cut: bool,
}

/// One state of a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Digest of the state, as in counterexamples.
    pub digest: String,
    /// The state for people.
    pub text: String,
    /// Whether it is an initial state.
    pub is_initial: bool,
}

/// One step of a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Index of the node it leaves.
    pub from: usize,
    /// Index of the node it reaches.
    pub to: usize,
    /// The action for people.
    pub text: String,
}

/// Draws the first `most_states` states of `model`, breadth first, and all steps between them.
pub fn draw<M: Checkable>(model: &M, most_states: usize) -> Drawing {
    let plan = Plan::new(model);
    let mut numbers: HashMap<u64, usize> = HashMap::new();
    let mut states: Vec<M::State> = Vec::new();
    let mut drawing = Drawing {
        nodes: Vec::new(),
        edges: Vec::new(),
        is_cut: false,
    };
    let mut number = |drawing: &mut Drawing, states: &mut Vec<M::State>, state: M::State| {
        let fingerprint = fingerprint(&state);
        if let Some(number) = numbers.get(&fingerprint) {
            return Some(*number);
        }
        if states.len() >= most_states {
            drawing.is_cut = true;
            return None;
        }
        numbers.insert(fingerprint, states.len());
        drawing.nodes.push(Node {
            digest: digest(&state),
            text: format!("{state:?}"),
            is_initial: false,
        });
        states.push(state);
        Some(states.len() - 1)
    };
    for state in plan.initial() {
        if let Some(node) = number(&mut drawing, &mut states, state) {
            drawing.nodes[node].is_initial = true;
        }
    }
    let mut actions = Vec::new();
    let mut steps = Vec::new();
    for from in 0.. {
        let Some(state) = states.get(from) else { break };
        plan.steps(state, &mut actions, |action, next| {
            steps.push((model.describe(action), next));
        });
        for (text, next) in steps.drain(..) {
            if let Some(to) = number(&mut drawing, &mut states, next) {
                drawing.edges.push(Edge { from, to, text });
            }
        }
    }
    drawing
}

impl Drawing {
    /// The drawing in Graphviz's language; initial states have a double frame.
    pub fn to_dot(&self, name: &str) -> String {
        let mut dot = format!("digraph {} {{\n  node [shape=box];\n", quoted(name));
        for (number, node) in self.nodes.iter().enumerate() {
            let frames = if node.is_initial {
                ", peripheries=2"
            } else {
                ""
            };
            let (label, tooltip) = (quoted(&node.digest), quoted(&node.text));
            writeln!(
                dot,
                "  {number} [label={label}, tooltip={tooltip}{frames}];"
            )
            .expect("a string can be written to");
        }
        for Edge { from, to, text } in &self.edges {
            writeln!(dot, "  {from} -> {to} [label={}];", quoted(text))
                .expect("a string can be written to");
        }
        dot.push_str("}\n");
        dot
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}
