//! What violates liveness, by trying every set of states; and whether a path does, by definition.
//!
//! Shares nothing with the checker: a fair path that goes on for ever visits some set of states for
//! ever, so it is enough to try all sets. Going round a set and taking every step inside it is as
//! fair as a path that stays there can be.

use super::super::{Counterexample, digest};
use super::graph::{Arrow, Form, Graph, KINDS};

/// Steps on the shortest path to a state from which a violation need not leave its set any more.
pub(super) fn distance_to_violation(graph: &Graph) -> Option<usize> {
    let distance = owed_distance(graph);
    let mut nearest: Option<usize> = None;
    let mut consider = |set: &[u32]| {
        let distances = set.iter().filter_map(|state| distance[*state as usize]);
        let here = distances.min();
        nearest = match (nearest, here) {
            (Some(nearest), Some(here)) => Some(nearest.min(here)),
            (nearest, here) => nearest.or(here),
        };
    };
    let count = states(graph);
    for set in 1_u32..1 << count {
        let set: Vec<u32> = (0..count).filter(|state| set >> state & 1 == 1).collect();
        let is_inside = set.iter().all(|state| !graph.q.contains(state));
        let is_end = set.len() == 1 && graph.arrows.iter().all(|arrow| arrow.from != set[0]);
        if is_inside && (is_end || (is_strong(graph, &set) && is_fair_set(graph, &set))) {
            consider(&set);
        }
    }
    nearest
}

fn states(graph: &Graph) -> u32 {
    let ends = graph.arrows.iter().flat_map(|arrow| [arrow.from, arrow.to]);
    ends.chain(graph.initial.iter().copied()).max().unwrap() + 1
}

/// Of each state, the length of the shortest path to it on which the goal is owed at the end.
fn owed_distance(graph: &Graph) -> Vec<Option<usize>> {
    let count = states(graph) as usize;
    let mut plain = vec![None; count];
    for state in &graph.initial {
        plain[*state as usize] = Some(0);
    }
    relax(&mut plain, &graph.arrows, |_| true);
    let mut owed: Vec<Option<usize>> = (0..count as u32)
        .map(|state| {
            let starts = match graph.form {
                Form::Eventually => graph.initial.contains(&state),
                Form::LeadsTo => graph.p.contains(&state),
            };
            let starts = starts && !graph.q.contains(&state);
            plain[state as usize].filter(|_| starts)
        })
        .collect();
    relax(&mut owed, &graph.arrows, |state| !graph.q.contains(&state));
    owed
}

fn relax(distance: &mut [Option<usize>], arrows: &[Arrow], may_enter: impl Fn(u32) -> bool) {
    for _ in 0..distance.len() {
        for arrow in arrows {
            let Some(from) = distance[arrow.from as usize] else {
                continue;
            };
            let to = &mut distance[arrow.to as usize];
            if may_enter(arrow.to) && to.is_none_or(|to| to > from + 1) {
                *to = Some(from + 1);
            }
        }
    }
}

/// Whether each state of the set reaches each, itself too, by steps inside the set.
fn is_strong(graph: &Graph, set: &[u32]) -> bool {
    set.iter().all(|from| {
        let mut reached: Vec<u32> = Vec::new();
        for _ in set {
            for arrow in inside(graph, set) {
                let is_reached = arrow.from == *from || reached.contains(&arrow.from);
                if is_reached && !reached.contains(&arrow.to) {
                    reached.push(arrow.to);
                }
            }
        }
        set.iter().all(|to| reached.contains(to))
    })
}

fn inside<'a>(graph: &'a Graph, set: &'a [u32]) -> impl Iterator<Item = &'a Arrow> {
    let arrows = graph.arrows.iter();
    arrows.filter(|arrow| set.contains(&arrow.from) && set.contains(&arrow.to))
}

fn is_fair_set(graph: &Graph, set: &[u32]) -> bool {
    let taken: Vec<Arrow> = inside(graph, set).copied().collect();
    is_fair(graph, set, &taken)
}

/// Whether visiting exactly `states` and taking exactly `taken` for ever is fair to every arrow.
fn is_fair(graph: &Graph, states: &[u32], taken: &[Arrow]) -> bool {
    graph.arrows.iter().all(|owed| {
        let same = |arrow: &Arrow| (arrow.kind, arrow.instance) == (owed.kind, owed.instance);
        let is_enabled = |state: &u32| {
            let mut arrows = graph.arrows.iter();
            arrows.any(|arrow| same(arrow) && arrow.from == *state)
        };
        let kind = KINDS[owed.kind];
        let starves = (graph.fairness.weak.contains(&kind) && states.iter().all(is_enabled))
            || (graph.fairness.strong.contains(&kind) && states.iter().any(is_enabled));
        !starves || taken.iter().any(same)
    })
}

/// Asserts that a counterexample violates the claim of `graph`, by definition.
pub(super) fn assert_violates(graph: &Graph, found: &Counterexample) {
    let arrows: Vec<Arrow> = found
        .actions()
        .into_iter()
        .map(|action| serde_json::from_value(action).unwrap())
        .collect();
    assert!(arrows.iter().all(|arrow| graph.arrows.contains(arrow)));
    assert!(arrows.windows(2).all(|pair| pair[0].to == pair[1].from));
    let mut initial = graph.initial.iter();
    let start = initial.find(|state| digest(state) == found.init).unwrap();
    assert!(arrows.first().is_none_or(|first| first.from == *start));
    let mut states = vec![*start];
    states.extend(arrows.iter().map(|arrow| arrow.to));

    let misses = |states: &[u32]| states.iter().all(|state| !graph.q.contains(state));
    match graph.form {
        Form::Eventually => assert!(misses(&states)),
        Form::LeadsTo => {
            let is_owed = |at: &usize| graph.p.contains(&states[*at]) && misses(&states[*at..]);
            assert!((0..states.len()).any(|at| is_owed(&at)));
        }
    }
    let last = *states.last().unwrap();
    match found.cycle_start {
        None => assert!(graph.arrows.iter().all(|arrow| arrow.from != last)),
        Some(start) => {
            assert!(start < arrows.len());
            assert_eq!(states[start], last);
            assert!(misses(&states[start..]));
            assert!(is_fair(graph, &states[start..], &arrows[start..]));
        }
    }
    let stem = found.cycle_start.unwrap_or(arrows.len());
    assert_eq!(Some(stem), distance_to_violation(graph));
}
