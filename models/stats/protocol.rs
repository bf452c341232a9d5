//! The statistics as the cluster model drives them: translation, and the history their properties
//! need.

use std::sync::Arc;

use concord_systems::machine::Machine as _;
use concord_systems::merkle::{self, Block, Fetched, Image as _, Patience, SortedMap, SortedSet};
use concord_systems::stats::{
    CallId, Disk, Failure, Input, Layout, Op, Output, Returns, Small, SmallKey, Stat, State,
    Strategies, Write,
};
use serde::{Deserialize, Serialize};

use crate::cluster::{Cause, Effect, Event, Protocol, Seen, call_of};

use super::oracle::{self, Done};

/// The statistics on a cluster. Every node has a store.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// The order of the parts of a key.
    pub layout: Layout,
    /// The choices of every node.
    pub strategies: Strategies,
    /// Under whose name each node writes.
    pub identities: Identities,
    /// Whether nodes take announcements in.
    pub subscribed: bool,
    /// Whether liveness is judged under fairness.
    pub fair: bool,
}

/// Under whose name each node writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identities {
    /// Each under its own.
    Own,
    /// All under the name of node a.
    Shared,
}

/// What a client asks of its node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A call that nothing disturbs.
    Sound(Op<u8>),
    /// A call whose put fails, nothing being stored.
    Unwritable(Op<u8>),
    /// A call whose store queries fail.
    Unreadable(Op<u8>),
}

/// Blocks that a replica tells of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Announcement(pub Vec<u64>);

/// What a node does of itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// The put of a committed call goes to the store.
    Flush(CallId),
    /// Announce the heads not heard of.
    Reannounce,
    /// Repair, because dirty is set.
    Repair,
}

/// What properties must remember.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct History {
    /// What was done at each node, in the order of the commits.
    pub done: SortedMap<u8, Vec<Done<u8>>>,
    /// Calls in progress, those of one node together, oldest first.
    open: Vec<Open>,
    /// Counters of a node whose last put failed or was never made.
    pub failed: SortedSet<(u8, Stat, u8)>,
    /// Which node first wrote each key.
    writers: SortedMap<SmallKey, u8>,
    /// A put that followed a failed one left the own entry as the local counter is.
    pub healed: bool,
    /// It did not.
    pub unhealed: bool,
    /// A key was written by two nodes.
    pub two_writers: bool,
    /// An entry fell though nothing counted in it was taken back.
    pub entry_fell: bool,
    /// A like by a new user succeeded and had not raised the sum by one.
    pub unraised: bool,
    /// A call returned another count than the sum.
    pub other_count: bool,
}

/// A call in progress.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Open {
    node: u8,
    token: u32,
    op: Op<u8>,
    /// What it counts in; known once it has begun.
    counter: Option<(Stat, u8)>,
    /// Whether its local change is committed.
    begun: bool,
    /// Whether it is a like by a user who does not like the tweet, on a node that publishes.
    new: bool,
    /// By how much the node's own calls have raised the sum since it began, modulo 2^64.
    raised: u64,
}

type Effects = Vec<Effect<Stats>>;

/// Marks the calls whose put fails.
const UNWRITABLE: CallId = 1 << 31;

impl Call {
    /// What is done.
    pub fn op(&self) -> &Op<u8> {
        let (Self::Sound(op) | Self::Unwritable(op) | Self::Unreadable(op)) = self;
        op
    }
}

impl Stats {
    /// Steps the core and answers at once what needs no one else.
    fn drive(machine: &mut State<Small>, input: Input<Small>, fails: bool, effects: &mut Effects) {
        let mut outputs = Vec::new();
        machine.step(input, &mut outputs);
        for output in outputs {
            match output {
                Output::Commit(changes) => effects.push(Effect::Write(Write::Local(changes))),
                Output::Store(merkle::Output::Store(block)) => {
                    let address = (!fails).then(|| block.small_address());
                    if let Some(address) = address {
                        let write = merkle::Write::Block(address, block);
                        effects.push(Effect::Write(write.into()));
                    }
                    let stored = merkle::Input::Stored(address);
                    Self::drive(machine, Input::Store(stored), fails, effects);
                }
                Output::Store(merkle::Output::Write(write)) => {
                    effects.push(Effect::Write(write.into()));
                }
                Output::Store(merkle::Output::Sync) => effects.push(Effect::Sync),
                Output::Store(merkle::Output::Announce(heads)) => {
                    effects.push(Effect::Broadcast(Announcement(heads)));
                }
                Output::Returned { call, result } => effects.push(Effect::Reply {
                    token: call & !UNWRITABLE,
                    reply: result,
                }),
                // Asked for by `ticks`, `queries` and `publications`.
                Output::Committed { .. }
                | Output::Store(merkle::Output::Fetch { .. })
                | Output::Publish { .. } => {}
                Output::Store(merkle::Output::Put(_) | merkle::Output::Exchanged(_)) => {}
            }
        }
    }
}

impl Protocol for Stats {
    type Machine = State<Small>;
    type Disk = Disk<Small>;
    type Write = Write<Small>;
    type Message = Announcement;
    type Call = Call;
    type Reply = Result<Returns<u8>, Failure>;
    type Query = u64;
    type Answer = Arc<Block<Small>>;
    type Tick = Tick;
    type Ghost = History;

    fn blank(&self, _: usize) -> Disk<Small> {
        Disk::default()
    }

    fn start(&self, node: usize, _: u8, disk: &Disk<Small>, _: &mut Effects) -> State<Small> {
        let name = match self.identities {
            Identities::Own => node as u8,
            Identities::Shared => 0,
        };
        State::open(name, self.layout, disk.clone(), true, self.strategies)
    }

    fn disk<'a>(&self, machine: &'a State<Small>) -> &'a Disk<Small> {
        machine.disk()
    }

    fn apply(&self, disk: &mut Disk<Small>, write: &Write<Small>) {
        disk.apply(write);
    }

    fn step(&self, machine: &mut State<Small>, event: Event<Self>, effects: &mut Effects) {
        let input = match event {
            Event::Call { token, call } => Input::Call {
                call: match &call {
                    Call::Unwritable(_) => token | UNWRITABLE,
                    Call::Sound(_) | Call::Unreadable(_) => token,
                },
                op: call.op().clone(),
                read_fails: matches!(call, Call::Unreadable(_)),
            },
            Event::Deliver { message, .. } => Input::Store(merkle::Input::Announced(message.0)),
            Event::Answered { query, answer } => Input::Store(merkle::Input::Fetched {
                address: query,
                outcome: answer.map_or(Fetched::Unavailable, Fetched::Block),
            }),
            Event::Published { ticket, ok } => Input::Published { call: ticket, ok },
            Event::Tick(Tick::Flush(call)) => {
                let fails = call & UNWRITABLE != 0;
                return Self::drive(machine, Input::Flush { call }, fails, effects);
            }
            Event::Tick(Tick::Reannounce) => Input::Store(merkle::Input::Reannounce),
            Event::Tick(Tick::Repair) => Input::Store(merkle::Input::Repair),
            // Nodes are stopped by crashes; this system has no orderly stop.
            Event::Close => return,
        };
        Self::drive(machine, input, false, effects);
    }

    /// Announcements queue, one exchange at a time; the queue is the network's.
    fn ready(&self, machine: &State<Small>, _: &Announcement) -> bool {
        let exchanging = machine.store().is_some_and(merkle::Store::is_exchanging);
        self.subscribed && !exchanging
    }

    fn ticks(&self, machine: &State<Small>) -> Vec<Tick> {
        let committed = machine.committed();
        let mut ticks: Vec<Tick> = committed.map(|(call, ..)| Tick::Flush(call)).collect();
        if let Some(store) = machine.store() {
            if store.has_heard() || !store.disk().heads.is_empty() {
                ticks.push(Tick::Reannounce);
            }
            if store.needs_repair() && !store.is_exchanging() {
                ticks.push(Tick::Repair);
            }
        }
        ticks
    }

    fn is_timer(&self, tick: &Tick) -> bool {
        !matches!(tick, Tick::Flush(_))
    }

    fn queries(&self, machine: &State<Small>) -> Vec<u64> {
        let fetching = machine.store().and_then(merkle::Store::fetching);
        fetching.into_iter().collect()
    }

    fn may_give_up(&self, machine: &State<Small>, _: &u64) -> bool {
        let store = machine.store();
        store.is_some_and(|store| store.patience() == Patience::Limited)
    }

    fn publications(&self, machine: &State<Small>) -> Vec<(u32, Announcement)> {
        let publication = machine.publication().into_iter();
        publication
            .map(|(call, block)| (call, Announcement(vec![block])))
            .collect()
    }

    fn answer(&self, machine: &State<Small>, query: &u64) -> Option<Arc<Block<Small>>> {
        machine.disk().store.blocks.get(query).cloned()
    }

    fn observe(&self, history: &mut History, seen: &Seen<'_, Self>) {
        history.note(seen);
    }

    fn write_name(&self, write: &Write<Small>) -> &'static str {
        match write {
            Write::Local(_) => "crash_commit",
            Write::Store(merkle::Write::Block(..)) => "crash_block",
            Write::Store(merkle::Write::Entry(..)) => "crash_merge",
            Write::Store(merkle::Write::Processed(_)) => "crash_mark",
            Write::Store(merkle::Write::Heads { .. }) => "crash_head",
            Write::Store(merkle::Write::Dirty(_)) => "crash_dirty",
            Write::Store(merkle::Write::Batch(_)) => "crash_attach",
        }
    }

    fn call_name(&self, call: &Call) -> &'static str {
        match call {
            Call::Unwritable(_) => "call_unwritable",
            Call::Unreadable(_) => "call_unreadable",
            Call::Sound(op) => op_name(op),
        }
    }

    fn tick_name(&self, tick: &Tick) -> &'static str {
        match tick {
            Tick::Flush(_) => "flush",
            Tick::Reannounce => "reannounce",
            Tick::Repair => "repair",
        }
    }

    fn crash_points(&self) -> Vec<&'static str> {
        CRASH_POINTS.to_vec()
    }

    fn tick_names(&self) -> Vec<&'static str> {
        vec!["flush", "reannounce", "repair"]
    }

    fn message_text(&self, message: &Announcement) -> String {
        let blocks: Vec<String> = message.0.iter().map(block_text).collect();
        format!("{{{}}}", blocks.join(" "))
    }

    fn query_text(&self, query: &u64) -> String {
        block_text(query)
    }

    fn call_text(&self, call: &Call) -> String {
        let text = op_text(call.op());
        match call {
            Call::Sound(_) => text,
            Call::Unwritable(_) => format!("{text}, whose put fails,"),
            Call::Unreadable(_) => format!("{text}, whose reads fail,"),
        }
    }

    fn tick_text(&self, tick: &Tick) -> String {
        match tick {
            Tick::Flush(call) => format!("flush {}", self.ticket_text(*call)),
            tick => self.tick_name(tick).to_owned(),
        }
    }

    /// Client and call, both from 1.
    fn ticket_text(&self, ticket: u32) -> String {
        let (client, call) = call_of(ticket & !UNWRITABLE);
        format!("#{}.{}", client + 1, call + 1)
    }

    fn heap_bytes(&self, machine: &State<Small>) -> usize {
        let disk = machine.disk();
        let local = disk.local.likes.len() * 2 + disk.local.counters.len() * 16;
        let store = disk.store.blocks.len() * 16 + disk.store.entries.len() * 24;
        local + 2 * store + disk.store.blocks.len() * 64
    }
}

/// Every name that a crash in the midst of a step can have.
pub(super) const CRASH_POINTS: &[&str] = &[
    "crash_commit",
    "crash_block",
    "crash_merge",
    "crash_mark",
    "crash_head",
    "crash_dirty",
    "crash_attach",
];

/// Name of the kind of action by which a user acts.
pub(super) fn op_name<I>(op: &Op<I>) -> &'static str {
    match op {
        Op::Like { .. } => "like",
        Op::Unlike { .. } => "unlike",
        Op::Retweet { .. } => "retweet",
        Op::Unretweet { .. } => "unretweet",
        Op::Reply { .. } => "reply",
        Op::DeleteReply { .. } => "delete_reply",
        Op::View { .. } => "view",
        Op::DeleteTweet { .. } => "delete_tweet",
    }
}

fn op_text(op: &Op<u8>) -> String {
    let name = op_name(op);
    match op {
        Op::Like { tweet, user } | Op::Unlike { tweet, user } | Op::DeleteTweet { tweet, user } => {
            format!("{name} t{tweet} by u{user}")
        }
        Op::Retweet { tweet, .. } | Op::Unretweet { tweet, .. } | Op::View { tweet } => {
            format!("{name} t{tweet}")
        }
        Op::Reply { parent, id, .. } => match parent {
            Some(parent) => format!("{name} t{id} to t{parent}"),
            None => format!("{name} t{id} to nothing"),
        },
        Op::DeleteReply { parent, id, .. } => format!("{name} t{id} to t{parent}"),
    }
}

/// Enough of an address to tell the blocks of one path apart.
fn block_text(block: &u64) -> String {
    format!("{:04x}", block >> 48)
}

impl History {
    /// What was done at `node`.
    pub fn done_at(&self, node: u8) -> &[Done<u8>] {
        self.done.get(&node).map_or(&[], Vec::as_slice)
    }

    fn note(&mut self, seen: &Seen<'_, Stats>) {
        let node = seen.node as u8;
        if matches!(seen.cause, Cause::DataLoss) {
            let kept = self.failed.iter().filter(|((of, ..), ())| *of != node);
            self.failed = kept.map(|(key, ())| (*key, ())).collect();
            return;
        }
        self.note_raised(node, seen);
        self.note_calls(node, seen);
        self.note_entries(seen);
        self.note_put(node, seen);
        self.note_replies(node, seen);
        if seen.after.is_none() {
            self.note_stop(node, seen);
        }
    }

    fn open_at(&mut self, node: u8) -> impl Iterator<Item = &mut Open> {
        self.open.iter_mut().filter(move |open| open.node == node)
    }

    /// Which calls came, and which of them began. Those of one node begin in their order.
    fn note_calls(&mut self, node: u8, seen: &Seen<'_, Stats>) {
        if let Cause::Event(Event::Call { token, call }) = seen.cause {
            let place = self.open.partition_point(|open| open.node <= node);
            let open = Open {
                node,
                token: *token,
                op: call.op().clone(),
                counter: None,
                begun: false,
                new: false,
                raised: 0,
            };
            self.open.insert(place, open);
        }
        let has_replied = |token: u32| {
            let mut effects = seen.effects.iter();
            effects.any(|effect| matches!(effect, Effect::Reply { token: of, .. } if *of == token))
        };
        let is_committed = |token: u32| {
            let after = seen.after;
            after.is_some_and(|m| m.is_committed(token) || m.is_committed(token | UNWRITABLE))
        };
        // A commit that a crash came after, and that reached the disk.
        let mut committed = seen.after.is_none() && seen.disk.local != seen.disk_before.local;
        let failed = self.failed.clone();
        let mut done = self.done_at(node).to_vec();
        for open in self.open_at(node).filter(|open| !open.begun) {
            let begins = is_committed(open.token) || has_replied(open.token);
            if !begins && !std::mem::take(&mut committed) {
                break;
            }
            open.begun = true;
            open.counter = oracle::counter(&done, &open.op).map(|(stat, id)| (stat, *id));
            if let Op::Like { tweet, user } = &open.op {
                let lags = failed.contains(&(node, Stat::Likes, *tweet));
                open.new = !lags && !oracle::likers(&done, tweet).contains(&user);
            }
            done.push(Done {
                op: open.op.clone(),
                returned: None,
            });
        }
        if done.len() > self.done_at(node).len() {
            self.done.insert(node, done);
        }
    }

    /// Whether an entry fell, as this node sees it, of whose counter nothing was taken back.
    fn note_entries(&mut self, seen: &Seen<'_, Stats>) {
        let disk = |machine: Option<&'_ State<Small>>, disk: &Disk<Small>| {
            let disk = machine.map_or(disk, State::disk);
            let entries = disk.store.entries.iter();
            entries
                .map(|(key, entry)| (*key, entry.value))
                .collect::<SortedMap<_, _>>()
        };
        let before = disk(seen.before, seen.disk_before);
        let after = disk(seen.after, seen.disk);
        self.entry_fell |= before.iter().any(|(key, value)| {
            let fell = after.get(key).is_none_or(|now| now < value);
            let (stat, id) = counter_of(key);
            fell && !oracle::took_back(self.done_at(key.node), stat, &id)
        });
    }

    /// By how much a step of the node's own calls raised the sums that those begun before it are
    /// about. A commit raises none.
    fn note_raised(&mut self, node: u8, seen: &Seen<'_, Stats>) {
        let is_own = matches!(
            seen.cause,
            Cause::Event(Event::Published { .. } | Event::Tick(Tick::Flush(_)))
        );
        let (true, Some(before), Some(after)) = (is_own, seen.before, seen.after) else {
            return;
        };
        for open in self.open_at(node).filter(|open| open.new) {
            if let Some((stat, id)) = open.counter {
                let sum = |machine: &State<Small>| machine.aggregate(stat, &id, false);
                let raised = sum(after)
                    .unwrap_or(0)
                    .wrapping_sub(sum(before).unwrap_or(0));
                open.raised = open.raised.wrapping_add(raised);
            }
        }
    }

    /// A block that this node made itself.
    fn note_put(&mut self, node: u8, seen: &Seen<'_, Stats>) {
        let Some(block) = own_write(seen) else {
            return;
        };
        let earlier = self.writers.insert(block.key, node);
        self.two_writers |= earlier.is_some_and(|writer| writer != node);
        let (stat, id) = counter_of(&block.key);
        let Some(after) = seen.after else {
            return;
        };
        if self.failed.remove(&(node, stat, id)).is_some() && after.is_idle() {
            let heals = is_current(after.disk(), &block.key);
            self.healed |= heals;
            self.unhealed |= !heals;
        }
    }

    fn note_replies(&mut self, node: u8, seen: &Seen<'_, Stats>) {
        for effect in seen.effects {
            let Effect::Reply { token, reply } = effect else {
                continue;
            };
            let Some(place) = self.open.iter().position(|open| open.token == *token) else {
                continue;
            };
            let open = self.open.remove(place);
            let Some((stat, id)) = open.counter else {
                continue;
            };
            match reply {
                Ok(returned) => {
                    // A like that returns in the step of a crash is not judged.
                    let Some(after) = seen.after else {
                        continue;
                    };
                    self.unraised |= open.new && open.raised != 1;
                    if let Returns::Count(count) = returned {
                        self.other_count |= *count != oracle::sum(&after.disk().store, stat, id);
                    }
                }
                Err(Failure::WriteFailed) => {
                    self.failed.insert((node, stat, id), ());
                }
                Err(_) => {}
            }
        }
    }

    /// Calls that the end of the process cut short: their puts may never have been made.
    fn note_stop(&mut self, node: u8, seen: &Seen<'_, Stats>) {
        let counters = seen.disk.local.counters.iter();
        for ((stat, id), count) in counters {
            let mut own = seen.disk.store.entries.iter();
            let own = own.find(|(key, _)| key.node == node && counter_of(key) == (*stat, *id));
            let of_call = self
                .open
                .iter()
                .any(|open| open.node == node && open.counter == Some((*stat, *id)));
            if of_call && own.map_or(0, |(_, entry)| entry.value) != *count {
                self.failed.insert((node, *stat, *id), ());
            }
        }
        self.open.retain(|open| open.node != node);
    }
}

/// The counter that a key is about.
pub(super) fn counter_of(key: &SmallKey) -> (Stat, u8) {
    (key.stat, key.tweet | key.nested << 4)
}

/// Whether the entry of a node's own key is what its local counter is.
pub(super) fn is_current(disk: &Disk<Small>, key: &SmallKey) -> bool {
    let (stat, id) = counter_of(key);
    let entry = disk.store.entries.get(key);
    entry.map_or(0, |entry| entry.value) == disk.local.counter(stat, &id).unwrap_or(0)
}

/// The block that a node made itself in this step: what it fetched it did not make.
fn own_write<'a>(seen: &Seen<'a, Stats>) -> Option<&'a Arc<Block<Small>>> {
    if matches!(seen.cause, Cause::Event(Event::Answered { .. })) {
        return None;
    }
    seen.effects.iter().find_map(|effect| match effect {
        Effect::Write(Write::Store(merkle::Write::Block(_, block))) => Some(block),
        _ => None,
    })
}
