//! `faults.md`: each fault, what catches it, and the shortest way to see it.

use std::fmt::{self, Write as _};

use super::{Checked, Judged};
use crate::cli::text::{WRITABLE, counted};
use crate::models::checker::{Counterexample, PropertyVerdict, Verdict};
use crate::models::registry::{Origin, Status, System};

pub(super) fn render(systems: &[System], checked: &[Checked]) -> String {
    let mut text = String::new();
    write(&mut text, systems, checked).expect(WRITABLE);
    text
}

fn write(out: &mut String, systems: &[System], checked: &[Checked]) -> fmt::Result {
    writeln!(out, "# Faults\n")?;
    writeln!(
        out,
        "Every known fault, as a variant of a model that is correct without it; the properties that\n\
         catch it, and the shortest counterexample within quick bounds. `concord report` writes this\n\
         file."
    )?;
    for system in systems {
        let models = checked
            .iter()
            .filter(|model| model.correct.run.system == system.name);
        for model in models.filter(|model| !model.faults.is_empty()) {
            writeln!(out, "\n## {}", model.model)?;
            for judged in &model.faults {
                write_fault(out, judged)?;
            }
        }
    }
    Ok(())
}

fn write_fault(out: &mut String, judged: &Judged) -> fmt::Result {
    let fault = &judged.fault;
    writeln!(out, "\n### {}\n", fault.name)?;
    writeln!(out, "{}\n", fault.statement)?;
    let ids = match fault.ids {
        [] => String::new(),
        ids => format!(": {}", ids.join(", ")),
    };
    let origin = match (fault.origin, fault.status) {
        (Origin::Mutant, _) => "mutant of our own",
        (Origin::Upstream, Some(Status::Present)) => "known defect, present",
        (Origin::Upstream, Some(Status::Fixed)) => "known defect, fixed since",
        (Origin::Upstream, None) => "known defect",
    };
    writeln!(out, "- {origin}{ids}")?;
    let run = &judged.outcome.run;
    for property in run
        .properties
        .iter()
        .filter(|property| is_expected(property))
    {
        writeln!(out, "- {}", caught(property))?;
    }
    let is_catching = |found: &&Counterexample| {
        let mut properties = run
            .properties
            .iter()
            .filter(|property| is_expected(property));
        properties.any(|property| property.name == found.property)
    };
    let catching = judged.outcome.counterexamples.iter().filter(is_catching);
    match catching.min_by_key(|counterexample| counterexample.steps.len()) {
        Some(shortest) => write_steps(out, shortest),
        None => Ok(()),
    }
}

fn is_expected(property: &PropertyVerdict) -> bool {
    property.expected == Some(Verdict::Violated)
}

fn caught(property: &PropertyVerdict) -> String {
    let (name, kind) = (&property.name, property.kind.name());
    match &property.counterexample {
        Some(reference) => {
            let length = counted(reference.length, "step");
            format!("caught by `{name}` ({kind}) in {length}")
        }
        None => format!("**not caught** by `{name}` ({kind})"),
    }
}

fn write_steps(out: &mut String, counterexample: &Counterexample) -> fmt::Result {
    writeln!(out, "\n`{}` is violated by:\n", counterexample.property)?;
    for (index, step) in counterexample.steps.iter().enumerate() {
        let text = step.text.replace('`', "'");
        writeln!(out, "{}. `{text}`", index + 1)?;
    }
    match counterexample.cycle_start {
        Some(start) => writeln!(out, "\nand again from step {}, for ever", start + 1),
        None if counterexample.kind.is_liveness() => writeln!(out, "\nwhere no action is enabled"),
        None => Ok(()),
    }
}
