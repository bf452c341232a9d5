//! Two-phase commit, as in stateright's example.

use serde::{Deserialize, Serialize};
use stateright::Model;

use super::super::{Bounds, Checkable, Claim, Fairness, Goal, Judgement, peer};
use super::{run, stable, threads};

struct TwoPhase {
    managers: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct State {
    managers: Vec<Manager>,
    coordinator: Coordinator,
    known_prepared: Vec<bool>,
    said_prepared: Vec<bool>,
    said_commit: bool,
    said_abort: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
enum Manager {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
enum Coordinator {
    Undecided,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Action {
    Commit,
    Abort,
    HearPrepared(usize),
    Prepare(usize),
    ChooseAbort(usize),
    HearCommit(usize),
    HearAbort(usize),
}

impl Model for TwoPhase {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            managers: vec![Manager::Working; self.managers],
            coordinator: Coordinator::Undecided,
            known_prepared: vec![false; self.managers],
            said_prepared: vec![false; self.managers],
            said_commit: false,
            said_abort: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let is_undecided = state.coordinator == Coordinator::Undecided;
        if is_undecided && state.known_prepared.iter().all(|known| *known) {
            actions.push(Action::Commit);
        }
        if is_undecided {
            actions.push(Action::Abort);
        }
        for manager in 0..self.managers {
            if is_undecided && state.said_prepared[manager] {
                actions.push(Action::HearPrepared(manager));
            }
            if state.managers[manager] == Manager::Working {
                actions.push(Action::Prepare(manager));
                actions.push(Action::ChooseAbort(manager));
            }
            if state.said_commit {
                actions.push(Action::HearCommit(manager));
            }
            if state.said_abort {
                actions.push(Action::HearAbort(manager));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut state = state.clone();
        match action {
            Action::Commit => {
                state.coordinator = Coordinator::Committed;
                state.said_commit = true;
            }
            Action::Abort => {
                state.coordinator = Coordinator::Aborted;
                state.said_abort = true;
            }
            Action::HearPrepared(manager) => state.known_prepared[manager] = true,
            Action::Prepare(manager) => {
                state.managers[manager] = Manager::Prepared;
                state.said_prepared[manager] = true;
            }
            Action::ChooseAbort(manager) | Action::HearAbort(manager) => {
                state.managers[manager] = Manager::Aborted;
            }
            Action::HearCommit(manager) => state.managers[manager] = Manager::Committed,
        }
        Some(state)
    }
}

impl Checkable for TwoPhase {
    fn bounds(&self) -> Bounds {
        Bounds::from_iter([("managers".to_owned(), self.managers.into())])
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["decide", "hear", "prepare", "choose_abort"]
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Commit | Action::Abort => "decide",
            Action::HearPrepared(_) | Action::HearCommit(_) | Action::HearAbort(_) => "hear",
            Action::Prepare(_) => "prepare",
            Action::ChooseAbort(_) => "choose_abort",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        format!("{action:?}")
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        let claim = |name, goal| Claim {
            name,
            goal,
            fairness: Fairness::default(),
        };
        vec![
            claim(
                "all_abort",
                Goal::Sometimes(|_, state| all_are(state, Manager::Aborted)),
            ),
            claim(
                "all_commit",
                Goal::Sometimes(|_, state| all_are(state, Manager::Committed)),
            ),
            claim(
                "consistent",
                Goal::Always(|_, state: &State| {
                    let managers = &state.managers;
                    !(managers.contains(&Manager::Aborted)
                        && managers.contains(&Manager::Committed))
                }),
            ),
        ]
    }
}

fn all_are(state: &State, wanted: Manager) -> bool {
    state.managers.iter().all(|manager| *manager == wanted)
}

#[test]
fn three_managers_have_the_published_space() {
    let model = TwoPhase { managers: 3 };
    let outcome = run(&model, &threads(1));
    let peer = peer(model);
    assert_eq!((peer.states, peer.generated, peer.depth), (288, 1146, 11));
    // Published numbers count the initial state.
    assert_eq!(outcome.run.states, 288);
    assert_eq!((outcome.run.transitions, outcome.run.depth), (1145, 10));
    assert_eq!(outcome.run.judgement(), Judgement::Pass);
}

#[test]
fn five_managers_have_the_published_space_for_any_number_of_threads() {
    let model = TwoPhase { managers: 5 };
    let one = run(&model, &threads(1));
    assert_eq!((one.run.states, one.run.transitions), (8832, 58_145));
    assert_eq!(one.run.depth, 16);
    assert_eq!(stable(&one), stable(&run(&model, &threads(2))));
}
