//! A report for people: a table as the runs finish, then what went wrong and how to see it again.

use std::fmt::{self, Write as _};

use super::Check;
use crate::cli::names::Selected;
use crate::cli::text::{self, BOLD, DIM, GREEN, RED, WIDTH, WRITABLE, YELLOW, counted, grouped};
use crate::models::checker::{
    Bounds, CORRECT, Counterexample, Judgement, Outcome, PropertyVerdict, Report, Run, Stop,
    Verdict,
};

/// Most properties that are named where a limit left many open.
const MOST_NAMES: usize = 6;

/// The word for what came of a run, and its colour.
pub(in crate::cli) fn verdict(run: &Run) -> (&'static str, anstyle::Style) {
    let is_violated = |property: &PropertyVerdict| property.verdict == Verdict::Violated;
    match (run.judgement(), run.is_correct()) {
        (Judgement::Pass, true) => ("holds", GREEN),
        (Judgement::Pass, false) => ("caught", GREEN),
        (Judgement::Fail, true) if run.properties.iter().any(is_violated) => ("VIOLATED", RED),
        (Judgement::Fail, true) => ("FAILED", RED),
        (Judgement::Fail, false) => ("ESCAPED", RED),
        (Judgement::Inconclusive, _) => ("inconclusive", YELLOW),
    }
}

/// Rows that are printed one by one, so every width is known beforehand.
pub(super) struct Table {
    /// Of the column with the variants.
    variant: usize,
    /// Of the terminal, if it is one.
    terminal: Option<usize>,
}

impl Table {
    pub(super) fn of(selected: &[Selected], terminal: Option<usize>) -> Self {
        let variants = selected.iter().flat_map(|selected| &selected.variants);
        let widths = variants.map(|variant| variant.unwrap_or(CORRECT).len());
        Table {
            variant: widths.max().unwrap_or_default().max("variant".len()),
            terminal,
        }
    }

    pub(super) fn header(&self) -> String {
        let variant = self.variant;
        let header = format!(
            "  {:<variant$}  {:<12}  {:>10}  {:>11}  {:>5}  {:>7}",
            "variant", "verdict", "states", "transitions", "depth", "time"
        );
        format!("{DIM}{header}{DIM:#}\n")
    }

    /// A model stands above its variants: together on one line they would be too wide.
    pub(super) fn heading(&self, model: &str, bounds: &Bounds) -> String {
        let bounds = text::bounds(bounds, "  ", self.terminal.unwrap_or(WIDTH));
        format!("{BOLD}{model}{BOLD:#}\n{DIM}{bounds}{DIM:#}\n")
    }

    pub(super) fn row(&self, run: &Run) -> String {
        let width = self.variant;
        let (word, style) = verdict(run);
        let figures = format!(
            "{:>10}  {:>11}  {:>5}  {:>7}",
            grouped(run.states as u64),
            grouped(run.transitions),
            run.depth,
            text::seconds(run.seconds)
        );
        let used = 2 + width + 2 + 12 + 2 + figures.len();
        let row = format!(
            "  {:<width$}  {style}{word:<12}{style:#}  {figures}",
            run.variant
        );
        let caught_by = caught_by(run);
        if caught_by.is_empty() {
            return row + "\n";
        }
        let is_wide = |terminal| used + 2 + caught_by.len() <= terminal;
        let separator = match self.terminal.is_none_or(is_wide) {
            true => "  ",
            false => "\n      ",
        };
        format!("{row}{separator}{DIM}{caught_by}{DIM:#}\n")
    }
}

/// The properties that catch a fault, each with the length of its counterexample.
fn caught_by(run: &Run) -> String {
    let expected = |property: &&PropertyVerdict| property.expected == Some(Verdict::Violated);
    let caught = run
        .properties
        .iter()
        .filter(expected)
        .filter_map(|property| {
            let length = property.counterexample.as_ref()?.length;
            Some(format!("{} in {}", property.name, counted(length, "step")))
        });
    caught.collect::<Vec<_>>().join(", ")
}

/// Everything after the table.
pub(super) fn conclusion(check: &Check, outcomes: &[Outcome], report: &Report) -> String {
    let mut text = String::new();
    write_conclusion(&mut text, check, outcomes, report).expect(WRITABLE);
    text
}

fn write_conclusion(
    out: &mut String,
    check: &Check,
    outcomes: &[Outcome],
    report: &Report,
) -> fmt::Result {
    for outcome in outcomes {
        match outcome.run.judgement() {
            Judgement::Fail => write_failure(out, check, outcome)?,
            Judgement::Inconclusive if !is_late(outcome) => write_doubt(out, check, outcome)?,
            Judgement::Pass | Judgement::Inconclusive => {}
        }
    }
    write_late(out, outcomes)?;
    writeln!(out)?;
    writeln!(
        out,
        "{} in {}",
        totals(&report.runs),
        text::seconds(report.seconds)
    )?;
    let odds = collision_odds(&report.runs);
    writeln!(
        out,
        "{DIM}odds that a collision of fingerprints hid a state: {odds:.0e}{DIM:#}"
    )?;
    match report.verdict {
        Judgement::Pass => writeln!(out, "{GREEN}PASS{GREEN:#}"),
        Judgement::Fail => writeln!(out, "{RED}FAIL{RED:#}"),
        Judgement::Inconclusive => writeln!(out, "{YELLOW}INCONCLUSIVE{YELLOW:#}"),
    }
}

fn write_failure(out: &mut String, check: &Check, outcome: &Outcome) -> fmt::Result {
    let run = &outcome.run;
    writeln!(
        out,
        "\n{RED}{}{RED:#} {BOLD}{}{BOLD:#}",
        verdict(run).0,
        run.name()
    )?;
    out.push_str(&failure(outcome));
    writeln!(out, "  reproduce:  {}", check.command(run))?;
    let Some(directory) = &check.out else {
        return Ok(());
    };
    for counterexample in unexpected(outcome) {
        let file = directory.join(counterexample.file_name());
        writeln!(out, "  execute:    concord rerun {}", file.display())?;
    }
    Ok(())
}

/// Why a run fails, with the steps that show it.
pub(super) fn failure(outcome: &Outcome) -> String {
    let mut text = String::new();
    let mut failures = outcome.run.failures();
    for counterexample in unexpected(outcome) {
        let violated = format!("{} is violated", counterexample.property);
        failures.retain(|failure| *failure != violated);
        let (kind, length) = (counterexample.kind.name(), counterexample.steps.len());
        let length = counted(length, "step");
        writeln!(text, "  {violated} ({kind}), in {length}:").expect(WRITABLE);
        text.push_str(&text::steps(counterexample));
    }
    for failure in failures {
        writeln!(text, "  {failure}").expect(WRITABLE);
    }
    text
}

/// The counterexamples to what ought to hold.
fn unexpected(outcome: &Outcome) -> impl Iterator<Item = &Counterexample> {
    let is_correct = outcome.run.is_correct();
    let counterexamples = outcome.counterexamples.iter();
    counterexamples.filter(move |_| is_correct)
}

fn write_doubt(out: &mut String, check: &Check, outcome: &Outcome) -> fmt::Result {
    let name = outcome.run.name();
    writeln!(out, "\n{YELLOW}inconclusive{YELLOW:#} {BOLD}{name}{BOLD:#}")?;
    writeln!(out, "  {}", doubt(check, outcome))?;
    writeln!(out, "  reproduce:  {}", check.command(&outcome.run))
}

/// Whether the time for all runs was over when this one began.
fn is_late(outcome: &Outcome) -> bool {
    outcome.stop == Some(Stop::Time) && outcome.run.depth == 0
}

fn write_late(out: &mut String, outcomes: &[Outcome]) -> fmt::Result {
    let late = outcomes.iter().filter(|outcome| is_late(outcome));
    let names: Vec<_> = late.map(|outcome| outcome.run.name()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let runs = counted(names.len(), "run");
    writeln!(out, "\n{YELLOW}inconclusive{YELLOW:#} {BOLD}{runs}{BOLD:#}")?;
    writeln!(out, "  --timeout was over before they began:")?;
    names.iter().try_for_each(|name| writeln!(out, "  {name}"))
}

/// Which limit ended a run, and what it left open.
pub(super) fn doubt(check: &Check, outcome: &Outcome) -> String {
    let run = &outcome.run;
    let limit = match outcome.stop {
        Some(Stop::States) if check.max_states.is_some() => "--max-states",
        Some(Stop::States) => "the most states that the checker can number",
        Some(Stop::Time) => "--timeout",
        Some(Stop::Memory) => "--memory",
        Some(Stop::Interrupt) => "an interrupt",
        None => "no limit",
    };
    let is_open = |property: &&PropertyVerdict| {
        property.expected.is_some() && property.verdict == Verdict::Unknown
    };
    let open: Vec<_> = run
        .properties
        .iter()
        .filter(is_open)
        .map(|p| p.name.as_str())
        .collect();
    let states = counted(run.states, "state");
    let mut doubt = format!("ended by {limit} after {states} at depth {}", run.depth);
    if !open.is_empty() {
        doubt.push_str("; not settled: ");
        doubt.push_str(&text::some(open, MOST_NAMES));
    }
    doubt
}

fn totals(runs: &[Run]) -> String {
    let words = [
        "holds",
        "caught",
        "VIOLATED",
        "FAILED",
        "ESCAPED",
        "inconclusive",
    ];
    let mut parts = vec![counted(runs.len(), "run")];
    for word in words {
        let number = runs.iter().filter(|run| verdict(run).0 == word).count();
        if number > 0 {
            let plural = if word == "holds" && number > 1 {
                "hold"
            } else {
                word
            };
            parts.push(format!("{number} {}", plural.to_lowercase()));
        }
    }
    parts.join(", ")
}

/// Of n states with 64-bit fingerprints about n²/2⁶⁵ pairs collide.
fn collision_odds(runs: &[Run]) -> f64 {
    let pairs = runs.iter().map(|run| (run.states as f64).powi(2) / 2.0);
    pairs.sum::<f64>() / 2f64.powi(64)
}
