//! `concord check`: every property of the correct models, and every fault.

mod human;
mod junit;
mod runner;
mod saved;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use super::names::{Selected, Which, select};
use super::options::{BudgetName, Format, cores, parse_seconds, parse_size};
use super::{Console, exit};
use crate::models::checker::{Limits, Outcome, Report, Run, Stop};
use crate::models::registry::System;

pub(super) use human::verdict;
pub(super) use runner::Runner;

const EXAMPLES: &str = "\
Examples:
  concord check                                  everything, within quick bounds
  concord check counter --faults                 only the known faults of one system
  concord check counter/replicated@correct --budget full --threads 8
  concord check --format json --junit check.xml --out counterexamples

A fault is caught when every property that it must violate is violated. 0 means that all correct
models hold and all faults are caught, 1 that something is wrong, 3 that a limit left it open.";

/// Checks models: every property of the correct ones, and that every fault is caught.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// Systems, models or variants; everything if none is given.
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Only the variants, each with a known fault.
    #[arg(long, conflicts_with = "no_faults")]
    faults: bool,

    /// Only the correct models.
    #[arg(long)]
    no_faults: bool,

    /// How large the explored spaces are.
    #[arg(long, value_enum, default_value_t)]
    budget: BudgetName,

    /// Threads that explore one model; by default one for each core. The result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Most states of one run; the result is the same at every invocation.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_states: Option<u64>,

    /// Longest time for all runs together, in seconds.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Option<Duration>,

    /// Most memory of one run by the checker's own account, for example 500M or 2GiB.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<usize>,

    /// `json` prints one document `concord.check/1`.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Also writes a JUnit report to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Also saves every counterexample in this directory, for `concord rerun`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(&self, systems: &'static [System], console: &mut Console<'_>) -> Result<u8> {
        let selected = select(systems, &self.names, self.which())?;
        if let Some(directory) = &self.out {
            saved::create(directory)?;
        }
        if let Some(file) = &self.junit {
            junit::create(file)?;
        }
        console.catch_signals()?;
        let started = Instant::now();
        let outcomes = self.run_all(&selected, console)?;
        let seconds = rounded(started.elapsed().as_secs_f64());
        let runs = outcomes.iter().map(|outcome| outcome.run.clone()).collect();
        let report = Report::new(runs, seconds);
        if let Some(file) = &self.junit {
            junit::write(file, self, &outcomes, seconds)?;
        }
        match self.format {
            Format::Json => console.print_document(&report)?,
            Format::Human => console.print(human::conclusion(self, &outcomes, &report))?,
        }
        let is_interrupted = |outcome: &Outcome| outcome.stop == Some(Stop::Interrupt);
        Ok(match outcomes.iter().any(is_interrupted) {
            true => exit::INTERRUPTED,
            false => report.exit_code(),
        })
    }

    fn run_all(&self, selected: &[Selected], console: &mut Console<'_>) -> Result<Vec<Outcome>> {
        let mut runner = Runner::new(self.budget.budget(), self.limits(console), selected);
        let table = human::Table::of(selected, console.width);
        if self.format == Format::Human {
            console.print(table.header())?;
        }
        let mut outcomes = Vec::new();
        for Selected { subject, variants } in selected {
            if self.format == Format::Human {
                let bounds = subject.bounds(self.budget.budget());
                console.print(table.heading(subject.name(), &bounds))?;
            }
            for variant in variants {
                let mut outcome = runner.run(&**subject, *variant, console);
                round(&mut outcome.run);
                if let Some(directory) = &self.out {
                    saved::save(directory, &mut outcome)?;
                }
                if self.format == Format::Human {
                    console.print(table.row(&outcome.run))?;
                }
                let is_interrupted = outcome.stop == Some(Stop::Interrupt);
                outcomes.push(outcome);
                if is_interrupted {
                    return Ok(outcomes);
                }
            }
        }
        Ok(outcomes)
    }

    fn which(&self) -> Which {
        match (self.faults, self.no_faults) {
            (true, _) => Which::FaultsOnly,
            (_, true) => Which::CorrectOnly,
            (false, false) => Which::All,
        }
    }

    fn limits(&self, console: &Console<'_>) -> Limits {
        let states = self.max_states;
        Limits {
            threads: self.threads.map_or_else(cores, usize::from),
            max_states: states.map(|states| usize::try_from(states).unwrap_or(usize::MAX)),
            timeout: self.timeout,
            memory: self.memory,
            interrupt: Some(console.interrupt.clone()),
        }
    }

    /// The command that gives one run again, alone.
    fn command(&self, run: &Run) -> String {
        let mut command = format!("concord check {}@{}", run.model, run.variant);
        if self.budget == BudgetName::Full {
            command.push_str(" --budget full");
        }
        if let Some(states) = self.max_states {
            command.push_str(&format!(" --max-states {states}"));
        }
        command.push_str(" --threads 1");
        command
    }
}

fn round(run: &mut Run) {
    run.seconds = rounded(run.seconds);
}

/// Milliseconds are as much as anybody reads.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
