//! `concord list`: systems, models, properties and faults by name.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;

use super::options::Format;
use super::text::{self, BOLD, DIM, WIDTH, WRITABLE};
use super::{Console, exit};
use crate::models::checker::FairKinds;
use crate::models::registry::{
    Fault, ListedModel, ListedProperty, Listing, Origin, Status, System,
};

/// Lists every system, model, property and fault.
#[derive(Args)]
pub(super) struct List {
    /// `json` prints one document `concord.list/1`.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl List {
    pub(super) fn run(&self, systems: &'static [System], console: &mut Console<'_>) -> Result<u8> {
        let listing = Listing::of(systems);
        match self.format {
            Format::Json => console.print_document(&listing)?,
            Format::Human => {
                let width = console.width.unwrap_or(WIDTH);
                console.print(human(systems, &listing, width).expect(WRITABLE))?;
            }
        }
        Ok(exit::HOLDS)
    }
}

fn human(systems: &[System], listing: &Listing, width: usize) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for (system, listed) in systems.iter().zip(&listing.systems) {
        writeln!(out, "{BOLD}{}{BOLD:#}  {}", system.name, system.summary)?;
        for model in &listed.models {
            write_model(&mut out, model, width)?;
        }
        if !listed.not_expressible.is_empty() {
            writeln!(out, "\n  no model can express")?;
        }
        for defect in listed.not_expressible {
            writeln!(out, "    {}  {}", defect.id, defect.reason)?;
        }
        writeln!(out)?;
    }
    Ok(out)
}

fn write_model(out: &mut String, model: &ListedModel, width: usize) -> std::fmt::Result {
    writeln!(out, "\n  {BOLD}{}{BOLD:#}", model.name)?;
    for budget in ["quick", "full"] {
        let bounds = text::bounds(&model.bounds[budget], "           ", width);
        writeln!(out, "    {DIM}{budget:<5}  {}{DIM:#}", bounds.trim_start())?;
    }
    for property in &model.properties {
        write_property(out, property)?;
    }
    for fault in &model.faults {
        write_fault(out, fault)?;
    }
    Ok(())
}

fn write_property(out: &mut String, property: &ListedProperty) -> std::fmt::Result {
    let id = property.id.map(|id| format!(" {id}")).unwrap_or_default();
    let kind = property.kind.name();
    let fairness = property.fairness.as_ref().map(fairness).unwrap_or_default();
    writeln!(
        out,
        "    {}  {DIM}{kind}{id}{fairness}{DIM:#}",
        property.name
    )?;
    writeln!(out, "        {}", property.statement)?;
    if let Some(witness) = property.witness {
        writeln!(out, "        {DIM}witness: {witness}{DIM:#}")?;
    }
    if !property.killed_by.is_empty() {
        let faults = property.killed_by.join(", ");
        writeln!(out, "        {DIM}catches: {faults}{DIM:#}")?;
    }
    Ok(())
}

fn fairness(fairness: &FairKinds) -> String {
    let kinds = [("weakly", &fairness.weak), ("strongly", &fairness.strong)];
    let kinds = kinds.into_iter().filter(|(_, kinds)| !kinds.is_empty());
    let text = kinds.map(|(how, kinds)| format!(", {how} fair to {}", kinds.join(" ")));
    text.collect()
}

fn write_fault(out: &mut String, fault: &Fault) -> std::fmt::Result {
    let ids = fault.ids.join(" ");
    let origin = match (fault.origin, fault.status) {
        (Origin::Mutant, _) => "mutant",
        (Origin::Upstream, Some(Status::Present)) => "upstream, present",
        (Origin::Upstream, Some(Status::Fixed)) => "upstream, fixed",
        (Origin::Upstream, None) => "upstream",
    };
    let separator = if ids.is_empty() { "" } else { "  " };
    writeln!(
        out,
        "    @{}  {DIM}{ids}{separator}{origin}{DIM:#}",
        fault.name
    )?;
    writeln!(out, "        {}", fault.statement)?;
    writeln!(
        out,
        "        {DIM}violates: {}{DIM:#}",
        fault.violates.join(", ")
    )
}
