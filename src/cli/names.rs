//! What a name on the command line selects.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use strsim::{damerau_levenshtein, jaro_winkler};

use crate::models::checker::CORRECT;
use crate::models::registry::{Subject, System, Target, names, resolve};

/// Most names that are suggested for an unknown one.
const MOST_SUGGESTIONS: usize = 3;
/// Least similarity of a name that is suggested beside the nearest.
const SIMILAR: f64 = 0.75;

/// A model with some of its variants; `None` is the correct model.
pub(super) struct Selected {
    pub(super) subject: Box<dyn Subject>,
    pub(super) variants: Vec<Option<&'static str>>,
}

/// Which variants of a model are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    FaultsOnly,
    CorrectOnly,
}

impl Which {
    fn has(self, variant: Option<&str>) -> bool {
        match self {
            Which::All => true,
            Which::FaultsOnly => variant.is_some(),
            Which::CorrectOnly => variant.is_none(),
        }
    }
}

/// What `names` select together, or everything if there are none: each once, in registry order.
pub(super) fn select(
    systems: &'static [System],
    names: &[String],
    which: Which,
) -> Result<Vec<Selected>> {
    let mut wanted = BTreeSet::new();
    for name in names {
        for target in targets(systems, name)? {
            let model = target.subject.name();
            wanted.extend(target.variants.into_iter().map(|variant| (model, variant)));
        }
    }
    let mut selected = Vec::new();
    for subject in systems.iter().flat_map(|system| (system.models)()) {
        let faults = subject.faults().iter().map(|fault| Some(fault.name));
        let variants = std::iter::once(None).chain(faults);
        let is_wanted = |variant: &Option<&'static str>| {
            which.has(*variant)
                && (names.is_empty() || wanted.contains(&(subject.name(), *variant)))
        };
        let variants: Vec<_> = variants.filter(is_wanted).collect();
        if !variants.is_empty() {
            selected.push(Selected { subject, variants });
        }
    }
    if selected.is_empty() {
        // Nothing was checked, so nothing may be said to hold.
        bail!("nothing is selected: no model or variant meets the names and options");
    }
    Ok(selected)
}

/// The one model and variant that `name` stands for; of a model's name, the correct model.
pub(super) fn select_one(
    systems: &'static [System],
    name: &str,
) -> Result<(Box<dyn Subject>, Option<&'static str>)> {
    let mut targets = targets(systems, name)?;
    if targets.len() > 1 {
        let models: Vec<_> = targets.iter().map(|target| target.subject.name()).collect();
        bail!(
            "`{name}` has several models, name one of them: {}",
            models.join(", ")
        );
    }
    let target = targets.remove(0);
    Ok((target.subject, target.variants[0]))
}

/// The system that `name` stands for.
pub(super) fn system(systems: &'static [System], name: &str) -> Result<&'static System> {
    match systems.iter().find(|system| system.name == name) {
        Some(system) => Ok(system),
        None => {
            let known = systems.iter().map(|system| system.name.to_owned());
            bail!(unknown("system", name, known.collect()))
        }
    }
}

fn targets(systems: &'static [System], name: &str) -> Result<Vec<Target>> {
    match resolve(systems, name) {
        Some(targets) => Ok(targets),
        None if systems.iter().any(|system| system.name == name) => {
            bail!("the system `{name}` has no models")
        }
        None => bail!(unknown("system, model or variant", name, names(systems))),
    }
}

fn unknown(what: &str, name: &str, known: Vec<String>) -> String {
    let nearest = nearest(name, known);
    let nearest = nearest.join(", ");
    format!("there is no {what} `{name}`; did you mean {nearest}? `concord list` shows every name")
}

/// The names most like `name`, best first.
fn nearest(name: &str, known: Vec<String>) -> Vec<String> {
    let name = name.strip_suffix(&format!("@{CORRECT}")).unwrap_or(name);
    let mut scored: Vec<_> = known
        .into_iter()
        .map(|known| {
            (
                similarity(name, &known),
                damerau_levenshtein(name, &known),
                known,
            )
        })
        .collect();
    scored.sort_by(|(a, a_edits, a_name), (b, b_edits, b_name)| {
        let by_similarity = b.total_cmp(a);
        by_similarity
            .then(a_edits.cmp(b_edits))
            .then(a_name.cmp(b_name))
    });
    // The nearest is named however far it is; others only if they are similar.
    let suggested = scored.into_iter().enumerate();
    let names = suggested
        .take_while(|(at, (similarity, ..))| *at == 0 || *similarity >= SIMILAR)
        .map(|(_, (_, _, known))| format!("`{known}`"));
    names.take(MOST_SUGGESTIONS).collect()
}

/// Of the whole names or, where only one of them has several parts, of its last parts.
fn similarity(name: &str, known: &str) -> f64 {
    let parts = [
        Some(known),
        known.split_once('/').map(|(_, rest)| rest),
        known.split_once('@').map(|(_, variant)| variant),
    ];
    let name = name.to_lowercase();
    let similarities = parts
        .into_iter()
        .flatten()
        .map(|part| jaro_winkler(&name, part));
    similarities.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_any_of_its_parts() {
        let known = [
            "counter",
            "counter/replicated",
            "counter/replicated@node_keyed",
            "stats",
        ];
        let nearest = |name| {
            nearest(name, known.map(str::to_owned).to_vec())
                .first()
                .cloned()
        };
        assert_eq!(nearest("cuonter").as_deref(), Some("`counter`"));
        assert_eq!(
            nearest("replicatd").as_deref(),
            Some("`counter/replicated`")
        );
        let variant = Some("`counter/replicated@node_keyed`");
        assert_eq!(nearest("nodekeyed").as_deref(), variant);
        assert_eq!(nearest("counter/replicated@node_key").as_deref(), variant);
        assert!(
            nearest("zzz").is_some(),
            "the nearest is named however far it is"
        );
    }
}
