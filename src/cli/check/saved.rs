//! Counterexamples in files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::models::checker::Outcome;

/// Creates the directory before anything is searched, so that a wrong one is known at once.
pub(super) fn create(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create the directory {}", directory.display()))
}

/// Saves the counterexamples of a run, and writes the names of their files into it.
pub(super) fn save(directory: &Path, outcome: &mut Outcome) -> Result<()> {
    for counterexample in &outcome.counterexamples {
        let name = counterexample.file_name();
        let file = directory.join(&name);
        let mut text = serde_json::to_string_pretty(counterexample)?;
        text.push('\n');
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        let mut properties = outcome.run.properties.iter_mut();
        let property = properties.find(|property| property.name == counterexample.property);
        if let Some(reference) = property.and_then(|property| property.counterexample.as_mut()) {
            reference.file = Some(name);
        }
    }
    Ok(())
}
