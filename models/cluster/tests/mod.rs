//! The cluster model under a toy protocol.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashMap, VecDeque};

use stateright::{Checker, Model};

use self::register::{Acknowledge, Announce, Image, Register, Timer};
use super::{
    Action, ActionOf, Client, ClientProgram, Cluster, ClusterBounds, Faults, Order, Publications,
    State, Timers, token,
};
use crate::checker::{Checkable, Claim, Fairness, Goal};

mod register;

type Toy = Cluster<Register>;
type Step = Action<Register>;

fn claims(_: &Toy) -> Vec<Claim<Toy>> {
    let claim = |name, goal| Claim {
        name,
        goal,
        fairness: Fairness::default(),
    };
    vec![
        claim("acknowledged_survives", Goal::Always(acknowledged_survives)),
        claim("converged", Goal::Sometimes(converged)),
        claim("all_run", Goal::Eventually(Cluster::all_running)),
    ]
}

/// What a node acknowledged it still has: in its machine or, while stopped, on its disk.
fn acknowledged_survives(model: &Toy, state: &State<Register>) -> bool {
    let hosts = state.hosts.iter().zip(state.ghost.acknowledged);
    hosts.into_iter().all(|(host, acknowledged)| {
        let image = match &host.machine {
            Some(node) => &node.image,
            None => host.durable(&model.protocol),
        };
        image.value >= acknowledged
    })
}

fn converged(model: &Toy, state: &State<Register>) -> bool {
    let mut values = state.machines().map(|(_, node)| node.image.value);
    let first = values.next().unwrap();
    model.all_running(state) && model.clients_done(state) && values.all(|v| v == first)
}

fn toy(protocol: Register, bounds: ClusterBounds<Register>) -> Toy {
    Cluster::new(protocol, bounds, claims)
}

/// Two running nodes; the first client sets `values` on node a.
fn bounds(values: &[u8], faults: Faults) -> ClusterBounds<Register> {
    ClusterBounds {
        started: true,
        clients: vec![ClientProgram {
            node: 0,
            calls: values.to_vec(),
        }],
        faults,
        ..ClusterBounds::default()
    }
}

fn initial(model: &Toy) -> State<Register> {
    model.init_states().remove(0)
}

/// Executes actions, each of which must be among the enabled ones.
fn run(model: &Toy, steps: &[Step]) -> State<Register> {
    let mut state = initial(model);
    for step in steps {
        let enabled = enabled(model, &state);
        assert!(enabled.contains(step), "{step:?} is not among {enabled:?}");
        state = model.next_state(&state, step.clone()).unwrap();
    }
    state
}

fn enabled(model: &Toy, state: &State<Register>) -> Vec<Step> {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    actions
}

fn set(call: u8) -> Step {
    ActionOf::Call { client: 0, call }
}

fn tick(node: u8, tick: Timer) -> Step {
    ActionOf::Tick { node, tick }
}

fn deliver(to: u8, value: u8) -> Step {
    let (from, message) = (1 - to, Announce(value));
    ActionOf::Deliver { to, from, message }
}

fn publish(ticket: u32) -> Step {
    ActionOf::Publish { node: 0, ticket }
}

struct Explored {
    states: usize,
    kinds: BTreeMap<&'static str, usize>,
}

/// Visits every state and checks each transition on the way.
fn explore(model: &Toy, mut visit: impl FnMut(&State<Register>)) -> Explored {
    let mut known = HashMap::from([(initial(model), ())]);
    let mut queue = VecDeque::from([initial(model)]);
    let mut kinds = BTreeMap::new();
    while let Some(state) = queue.pop_front() {
        visit(&state);
        for action in enabled(model, &state) {
            let json = serde_json::to_string(&action).unwrap();
            let again: Step = serde_json::from_str(&json).unwrap();
            assert_eq!(again, action);
            let next = model
                .next_state(&state, action.clone())
                .unwrap_or_else(|| panic!("{action:?} was enabled"));
            assert_eq!(Some(&next), model.next_state(&state, again).as_ref());
            *kinds.entry(model.kind_of(&action)).or_default() += 1;
            if known.insert(next.clone(), ()).is_none() {
                queue.push_back(next);
            }
        }
    }
    Explored {
        states: known.len(),
        kinds,
    }
}

/// Explores by our loop and twice by stateright: all must find the same number of states.
#[track_caller]
fn assert_states(protocol: fn() -> Register, bounds: &ClusterBounds<Register>, states: usize) {
    let model = toy(protocol(), bounds.clone());
    assert_eq!(explore(&model, |_| {}).states, states);
    for _ in 0..2 {
        let checker = toy(protocol(), bounds.clone()).checker().spawn_bfs().join();
        assert_eq!(checker.unique_state_count(), states);
        checker.assert_properties();
    }
}

/// Stateright finds a violation (not always the shortest: it overwrites discoveries), and `steps`
/// are one.
#[track_caller]
fn assert_violated_by(protocol: fn() -> Register, steps: &[Step]) {
    let faults = Faults {
        crashes: 1,
        ..Faults::default()
    };
    let model = toy(protocol(), bounds(&[1], faults));
    let (last, before) = steps.split_last().unwrap();
    assert!(acknowledged_survives(&model, &run(&model, before)));
    assert!(
        !acknowledged_survives(&model, &run(&model, steps)),
        "{last:?}"
    );
    let checker = model.checker().spawn_bfs().join();
    let path = checker.assert_any_discovery("acknowledged_survives");
    assert!(!acknowledged_survives(checker.model(), path.last_state()));
}

#[test]
fn every_declared_kind_occurs_and_no_other() {
    let crash = Faults {
        crashes: 1,
        ..Faults::default()
    };
    let each: [fn(&mut Faults); 9] = [
        |_| {},
        |faults| faults.data_losses = 1,
        |faults| faults.closes = 1,
        |faults| faults.losses = 1,
        |faults| faults.duplicates = 1,
        |faults| faults.partitions = 1,
        |faults| faults.failed_queries = 1,
        |faults| faults.corrupt_answers = 1,
        |faults| faults.failed_publications = 1,
    ];
    for open in each {
        let mut faults = crash;
        open(&mut faults);
        let bounds = ClusterBounds {
            started: false,
            ..bounds(&[1], faults)
        };
        let model = toy(Register::CORRECT, bounds);
        let explored = explore(&model, |_| {});
        let mut kinds = model.kinds();
        kinds.sort_unstable();
        assert_eq!(explored.kinds.into_keys().collect::<Vec<_>>(), kinds);
    }
}

#[test]
fn kinds_follow_the_bounds() {
    let quiet = toy(Register::CORRECT, bounds(&[1], Faults::default()));
    let kinds = [
        "set", "deliver", "answer", "give_up", "publish", "flush", "announce",
    ];
    assert_eq!(quiet.kinds(), kinds);

    // Nobody stops, so whatever is announced can be fetched.
    let never = ClusterBounds {
        never: &["give_up"],
        started: false,
        ..bounds(&[1], Faults::default())
    };
    let model = toy(Register::CORRECT, never);
    let kinds = [
        "start", "set", "deliver", "answer", "publish", "flush", "announce",
    ];
    assert_eq!(model.kinds(), kinds);
    assert_eq!(explore(&model, |_| {}).kinds.len(), kinds.len());
}

#[test]
fn bounds_are_printed_by_name() {
    let faults = Faults {
        losses: 2,
        ..Faults::default()
    };
    let printed = Checkable::bounds(&toy(Register::CORRECT, bounds(&[1, 2], faults)));
    assert_eq!(printed["replicas"], 2);
    assert_eq!(printed["calls"], 2);
    assert_eq!(printed["losses"], 2);
    assert_eq!(printed["crashes"], 0);
}

#[test]
fn state_counts_are_pinned() {
    let crashes = |crashes| Faults {
        crashes,
        ..Faults::default()
    };
    assert_states(|| Register::CORRECT, &bounds(&[1], crashes(0)), 24);
    assert_states(|| Register::CORRECT, &bounds(&[1], crashes(1)), 158);
    assert_states(|| Register::CORRECT, &bounds(&[1, 2], crashes(1)), 2161);
}

/// What is in flight of node a and of node b whenever a timer of node a may fire.
fn in_flight_at_timers(timers: Timers) -> (bool, bool) {
    let bounds = ClusterBounds {
        timers,
        ..bounds(&[1], Faults::default())
    };
    let model = toy(Register::CORRECT, bounds);
    let (mut own, mut other) = (false, false);
    explore(&model, |state| {
        let mut actions = enabled(&model, state).into_iter();
        if actions.any(|action| matches!(action, ActionOf::Tick { node: 0, .. })) {
            let packets = state.network.packets();
            own |= packets.iter().any(|packet| packet.from == 0);
            other |= packets.iter().any(|packet| packet.from == 1);
        }
    });
    (own, other)
}

#[test]
fn timers_wait_for_what_their_bound_names() {
    assert_eq!(in_flight_at_timers(Timers::Anytime), (true, true));
    assert_eq!(in_flight_at_timers(Timers::AfterOwnDelivery), (false, true));
    assert_eq!(in_flight_at_timers(Timers::AfterDelivery), (false, false));
}

#[test]
fn publications_at_once_are_no_action_and_reach_the_same_end() {
    let bounds = ClusterBounds {
        publications: Publications::AtOnce,
        ..bounds(&[1], Faults::default())
    };
    let model = toy(Register::CORRECT, bounds);
    assert!(!model.kinds().contains(&"publish"));
    let mut reached = false;
    let explored = explore(&model, |state| {
        reached |= model.clients_done(state) && converged(&model, state);
    });
    assert!(reached);
    assert!(!explored.kinds.contains_key("publish"));
}

#[test]
fn an_early_acknowledgement_is_lost_with_the_unsynced_write() {
    let protocol = || Register {
        acknowledge: Acknowledge::AtOnce,
        ..Register::CORRECT
    };
    assert_violated_by(protocol, &[set(1), ActionOf::Crash { node: 0, kept: 0 }]);
}

#[test]
fn a_reply_before_the_sync_of_its_step_is_caught_by_a_crash_between_them() {
    let protocol = || Register {
        acknowledge: Acknowledge::BeforeSyncOfStep,
        ..Register::CORRECT
    };
    let crash = ActionOf::CrashDuring {
        action: Box::new(set(1)),
        effects: 2,
        kept: 0,
        point: "crash".into(),
    };
    assert_violated_by(protocol, &[crash]);
}

#[test]
fn a_crash_loses_what_is_not_synced_and_nothing_else() {
    let faults = Faults {
        crashes: 1,
        ..Faults::default()
    };
    let model = toy(Register::CORRECT, bounds(&[1], faults));
    let crash = |kept| ActionOf::Crash { node: 0, kept };
    let value = |steps: &[Step]| {
        let state = run(&model, steps);
        let image: &Image = state.hosts[0].durable(&model.protocol);
        assert_eq!(image.lives, 1);
        image.value
    };
    assert_eq!(value(&[set(1), crash(0)]), 0);
    assert_eq!(value(&[set(1), crash(1)]), 1);
    assert_eq!(value(&[set(1), tick(0, Timer::Flush), crash(0)]), 1);

    let flushed = run(&model, &[set(1), tick(0, Timer::Flush)]);
    assert_eq!(model.next_state(&flushed, crash(1)), None);
    let cut = run(&model, &[set(1), crash(0)]);
    assert!(model.struck(&cut, "crash"));
    assert_eq!(model.spent(&cut).crashes, 1);
    assert!(model.some_fault(&cut));
}

#[test]
fn clients_give_up_when_their_node_stops() {
    let faults = Faults {
        crashes: 1,
        ..Faults::default()
    };
    let model = toy(Register::CORRECT, bounds(&[1, 2], faults));
    let crash = ActionOf::Crash { node: 0, kept: 0 };
    let state = run(
        &model,
        &[set(1), crash, ActionOf::Start { node: 0 }, set(2)],
    );
    assert_eq!(state.ghost.abandoned, [token(0, 0)]);
    let client = Client {
        made: 2,
        waiting: true,
    };
    assert_eq!(state.clients, [client]);
    assert_eq!(state.machine(0).unwrap().image.lives, 2);
}

#[test]
fn a_crash_after_a_write_keeps_it_and_stops_the_step() {
    let faults = Faults {
        crashes: 1,
        ..Faults::default()
    };
    let model = toy(
        Register {
            acknowledge: Acknowledge::AtOnce,
            ..Register::CORRECT
        },
        bounds(&[1], faults),
    );
    let crash = ActionOf::CrashDuring {
        action: Box::new(set(1)),
        effects: 1,
        kept: 1,
        point: "crash_value".into(),
    };
    assert_eq!(model.kind_of(&crash), "crash_value");
    let state = run(&model, &[crash]);
    assert!(model.struck(&state, "crash_value"));
    assert!(!model.struck(&state, "crash"));
    assert_eq!(state.hosts[0].durable(&model.protocol).value, 1);
    assert_eq!(state.ghost.acknowledged[0], 0);
    assert_eq!(state.ghost.abandoned, [token(0, 0)]);
}

#[test]
fn lost_data_is_lost_only_while_stopped() {
    let faults = Faults {
        crashes: 1,
        data_losses: 1,
        ..Faults::default()
    };
    let model = toy(Register::CORRECT, bounds(&[1], faults));
    let lose = ActionOf::LoseData { node: 0 };
    assert_eq!(model.next_state(&initial(&model), lose.clone()), None);
    let crash = ActionOf::Crash { node: 0, kept: 0 };
    let steps = [set(1), tick(0, Timer::Flush), crash, lose];
    let state = run(&model, &steps);
    assert_eq!(*state.hosts[0].durable(&model.protocol), Image::default());
}

#[test]
fn an_identical_message_in_flight_is_one() {
    let model = toy(Register::CORRECT, bounds(&[1], Faults::default()));
    let announce = tick(0, Timer::Announce);
    let steps = [set(1), announce.clone(), announce.clone()];
    let state = run(&model, &steps);
    assert_eq!(state.network.packets().len(), 1);
    // An enabled timer that changes nothing is still an action.
    assert_eq!(model.next_state(&state, announce), Some(state));
}

/// The toy on ordered links, with no repetition and plain announcements.
fn ordered(faults: Faults) -> Toy {
    let protocol = Register {
        repeats: false,
        plain: true,
        acknowledge: Acknowledge::AtOnce,
        ..Register::CORRECT
    };
    let bounds = ClusterBounds {
        order: Order::Fifo,
        ..bounds(&[2, 1, 3], faults)
    };
    Cluster::new(protocol, bounds, |_| Vec::new())
}

#[test]
fn ordered_links_deliver_in_the_order_of_sending() {
    let faults = Faults {
        duplicates: 1,
        losses: 1,
        ..Faults::default()
    };
    let model = ordered(faults);
    let mut complete = 0;
    explore(&model, |state| {
        let heard = &state.machine(1).unwrap().heard;
        // The register only grows, so the second call announces 2 again.
        assert!(heard.is_sorted(), "{heard:?}");
        complete += usize::from(*heard == [2, 2, 3]);
    });
    assert!(complete > 0);

    let twice = run(&model, &[set(2), set(1)]);
    assert_eq!(twice.network.packets().len(), 2);
    let state = run(&model, &[set(2), set(1), set(3)]);
    assert_eq!(model.next_state(&state, deliver(1, 3)), None);
}

#[test]
fn a_duplicate_is_taken_in_and_stays_in_flight() {
    let faults = Faults {
        duplicates: 1,
        ..Faults::default()
    };
    let model = ordered(faults);
    let (to, from, message) = (1, 0, Announce(2));
    let duplicate = ActionOf::Duplicate { to, from, message };
    let state = run(&model, &[set(2), duplicate, deliver(1, 2)]);
    assert_eq!(state.machine(1).unwrap().heard, [2, 2]);
    assert!(model.nothing_in_flight(&state));
}

#[test]
fn a_lost_message_is_gone() {
    let faults = Faults {
        losses: 1,
        ..Faults::default()
    };
    let model = ordered(faults);
    let (to, from, message) = (1, 0, Announce(2));
    let state = run(&model, &[set(2), ActionOf::Lose { to, from, message }]);
    assert!(model.nothing_in_flight(&state));
    assert!(state.machine(1).unwrap().heard.is_empty());
}

#[test]
fn an_isolated_node_is_out_of_reach_until_healed() {
    let faults = Faults {
        partitions: 1,
        ..Faults::default()
    };
    let model = toy(Register::CORRECT, bounds(&[1], faults));
    let sent = [set(1), tick(0, Timer::Flush), publish(1)];
    let isolated = [sent.as_slice(), &[ActionOf::Partition { node: 0 }]].concat();
    let state = run(&model, &isolated);
    assert_eq!(model.next_state(&state, deliver(1, 1)), None);
    assert!(!model.all_connected(&state));

    let healed = [
        isolated.as_slice(),
        &[ActionOf::Heal { node: 0 }, deliver(1, 1)],
    ]
    .concat();
    let state = run(&model, &healed);
    let answer = ActionOf::Answer {
        node: 1,
        query: 1,
        from: 0,
    };
    assert!(enabled(&model, &state).contains(&answer));

    let asked = [
        sent.as_slice(),
        &[deliver(1, 1), ActionOf::Partition { node: 0 }],
    ]
    .concat();
    let state = run(&model, &asked);
    assert_eq!(model.next_state(&state, answer), None);
    let give_up = ActionOf::GiveUp { node: 1, query: 1 };
    assert!(enabled(&model, &state).contains(&give_up));
}

#[test]
fn a_query_fails_freely_only_if_nobody_can_answer() {
    let sent = [set(1), tick(0, Timer::Flush), publish(1), deliver(1, 1)];
    let give_up = ActionOf::GiveUp { node: 1, query: 1 };
    let fail = ActionOf::FailQuery { node: 1, query: 1 };
    let open = Faults {
        failed_queries: 1,
        ..Faults::default()
    };
    for (faults, exchange, free, fault) in [
        (Faults::default(), true, false, false),
        (open, true, false, true),
        (open, false, true, false),
    ] {
        let bounds = ClusterBounds {
            exchange,
            ..bounds(&[1], faults)
        };
        let model = toy(Register::CORRECT, bounds);
        let enabled = enabled(&model, &run(&model, &sent));
        assert_eq!(enabled.contains(&give_up), free);
        assert_eq!(enabled.contains(&fail), fault);
    }
}

#[test]
fn a_damaged_answer_reaches_the_core() {
    let faults = Faults {
        corrupt_answers: 1,
        ..Faults::default()
    };
    let model = toy(Register::CORRECT, bounds(&[1], faults));
    let corrupt = ActionOf::CorruptAnswer {
        node: 1,
        query: 1,
        from: 0,
    };
    let steps = [
        set(1),
        tick(0, Timer::Flush),
        publish(1),
        deliver(1, 1),
        corrupt,
    ];
    let state = run(&model, &steps);
    assert!(state.ghost.damaged);
    assert_eq!(state.machine(1).unwrap().image.value, 0);
    assert!(model.quiet(&state));
}

#[test]
fn a_machine_that_is_not_ready_leaves_the_message_in_flight() {
    let protocol = Register {
        one_at_a_time: true,
        ..Register::CORRECT
    };
    let model = toy(protocol, bounds(&[1, 2], Faults::default()));
    let flush = || tick(0, Timer::Flush);
    let steps = [
        set(1),
        flush(),
        publish(1),
        deliver(1, 1),
        set(2),
        flush(),
        publish(2),
    ];
    let state = run(&model, &steps);
    assert_eq!(model.next_state(&state, deliver(1, 2)), None);
    assert!(!model.nothing_in_flight(&state));
}

#[test]
fn a_close_keeps_what_was_written() {
    let faults = Faults {
        closes: 1,
        ..Faults::default()
    };
    let model = toy(Register::CORRECT, bounds(&[1], faults));
    let state = run(&model, &[set(1), ActionOf::Close { node: 0 }]);
    assert!(!model.all_running(&state));
    assert!(model.all_synced(&state));
    assert_eq!(state.hosts[0].durable(&model.protocol).value, 1);
    assert_eq!(state.ghost.abandoned, [token(0, 0)]);
}

#[test]
fn without_repetition_a_failed_publication_is_never_made_good() {
    for repeats in [true, false] {
        let faults = Faults {
            failed_publications: 1,
            ..Faults::default()
        };
        let protocol = Register {
            repeats,
            ..Register::CORRECT
        };
        let model = toy(protocol, bounds(&[1], faults));
        let mut made_good = false;
        explore(&model, |state| {
            let failed = model.spent(state).failed_publications == 1;
            made_good |= failed && converged(&model, state);
        });
        assert_eq!(made_good, repeats);
    }
}

#[test]
#[should_panic(expected = "believes in another disk")]
#[cfg_attr(not(debug_assertions), ignore = "only debug assertions check this")]
fn a_machine_that_changes_its_image_without_a_write_is_rejected() {
    let protocol = Register {
        forgets_to_write: true,
        ..Register::CORRECT
    };
    run(&toy(protocol, bounds(&[1], Faults::default())), &[set(1)]);
}

#[test]
fn nodes_may_be_stopped_at_first() {
    let bounds = ClusterBounds {
        replicas: 3,
        ..ClusterBounds::default()
    };
    let model = toy(Register::CORRECT, bounds);
    let start = |node| ActionOf::Start { node };
    assert_eq!(enabled(&model, &initial(&model)), [0, 1, 2].map(start));
    let state = run(&model, &[0, 1, 2].map(start));
    assert!(model.all_running(&state));
    assert_eq!(
        state,
        initial(&toy(
            Register::CORRECT,
            ClusterBounds {
                replicas: 3,
                started: true,
                ..ClusterBounds::default()
            }
        ))
    );
}

#[test]
fn obligations_are_told_apart() {
    let model = toy(Register::CORRECT, bounds(&[1], Faults::default()));
    let instance = |action: Step| model.instance_of(&action);
    assert_ne!(instance(deliver(1, 1)), instance(deliver(1, 2)));
    assert_ne!(instance(deliver(1, 1)), instance(deliver(0, 1)));
    let answer = |from| ActionOf::Answer {
        node: 2,
        query: 1,
        from,
    };
    assert_eq!(instance(answer(0)), instance(answer(1)));
}

#[test]
fn actions_read_well() {
    let model = toy(Register::CORRECT, bounds(&[1], Faults::default()));
    let json = |action: &Step| serde_json::to_string(action).unwrap();
    assert_eq!(
        json(&deliver(1, 7)),
        r#"{"deliver":{"to":1,"from":0,"message":7}}"#
    );
    assert_eq!(model.describe(&deliver(1, 7)), "deliver {7} a -> b");
    assert_eq!(model.describe(&set(1)), "set 1 at a");
    assert_eq!(model.describe(&tick(1, Timer::Flush)), "flush at b");
    let crash = ActionOf::CrashDuring {
        action: Box::new(set(1)),
        effects: 1,
        kept: 1,
        point: "crash_value".into(),
    };
    assert_eq!(model.describe(&crash), "set 1 at a, cut short: crash_value");
    assert_eq!(
        json(&crash),
        r#"{"crash_during":{"action":{"call":{"client":0,"call":1}},"effects":1,"kept":1,"point":"crash_value"}}"#
    );
}

#[test]
fn impossible_actions_are_refused() {
    let model = toy(Register::CORRECT, bounds(&[1], Faults::default()));
    let state = initial(&model);
    let nowhere: [Step; 9] = [
        ActionOf::Start { node: 0 },
        ActionOf::Start { node: 9 },
        ActionOf::Crash { node: 0, kept: 0 },
        ActionOf::Heal { node: 200 },
        ActionOf::Partition { node: 0 },
        set(2),
        deliver(1, 1),
        publish(1),
        tick(0, Timer::Flush),
    ];
    for action in nowhere {
        assert_eq!(model.next_state(&state, action), None);
    }
}

#[test]
fn a_path_is_drawn_as_a_sequence_diagram() {
    let faults = Faults {
        crashes: 1,
        ..Faults::default()
    };
    let model = toy(Register::CORRECT, bounds(&[1], faults));
    let answer = ActionOf::Answer {
        node: 1,
        query: 1,
        from: 0,
    };
    let steps = [
        set(1),
        tick(0, Timer::Flush),
        publish(1),
        deliver(1, 1),
        answer,
        ActionOf::Crash { node: 1, kept: 0 },
        ActionOf::Start { node: 1 },
    ];
    let mut path: Vec<_> = (0..steps.len())
        .map(|at| (run(&model, &steps[..at]), Some(steps[at].clone())))
        .collect();
    path.push((run(&model, &steps), None));
    let svg = model.sequence_diagram(&path);
    let count = |part: &str| svg.matches(part).count();
    assert_eq!(count("class='node'"), 2);
    assert_eq!(count("class='message'"), 1);
    // Sent by the third step, delivered by the fourth.
    assert!(svg.contains("<line class='message' x1='50' y1='136' x2='160' y2='168' marker-end"));
    assert_eq!(count("class='answer'"), 1);
    assert_eq!(count("class='fault'"), 2);
    assert_eq!(count("class='start'"), 1);
    assert_eq!(count("class='lane stopped'"), 1);
    assert!(svg.contains("4. deliver {1} a -&gt; b</text>"));
    assert!(svg.ends_with("</svg>\n"));
}

#[test]
fn stateright_is_given_safety_only() {
    let model = toy(Register::CORRECT, bounds(&[1], Faults::default()));
    let names: Vec<_> = model.properties().iter().map(|p| p.name).collect();
    assert_eq!(names, ["acknowledged_survives", "converged"]);
    assert_eq!(Checkable::claims(&model).len(), 3);
}
