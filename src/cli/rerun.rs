//! `concord rerun`: saved counterexamples, executed again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::options::Format;
use super::text::{GREEN, RED, YELLOW, steps};
use super::{Console, exit};
use crate::models::checker::{self, Counterexample, RerunVerdict};
use crate::models::registry::System;

const EXAMPLES: &str = "\
Examples:
  concord check --faults --out counterexamples
  concord rerun counterexamples/*.json

0: every counterexample is confirmed; 1: one no longer reproduces; 2: one cannot be used.";

/// Executes saved counterexamples again, on the code of this build.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Rerun {
    /// Files that `concord check --out` wrote.
    #[arg(value_name = "COUNTEREXAMPLE", required = true)]
    files: Vec<PathBuf>,

    /// `json` prints one document `concord.rerun/1` per file, each on a line.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Rerun {
    pub(super) fn run(&self, systems: &'static [System], console: &mut Console<'_>) -> Result<u8> {
        let mut worst = exit::HOLDS;
        for path in &self.files {
            let file = path.to_string_lossy();
            let (rerun, recorded) = match rerun(systems, path) {
                Ok((rerun, recorded)) => (rerun, Some(recorded)),
                Err(message) => (checker::Rerun::unusable(message), None),
            };
            match self.format {
                Format::Json => {
                    console.print_line(&rerun.document(&file))?;
                    if let Some(message) = &rerun.message {
                        console.note(format_args!("{file}: {message}"));
                    }
                }
                Format::Human => {
                    console.print(human(&file, &rerun))?;
                    if let (RerunVerdict::Confirmed, Some(recorded)) = (rerun.verdict, &recorded) {
                        console.print(path_of(recorded))?;
                    }
                }
            }
            worst = worst.max(rerun.exit_code());
        }
        Ok(worst)
    }
}

/// Executes the counterexample in a file, or says why it cannot be.
fn rerun(systems: &[System], file: &Path) -> Result<(checker::Rerun, Counterexample), String> {
    let bytes = fs::read(file).map_err(|error| format!("the file cannot be read: {error}"))?;
    let recorded: Counterexample = serde_json::from_slice(&bytes)
        .map_err(|error| format!("not a counterexample `{}`: {error}", checker::SCHEMA))?;
    let mut systems = systems.iter();
    let system = systems.find(|system| system.name == recorded.system);
    let system = system.ok_or_else(|| format!("there is no system `{}`", recorded.system))?;
    let mut subjects = (system.models)().into_iter();
    let subject = subjects.find(|subject| subject.name() == recorded.model);
    let subject = subject.ok_or_else(|| format!("there is no model `{}`", recorded.model))?;
    Ok((subject.rerun(&recorded), recorded))
}

/// What is violated, and by which steps.
fn path_of(recorded: &Counterexample) -> String {
    let Counterexample {
        model,
        variant,
        property,
        ..
    } = recorded;
    format!(
        "  {model}@{variant} violates {property}:\n{}",
        steps(recorded)
    )
}

fn human(file: &str, rerun: &checker::Rerun) -> String {
    let verdict = match rerun.verdict {
        RerunVerdict::Confirmed => format!("{GREEN}confirmed{GREEN:#}"),
        RerunVerdict::NotReproduced => format!("{RED}not reproduced{RED:#}"),
        RerunVerdict::Unusable => format!("{YELLOW}unusable{YELLOW:#}"),
    };
    let step = rerun
        .step
        .map(|step| format!(" at step {}", step + 1))
        .unwrap_or_default();
    let message = rerun
        .message
        .as_ref()
        .map(|message| format!(": {message}"))
        .unwrap_or_default();
    format!("{file}: {verdict}{step}{message}\n")
}
