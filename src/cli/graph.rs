//! `concord graph`: a state space as a drawing.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::names::select_one;
use super::options::BudgetName;
use super::{Console, exit};
use crate::models::checker::{CORRECT, Drawing, Edge};
use crate::models::registry::System;

const EXAMPLES: &str = "\
Examples:
  concord graph counter/replicated@node_keyed --max-states 60 --format svg > graph.svg

States are boxes with their digests, and steps between the same two states share one arrow. A tooltip
shows the whole state.";

/// Draws the states of a model with the steps between them, nearest first.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Graph {
    /// A model or variant, or a system with one model.
    #[arg(value_name = "NAME")]
    name: String,

    /// `svg` needs Graphviz.
    #[arg(long, value_enum, default_value_t)]
    format: Drawn,

    /// Most states to draw.
    #[arg(long, value_name = "N", default_value_t = 500)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    max_states: u32,

    /// How large the drawn space is.
    #[arg(long, value_enum, default_value_t)]
    budget: BudgetName,
}

/// The form of a drawing.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Drawn {
    /// Graphviz's language.
    #[default]
    Dot,
    /// A picture, laid out by Graphviz's `dot`.
    Svg,
}

impl Graph {
    pub(super) fn run(&self, systems: &'static [System], console: &mut Console<'_>) -> Result<u8> {
        let (subject, variant) = select_one(systems, &self.name)?;
        let most_states = self.max_states as usize;
        let drawing = subject.graph(variant, self.budget.budget(), most_states);
        if drawing.is_cut {
            console.note(format_args!(
                "drew the first {most_states} states, there are more: see --max-states"
            ));
        }
        let name = format!("{}@{}", subject.name(), variant.unwrap_or(CORRECT));
        let dot = condensed(drawing).to_dot(&name);
        match self.format {
            Drawn::Dot => console.print(dot)?,
            Drawn::Svg => console.print(svg(dot)?)?,
        }
        Ok(exit::HOLDS)
    }
}

/// The same drawing with one edge at most from each node to each other.
fn condensed(mut drawing: Drawing) -> Drawing {
    let mut texts: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for edge in drawing.edges {
        texts
            .entry((edge.from, edge.to))
            .or_default()
            .push(edge.text);
    }
    let edges = texts.into_iter().map(|((from, to), texts)| Edge {
        from,
        to,
        text: texts.join("\n"),
    });
    drawing.edges = edges.collect();
    drawing
}

fn svg(dot: String) -> Result<String> {
    let mut command = Command::new("dot");
    command
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "`--format svg` needs Graphviz, and its `dot` is not in PATH; `--format dot` does not"
        ),
        Err(error) => return Err(error).context("cannot start Graphviz's `dot`"),
    };
    let input = child.stdin.take().expect("its input is piped");
    // From another thread: `dot` may write before it has read everything.
    let writer = thread::spawn(move || write_to(input, &dot));
    let output = child
        .wait_with_output()
        .context("cannot read from Graphviz's `dot`")?;
    let written = writer.join().expect("writing to a pipe does not panic");
    if !output.status.success() {
        bail!("Graphviz's `dot` failed: {}", output.status);
    }
    written.context("cannot write to Graphviz's `dot`")?;
    String::from_utf8(output.stdout).context("Graphviz's `dot` wrote something else than text")
}

fn write_to(mut input: impl Write, text: &str) -> io::Result<()> {
    input.write_all(text.as_bytes())
}
