//! `concord replay`: traces recorded elsewhere, performed on the reference.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use super::options::Format;
use super::text::{GREEN, RED, YELLOW, counted};
use super::{Console, exit, names};
use crate::models::registry::System;
use crate::systems::replay::{Flaw, Outcome, Replayed};

const EXAMPLES: &str = "\
Examples:
  concord replay counter trace.jsonl
  concord replay counter --format json traces/*.jsonl
  record | concord replay counter -

A file that cannot be used as a trace gives 2, else one that diverges gives 1.";

/// Replays traces of other implementations, and compares every result with the reference's.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Replay {
    /// The system that the traces are of.
    #[arg(value_name = "SYSTEM")]
    system: String,

    /// Traces `concord/1`, as JSON Lines; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// `json` prints one document `concord.replay/1` per file, each on a line.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Replay {
    pub(super) fn run(&self, systems: &'static [System], console: &mut Console<'_>) -> Result<u8> {
        let system = names::system(systems, &self.system)?;
        if self
            .files
            .iter()
            .filter(|file| is_input(file.as_os_str()))
            .count()
            > 1
        {
            bail!("standard input can be read only once: `-` is given more than once");
        }
        let mut worst = exit::HOLDS;
        for file in &self.files {
            let replayed = replay(system, file.as_os_str(), console).unwrap_or_else(unreadable);
            let name = file.to_string_lossy();
            match self.format {
                Format::Json => console.print_line(&replayed.to_json(system.name, &name))?,
                Format::Human => console.print(human(&name, &replayed))?,
            }
            // Usage outranks divergence, and both are in ascending order.
            worst = worst.max(match replayed.outcome {
                Outcome::Conforms => exit::HOLDS,
                Outcome::Diverges(_) => exit::VIOLATED,
                Outcome::Unusable { .. } => exit::USAGE,
            });
        }
        Ok(worst)
    }
}

fn is_input(file: &OsStr) -> bool {
    file == "-"
}

fn replay(system: &System, file: &OsStr, console: &mut Console<'_>) -> io::Result<Replayed> {
    let source = match is_input(file) {
        true => spooled(&mut *console.input)?,
        false => {
            let mut file = File::open(file)?;
            match file.metadata()?.is_file() {
                true => file,
                // A pipe can be read only once, and a trace is read twice.
                false => spooled(&mut file)?,
            }
        }
    };
    (system.replay)(&mut BufReader::with_capacity(1 << 16, source))
}

/// What `source` gives, in a file that has no name and goes when it is closed.
fn spooled(source: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(source, &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// Line 0: no line of it was read.
fn unreadable(error: io::Error) -> Replayed {
    let flaw = Flaw::of_line(format!("the file cannot be read: {error}"));
    let outcome = Outcome::Unusable { line: 0, flaw };
    Replayed { steps: 0, outcome }
}

fn human(file: &str, replayed: &Replayed) -> String {
    match &replayed.outcome {
        Outcome::Conforms => {
            let steps = counted(replayed.steps as usize, "step");
            format!("{file}: {GREEN}conforms{GREEN:#}, {steps}\n")
        }
        Outcome::Diverges(divergence) => format!(
            "{file}: {RED}diverges{RED:#} at line {}: {}\n  expected  {}\n  actual    {}\n",
            divergence.line, divergence.op, divergence.expected, divergence.actual
        ),
        Outcome::Unusable { line: 0, flaw } => {
            format!("{file}: {YELLOW}unusable{YELLOW:#}: {flaw}\n")
        }
        Outcome::Unusable { line, flaw } => {
            format!("{file}: {YELLOW}unusable{YELLOW:#} at line {line}: {flaw}\n")
        }
    }
}
