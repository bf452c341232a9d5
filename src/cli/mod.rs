//! The `concord` command: one file per subcommand, over any list of systems.
//!
//! Results go to standard output; progress and diagnostics to standard error. [`run`] takes the
//! systems and the streams as arguments, so that tests can give their own; [`main`] is `run` on the
//! streams of the process.

mod causal;
mod check;
mod console;
mod explore;
mod graph;
mod list;
mod names;
mod options;
mod pullsync;
mod replay;
mod report;
mod rerun;
mod serving;
mod text;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::models::registry::System;

pub use console::Console;

/// Exit codes, the same in every subcommand.
pub mod exit {
    /// Everything is as it should be.
    pub const HOLDS: u8 = 0;
    /// A correct model is violated, a fault escaped, an action never fired, or a trace diverged.
    pub const VIOLATED: u8 = 1;
    /// Wrong usage, or an input that cannot be read.
    pub const USAGE: u8 = 2;
    /// A limit ended a run before the space was covered, and nothing was violated.
    pub const INCONCLUSIVE: u8 = 3;
    /// An error of concord itself.
    pub const INTERNAL: u8 = 70;
    /// Interrupted from the keyboard.
    pub const INTERRUPTED: u8 = 130;
}

const EXIT_CODES: &str = "\
Exit codes:
  0    every property of every correct model holds, and every fault is caught
  1    a property is violated, a fault escaped, an action never fired, or a trace diverges
  2    wrong usage, or an input that cannot be read
  3    inconclusive: a limit ended a run, and nothing was violated
  70   an internal error
  130  interrupted

Names:
  counter                       a system: all its models with their variants
  counter/replicated            a model: the correct one and its variants
  counter/replicated@node_keyed one variant; `@correct` is the correct model alone";

/// Model-checks replicated systems, and replays traces of other implementations on them.
///
/// Every model runs the very code that ships. Beside each correct model stand variants, each with one
/// known fault, which the model's properties must catch.
#[derive(Parser)]
#[command(name = "concord", version, after_long_help = EXIT_CODES)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Check(check::Check),
    Replay(replay::Replay),
    Rerun(rerun::Rerun),
    Explore(explore::Explore),
    Graph(graph::Graph),
    Report(report::Report),
    Causal(causal::Causal),
    Pullsync(pullsync::Pullsync),
}

/// Runs the command on the streams of this process.
pub fn main(systems: &'static [System]) -> ExitCode {
    let mut streams = console::Streams::of_process();
    let code = run(systems, std::env::args_os(), &mut streams.console());
    ExitCode::from(code)
}

/// Runs the command with `arguments`, the first of which is its own name, and gives its exit code.
pub fn run(
    systems: &'static [System],
    arguments: impl IntoIterator<Item = OsString>,
    console: &mut Console<'_>,
) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return console.usage(&error),
    };
    // Nothing is used after a panic but the streams, and those only to say so.
    let result = catch_unwind(AssertUnwindSafe(|| {
        perform(arguments.command, systems, console)
    }));
    match result {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            console.error(format_args!("{error:#}"));
            if error.is::<console::Unwritten>() {
                exit::INTERNAL
            } else {
                exit::USAGE
            }
        }
        Err(_) => {
            console.error("concord itself failed, the panic is above; please report it");
            exit::INTERNAL
        }
    }
}

fn perform(
    command: Command,
    systems: &'static [System],
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    match command {
        Command::List(list) => list.run(systems, console),
        Command::Check(check) => check.run(systems, console),
        Command::Replay(replay) => replay.run(systems, console),
        Command::Rerun(rerun) => rerun.run(systems, console),
        Command::Explore(explore) => explore.run(systems, console),
        Command::Graph(graph) => graph.run(systems, console),
        Command::Report(report) => report.run(systems, console),
        Command::Causal(causal) => causal.run(console),
        Command::Pullsync(pullsync) => pullsync.run(console),
    }
}
