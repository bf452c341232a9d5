//! Systems, models and variants by name.

use super::{Subject, System};
use crate::checker::CORRECT;

/// One model with the variants that a name selects.
pub struct Target {
    /// The system.
    pub system: &'static System,
    /// The model.
    pub subject: Box<dyn Subject>,
    /// `None` for the correct model, then its variants.
    pub variants: Vec<Option<&'static str>>,
    /// Whether the name selected one variant, or the correct model, by itself.
    pub is_exact: bool,
}

/// What `name` selects: every model of `system`, or `system/model`, or one variant of it by
/// `system/model@variant`, where `@correct` is the correct model. None if nothing has that name.
pub fn resolve(systems: &'static [System], name: &str) -> Option<Vec<Target>> {
    let (model, variant) = match name.split_once('@') {
        Some((model, variant)) => (model, Some(variant)),
        None => (name, None),
    };
    let mut targets = Vec::new();
    for system in systems {
        for subject in (system.models)() {
            let is_selected = subject.name() == model || (variant.is_none() && system.name == name);
            if !is_selected {
                continue;
            }
            let mut variants = variants(&*subject);
            if let Some(variant) = variant {
                variants.retain(|known| known.unwrap_or(CORRECT) == variant);
            }
            targets.push(Target {
                system,
                subject,
                variants,
                is_exact: variant.is_some(),
            });
        }
    }
    targets.retain(|target| !target.variants.is_empty());
    (!targets.is_empty()).then_some(targets)
}

/// Every name that [`resolve`] knows, `@correct` left out.
pub fn names(systems: &[System]) -> Vec<String> {
    let mut names = Vec::new();
    for system in systems {
        names.push(system.name.to_owned());
        for subject in (system.models)() {
            names.push(subject.name().to_owned());
            let faults = subject.faults().iter();
            names.extend(faults.map(|fault| format!("{}@{}", subject.name(), fault.name)));
        }
    }
    names
}

fn variants(subject: &dyn Subject) -> Vec<Option<&'static str>> {
    let faults = subject.faults().iter();
    std::iter::once(None)
        .chain(faults.map(|fault| Some(fault.name)))
        .collect()
}
