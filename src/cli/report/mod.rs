//! `concord report`: the files under `reports/`, or whether they are what this build produces.

mod benchmarks;
mod difference;
mod faults;
mod state_space;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::check::{Runner, verdict};
use super::names::{Which, select};
use super::options::cores;
use super::text::{GREEN, RED};
use super::{Console, exit};
use crate::models::checker::{Judgement, Limits, Outcome, Stop};
use crate::models::registry::{Budget, Fault, System};

use benchmarks::Benchmarks;

const EXAMPLES: &str = "\
Examples:
  concord report            writes reports/state-space.json and reports/faults.md
  concord report --check    writes nothing; 1 if they are not what this build produces
  cargo bench && concord report

Both come from checking everything within quick bounds. benchmarks.md comes from what `cargo bench`
left behind; without that it stays as it is, and --check does not look at it.";

/// Writes the reports that are kept with the code, or checks them.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Report {
    /// Where the reports are.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,

    /// Writes nothing, and names the first difference.
    #[arg(long)]
    check: bool,

    /// Where `cargo bench` left its results; by default `criterion` in Cargo's target directory. Goals
    /// are looked for in `goals` beside it.
    #[arg(long, value_name = "DIR")]
    criterion: Option<PathBuf>,
}

/// A variant after its run.
struct Judged {
    fault: Fault,
    outcome: Outcome,
}

/// A model after all its runs.
struct Checked {
    model: &'static str,
    correct: Outcome,
    faults: Vec<Judged>,
}

impl Report {
    pub(super) fn run(&self, systems: &'static [System], console: &mut Console<'_>) -> Result<u8> {
        console.catch_signals()?;
        let Some(checked) = check_all(systems, console)? else {
            console.error("interrupted; no report was written");
            return Ok(exit::INTERRUPTED);
        };
        let files = [
            ("state-space.json", state_space::render(&checked)),
            ("faults.md", faults::render(systems, &checked)),
        ];
        if self.check {
            return self.compare(&files, console);
        }
        fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot create the directory {}", self.out.display()))?;
        for (name, text) in &files {
            self.write(name, text, console)?;
        }
        let criterion = self.criterion.clone().unwrap_or_else(benchmarks::directory);
        match Benchmarks::read(&criterion)? {
            Some(benchmarks) => self.write("benchmarks.md", &benchmarks.render(), console)?,
            None => console.note(format_args!(
                "{} has no results of `cargo bench`: benchmarks.md stays as it is",
                criterion.display()
            )),
        }
        Ok(judge(&checked, console))
    }

    fn write(&self, name: &str, text: &str, console: &mut Console<'_>) -> Result<()> {
        let file = self.out.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(console.print(format_args!("{}\n", file.display()))?)
    }

    fn compare(&self, files: &[(&str, String)], console: &mut Console<'_>) -> Result<u8> {
        for (name, built) in files {
            let file = self.out.join(name);
            let kept = read(&file)?;
            if let Some(difference) = difference::first(kept.as_deref(), built) {
                let file = file.display();
                console.print(format_args!("{RED}{file}{RED:#}: {difference}\n"))?;
                return Ok(exit::VIOLATED);
            }
        }
        let directory = self.out.display();
        console.print(format_args!(
            "{GREEN}{directory} is what this build produces{GREEN:#}\n"
        ))?;
        Ok(exit::HOLDS)
    }
}

/// The text of a file; none if there is no such file.
fn read(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Checks everything; none if the user wants no more.
fn check_all(systems: &'static [System], console: &Console<'_>) -> Result<Option<Vec<Checked>>> {
    let limits = Limits {
        threads: cores(),
        interrupt: Some(console.interrupt.clone()),
        ..Limits::default()
    };
    let selected = select(systems, &[], Which::All)?;
    let mut runner = Runner::new(Budget::Quick, limits, &selected);
    let mut checked = Vec::new();
    for selected in &selected {
        let subject = &*selected.subject;
        let correct = runner.run(subject, None, console);
        let mut faults = Vec::new();
        let mut stop = correct.stop;
        for fault in subject.faults() {
            if stop == Some(Stop::Interrupt) {
                break;
            }
            let outcome = runner.run(subject, Some(fault.name), console);
            stop = outcome.stop;
            faults.push(Judged {
                fault: *fault,
                outcome,
            });
        }
        if stop == Some(Stop::Interrupt) {
            return Ok(None);
        }
        let model = subject.name();
        checked.push(Checked {
            model,
            correct,
            faults,
        });
    }
    Ok(Some(checked))
}

/// Reports are written whatever they say, but a failure is not passed over.
fn judge(checked: &[Checked], console: &mut Console<'_>) -> u8 {
    let mut worst = exit::HOLDS;
    for model in checked {
        let faults = model.faults.iter().map(|judged| &judged.outcome);
        for outcome in std::iter::once(&model.correct).chain(faults) {
            let code = match outcome.run.judgement() {
                Judgement::Pass => continue,
                Judgement::Fail => exit::VIOLATED,
                Judgement::Inconclusive => exit::INCONCLUSIVE,
            };
            let word = verdict(&outcome.run).0;
            console.error(format_args!(
                "{}: {word}; see `concord check`",
                outcome.run.name()
            ));
            // A failure outranks a doubt.
            worst = if worst == exit::VIOLATED { worst } else { code };
        }
    }
    worst
}
