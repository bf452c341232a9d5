//! What an action does.

use std::sync::Arc;

use super::Cluster;
use super::actions::{Action, ActionOf, budget};
use super::bounds::{Links, Publications};
use super::network::Packet;
use super::protocol::{Cause, Effect, Event, Protocol, Seen, token};
use super::state::{Client, End, Host, State, Writes};

/// A step of a node, not yet carried out.
pub(super) struct Step<P: Protocol> {
    /// The node.
    pub(super) node: usize,
    /// What it reacts to.
    cause: Cause<P>,
    /// What it becomes.
    machine: P::Machine,
    /// What is to be done, in order.
    pub(super) effects: Vec<Effect<P>>,
}

/// How a transition left a node, for the ghost.
struct Outcome<'a, P: Protocol> {
    node: usize,
    cause: &'a Cause<P>,
    crashed: bool,
    effects: &'a [Effect<P>],
}

impl<P: Protocol> Cluster<P> {
    /// The initial state.
    pub(super) fn initial(&self) -> State<P> {
        let blank = |node| Arc::new(Host::blank(&self.protocol, node));
        let mut state = State {
            hosts: (0..self.bounds.replicas).map(blank).collect(),
            network: Arc::default(),
            clients: vec![Client::default(); self.bounds.clients.len()],
            left: self.bounds.faults,
            isolated: 0,
            struck: 0,
            ghost: Arc::default(),
        };
        if self.bounds.started {
            for node in 0..self.bounds.replicas {
                let last = state.clone();
                let host = &last.hosts[node];
                let cause = Cause::Start;
                let (machine, mut effects) = self.react(host, node, &cause);
                effects.push(Effect::Sync);
                self.carry_out(&mut state, node, &effects);
                state.hosts[node] =
                    Arc::new(host.after(&self.protocol, machine, 1, &effects, End::Runs));
                let outcome = Outcome {
                    node,
                    cause: &cause,
                    crashed: false,
                    effects: &effects,
                };
                self.settle(&last, &mut state, &outcome);
            }
        }
        state
    }

    /// The state after `action`, none if it is not possible in `last`.
    pub(super) fn execute(&self, last: &State<P>, action: &Action<P>) -> Option<State<P>> {
        let mut state = last.clone();
        if let Some(budget) = budget(action, &mut state.left) {
            *budget = budget.checked_sub(1)?;
        }
        match action {
            ActionOf::Lose { to, from, message } => {
                let order = self.bounds.order;
                self.protocol.may_lose(message).then_some(())?;
                let place = last.network.find(order, self.lane(), *to, *from, message)?;
                Arc::make_mut(&mut state.network).remove(place);
            }
            ActionOf::Partition { node } => {
                let bit = 1_u8.checked_shl(u32::from(*node))?;
                let exists = usize::from(*node) < last.hosts.len();
                (exists && last.isolated & bit == 0).then_some(())?;
                state.isolated |= bit;
            }
            ActionOf::Heal { node } => {
                let bit = 1_u8.checked_shl(u32::from(*node))?;
                (last.isolated & bit != 0).then_some(())?;
                state.isolated &= !bit;
            }
            ActionOf::LoseData { node } => self.lose_data(last, &mut state, *node)?,
            ActionOf::Crash { node, kept } => self.crash(last, &mut state, *node, *kept)?,
            ActionOf::CrashDuring {
                action,
                effects,
                kept,
                point,
            } => {
                let step = self.step_of(last, action)?;
                let effects = step.effects.get(..usize::from(*effects))?;
                let kept = usize::from(*kept);
                let writes = Writes::of(&last.hosts[step.node], effects);
                let named =
                    kept <= writes.unsynced() && writes.point(&self.protocol, kept) == *point;
                named.then_some(())?;
                if let Some(budget) = budget(action, &mut state.left) {
                    *budget = budget.checked_sub(1)?;
                }
                state.struck |= self.struck_bit(point);
                self.finish(last, &mut state, action, &step, effects, End::Crashed(kept));
            }
            _ => {
                let step = self.step_of(last, action)?;
                if matches!(action, ActionOf::Start { .. }) {
                    state.struck = 0;
                }
                let end = match action {
                    ActionOf::Close { .. } => End::Closed,
                    _ => End::Runs,
                };
                self.finish(last, &mut state, action, &step, &step.effects, end);
            }
        }
        Some(state)
    }

    /// The step that `action` makes a node take, none if it is not possible or no step of a node.
    pub(super) fn step_of(&self, state: &State<P>, action: &Action<P>) -> Option<Step<P>> {
        let (node, cause) = self.trigger(state, action)?;
        let (machine, effects) = self.react(&state.hosts[node], node, &cause);
        assert!(effects.len() <= 255, "effects are counted by a byte");
        Some(Step {
            node,
            cause,
            machine,
            effects,
        })
    }

    /// Whether a message in flight may be taken in now; its turn on its link is not asked about.
    pub(super) fn deliverable(
        &self,
        state: &State<P>,
        to: u8,
        from: u8,
        message: &P::Message,
    ) -> bool {
        self.takes_in(state, to, from, message)
            && match self.bounds.links {
                Links::Concurrent => true,
                Links::InTurn => self.first_pair(state) == Some(pair(to, from)),
            }
    }

    /// The first pair of nodes of which one can take something in.
    fn first_pair(&self, state: &State<P>) -> Option<(u8, u8)> {
        let packets = state.network.packets().iter();
        packets
            .filter(|packet| self.takes_in(state, packet.to, packet.from, &packet.message))
            .map(|packet| pair(packet.to, packet.from))
            .min()
    }

    fn takes_in(&self, state: &State<P>, to: u8, from: u8, message: &P::Message) -> bool {
        let (to, from) = (usize::from(to), usize::from(from));
        state.connected(to, from)
            && state
                .machine(to)
                .is_some_and(|machine| self.protocol.ready(machine, message))
    }

    /// The first peer in reach that can answer a query of `node`, with its answer.
    pub(super) fn answerer(
        &self,
        state: &State<P>,
        node: u8,
        query: &P::Query,
    ) -> Option<(u8, P::Answer)> {
        if !self.bounds.exchange {
            return None;
        }
        state
            .machines()
            .filter(|(peer, _)| {
                *peer != usize::from(node) && state.connected(*peer, usize::from(node))
            })
            .find_map(|(peer, machine)| {
                let answer = self.protocol.answer(machine, query)?;
                Some((peer as u8, answer))
            })
    }

    /// Which node reacts to `action`, and to what; none if the action is not possible.
    fn trigger(&self, state: &State<P>, action: &Action<P>) -> Option<(usize, Cause<P>)> {
        let running = |node: u8| -> Option<&P::Machine> {
            state.hosts.get(usize::from(node))?.machine.as_ref()
        };
        let (node, event) = match action {
            ActionOf::Start { node } => {
                let host = state.hosts.get(usize::from(*node))?;
                return host
                    .machine
                    .is_none()
                    .then(|| (usize::from(*node), Cause::Start));
            }
            ActionOf::Call { client, call } => {
                let at = state.clients.get(usize::from(*client))?;
                let program = self.bounds.clients.get(usize::from(*client))?;
                let next = program.calls.get(usize::from(at.made))?;
                let machine = state.machine(program.node)?;
                let possible = !at.waiting && next == call && self.protocol.may_call(machine, call);
                possible.then_some(())?;
                let event = Event::Call {
                    token: token(usize::from(*client), usize::from(at.made)),
                    call: call.clone(),
                };
                (program.node as u8, event)
            }
            ActionOf::Deliver { to, from, message } | ActionOf::Duplicate { to, from, message } => {
                let order = self.bounds.order;
                let lane = self.lane();
                state.network.find(order, lane, *to, *from, message)?;
                self.deliverable(state, *to, *from, message).then_some(())?;
                let event = Event::Deliver {
                    from: usize::from(*from),
                    message: message.clone(),
                };
                (*to, event)
            }
            ActionOf::Damage {
                to,
                from,
                message,
                damaged,
            } => {
                let order = self.bounds.order;
                let lane = self.lane();
                state.network.find(order, lane, *to, *from, message)?;
                self.deliverable(state, *to, *from, message).then_some(())?;
                let possible = self.protocol.damages(message).contains(damaged);
                possible.then_some(())?;
                let event = Event::Deliver {
                    from: usize::from(*from),
                    message: damaged.clone(),
                };
                (*to, event)
            }
            ActionOf::Answer { node, query, from }
            | ActionOf::CorruptAnswer { node, query, from } => {
                self.asks(running(*node)?, query).then_some(())?;
                let (peer, mut answer) = self.answerer(state, *node, query)?;
                (peer == *from).then_some(())?;
                if matches!(action, ActionOf::CorruptAnswer { .. }) {
                    answer = self.protocol.corrupt(answer)?;
                }
                (*node, self.answered(query, Some(answer)))
            }
            ActionOf::GiveUp { node, query } | ActionOf::FailQuery { node, query } => {
                let machine = running(*node)?;
                let fault = matches!(action, ActionOf::FailQuery { .. });
                let possible = self.asks(machine, query)
                    && self.protocol.may_give_up(machine, query)
                    && self.answerer(state, *node, query).is_some() == fault;
                possible.then_some(())?;
                (*node, self.answered(query, None))
            }
            ActionOf::Publish { node, ticket } | ActionOf::FailPublish { node, ticket } => {
                self.publication(running(*node)?, *ticket)?;
                let event = Event::Published {
                    ticket: *ticket,
                    ok: matches!(action, ActionOf::Publish { .. }),
                };
                (*node, event)
            }
            ActionOf::Tick { node, tick } => {
                let ticks = self.protocol.ticks(running(*node)?);
                (ticks.contains(tick) && self.fires(state, *node, tick)).then_some(())?;
                (*node, Event::Tick(tick.clone()))
            }
            ActionOf::Close { node } => (*node, Event::Close),
            ActionOf::Lose { .. }
            | ActionOf::Crash { .. }
            | ActionOf::CrashDuring { .. }
            | ActionOf::LoseData { .. }
            | ActionOf::Partition { .. }
            | ActionOf::Heal { .. } => return None,
        };
        running(node)?;
        Some((usize::from(node), Cause::Event(event)))
    }

    fn lane(&self) -> impl Fn(&P::Message) -> u64 {
        |message| self.protocol.lane(message)
    }

    fn asks(&self, machine: &P::Machine, query: &P::Query) -> bool {
        self.protocol.queries(machine).contains(query)
    }

    fn answered(&self, query: &P::Query, answer: Option<P::Answer>) -> Event<P> {
        let query = query.clone();
        Event::Answered { query, answer }
    }

    fn publication(&self, machine: &P::Machine, ticket: u32) -> Option<P::Message> {
        let publications = self.protocol.publications(machine);
        let found = publications.into_iter().find(|(t, _)| *t == ticket);
        found.map(|(_, message)| message)
    }

    /// Lets the core react.
    fn react(&self, host: &Host<P>, node: usize, cause: &Cause<P>) -> (P::Machine, Vec<Effect<P>>) {
        let mut effects = Vec::new();
        let mut machine = match (cause, &host.machine) {
            (Cause::Event(event), Some(machine)) => {
                let mut machine = machine.clone();
                self.protocol
                    .step(&mut machine, event.clone(), &mut effects);
                machine
            }
            _ => {
                let disk = host.durable(&self.protocol);
                self.protocol.start(node, host.lives, disk, &mut effects)
            }
        };
        if self.bounds.publications == Publications::AtOnce {
            while let Some((ticket, message)) = self.protocol.publications(&machine).pop() {
                effects.push(Effect::Broadcast(message));
                let event = Event::Published { ticket, ok: true };
                self.protocol.step(&mut machine, event, &mut effects);
            }
        }
        debug_assert!(
            self.believes_its_disk(host, &machine, &effects),
            "node {node} believes in another disk than it wrote, after {cause:?}: {effects:?}",
        );
        (machine, effects)
    }

    fn believes_its_disk(
        &self,
        host: &Host<P>,
        machine: &P::Machine,
        effects: &[Effect<P>],
    ) -> bool {
        let mut disk = host.written(&self.protocol);
        for effect in effects {
            if let Effect::Write(write) = effect {
                self.protocol.apply(&mut disk, write);
            }
        }
        *self.protocol.disk(machine) == disk
    }

    /// Takes from the world what `action` uses up, carries out `effects`, and leaves the node at
    /// the `end` of its step.
    fn finish(
        &self,
        last: &State<P>,
        state: &mut State<P>,
        action: &Action<P>,
        step: &Step<P>,
        effects: &[Effect<P>],
        end: End,
    ) {
        let node = step.node;
        let host = &last.hosts[node];
        match action {
            ActionOf::Call { client, .. } => {
                let client = &mut state.clients[usize::from(*client)];
                client.made += 1;
                client.waiting = true;
            }
            ActionOf::Deliver { to, from, message }
            | ActionOf::Damage {
                to, from, message, ..
            } => {
                let order = self.bounds.order;
                if let Some(place) = last.network.find(order, self.lane(), *to, *from, message) {
                    Arc::make_mut(&mut state.network).remove(place);
                }
            }
            ActionOf::Publish { ticket, .. } => {
                let machine = host.machine.as_ref();
                if let Some(message) = machine.and_then(|m| self.publication(m, *ticket)) {
                    self.broadcast(state, node, &message);
                }
            }
            _ => {}
        }
        self.carry_out(state, node, effects);
        let lives = match step.cause {
            Cause::Start => host.lives + 1,
            _ => host.lives,
        };
        let machine = step.machine.clone();
        state.hosts[node] = Arc::new(host.after(&self.protocol, machine, lives, effects, end));
        let outcome = Outcome {
            node,
            cause: &step.cause,
            crashed: matches!(end, End::Crashed(_)),
            effects,
        };
        self.settle(last, state, &outcome);
    }

    fn carry_out(&self, state: &mut State<P>, node: usize, effects: &[Effect<P>]) {
        for effect in effects {
            match effect {
                Effect::Send { to, message } => self.send(state, node, *to, message),
                Effect::Broadcast(message) => self.broadcast(state, node, message),
                Effect::Reply { token, .. } => {
                    let (client, index) = super::protocol::call_of(*token);
                    if let Some(client) = state.clients.get_mut(client)
                        && usize::from(client.made) == index + 1
                    {
                        client.waiting = false;
                    }
                }
                Effect::Write(_) | Effect::Sync => {}
            }
        }
    }

    fn broadcast(&self, state: &mut State<P>, node: usize, message: &P::Message) {
        for to in (0..self.bounds.replicas).filter(|to| *to != node) {
            self.send(state, node, to, message);
        }
    }

    fn send(&self, state: &mut State<P>, from: usize, to: usize, message: &P::Message) {
        assert!(
            to < self.bounds.replicas,
            "a message to nobody: {message:?}"
        );
        let packet = Packet {
            to: to as u8,
            from: from as u8,
            message: message.clone(),
        };
        if let Some(place) = state.network.place(self.bounds.order, self.lane(), &packet) {
            Arc::make_mut(&mut state.network).insert(place, packet);
        }
    }

    fn crash(&self, last: &State<P>, state: &mut State<P>, node: u8, kept: u8) -> Option<()> {
        let node = usize::from(node);
        let host = last.hosts.get(node)?;
        let machine = host.machine.as_ref()?;
        let kept = usize::from(kept);
        (kept <= host.unsynced().len()).then_some(())?;
        if self.in_hand(last, node, machine) {
            state.struck |= self.struck_bit("crash");
        }
        let end = End::Crashed(kept);
        state.hosts[node] =
            Arc::new(host.after(&self.protocol, machine.clone(), host.lives, &[], end));
        let outcome = Outcome {
            node,
            cause: &Cause::Crash,
            crashed: true,
            effects: &[],
        };
        self.settle(last, state, &outcome);
        Some(())
    }

    fn lose_data(&self, last: &State<P>, state: &mut State<P>, node: u8) -> Option<()> {
        let node = usize::from(node);
        let host = last.hosts.get(node)?;
        host.machine.is_none().then_some(())?;
        state.hosts[node] = Arc::new(host.wiped(&self.protocol, node));
        let outcome = Outcome {
            node,
            cause: &Cause::DataLoss,
            crashed: false,
            effects: &[],
        };
        self.settle(last, state, &outcome);
        Some(())
    }

    /// Whether a node has something begun and not ended.
    fn in_hand(&self, state: &State<P>, node: usize, machine: &P::Machine) -> bool {
        let clients = self.bounds.clients.iter().zip(&state.clients);
        !state.hosts[node].unsynced().is_empty()
            || clients
                .into_iter()
                .any(|(p, c)| p.node == node && c.waiting)
            || !self.protocol.queries(machine).is_empty()
            || !self.protocol.publications(machine).is_empty()
    }

    /// Ends the waiting of clients whose node stopped, and shows the ghost what happened.
    fn settle(&self, last: &State<P>, state: &mut State<P>, outcome: &Outcome<'_, P>) {
        let node = outcome.node;
        let mut abandoned = Vec::new();
        if state.hosts[node].machine.is_none() {
            for (index, program) in self.bounds.clients.iter().enumerate() {
                let client = &mut state.clients[index];
                if program.node == node && client.waiting {
                    client.waiting = false;
                    abandoned.push(token(index, usize::from(client.made) - 1));
                }
            }
        }
        let (before, after) = (&last.hosts[node], &state.hosts[node]);
        let mut ghost = P::Ghost::clone(&state.ghost);
        let seen = Seen {
            node,
            life: after.life(),
            cause: outcome.cause,
            crashed: outcome.crashed,
            before: before.machine.as_ref(),
            after: after.machine.as_ref(),
            effects: outcome.effects,
            disk_before: before.durable(&self.protocol),
            disk: after.durable(&self.protocol),
            abandoned: &abandoned,
            hosts: &state.hosts,
        };
        self.protocol.observe(&mut ghost, &seen);
        if ghost != *state.ghost {
            state.ghost = Arc::new(ghost);
        }
    }
}

/// Two nodes, whichever of them sends.
fn pair(one: u8, other: u8) -> (u8, u8) {
    (one.min(other), one.max(other))
}
