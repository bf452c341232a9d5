//! Three counters that gossip, after `FiniteMonotonic/MCCRDT` of the TLA+ examples.

use serde::{Deserialize, Serialize};
use stateright::Model;

use super::super::{Bounds, Checkable, Claim, Fairness, Goal, Judgement, Verdict, peer};
use super::{assert_reproduces, counterexample, run, run_variant, stable, threads, verdict};

const NODES: usize = 3;
const MOST: u8 = 3;

/// Each node counts in its own entry, and gossip takes the larger of each entry.
#[derive(Clone)]
struct Gossip {
    fairness: Fairness,
    /// Whether delivering between one pair discharges the duty to every pair.
    is_one_instance: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Increment(usize),
    Gossip(usize, usize),
}

type State = [[u8; NODES]; NODES];

impl Model for Gossip {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Action>) {
        for node in 0..NODES {
            actions.push(Action::Increment(node));
            let others = (0..NODES).filter(|other| *other != node);
            actions.extend(others.map(|other| Action::Gossip(node, other)));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        match action {
            Action::Increment(node) => {
                if state[node][node] >= MOST {
                    return None;
                }
                next[node][node] += 1;
            }
            Action::Gossip(from, to) => {
                for entry in 0..NODES {
                    next[to][entry] = next[to][entry].max(state[from][entry]);
                }
            }
        }
        Some(next)
    }
}

impl Checkable for Gossip {
    fn bounds(&self) -> Bounds {
        Bounds::from_iter([
            ("nodes".to_owned(), NODES.into()),
            ("increments".to_owned(), MOST.into()),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["increment", "gossip"]
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Increment(_) => "increment",
            Action::Gossip(..) => "gossip",
        }
    }

    fn instance_of(&self, action: &Action) -> u64 {
        match action {
            _ if self.is_one_instance => 0,
            Action::Increment(node) => *node as u64,
            Action::Gossip(from, to) => (from * NODES + to) as u64,
        }
    }

    fn describe(&self, action: &Action) -> String {
        format!("{action:?}")
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        let synced = |_: &Gossip, state: &State| state.iter().all(|vector| *vector == state[0]);
        let claim = |name, goal, fairness| Claim {
            name,
            goal,
            fairness,
        };
        let none = Fairness::default();
        vec![
            // Counters only grow, so what is synced again and again is synced for good in the end.
            claim("synced", Goal::LeadsTo(|_, _| true, synced), self.fairness),
            claim("apart", Goal::Sometimes(|_, s: &State| s[0] != s[1]), none),
            claim("own_is_largest", Goal::Always(own_is_largest), none),
        ]
    }
}

fn own_is_largest(_: &Gossip, state: &State) -> bool {
    let others = |entry: usize| state.iter().map(move |vector| vector[entry]);
    (0..NODES).all(|entry| others(entry).all(|value| value <= state[entry][entry]))
}

const WEAK: Fairness = Fairness {
    weak: &["gossip"],
    strong: &[],
};

const FAIR: Gossip = Gossip {
    fairness: WEAK,
    is_one_instance: false,
};

#[test]
fn counters_are_synced_in_the_end_if_gossip_is_fair() {
    let outcome = run(&FAIR, &threads(2));
    assert_eq!(outcome.run.states, 25_000);
    assert_eq!(verdict(&outcome, "synced"), Verdict::Holds);
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
}

#[test]
fn space_is_that_of_stateright() {
    let outcome = run(&FAIR, &threads(1));
    let peer = peer(FAIR);
    assert_eq!(outcome.run.states, peer.states);
    assert_eq!(outcome.run.transitions as usize + 1, peer.generated);
    assert_eq!(outcome.run.depth + 1, peer.depth);
    assert_eq!(peer.depth, 16);
    assert_eq!(peer.verdicts["own_is_largest"], Verdict::Holds);
    assert_eq!(peer.verdicts["apart"], Verdict::Reached);
    assert_eq!(peer.verdicts.len(), 2);
}

#[test]
fn counters_can_stay_apart_if_gossip_is_not_fair() {
    let unfair = Gossip {
        fairness: Fairness::default(),
        ..FAIR
    };
    let outcome = run_variant(&unfair, &["synced"], &threads(2));
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
    let found = counterexample(&outcome, "synced");
    // One increment, and gossip that tells nothing for ever.
    assert_eq!((found.steps.len(), found.cycle_start), (2, Some(1)));
    assert_reproduces(&unfair, &outcome);
}

#[test]
fn fairness_to_gossip_as_a_whole_is_too_little() {
    let one = Gossip {
        is_one_instance: true,
        ..FAIR
    };
    let outcome = run_variant(&one, &["synced"], &threads(1));
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
    assert_reproduces(&one, &outcome);
}

#[test]
fn result_does_not_depend_on_threads() {
    for most in [None, Some(1), Some(777), Some(24_999), Some(25_000)] {
        let limited = |used| super::Limits {
            max_states: most,
            ..threads(used)
        };
        let one = stable(&run(&FAIR, &limited(1)));
        for used in [2, 3] {
            assert_eq!(one, stable(&run(&FAIR, &limited(used))));
        }
    }
}
