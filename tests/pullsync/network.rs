//! Nodes on a network that cuts, delays and forgets, and on disks that lose what was not synced.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use concord::systems::machine::Machine as _;
use concord::systems::pullsync::store::Failing;
use concord::systems::pullsync::{
    Chunk, Disk, Exchanged, Input, Message, Mode, Neighbour, Output, Protocol, Purpose, Reason,
    Settings, Small, SmallData, State, Strategies, Write,
};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// Three bins, of which two are synced.
pub(crate) type Net = Small<3>;
/// The opener, and a number that is never used again.
pub(crate) type Stream = (u8, u32);

/// Whether a chunk's stamp is verifiable everywhere.
const fn is_stamped(address: u8) -> bool {
    !address.is_multiple_of(8)
}

pub(crate) const fn chunk(address: u8) -> Chunk<Net> {
    Chunk {
        address,
        data: SmallData::Valid,
        stamp: is_stamped(address),
    }
}

pub(crate) fn settings(overlay: u8, strategies: Strategies) -> Arc<Settings<Net>> {
    Arc::new(Settings {
        overlay,
        bins: 3,
        max_page: 2,
        pending_cancels: 2,
        verifier: (),
        strategies,
    })
}

/// What travels on one direction of a stream.
#[derive(Clone, PartialEq, Debug)]
enum Item {
    Accept(Protocol),
    Message(Message<Net>),
    Ended(Reason),
}

/// A stream between two nodes.
struct Wire {
    acceptor: u8,
    /// To the acceptor, and back.
    ways: [VecDeque<Item>; 2],
    cut: bool,
}

/// A node, and what of its disk a crash leaves.
struct Computer {
    state: State<Net>,
    durable: Disk<Net>,
    unsynced: Vec<Write<Net>>,
    depth: u8,
    /// A change failed.
    retry: bool,
    /// What was deleted and not evicted; nobody brings it back.
    deleted: BTreeSet<u8>,
    /// What was deleted or evicted at some time.
    gone: BTreeSet<u8>,
}

/// What happens next by itself.
#[derive(Clone, Copy, Debug)]
enum Event {
    Open(usize),
    Arrive(Stream, usize),
    Fire(u8, Stream),
    Retry(u8),
}

/// What is done to the network. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// So much happens by itself.
    Run(u8, u64),
    Refuse(usize),
    /// Both ways lose what is not among the first few items. The opener learns of it, the other perhaps.
    Cut {
        stream: usize,
        kept: [usize; 2],
        reason: Reason,
        told: bool,
    },
    /// So many unsynced writes survive.
    Restart(u8, usize),
    Unlink(usize),
    Link(usize),
    Put(u8, Mode, u8),
    Delete(u8, u8),
    Evict(u8, u8),
    Fail(u8, Failing),
    Depth(u8, u8),
}

pub(crate) struct Network {
    computers: Vec<Computer>,
    how: Strategies,
    /// Who is to be connected with whom, and who is.
    plan: Vec<(u8, u8)>,
    links: BTreeSet<(u8, u8)>,
    opens: Vec<(u8, u8, Purpose)>,
    wires: BTreeMap<Stream, Wire>,
    timers: BTreeSet<(u8, Stream)>,
    opened: u32,
    /// From so many different numbers exchanges take theirs.
    ruids: u32,
    /// What stood under which number: node, bin, number.
    assigned: BTreeMap<(u8, u8, u64), u8>,
    pub(crate) exchanged: Vec<(u8, Exchanged<Net>)>,
}

/// What was found to be wrong.
pub(crate) type Verdict = Result<(), String>;

macro_rules! ensure {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*));
        }
    };
}

impl Network {
    /// Nodes that are connected as planned.
    pub(crate) fn new(plan: &[(u8, u8)], how: Strategies) -> Self {
        let count = plan.iter().map(|(_, last)| last + 1).max().unwrap();
        let computer = |overlay| {
            let disk = Disk::new(overlay, how);
            Computer {
                state: State::new(settings(overlay, how), disk.clone()),
                durable: disk,
                unsynced: Vec::new(),
                depth: 1,
                retry: true,
                deleted: BTreeSet::new(),
                gone: BTreeSet::new(),
            }
        };
        Self {
            computers: (0..count).map(computer).collect(),
            how,
            plan: plan.to_vec(),
            links: plan.iter().copied().collect(),
            opens: Vec::new(),
            wires: BTreeMap::new(),
            timers: BTreeSet::new(),
            opened: 0,
            ruids: 5,
            assigned: BTreeMap::new(),
            exchanged: Vec::new(),
        }
    }

    pub(crate) fn state(&self, node: u8) -> &State<Net> {
        &self.computers[usize::from(node)].state
    }

    /// Whether a node has a chunk in its pull index.
    pub(crate) fn has(&self, node: u8, address: u8) -> bool {
        is_indexed(self.state(node).disk(), address)
    }

    pub(crate) fn act(&mut self, act: &Act) -> Verdict {
        let nodes = self.computers.len() as u8;
        match *act {
            Act::Run(count, seed) => {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                for _ in 0..count {
                    self.run_one(&mut random)?;
                }
                Ok(())
            }
            Act::Refuse(open) => match self.opens.len() {
                0 => Ok(()),
                count => self.refuse(open % count),
            },
            Act::Cut {
                stream,
                kept,
                reason,
                told,
            } => {
                self.cut(stream, kept, reason, told);
                Ok(())
            }
            Act::Restart(node, kept) => self.restart(node % nodes, kept),
            Act::Unlink(link) => self.unlink(self.plan[link % self.plan.len()]),
            Act::Link(link) => self.link(self.plan[link % self.plan.len()]),
            Act::Put(node, mode, address) => {
                let chunks = vec![chunk(address)];
                self.step(node % nodes, Input::Put { mode, chunks })
            }
            Act::Delete(node, address) => {
                let computer = self.computer(node % nodes);
                computer.deleted.insert(address);
                computer.gone.insert(address);
                self.step(node % nodes, Input::Delete { address })
            }
            Act::Evict(node, address) => {
                self.computer(node % nodes).gone.insert(address);
                let addresses = vec![address];
                self.step(node % nodes, Input::Evict { addresses })
            }
            Act::Fail(node, failing) => {
                self.computer(node % nodes).state.fail_next(failing);
                Ok(())
            }
            Act::Depth(node, depth) => {
                self.computer(node % nodes).depth = depth;
                self.change(node % nodes)
            }
        }
    }

    /// Nothing breaks any more: everything comes to rest, and everybody has everything.
    pub(crate) fn settle(&mut self, seed: u64) -> Verdict {
        self.ruids = u32::MAX;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for link in self.plan.clone() {
            self.link(link)?;
        }
        for node in 0..self.computers.len() as u8 {
            self.computer(node).depth = node % 2;
            self.change(node)?;
        }
        for _ in 0..50_000 {
            if !self.run_one(&mut random)? {
                return self.check_converged();
            }
        }
        Err("it does not come to rest".into())
    }

    /// After a close nothing runs, and a second one does no harm.
    pub(crate) fn close(&mut self) -> Verdict {
        for node in 0..self.computers.len() as u8 {
            self.step(node, Input::Close)?;
            self.step(node, Input::Close)?;
            let (node, halted) = (self.state(node).node(), self.state(node).node().halted());
            let running = node.server().handlers().count() + node.exchanges().count();
            ensure!(running == 0 && !halted, "{running} run after the close");
            ensure!(!node.has_retries(), "a closed node tries again");
        }
        Ok(())
    }

    fn computer(&mut self, node: u8) -> &mut Computer {
        &mut self.computers[usize::from(node)]
    }

    /// Lets one thing happen by itself; whether there was any.
    fn run_one(&mut self, random: &mut ChaCha8Rng) -> Result<bool, String> {
        let events = self.events();
        if events.is_empty() {
            return Ok(false);
        }
        match events[random.random_range(0..events.len())] {
            Event::Open(open) => self.open(open)?,
            Event::Arrive(stream, way) => self.arrive(stream, way)?,
            Event::Fire(node, stream) => {
                self.timers.remove(&(node, stream));
                self.step(node, Input::Idle { stream })?;
            }
            Event::Retry(node) => self.change(node)?,
        }
        Ok(true)
    }

    fn events(&self) -> Vec<Event> {
        let mut events: Vec<_> = (0..self.opens.len()).map(Event::Open).collect();
        for (stream, wire) in &self.wires {
            let ways = [0, 1].into_iter();
            let ways = ways.filter(|way| !wire.ways[*way].is_empty());
            events.extend(ways.map(|way| Event::Arrive(*stream, way)));
        }
        let timers = self.timers.iter();
        events.extend(timers.map(|(node, stream)| Event::Fire(*node, *stream)));
        for (node, computer) in (0..).zip(&self.computers) {
            if computer.retry || computer.state.node().has_retries() {
                events.push(Event::Retry(node));
            }
        }
        events
    }

    fn are_linked(&self, one: u8, other: u8) -> bool {
        self.links.contains(&(one.min(other), one.max(other)))
    }

    fn open(&mut self, open: usize) -> Verdict {
        let (node, peer, purpose) = self.opens[open];
        if !self.are_linked(node, peer) {
            return self.refuse(open);
        }
        self.opens.remove(open);
        self.opened += 1;
        let stream = (node, self.opened);
        let wire = Wire {
            acceptor: peer,
            ways: [
                VecDeque::from([Item::Accept(purpose.protocol())]),
                VecDeque::new(),
            ],
            cut: false,
        };
        self.wires.insert(stream, wire);
        let opened = Input::Opened {
            peer,
            purpose,
            stream,
            ruid: self.opened % self.ruids,
        };
        self.step(node, opened)
    }

    fn refuse(&mut self, open: usize) -> Verdict {
        let (node, peer, purpose) = self.opens.remove(open);
        self.step(node, Input::Unopened { peer, purpose })
    }

    fn arrive(&mut self, stream: Stream, way: usize) -> Verdict {
        let wire = self.wires.get_mut(&stream).expect("there is the stream");
        let node = [wire.acceptor, stream.0][way];
        let item = wire.ways[way]
            .pop_front()
            .expect("there is something on it");
        let peer = stream.0;
        self.step(
            node,
            match item {
                Item::Accept(protocol) => Input::Accepted {
                    peer,
                    stream,
                    protocol,
                },
                Item::Message(message) => Input::Message { stream, message },
                Item::Ended(reason) => Input::Ended { stream, reason },
            },
        )
    }

    fn cut(&mut self, stream: usize, kept: [usize; 2], reason: Reason, told: bool) {
        let count = self.wires.len();
        let Some(wire) = self.wires.values_mut().nth(stream % count.max(1)) else {
            return;
        };
        for (way, kept) in wire.ways.iter_mut().zip(kept) {
            way.truncate(kept);
        }
        wire.ways[1].push_back(Item::Ended(reason));
        wire.ways[0].extend(told.then_some(Item::Ended(reason)));
        wire.cut = true;
    }

    fn restart(&mut self, node: u8, kept: usize) -> Verdict {
        let how = self.how;
        let computer = self.computer(node);
        let kept = kept % (computer.unsynced.len() + 1);
        for write in computer.unsynced.drain(..).take(kept) {
            computer.durable.apply(&write);
        }
        computer.state = State::new(settings(node, how), computer.durable.clone());
        computer.retry = true;
        self.opens.retain(|(opener, ..)| *opener != node);
        self.timers.retain(|(owner, _)| *owner != node);
        for link in self.plan.clone() {
            if link.0 == node || link.1 == node {
                self.unlink(link)?;
            }
        }
        Ok(())
    }

    fn unlink(&mut self, link: (u8, u8)) -> Verdict {
        if !self.links.remove(&link) {
            return Ok(());
        }
        self.wires
            .retain(|stream, wire| !joins(link, stream.0, wire.acceptor));
        for (node, peer) in [link, (link.1, link.0)] {
            self.step(node, Input::Disconnected { peer })?;
        }
        Ok(())
    }

    fn link(&mut self, link: (u8, u8)) -> Verdict {
        if !self.links.insert(link) {
            return Ok(());
        }
        self.change(link.0)?;
        self.change(link.1)
    }

    fn change(&mut self, node: u8) -> Verdict {
        let others = 0..self.computers.len() as u8;
        let peers = others.filter(|other| self.are_linked(node, *other));
        let peers = peers.map(|peer| Neighbour { peer, order: 5 }).collect();
        let computer = self.computer(node);
        computer.retry = false;
        let depth = computer.depth;
        self.step(node, Input::Change { depth, peers })
    }

    /// One step of a node, and what it wants done.
    fn step(&mut self, node: u8, input: Input<Net>) -> Verdict {
        let mut outputs = Vec::new();
        self.computer(node).state.step(input, &mut outputs);
        for output in outputs {
            self.carry_out(node, output)?;
        }
        self.check(node)
    }

    fn carry_out(&mut self, node: u8, output: Output<Net>) -> Verdict {
        match output {
            Output::Open { peer, purpose } => self.opens.push((node, peer, purpose)),
            Output::Send { stream, message } => {
                self.check_sent(node, stream, &message)?;
                self.push(node, stream, Item::Message(message));
            }
            Output::Finish { stream } => self.push(node, stream, Item::Ended(Reason::Eof)),
            Output::Reset { stream } => self.push(node, stream, Item::Ended(Reason::Reset)),
            Output::Arm { stream } => {
                self.timers.insert((node, stream));
            }
            Output::Exchanged(exchanged) => self.exchanged.push((node, exchanged)),
            Output::Failed(_) => self.computer(node).retry = true,
            Output::Write(write) => self.computer(node).unsynced.push(write),
            Output::Sync => {
                let computer = self.computer(node);
                for write in computer.unsynced.drain(..) {
                    computer.durable.apply(&write);
                }
            }
            Output::Placed(_) | Output::Deleted(_) | Output::Evicted(_) => {}
            Output::Received { addresses } => {
                let durable = &self.computers[usize::from(node)].durable;
                let all = addresses
                    .iter()
                    .all(|address| is_indexed(durable, *address));
                ensure!(all, "{addresses:?} were received and are not stored");
            }
        }
        Ok(())
    }

    fn push(&mut self, node: u8, stream: Stream, item: Item) {
        let Some(wire) = self.wires.get_mut(&stream).filter(|wire| !wire.cut) else {
            return;
        };
        let way = usize::from(node != stream.0);
        if item == Item::Ended(Reason::Reset) {
            wire.ways[1 - way].clear();
        }
        wire.ways[way].push_back(item);
    }

    fn check_sent(&self, node: u8, stream: Stream, message: &Message<Net>) -> Verdict {
        let computer = &self.computers[usize::from(node)];
        let mut sealed = computer.unsynced.iter();
        let told = sealed.any(|write| !matches!(write, Write::SetIntervals { .. }));
        ensure!(!told, "{node} tells of what is not durable");
        if matches!(message, Message::Want { .. }) {
            let mut running = computer.state.node().exchanges();
            let running = running.find(|(other, _)| **other == stream);
            let wanted = running.map_or(&[][..], |(_, running)| running.exchange.outstanding());
            let known = wanted.iter().find(|address| self.has(node, **address));
            ensure!(known.is_none(), "{node} has {known:?} and wants it");
        }
        Ok(())
    }

    /// What holds at any time.
    fn check(&mut self, node: u8) -> Verdict {
        let computer = &self.computers[usize::from(node)];
        let mut image = computer.durable.clone();
        for write in &computer.unsynced {
            image.apply(write);
        }
        ensure!(
            image == *computer.state.disk(),
            "{node} did not tell its writes"
        );
        for (bin, id, address) in entries(computer.state.disk()) {
            let before = *self.assigned.entry((node, bin, id)).or_insert(address);
            ensure!(
                before == address,
                "number {id} of {node} was assigned twice"
            );
        }
        for ((peer, bin), set) in computer.state.disk().sets() {
            ensure!(set.is_canonical(), "{set:?} is not canonical");
            ensure!(!set.contains(u64::MAX), "the largest number is sealed");
            let numbers = (*peer, *bin, 0)..(*peer, *bin, u64::MAX);
            for ((.., id), address) in self.assigned.range(numbers) {
                let excused = computer.deleted.contains(address)
                    || self.computers[usize::from(*peer)].gone.contains(address)
                    || !is_stamped(*address);
                let missing = set.contains(*id) && !excused && !self.has(node, *address);
                ensure!(
                    !missing,
                    "{node} sealed {id} of {peer} and lacks {address:#x}"
                );
            }
        }
        Ok(())
    }

    /// What holds at rest (10: `eventual_replication`).
    fn check_converged(&self) -> Verdict {
        for (node, peer) in self
            .plan
            .iter()
            .flat_map(|(one, other)| [(*one, *other), (*other, *one)])
        {
            let theirs = self.state(peer).disk();
            let computer = &self.computers[usize::from(node)];
            for (bin, id, address) in entries(theirs).filter(|(bin, ..)| *bin > 0) {
                let excused = computer.deleted.contains(&address) || !is_stamped(address);
                ensure!(
                    excused || self.has(node, address),
                    "{node} lacks {address:#x}, number {id} of {peer} in bin {bin}"
                );
            }
            for bin in 1..3 {
                // A number whose entry went while it was waited for is covered together with the next.
                let survives = theirs.entries(bin).last().map_or(0, |(id, _)| id);
                let mut tracked = computer.state.node().puller().tracked();
                let known = tracked.find(|(other, _)| **other == peer);
                let known = known.and_then(|(_, cursors)| cursors);
                ensure!(known.is_some(), "{node} has no cursors of {peer}");
                let last = known.map_or(0, |cursors| cursors[usize::from(bin)]);
                let last = last.max(survives);
                let mut sets = computer.state.disk().sets();
                let set = sets.find(|(key, _)| **key == (peer, bin));
                let covered = (1..=last).all(|id| set.is_some_and(|(_, set)| set.contains(id)));
                ensure!(covered, "{node} sealed {set:?} of 1..={last} of {peer}");
            }
        }
        Ok(())
    }
}

/// Whether a link is the one between these two.
const fn joins(link: (u8, u8), one: u8, other: u8) -> bool {
    (one == link.0 && other == link.1) || (one == link.1 && other == link.0)
}

fn is_indexed(disk: &Disk<Net>, address: u8) -> bool {
    entries(disk).any(|(.., other)| other == address)
}

/// Bin, number and address of all entries of the pull index.
fn entries(disk: &Disk<Net>) -> impl Iterator<Item = (u8, u64, u8)> + '_ {
    (0..3).flat_map(|bin| {
        disk.entries(bin)
            .map(move |(id, address)| (bin, id, address))
    })
}

/// Anything that may happen to a network.
pub(crate) fn act() -> impl Strategy<Value = Act> {
    let address = || prop_oneof![1 => 0x01_u8..0x03, 4 => 0x11_u8..0x1a, 3 => 0x21_u8..0x26];
    let node = 0..3_u8;
    let mode = prop::sample::select(vec![Mode::Upload, Mode::Upload, Mode::Sync, Mode::Cache]);
    let reasons = vec![
        Reason::Eof,
        Reason::Timeout,
        Reason::Reset,
        Reason::Canceled,
        Reason::Malformed,
    ];
    let reason = prop::sample::select(reasons);
    let failing = prop::sample::select(vec![Failing::Put, Failing::Scan]);
    let which = any::<u16>().prop_map(usize::from);
    prop_oneof![
        12 => (1..40_u8, any::<u64>()).prop_map(|(count, seed)| Act::Run(count, seed)),
        8 => (node.clone(), mode, address()).prop_map(|(n, m, a)| Act::Put(n, m, a)),
        2 => (which.clone(), [0..4_usize, 0..4_usize], reason, any::<bool>())
            .prop_map(|(stream, kept, reason, told)| Act::Cut { stream, kept, reason, told }),
        1 => which.clone().prop_map(Act::Refuse),
        1 => (node.clone(), which.clone()).prop_map(|(n, kept)| Act::Restart(n, kept)),
        1 => which.clone().prop_map(Act::Unlink),
        2 => which.prop_map(Act::Link),
        1 => (node.clone(), address()).prop_map(|(n, a)| Act::Delete(n, a)),
        1 => (node.clone(), address()).prop_map(|(n, a)| Act::Evict(n, a)),
        1 => (node.clone(), failing).prop_map(|(n, f)| Act::Fail(n, f)),
        1 => (node, 0..4_u8).prop_map(|(n, d)| Act::Depth(n, d)),
    ]
}
