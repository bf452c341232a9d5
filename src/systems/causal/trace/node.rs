//! The nodes under replay: what they answer, and what is left of them (11.3).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::causal::Name;
use crate::causal::clock::Node;
use crate::causal::crash::CrashPoint;
use crate::causal::error::{AckError, FlushError, ReceiveError, SubmitError};
use crate::causal::group::{Group, Profile};
use crate::causal::message::{Applied, Delivery, Input, Output};
use crate::causal::orset::{Set, UserSets};
use crate::causal::state::{Disk, Recovered, Settings, State};
use crate::causal::strategy::Strategies;
use crate::machine::Machine;
use crate::replay::Answer;

use super::Words;
use super::call::{Call, Look};
use super::json::{self, hex};

/// The code of a node that is down.
const DOWN: &str = "node_down";

/// The nodes of a group, each with its disk.
#[derive(Debug)]
pub(super) struct Nodes {
    group: Group,
    nodes: Vec<Replica>,
}

#[derive(Debug)]
struct Replica {
    settings: Arc<Settings>,
    disk: Disk,
    /// None while it is down.
    running: Option<State>,
}

impl Nodes {
    /// All of them running, with the clocks that the group starts with.
    pub(super) fn new(words: &Words) -> Self {
        let clocks = words.group.nodes().zip(&words.clocks);
        let nodes = clocks.map(|(me, initial)| {
            let settings = Arc::new(Settings {
                profile: words.profile,
                group: words.group.clone(),
                me,
                initial: initial.clone(),
                strategies: Strategies::REFERENCE,
            });
            let disk = Disk::new(&settings);
            let mut replica = Replica {
                settings,
                disk,
                running: None,
            };
            replica.recover();
            replica
        });
        Self {
            group: words.group.clone(),
            nodes: nodes.collect(),
        }
    }

    /// Performs a step of one node.
    pub(super) fn call(&mut self, node: Node, call: Call) -> Answer {
        let Self { group, nodes } = self;
        let replica = &mut nodes[node.index()];
        let Some(state) = &replica.running else {
            return match call {
                Call::Recover => Answer::Returns(recovered(group, &replica.recover())),
                _ => Answer::Fails(DOWN),
            };
        };
        match call {
            Call::Input(input) => answer(group, &replica.step(input)),
            Call::UnknownPeer => Answer::Fails("unknown_peer"),
            Call::Look(look) => look.answer(state),
            Call::Recover => Answer::Fails("node_up"),
            Call::Crash { point, during } => {
                replica.crash(point, during);
                Answer::Returns(Value::Null)
            }
            Call::Shutdown => {
                let outputs = replica.step(Input::Shutdown);
                replica.running = None;
                answer(group, &outputs)
            }
        }
    }

    /// Whether all nodes hold the same, and no log holds anything.
    pub(super) fn converged(&self) -> Answer {
        let running = self.nodes.iter().map(|replica| replica.running.as_ref());
        let Some(states) = running.collect::<Option<Vec<&State>>>() else {
            return Answer::Fails(DOWN);
        };
        let records: Vec<_> = states.iter().map(|state| state.record()).collect();
        let mut pairs = records.windows(2);
        Answer::Returns(json!({
            "clocks": pairs.clone().all(|two| two[0].clock == two[1].clock),
            "orset": pairs.all(|two| two[0].payload == two[1].payload),
            "receive_logs_empty": states.iter().all(|state| state.received().next().is_none()),
            "send_logs_empty": states.iter().all(|state| state.unconfirmed().next().is_none()),
        }))
    }
}

impl Replica {
    /// Gives an input to the running node and carries out what it wants written.
    fn step(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        if let Some(state) = &mut self.running {
            state.step(input, &mut outputs);
        }
        self.write(&outputs);
        outputs
    }

    fn recover(&mut self) -> Recovered {
        let mut outputs = Vec::new();
        let settings = Arc::clone(&self.settings);
        let recovered = State::recover(settings, self.disk.clone(), &mut outputs);
        let (state, recovered) = recovered.expect("the disk holds what a node wrote");
        self.running = Some(state);
        self.write(&outputs);
        recovered
    }

    /// Stops in the middle of `during`: of its writes only those before `point` reach the disk.
    fn crash(&mut self, point: CrashPoint, during: Option<Box<Call>>) {
        let state = self.running.take();
        if let (Some(mut state), Some(Call::Input(input))) = (state, during.map(|call| *call)) {
            let mut outputs = Vec::new();
            state.step(input, &mut outputs);
            for write in point.survivors(&outputs) {
                self.disk.apply(&write, &self.settings);
            }
        }
    }

    fn write(&mut self, outputs: &[Output]) {
        for output in outputs {
            if let Some(write) = output.as_write() {
                self.disk.apply(write, &self.settings);
            }
        }
    }
}

impl Look {
    /// What a node in this state shows.
    pub fn answer(&self, state: &State) -> Answer {
        let Settings { group, profile, .. } = state.settings();
        let sets = |user| state.record().payload.user(user);
        match self {
            Self::Clock => Answer::Returns(json::clock(group, &state.record().clock)),
            Self::Log => Answer::Returns(log(group, state)),
            Self::SendLog => Answer::Returns(send_log(group, state)),
            Self::Orset(user) => Answer::Returns(orset(*profile, group, sets(user))),
            Self::Values { user, mailbox } => values(*profile, sets(user), mailbox.clone()),
        }
    }
}

pub(super) fn answer(group: &Group, outputs: &[Output]) -> Answer {
    let answer = outputs.iter().find_map(|output| match output {
        Output::Write(_) | Output::Sync => None,
        Output::Submitted(result) => Some(told(result, SubmitError::code, |submitted| {
            json!({
                "seq": submitted.seq,
                "clock": json::clock(group, &submitted.clock),
                "wire": hex(&submitted.wire),
            })
        })),
        Output::Flushed(result) => Some(told(result, FlushError::code, |flushed| {
            let wire: Vec<Value> = flushed.wire.iter().map(|wire| hex(wire)).collect();
            json!({"upto": flushed.upto, "wire": wire})
        })),
        Output::Acked(result) => Some(told(
            result,
            AckError::code,
            |left| json!({ "send_log": left }),
        )),
        Output::Received(result) => Some(told(
            result,
            ReceiveError::code,
            |received| json!({"stored": received.stored, "log": received.log}),
        )),
        Output::Applied(result) => Some(told(result, |_| DOWN, |run| applied(group, run))),
        Output::Stopped(result) => Some(told(
            result,
            |_| DOWN,
            |left| json!({"log": left.log, "send_log": left.send_log}),
        )),
    });
    answer.expect("a node that is up answers every input")
}

fn told<T, E>(
    result: &Result<T, E>,
    code: impl FnOnce(&E) -> &'static str,
    form: impl FnOnce(&T) -> Value,
) -> Answer {
    match result {
        Ok(value) => Answer::Returns(form(value)),
        Err(error) => Answer::Fails(code(error)),
    }
}

fn applied(group: &Group, run: &Applied) -> Value {
    let delivery = |delivery: &Delivery| {
        let kind = if delivery.opaque { "opaque" } else { "ok" };
        json!([group.name(delivery.sender), delivery.seq, kind])
    };
    let applied: Vec<Value> = run.applied.iter().map(delivery).collect();
    json!({
        "applied": applied,
        "purged": run.purged,
        "log": run.log,
        "clock": json::clock(group, &run.clock),
    })
}

pub(super) fn recovered(group: &Group, recovered: &Recovered) -> Value {
    json!({
        "clock": json::clock(group, &recovered.clock),
        "log": recovered.log,
        "send_log": recovered.send_log,
        "discarded": recovered.discarded,
    })
}

fn log(group: &Group, state: &State) -> Value {
    let entries = state.received().map(|entry| {
        let message = &entry.message;
        let sender = group.name(message.sender);
        json!([sender, message.seq()])
    });
    let entries: Vec<Value> = entries.collect();
    json!({"count": entries.len(), "entries": entries})
}

fn send_log(group: &Group, state: &State) -> Value {
    let entries = state.unconfirmed().map(|entry| entry.message.seq());
    let entries: Vec<u64> = entries.collect();
    let cursors = &state.record().cursors;
    let peers = group.peers(state.settings().me);
    let acked = peers.map(|peer| (group.name(peer).to_string(), json!(cursors.get(peer))));
    let acked: Map<String, Value> = acked.collect();
    json!({"count": entries.len(), "entries": entries, "acked": acked})
}

fn orset(profile: Profile, group: &Group, sets: Option<&UserSets>) -> Value {
    let nothing = UserSets::default();
    let sets = sets.unwrap_or(&nothing);
    match profile {
        Profile::Framed => json!({"structure": pairs(group, &sets.structure, Some("content"))}),
        Profile::Text => {
            let mails = sets.mails.iter().filter(|(_, set)| !set.is_empty());
            let mails = mails.map(|(mailbox, set)| {
                let pairs = pairs(group, set, Some("contents"));
                (mailbox.to_string(), pairs)
            });
            let mails: Map<String, Value> = mails.collect();
            json!({"structure": pairs(group, &sets.structure, None), "mails": mails})
        }
    }
}

/// The pairs of a set with their dots, and with their contents if these have a name.
fn pairs(group: &Group, set: &Set, contents: Option<&str>) -> Value {
    let pairs = set.iter().map(|(pair, dots)| {
        let dots = dots
            .iter()
            .map(|(dot, _)| json!([group.name(dot.node), dot.seq]));
        let dots: Vec<Value> = dots.collect();
        let mut form = json!({"value": pair.value, "tag": pair.tag, "dots": dots});
        if let Some(field) = contents {
            let found = set.contents(pair).and_then(Option::as_ref);
            form[field] = found.map_or(Value::Null, |contents| hex(contents));
        }
        form
    });
    Value::Array(pairs.collect())
}

fn values(profile: Profile, sets: Option<&UserSets>, mailbox: Option<Name>) -> Answer {
    let nothing = UserSets::default();
    let sets = sets.unwrap_or(&nothing);
    let Some(mailbox) = mailbox else {
        return Answer::Returns(distinct(&sets.structure));
    };
    if !sets.structure.has_value(&mailbox) {
        return Answer::Fails("mailbox_not_found");
    }
    let names = match profile {
        Profile::Text => sets.mails.get(&mailbox).map_or_else(|| json!([]), distinct),
        Profile::Framed => {
            let set = &sets.structure;
            let pairs = set.iter().map(|(pair, _)| pair);
            let mails = pairs
                .filter(|pair| pair.value == mailbox)
                .filter(|pair| set.contents(pair).is_some_and(Option::is_some));
            let tags: Vec<&Name> = mails.map(|pair| &pair.tag).collect();
            json!(tags)
        }
    };
    Answer::Returns(names)
}

/// The values present, in order.
fn distinct(set: &Set) -> Value {
    let mut values: Vec<&Name> = set.iter().map(|(pair, _)| &pair.value).collect();
    values.dedup();
    json!(values)
}
