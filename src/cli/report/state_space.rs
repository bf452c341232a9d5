//! `state-space.json`: how large the space of each correct model is. A change of these numbers is a
//! change of what is modelled.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Checked;
use crate::models::checker::Bounds;

#[derive(Serialize)]
struct StateSpaces<'a> {
    schema: &'static str,
    budget: &'static str,
    models: BTreeMap<&'a str, StateSpace<'a>>,
}

#[derive(Serialize)]
struct StateSpace<'a> {
    bounds: &'a Bounds,
    states: usize,
    transitions: u64,
    depth: usize,
}

pub(super) fn render(checked: &[Checked]) -> String {
    let models = checked.iter().map(|model| {
        let run = &model.correct.run;
        let space = StateSpace {
            bounds: &run.bounds,
            states: run.states,
            transitions: run.transitions,
            depth: run.depth,
        };
        (model.model, space)
    });
    let spaces = StateSpaces {
        schema: "concord.state-space/1",
        budget: "quick",
        models: models.collect(),
    };
    let text = serde_json::to_string_pretty(&spaces);
    text.expect("the document has string keys only") + "\n"
}
