//! What can happen to a cluster, and what can happen next.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hash};

use serde::{Deserialize, Serialize};

use super::Cluster;
use super::bounds::{Faults, Timers};
use super::protocol::{Effect, Protocol};
use super::state::{State, Writes};

/// An action of a cluster running the protocol `P`.
pub type Action<P> = ActionOf<
    <P as Protocol>::Call,
    <P as Protocol>::Message,
    <P as Protocol>::Query,
    <P as Protocol>::Tick,
>;

/// An action. It says by value what happens, so that a stored one can be executed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionOf<C, M, Q, T> {
    /// A stopped node starts on its disk.
    Start {
        /// The node.
        node: u8,
    },
    /// A client makes its next call.
    Call {
        /// The client.
        client: u8,
        /// What it asks.
        call: C,
    },
    /// A message arrives.
    Deliver {
        /// The receiver.
        to: u8,
        /// The sender.
        from: u8,
        /// The message.
        message: M,
    },
    /// A message arrives and stays in flight.
    Duplicate {
        /// The receiver.
        to: u8,
        /// The sender.
        from: u8,
        /// The message.
        message: M,
    },
    /// A message is lost. Where order is kept only the next one of a link: losing a later one can
    /// as well wait until its turn.
    Lose {
        /// The receiver.
        to: u8,
        /// The sender.
        from: u8,
        /// The message.
        message: M,
    },
    /// A message arrives damaged.
    Damage {
        /// The receiver.
        to: u8,
        /// The sender.
        from: u8,
        /// The message as it was sent.
        message: M,
        /// What arrives instead.
        damaged: M,
    },
    /// A peer answers an outstanding query.
    Answer {
        /// Who asked.
        node: u8,
        /// The query.
        query: Q,
        /// Who answers: of all that can, the first. Answers are the same whoever gives them.
        from: u8,
    },
    /// A peer answers an outstanding query, and the answer is damaged.
    CorruptAnswer {
        /// Who asked.
        node: u8,
        /// The query.
        query: Q,
        /// Who answers.
        from: u8,
    },
    /// A query ends without answer, nobody being able to give one.
    GiveUp {
        /// Who asked.
        node: u8,
        /// The query.
        query: Q,
    },
    /// A query ends without answer, though a peer could give one.
    FailQuery {
        /// Who asked.
        node: u8,
        /// The query.
        query: Q,
    },
    /// An awaited publication is handed to the network, and its node learns so.
    Publish {
        /// The node.
        node: u8,
        /// Its ticket.
        ticket: u32,
    },
    /// An awaited publication fails, and its node learns so.
    FailPublish {
        /// The node.
        node: u8,
        /// Its ticket.
        ticket: u32,
    },
    /// A timer fires.
    Tick {
        /// The node.
        node: u8,
        /// The timer.
        tick: T,
    },
    /// A node crashes at rest.
    Crash {
        /// The node.
        node: u8,
        /// How many of its unsynced writes survive: the oldest, since a disk keeps their order.
        kept: u8,
    },
    /// A node crashes in the midst of a step.
    CrashDuring {
        /// The step.
        action: Box<Self>,
        /// How many of its effects are carried out.
        effects: u8,
        /// How many of the writes then unsynced survive, the oldest.
        kept: u8,
        /// The crash point: names the last write of the step that reached the disk.
        point: Cow<'static, str>,
    },
    /// The disk of a stopped node is wiped.
    LoseData {
        /// The node.
        node: u8,
    },
    /// A node stops in order.
    Close {
        /// The node.
        node: u8,
    },
    /// A node is cut off from all others.
    Partition {
        /// The node.
        node: u8,
    },
    /// A node that was cut off is connected again.
    Heal {
        /// The node.
        node: u8,
    },
}

/// Name of a node in text: a, b, c and so on.
#[must_use]
pub fn letter(node: u8) -> char {
    char::from(b'a' + node)
}

impl<P: Protocol> Cluster<P> {
    /// Appends every action that is possible in `state`, in a fixed order.
    pub(super) fn enabled(&self, state: &State<P>, actions: &mut Vec<Action<P>>) {
        let first = actions.len();
        for node in 0..state.hosts.len() as u8 {
            self.node_actions(state, node, actions);
        }
        self.call_actions(state, actions);
        self.network_actions(state, actions);
        if state.left.crashes > 0 {
            self.crashes_during(state, first, actions);
        }
        debug_assert!(
            self.bounds.never.is_empty()
                || actions[first..]
                    .iter()
                    .all(|action| !self.bounds.never.contains(&self.kind(action))),
            "an action occurred that the bounds declare never to occur",
        );
    }

    fn node_actions(&self, state: &State<P>, node: u8, actions: &mut Vec<Action<P>>) {
        let host = &state.hosts[usize::from(node)];
        let left = &state.left;
        match &host.machine {
            None => {
                actions.push(ActionOf::Start { node });
                if left.data_losses > 0
                    && *host.durable(&self.protocol) != self.protocol.blank(usize::from(node))
                {
                    actions.push(ActionOf::LoseData { node });
                }
            }
            Some(machine) => {
                for query in self.protocol.queries(machine) {
                    self.query_actions(state, node, machine, query, actions);
                }
                for (ticket, _) in self.protocol.publications(machine) {
                    actions.push(ActionOf::Publish { node, ticket });
                    if left.failed_publications > 0 {
                        actions.push(ActionOf::FailPublish { node, ticket });
                    }
                }
                for tick in self.protocol.ticks(machine) {
                    if self.fires(state, node, &tick) {
                        actions.push(ActionOf::Tick { node, tick });
                    }
                }
                if left.crashes > 0 {
                    let kept = 0..=host.unsynced().len() as u8;
                    actions.extend(kept.map(|kept| ActionOf::Crash { node, kept }));
                }
                if left.closes > 0 {
                    actions.push(ActionOf::Close { node });
                }
            }
        }
        if state.isolated & (1 << node) != 0 {
            actions.push(ActionOf::Heal { node });
        } else if left.partitions > 0 && self.may_isolate(state, node) {
            actions.push(ActionOf::Partition { node });
        }
    }

    /// Whether `tick`, for which `node` is ready, may fire now.
    pub(super) fn fires(&self, state: &State<P>, node: u8, tick: &P::Tick) -> bool {
        if !self.protocol.is_timer(tick) {
            return true;
        }
        let mut packets = state.network.packets().iter();
        match self.bounds.timers {
            Timers::Anytime => true,
            Timers::AfterOwnDelivery => packets.all(|packet| packet.from != node),
            Timers::AfterDelivery => state.network.is_empty(),
        }
    }

    /// Of two nodes one is enough: both are cut off whichever is isolated.
    fn may_isolate(&self, state: &State<P>, node: u8) -> bool {
        match state.hosts.len() {
            0 | 1 => false,
            2 => node == 0,
            _ => true,
        }
    }

    fn query_actions(
        &self,
        state: &State<P>,
        node: u8,
        machine: &P::Machine,
        query: P::Query,
        actions: &mut Vec<Action<P>>,
    ) {
        let gives_up = self.protocol.may_give_up(machine, &query);
        let Some((from, answer)) = self.answerer(state, node, &query) else {
            if gives_up {
                actions.push(ActionOf::GiveUp { node, query });
            }
            return;
        };
        if gives_up && state.left.failed_queries > 0 {
            let query = query.clone();
            actions.push(ActionOf::FailQuery { node, query });
        }
        if state.left.corrupt_answers > 0 && self.protocol.corrupt(answer).is_some() {
            let query = query.clone();
            actions.push(ActionOf::CorruptAnswer { node, query, from });
        }
        actions.push(ActionOf::Answer { node, query, from });
    }

    fn call_actions(&self, state: &State<P>, actions: &mut Vec<Action<P>>) {
        for (client, (program, at)) in self.bounds.clients.iter().zip(&state.clients).enumerate() {
            let next = program.calls.get(usize::from(at.made));
            if let Some(call) = next
                && !at.waiting
                && let Some(machine) = state.machine(program.node)
                && self.protocol.may_call(machine, call)
            {
                actions.push(ActionOf::Call {
                    client: client as u8,
                    call: call.clone(),
                });
            }
        }
    }

    fn network_actions(&self, state: &State<P>, actions: &mut Vec<Action<P>>) {
        let lane = |message: &P::Message| self.protocol.lane(message);
        for packet in state.network.next(self.bounds.order, lane) {
            let (to, from, message) = (packet.to, packet.from, &packet.message);
            if self.deliverable(state, to, from, message) {
                if state.left.damages > 0 {
                    let damages = self.protocol.damages(message).into_iter();
                    actions.extend(damages.map(|damaged| ActionOf::Damage {
                        to,
                        from,
                        message: message.clone(),
                        damaged,
                    }));
                }
                let message = message.clone();
                actions.push(ActionOf::Deliver { to, from, message });
                if state.left.duplicates > 0 {
                    let message = packet.message.clone();
                    actions.push(ActionOf::Duplicate { to, from, message });
                }
            }
            if state.left.losses > 0 && self.protocol.may_lose(message) {
                let message = message.clone();
                actions.push(ActionOf::Lose { to, from, message });
            }
        }
    }

    /// Crashes in the midst of the steps among `actions[first..]`.
    ///
    /// A step may be cut after each of its writes, with everything written so far on the disk. It
    /// may also be cut just before a sync: what was sent before it is out, what was to be synced is
    /// lost. Any other cut does no more harm than a crash at rest before or after the step.
    fn crashes_during(&self, state: &State<P>, first: usize, actions: &mut Vec<Action<P>>) {
        for index in first..actions.len() {
            let Some(step) = self.step_of(state, &actions[index]) else {
                continue;
            };
            let host = &state.hosts[step.node];
            let mut sent = false;
            for (done, effect) in step.effects.iter().enumerate() {
                let (effects, kept) = match effect {
                    Effect::Write(_) => {
                        let writes = Writes::of(host, &step.effects[..=done]);
                        (done + 1, writes.unsynced()..writes.unsynced() + 1)
                    }
                    Effect::Sync if sent => {
                        (done, 0..Writes::of(host, &step.effects[..done]).unsynced())
                    }
                    Effect::Sync => continue,
                    Effect::Send { .. } | Effect::Broadcast(_) | Effect::Reply { .. } => {
                        sent = true;
                        continue;
                    }
                };
                let writes = Writes::of(host, &step.effects[..effects]);
                for kept in kept {
                    let action = ActionOf::CrashDuring {
                        action: Box::new(actions[index].clone()),
                        effects: effects as u8,
                        kept: kept as u8,
                        point: Cow::Borrowed(writes.point(&self.protocol, kept)),
                    };
                    actions.push(action);
                }
            }
        }
    }

    /// The kind of an action.
    pub(super) fn kind(&self, action: &Action<P>) -> &'static str {
        match action {
            ActionOf::Start { .. } => "start",
            ActionOf::Call { call, .. } => self.protocol.call_name(call),
            ActionOf::Deliver { .. } => "deliver",
            ActionOf::Duplicate { .. } => "duplicate",
            ActionOf::Lose { .. } => "lose",
            ActionOf::Damage { damaged, .. } => self.protocol.damage_name(damaged),
            ActionOf::Answer { .. } => "answer",
            ActionOf::CorruptAnswer { .. } => "corrupt_answer",
            ActionOf::GiveUp { .. } => "give_up",
            ActionOf::FailQuery { .. } => "fail_query",
            ActionOf::Publish { .. } => "publish",
            ActionOf::FailPublish { .. } => "fail_publish",
            ActionOf::Tick { tick, .. } => self.protocol.tick_name(tick),
            ActionOf::Crash { .. } => "crash",
            ActionOf::CrashDuring { point, .. } => self
                .crash_points
                .iter()
                .find(|name| **name == *point)
                .map_or("crash", |name| name),
            ActionOf::LoseData { .. } => "lose_data",
            ActionOf::Close { .. } => "close",
            ActionOf::Partition { .. } => "partition",
            ActionOf::Heal { .. } => "heal",
        }
    }

    /// One line for people.
    pub(super) fn text(&self, action: &Action<P>) -> String {
        let kind = self.kind(action);
        let protocol = &self.protocol;
        match action {
            ActionOf::Start { node }
            | ActionOf::LoseData { node }
            | ActionOf::Close { node }
            | ActionOf::Partition { node }
            | ActionOf::Heal { node } => format!("{kind} {}", letter(*node)),
            ActionOf::Call { client, call } => {
                let node = self.bounds.clients[usize::from(*client)].node as u8;
                format!("{} at {}", protocol.call_text(call), letter(node))
            }
            ActionOf::Deliver { to, from, message }
            | ActionOf::Duplicate { to, from, message }
            | ActionOf::Lose { to, from, message } => {
                let message = protocol.message_text(message);
                format!("{kind} {message} {} -> {}", letter(*from), letter(*to))
            }
            ActionOf::Damage {
                to, from, damaged, ..
            } => {
                let damaged = protocol.message_text(damaged);
                format!("{kind} {damaged} {} -> {}", letter(*from), letter(*to))
            }
            ActionOf::Answer { node, query, from }
            | ActionOf::CorruptAnswer { node, query, from } => {
                let query = protocol.query_text(query);
                format!("{kind} {query} {} -> {}", letter(*from), letter(*node))
            }
            ActionOf::GiveUp { node, query } | ActionOf::FailQuery { node, query } => {
                format!("{kind} {} at {}", protocol.query_text(query), letter(*node))
            }
            ActionOf::Publish { node, ticket } | ActionOf::FailPublish { node, ticket } => {
                let ticket = protocol.ticket_text(*ticket);
                format!("{kind} {ticket} of {}", letter(*node))
            }
            ActionOf::Tick { node, tick } => {
                format!("{} at {}", protocol.tick_text(tick), letter(*node))
            }
            ActionOf::Crash { node, kept } => {
                let mut text = format!("{kind} {}", letter(*node));
                if *kept > 0 {
                    // Writing to a string cannot fail.
                    let _ = write!(text, ", {kept} unsynced kept");
                }
                text
            }
            ActionOf::CrashDuring { action, .. } => {
                format!("{}, cut short: {kind}", self.text(action))
            }
        }
    }

    /// Identifies the obligation that an action discharges, together with its kind.
    pub(super) fn instance(&self, action: &Action<P>) -> u64 {
        match action {
            ActionOf::Start { node }
            | ActionOf::Crash { node, .. }
            | ActionOf::LoseData { node }
            | ActionOf::Close { node }
            | ActionOf::Partition { node }
            | ActionOf::Heal { node } => digest(node),
            ActionOf::Call { client, .. } => digest(client),
            ActionOf::Deliver { to, from, message }
            | ActionOf::Duplicate { to, from, message }
            | ActionOf::Lose { to, from, message }
            | ActionOf::Damage {
                to, from, message, ..
            } => digest(&(to, from, message)),
            ActionOf::Answer { node, query, .. }
            | ActionOf::CorruptAnswer { node, query, .. }
            | ActionOf::GiveUp { node, query }
            | ActionOf::FailQuery { node, query } => digest(&(node, query)),
            ActionOf::Publish { node, ticket } | ActionOf::FailPublish { node, ticket } => {
                digest(&(node, ticket))
            }
            ActionOf::Tick { node, tick } => digest(&(node, tick)),
            ActionOf::CrashDuring { action, .. } => self.instance(action),
        }
    }
}

/// The budget that an action draws on, if it is a fault.
pub(super) fn budget<'a, C, M, Q, T>(
    action: &ActionOf<C, M, Q, T>,
    left: &'a mut Faults,
) -> Option<&'a mut u8> {
    match action {
        ActionOf::Duplicate { .. } => Some(&mut left.duplicates),
        ActionOf::Lose { .. } => Some(&mut left.losses),
        ActionOf::Damage { .. } => Some(&mut left.damages),
        ActionOf::CorruptAnswer { .. } => Some(&mut left.corrupt_answers),
        ActionOf::FailQuery { .. } => Some(&mut left.failed_queries),
        ActionOf::FailPublish { .. } => Some(&mut left.failed_publications),
        ActionOf::Crash { .. } | ActionOf::CrashDuring { .. } => Some(&mut left.crashes),
        ActionOf::LoseData { .. } => Some(&mut left.data_losses),
        ActionOf::Close { .. } => Some(&mut left.closes),
        ActionOf::Partition { .. } => Some(&mut left.partitions),
        ActionOf::Start { .. }
        | ActionOf::Call { .. }
        | ActionOf::Deliver { .. }
        | ActionOf::Answer { .. }
        | ActionOf::GiveUp { .. }
        | ActionOf::Publish { .. }
        | ActionOf::Tick { .. }
        | ActionOf::Heal { .. } => None,
    }
}

/// The same for equal values in every run and on every thread.
fn digest<T: Hash>(value: &T) -> u64 {
    foldhash::fast::FixedState::with_seed(0).hash_one(value)
}
