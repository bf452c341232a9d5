//! The counter as the cluster model drives it: translation, and the history its properties need.

use std::sync::Arc;

use concord_systems::counter::{
    CallId, Commit, Direction, Failure, Input, Output, QueryEnd, Small, SmallAddress, SmallKey,
    State, Strategies,
};
use concord_systems::machine::Machine as _;
use concord_systems::merkle::{self, Block, Disk, Fetched, Patience, SortedMap, SortedSet, Write};
use serde::{Deserialize, Serialize};

use crate::cluster::{Cause, Effect, Event, Protocol, Seen, call_of};

use super::grouped::{self, Promises, flush_token};

/// The counter on a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// The choices of every replica.
    pub strategies: Strategies,
    /// How clients are told that bumps are committed, which decides what is claimed.
    pub contract: Commit,
    /// Where the generation of a process life comes from.
    pub generations: Generations,
    /// Whether the disk is told to sync.
    pub syncs: bool,
    /// Whether liveness is judged under fairness.
    pub fair: bool,
}

/// Where the generation of a process life comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Generations {
    /// Never drawn twice (CTR-5).
    Fresh,
    /// The same in every life of a node.
    Reused,
}

/// What a client asks of its node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Up by one.
    Increment(u8),
    /// Down by one.
    Decrement(u8),
    /// Up by one, while the own total cannot be read back.
    IncrementUnreadable(u8),
    /// Make durable what is counted.
    Flush,
    /// A dishonest write to the first life of the sub-counter of node a.
    Forge(u8, u64),
}

/// Blocks that a replica tells of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Announcement(pub Vec<SmallAddress>);

/// What a peer serves.
#[derive(Clone, Debug)]
pub enum Served {
    /// The block.
    Block(Arc<Block<Small>>),
    /// Something that cannot be decoded.
    Garbage,
}

/// A timer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// Announce the heads not heard of.
    Reannounce,
    /// Repair, because dirty is set.
    Repair,
    /// Flush what is counted.
    Flush,
    /// A block reaches the disk. Where commits are grouped other things happen before it does.
    Store,
}

/// What properties must remember.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct History {
    /// Acknowledged bumps of each node's present life.
    pub acknowledged: SortedMap<(u8, Direction, u8), u64>,
    /// Calls in progress whose local write did not raise the sum by one.
    unraised: SortedSet<CallId>,
    /// Which life of which node first wrote each key.
    writers: SortedMap<SmallKey, (u8, u8)>,
    /// What each peer held when a node lost its data: loser, peer's processed blocks and entries.
    pub owed: Vec<Owed>,
    /// A generation wrote at a height that is not above its last.
    pub height_fell: bool,
    /// A sub-counter fell on some replica.
    pub total_fell: bool,
    /// A key was written by two lives.
    pub two_writers: bool,
    /// A bump was acknowledged that had not raised the sum by one.
    pub acknowledged_unraised: bool,
    /// Where commits are grouped.
    pub promises: Promises,
}

/// What a peer held when a node lost its data (CTR-S14).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Owed {
    /// The node that lost its data.
    pub loser: u8,
    /// Blocks that the peer had processed.
    pub processed: SortedSet<SmallAddress>,
    /// Sub-counters on the peer.
    pub totals: Vec<(SmallKey, u64)>,
}

type Effects = Vec<Effect<Counter>>;

impl Counter {
    /// Steps the core and answers at once what needs no one else.
    fn drive(&self, machine: &mut State<Small>, input: Input<Small>, effects: &mut Effects) {
        let mut outputs = Vec::new();
        machine.step(input, &mut outputs);
        for output in outputs {
            match output {
                Output::Store(merkle::Output::Store(block))
                    if self.contract == Commit::EachBump =>
                {
                    self.store(machine, block, effects);
                }
                Output::Store(merkle::Output::Write(write)) => effects.push(Effect::Write(write)),
                Output::Store(merkle::Output::Sync) if !self.syncs => {}
                Output::Store(merkle::Output::Sync) => effects.push(Effect::Sync),
                Output::Store(merkle::Output::Announce(heads)) => {
                    effects.push(Effect::Broadcast(Announcement(heads)));
                }
                Output::Query { call } => {
                    let end = QueryEnd::Complete;
                    self.drive(machine, Input::Queried { call, end }, effects);
                }
                Output::Returned { call, result } => effects.push(Effect::Reply {
                    token: call,
                    reply: result,
                }),
                // Asked for by `ticks`, `queries` and `publications`.
                Output::Store(merkle::Output::Store(_) | merkle::Output::Fetch { .. })
                | Output::Publish { .. } => {}
                Output::Store(merkle::Output::Put(_) | merkle::Output::Exchanged(_)) => {}
            }
        }
    }

    /// Brings a block to the disk.
    fn store(&self, machine: &mut State<Small>, block: Arc<Block<Small>>, effects: &mut Effects) {
        let address = SmallAddress::of(&block);
        effects.push(Effect::Write(Write::Block(address, block)));
        let stored = merkle::Input::Stored(Some(address));
        self.drive(machine, Input::Store(stored), effects);
    }
}

impl Protocol for Counter {
    type Machine = State<Small>;
    type Disk = Disk<Small>;
    type Write = Write<Small>;
    type Message = Announcement;
    type Call = Call;
    type Reply = Result<Option<u64>, Failure>;
    type Query = SmallAddress;
    type Answer = Served;
    type Tick = Timer;
    type Ghost = History;

    fn blank(&self, _: usize) -> Disk<Small> {
        Disk::default()
    }

    fn start(&self, node: usize, life: u8, disk: &Disk<Small>, _: &mut Effects) -> State<Small> {
        let generation = match self.generations {
            Generations::Fresh => life,
            Generations::Reused => 0,
        };
        State::open(node as u8, generation, disk.clone(), self.strategies)
    }

    fn disk<'a>(&self, machine: &'a State<Small>) -> &'a Disk<Small> {
        machine.store().disk()
    }

    fn apply(&self, disk: &mut Disk<Small>, write: &Write<Small>) {
        disk.apply(write);
    }

    fn step(&self, machine: &mut State<Small>, event: Event<Self>, effects: &mut Effects) {
        let input = match event {
            Event::Call { token, call } => match call {
                Call::Increment(key) | Call::Decrement(key) | Call::IncrementUnreadable(key) => {
                    let direction = match call {
                        Call::Decrement(_) => Direction::Decr,
                        _ => Direction::Incr,
                    };
                    Input::Bump {
                        call: token,
                        direction,
                        key,
                        unreadable: matches!(call, Call::IncrementUnreadable(_)),
                    }
                }
                Call::Flush => Input::Flush { call: token },
                Call::Forge(key, value) => Input::RawPut {
                    call: token,
                    key: SmallKey {
                        direction: Direction::Incr,
                        key,
                        node: 0,
                        generation: 0,
                    },
                    value,
                },
            },
            Event::Deliver { message, .. } => Input::Store(merkle::Input::Announced(message.0)),
            Event::Answered { query, answer } => Input::Store(merkle::Input::Fetched {
                address: query,
                outcome: match answer {
                    Some(Served::Block(block)) => Fetched::Block(block),
                    Some(Served::Garbage) => Fetched::Unreadable,
                    None => Fetched::Unavailable,
                },
            }),
            Event::Published { ticket, ok } => Input::Published { call: ticket, ok },
            Event::Tick(Timer::Reannounce) => Input::Store(merkle::Input::Reannounce),
            Event::Tick(Timer::Repair) => Input::Store(merkle::Input::Repair),
            Event::Tick(Timer::Flush) => Input::Flush {
                call: flush_token(*machine.node()),
            },
            Event::Tick(Timer::Store) => {
                let block = machine.store().storing().cloned();
                let block = block.expect("a block is stored while one is awaited");
                return self.store(machine, block, effects);
            }
            Event::Close => Input::Close,
        };
        self.drive(machine, input, effects);
    }

    /// Announcements queue, one exchange at a time (5.4); the queue is the network's.
    fn ready(&self, machine: &State<Small>, _: &Announcement) -> bool {
        !machine.store().is_exchanging()
    }

    fn ticks(&self, machine: &State<Small>) -> Vec<Timer> {
        let store = machine.store();
        let mut timers = Vec::with_capacity(2);
        if store.has_heard() || !store.disk().heads.is_empty() {
            timers.push(Timer::Reannounce);
        }
        if store.needs_repair() && !store.is_exchanging() {
            timers.push(Timer::Repair);
        }
        if self.contract != Commit::EachBump {
            timers.extend(grouped::ticks(machine));
        }
        timers
    }

    fn is_timer(&self, tick: &Timer) -> bool {
        matches!(tick, Timer::Reannounce | Timer::Repair)
    }

    fn queries(&self, machine: &State<Small>) -> Vec<SmallAddress> {
        machine.store().fetching().into_iter().collect()
    }

    fn may_give_up(&self, machine: &State<Small>, _: &SmallAddress) -> bool {
        machine.store().patience() == Patience::Limited
    }

    fn publications(&self, machine: &State<Small>) -> Vec<(u32, Announcement)> {
        let publications = machine.publications();
        publications
            .map(|(call, block)| (call, Announcement(vec![block])))
            .collect()
    }

    fn answer(&self, machine: &State<Small>, query: &SmallAddress) -> Option<Served> {
        let block = machine.store().disk().blocks.get(query);
        block.cloned().map(Served::Block)
    }

    fn corrupt(&self, _: Served) -> Option<Served> {
        Some(Served::Garbage)
    }

    fn observe(&self, history: &mut History, seen: &Seen<'_, Self>) {
        history.note(self, seen);
    }

    fn write_name(&self, write: &Write<Small>) -> &'static str {
        match write {
            Write::Block(..) => "crash_block",
            Write::Entry(..) => "crash_merge",
            Write::Processed(_) => "crash_mark",
            Write::Heads { .. } => "crash_head",
            Write::Dirty(_) => "crash_dirty",
            Write::Batch(_) => "crash_attach",
        }
    }

    fn call_name(&self, call: &Call) -> &'static str {
        match call {
            Call::Increment(_) => "increment",
            Call::Decrement(_) => "decrement",
            Call::IncrementUnreadable(_) => "increment_unreadable",
            Call::Flush => "flush_call",
            Call::Forge(..) => "forge",
        }
    }

    fn tick_name(&self, tick: &Timer) -> &'static str {
        match tick {
            Timer::Reannounce => "reannounce",
            Timer::Repair => "repair",
            Timer::Flush => "flush",
            Timer::Store => "store",
        }
    }

    fn crash_points(&self) -> Vec<&'static str> {
        CRASH_POINTS.to_vec()
    }

    fn tick_names(&self) -> Vec<&'static str> {
        match self.contract {
            Commit::EachBump => vec!["reannounce", "repair"],
            Commit::Grouped(_) => vec!["reannounce", "repair", "flush", "store"],
        }
    }

    fn message_text(&self, message: &Announcement) -> String {
        let blocks: Vec<String> = message.0.iter().map(|b| format!("{b:?}")).collect();
        format!("{{{}}}", blocks.join(" "))
    }

    /// Client and call, both from 1.
    fn ticket_text(&self, ticket: u32) -> String {
        let (client, call) = call_of(ticket);
        format!("#{}.{}", client + 1, call + 1)
    }

    fn call_text(&self, call: &Call) -> String {
        match call {
            Call::Increment(key) => format!("increment k{key}"),
            Call::Decrement(key) => format!("decrement k{key}"),
            Call::IncrementUnreadable(key) => format!("increment k{key}, total unreadable,"),
            Call::Flush => String::from("call flush"),
            Call::Forge(key, value) => format!("forge a0+k{key}={value}"),
        }
    }

    fn heap_bytes(&self, machine: &State<Small>) -> usize {
        let disk = machine.store().disk();
        disk.blocks.len() * 48 + disk.entries.len() * 32 + disk.processed.len() * 8
    }
}

/// Every name that a crash in the midst of a step can have.
pub(super) const CRASH_POINTS: &[&str] = &[
    "crash_block",
    "crash_merge",
    "crash_mark",
    "crash_head",
    "crash_dirty",
    "crash_attach",
];

impl History {
    fn note(&mut self, protocol: &Counter, seen: &Seen<'_, Counter>) {
        let node = seen.node as u8;
        match seen.cause {
            Cause::Start => self.forget_life(node),
            Cause::DataLoss => {
                self.note_loss(seen);
                return;
            }
            Cause::Event(_) | Cause::Crash => {}
        }
        for token in seen.abandoned {
            self.unraised.remove(token);
        }
        self.note_entries(seen);
        self.note_writes(node, seen);
        match protocol.contract {
            Commit::EachBump => self.note_calls(node, seen),
            Commit::Grouped(_) => self.promises.note(protocol, seen),
        }
    }

    fn forget_life(&mut self, node: u8) {
        let lives = self.acknowledged.iter();
        self.acknowledged = lives
            .filter(|((of, ..), _)| *of != node)
            .map(|(key, bumps)| (*key, *bumps))
            .collect();
    }

    fn note_loss(&mut self, seen: &Seen<'_, Counter>) {
        for (peer, host) in seen.hosts.iter().enumerate() {
            let Some(machine) = host.machine.as_ref().filter(|_| peer != seen.node) else {
                continue;
            };
            let disk = machine.store().disk();
            let entries = disk.entries.iter();
            self.owed.push(Owed {
                loser: seen.node as u8,
                processed: disk.processed.clone(),
                totals: entries.map(|(key, entry)| (*key, entry.value)).collect(),
            });
        }
    }

    /// Whether any sub-counter fell, as this node sees it.
    fn note_entries(&mut self, seen: &Seen<'_, Counter>) {
        let visible =
            |machine: Option<&State<Small>>, disk: &Disk<Small>| -> Vec<(SmallKey, u64)> {
                let disk = machine.map_or(disk, |machine| machine.store().disk());
                let entries = disk.entries.iter();
                entries.map(|(key, entry)| (*key, entry.value)).collect()
            };
        let before = visible(seen.before, seen.disk_before);
        let after: SortedMap<_, _> = visible(seen.after, seen.disk).into_iter().collect();
        self.total_fell |= before
            .iter()
            .any(|(key, total)| after.get(key).is_none_or(|now| now < total));
    }

    /// Blocks that this node wrote itself in this step.
    fn note_writes(&mut self, node: u8, seen: &Seen<'_, Counter>) {
        let Some(block) = own_write(seen) else {
            return;
        };
        let life = (node, seen.life);
        let earlier = self.writers.insert(block.key, life);
        self.two_writers |= earlier.is_some_and(|writer| writer != life);
        let generation = seen.before.map(State::generation);
        let own = |key: SmallKey| key.node == node && Some(key.generation) == generation;
        let blocks = seen.before.into_iter().flat_map(|machine| {
            let blocks = machine.store().disk().blocks.values();
            blocks.filter(|earlier| own(earlier.key))
        });
        let last = blocks.map(|earlier| earlier.height).max();
        self.height_fell |= own(block.key) && last.is_some_and(|last| block.height <= last);
    }

    /// Which bumps raised the sum, and which were acknowledged. A publication may end in the step
    /// that begins it.
    fn note_calls(&mut self, node: u8, seen: &Seen<'_, Counter>) {
        let (Some(before), Some(after)) = (seen.before, seen.after) else {
            return;
        };
        let mut bumps: Vec<(CallId, SmallKey)> = Vec::new();
        for machine in [before, after] {
            let blocks = &machine.store().disk().blocks;
            bumps.extend(machine.publications().filter_map(|(call, address)| {
                let block = blocks.get(&address)?;
                Some((call, block.key))
            }));
        }
        if let Some(block) = own_write(seen) {
            let is_known = |call: CallId| bumps.iter().any(|(known, _)| *known == call);
            let ended = seen.effects.iter().find_map(|effect| match effect {
                Effect::Reply { token, .. } if !is_known(*token) => Some(*token),
                _ => None,
            });
            bumps.extend(ended.map(|call| (call, block.key)));
            let SmallKey { direction, key, .. } = block.key;
            let sums = [after, before].map(|machine| machine.sum(direction, &key));
            let call = bumps.iter().rev().find(|(_, key)| *key == block.key);
            if let Some((call, _)) = call
                && sums[0].wrapping_sub(sums[1]) != 1
            {
                self.unraised.insert(*call, ());
            }
        }
        for effect in seen.effects {
            let Effect::Reply { token, reply } = effect else {
                continue;
            };
            let unraised = self.unraised.remove(token).is_some();
            let Some((_, key)) = bumps.iter().find(|(call, _)| call == token) else {
                continue;
            };
            // With the remedy of C-1 a bump that is applied and not announced counts as well.
            if matches!(reply, Ok(_) | Err(Failure::PublishFailed)) && key.node == node {
                let of = (node, key.direction, key.key);
                let bumps = self.acknowledged.get(&of).map_or(1, |bumps| bumps + 1);
                self.acknowledged.insert(of, bumps);
            }
            self.acknowledged_unraised |= reply.is_ok() && unraised;
        }
    }
}

/// The block that a node wrote itself in this step: what it fetched it did not write.
pub(super) fn own_write<'a>(seen: &Seen<'a, Counter>) -> Option<&'a Arc<Block<Small>>> {
    if matches!(seen.cause, Cause::Event(Event::Answered { .. })) {
        return None;
    }
    seen.effects.iter().find_map(|effect| match effect {
        Effect::Write(Write::Block(_, block)) => Some(block),
        _ => None,
    })
}
