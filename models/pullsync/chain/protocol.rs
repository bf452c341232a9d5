//! Pullsync as the cluster model drives it: translation only.

use std::collections::VecDeque;
use std::sync::Arc;

use concord_systems::machine::Machine as _;
use concord_systems::pullsync::store::Failing;
use concord_systems::pullsync::{
    Chunk, Disk, HandlerState, Input, Message, Mode, Neighbour, Output, Protocol as Streams,
    Purpose, Reason, Settings, Small, State, Worker, Write,
};
use serde::{Deserialize, Serialize};

use crate::cluster::{Effect, Event, Protocol, Seen};

use super::history::History;
use super::{forgery, text};

use super::forgery::Forgery;

/// Addresses, chunks and stamps of the model: two bins, of which the second is synced.
pub type Ids = Small<2>;
/// A stream: who opened it, and a number.
pub type Stream = (u8, u32);

/// The bin that is synced.
pub(super) const BIN: u8 = 1;
/// Numbers from here on are those of streams that a client opens at another node.
pub(super) const FOREIGN: u32 = 1 << 29;
/// Set in the numbers of exchanges of live workers.
pub(super) const LIVE: u32 = 1 << 11;
pub(super) const CANCEL: u32 = 1 << 30;
pub(super) const FETCH: u32 = 1 << 31;

/// A chain of nodes: each pulls from the one before it, and the first from nobody.
#[derive(Clone, Debug)]
pub struct Chain {
    /// What never changes of each node.
    pub settings: Vec<Arc<Settings<Ids>>>,
    /// What nodes hold when they are first started.
    pub held: Vec<(usize, Mode, Chunk<Ids>)>,
    /// What may arrive in place of a message.
    pub forgeries: &'static [Forgery],
    /// The properties that are claimed: those that some variant violates.
    pub claimed: Vec<&'static str>,
    /// Whether liveness is judged under fairness.
    pub fair: bool,
}

/// A node of the chain: the core, and what its driver knows of connections.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Member {
    /// The core.
    pub core: State<Ids>,
    life: u8,
    /// Exchanges and fetches begun or failed, modulo 4: numbers of streams are not used again while
    /// somebody may remember them.
    failures: u8,
    fetches: u8,
    /// Whether the node that it pulls from is among its neighbours.
    pub listed: bool,
    /// Whether the next stream cannot be opened.
    unreachable: bool,
    /// In which life it knows each node to be.
    lives: Vec<Option<u8>>,
}

/// What travels.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Packet {
    /// The sender, and its life.
    from: (u8, u8),
    /// Life of the receiver as the sender knows it.
    to: Option<u8>,
    /// What it is.
    pub body: Body,
}

/// What a packet is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A node that was started again connects: all former streams with it are gone.
    Connected,
    /// What a node sends on one stream in one step.
    Part(Part),
}

/// What a node sends on one stream in one step.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Part {
    /// The stream.
    pub stream: Stream,
    /// Which kind of stream it opens.
    pub opens: Option<Streams>,
    /// Messages in order.
    pub messages: Vec<Message<Ids>>,
    /// What follows them.
    pub end: End,
}

/// What follows the messages of a packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The stream stays open.
    Open,
    /// The sender closes its direction.
    Finished,
    /// The sender resets the stream.
    Reset,
    /// The connection cuts it: both sides learn of a reset.
    Cut,
}

/// What a client asks of its node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Puts a chunk.
    Put(Mode, Chunk<Ids>),
    /// Collects a chunk.
    Delete(u8),
    /// Evicts a chunk that was synced.
    Evict(u8),
    /// The deadline of the exchange of a worker passes.
    Expire(Worker),
    /// The node that this one pulls from leaves its neighbourhood.
    Drop,
    /// And returns.
    Return,
    /// The next put or scan of the storage fails.
    Refuse(Failing),
    /// The next stream cannot be opened.
    Unreachable,
    /// The core is closed; the node goes on to run.
    Close,
    /// Asks another node for a range, as some peer may do that is no puller here.
    Ask {
        /// The node asked.
        to: u8,
        /// Tells this stream from others.
        nth: u8,
        /// The ruid.
        ruid: u32,
        /// The bin.
        bin: i32,
        /// Start of the range.
        from: u64,
        /// End of the range.
        until: u64,
    },
}

/// What a node does of itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// It looks at its topology again: failed workers and fetches are begun anew.
    Retry,
    /// The idle timer of a handler fires.
    Idle(Stream),
}

/// What a step sends, by stream, in order of the first message of each.
struct Batch<'a> {
    effects: &'a mut Vec<Effect<Chain>>,
    parts: Vec<Part>,
}

impl Batch<'_> {
    fn part(&mut self, stream: Stream) -> &mut Part {
        let at = self.parts.iter().position(|part| part.stream == stream);
        let at = at.unwrap_or_else(|| {
            self.parts.push(Part {
                stream,
                opens: None,
                messages: Vec::new(),
                end: End::Open,
            });
            self.parts.len() - 1
        });
        &mut self.parts[at]
    }
}

impl Member {
    fn me(&self) -> u8 {
        self.core.node().settings().overlay
    }

    /// The node that this one pulls from.
    fn source(&self) -> Option<u8> {
        self.me().checked_sub(1)
    }

    /// The topology as it is now.
    fn topology(&self) -> Input<Ids> {
        let source = self.source().filter(|_| self.listed);
        let peers = source.map(|peer| Neighbour { peer, order: BIN });
        Input::Change {
            depth: BIN,
            peers: peers.into_iter().collect(),
        }
    }

    /// Opens a stream.
    fn open(&mut self, peer: u8, purpose: Purpose, batch: &mut Batch<'_>) -> Input<Ids> {
        if std::mem::take(&mut self.unreachable) {
            return Input::Unopened { peer, purpose };
        }
        let life = u32::from(self.life % 4) << 16;
        let number = match purpose {
            Purpose::Fetch => {
                self.fetches = (self.fetches + 1) % 4;
                FETCH | life | u32::from(self.fetches)
            }
            Purpose::Cancel { ruid } => CANCEL | ruid,
            Purpose::Pull { worker, range, .. } => {
                let failures = u32::from(self.failures) << 12;
                let live = match worker {
                    Worker::Hist => 0,
                    Worker::Live => LIVE,
                };
                life | failures | live | range.from.min(2047) as u32
            }
        };
        let stream = (self.me(), number);
        batch.part(stream).opens = Some(purpose.protocol());
        Input::Opened {
            peer,
            purpose,
            stream,
            ruid: number,
        }
    }

    /// Steps the core, opens the streams it asks for, and collects what it wants done.
    fn drive(&mut self, input: Input<Ids>, batch: &mut Batch<'_>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut outputs = Vec::new();
            self.core.step(input, &mut outputs);
            for output in outputs {
                match output {
                    Output::Open { peer, purpose } => {
                        inputs.push_back(self.open(peer, purpose, batch));
                    }
                    Output::Send { stream, message } => batch.part(stream).messages.push(message),
                    Output::Finish { stream } => batch.part(stream).end = End::Finished,
                    Output::Reset { stream } => batch.part(stream).end = End::Reset,
                    Output::Write(write) => batch.effects.push(Effect::Write(write)),
                    Output::Sync => batch.effects.push(Effect::Sync),
                    Output::Exchanged(exchanged) if exchanged.result.is_err() => {
                        self.failures = (self.failures + 1) % 4;
                    }
                    Output::Arm { .. }
                    | Output::Placed(_)
                    | Output::Deleted(_)
                    | Output::Evicted(_)
                    | Output::Received { .. }
                    | Output::Exchanged(_)
                    | Output::Failed(_) => {}
                }
            }
        }
    }

    /// Takes in what arrives on a stream.
    fn take(&mut self, from: u8, part: Part, batch: &mut Batch<'_>) {
        let Part {
            stream,
            opens,
            messages,
            end,
        } = part;
        let mut known = self.core.node().expects(&stream).is_some();
        if let Some(protocol) = opens {
            known = end != End::Cut || !messages.is_empty();
            if known {
                self.drive(
                    Input::Accepted {
                        peer: from,
                        stream,
                        protocol,
                    },
                    batch,
                );
            }
        }
        if !known && !messages.is_empty() {
            batch.part(stream).end = End::Reset;
        }
        for message in messages {
            self.drive(Input::Message { stream, message }, batch);
        }
        let reason = match end {
            End::Open => return,
            End::Finished => Reason::Eof,
            End::Reset | End::Cut => Reason::Reset,
        };
        if end == End::Cut {
            batch.part(stream).end = End::Reset;
        }
        // Who collects a page does not read: only a cancel reaches it.
        if !self.collects(&stream) {
            self.drive(Input::Ended { stream, reason }, batch);
        }
    }

    fn collects(&self, stream: &Stream) -> bool {
        let handler = self.core.node().server().handler(stream);
        handler.is_some_and(|handler| matches!(handler.state, HandlerState::Waiting { .. }))
    }

    fn reconnect(&mut self, peer: u8, batch: &mut Batch<'_>) {
        self.drive(Input::Disconnected { peer }, batch);
        if self.source() == Some(peer) && self.listed {
            self.listed = false;
            self.drive(self.topology(), batch);
            self.listed = true;
            self.drive(self.topology(), batch);
        }
    }

    /// The stream of the own exchange of a worker.
    pub(super) fn exchange_of(&self, worker: Worker) -> Option<Stream> {
        let mut exchanges = self.core.node().exchanges();
        let found = exchanges.find(|(_, running)| running.worker == worker);
        found.map(|(stream, _)| *stream)
    }

    fn call(&mut self, call: Call, batch: &mut Batch<'_>) {
        let input = match call {
            Call::Put(mode, chunk) => Input::Put {
                mode,
                chunks: vec![chunk],
            },
            Call::Delete(address) => Input::Delete { address },
            Call::Evict(address) => Input::Evict {
                addresses: vec![address],
            },
            Call::Expire(worker) => {
                let stream = self.exchange_of(worker);
                Input::Ended {
                    stream: stream.expect("calls that are not possible are not made"),
                    reason: Reason::Timeout,
                }
            }
            Call::Drop | Call::Return => {
                self.listed = call == Call::Return;
                self.topology()
            }
            Call::Refuse(failing) => {
                self.core.fail_next(failing);
                return;
            }
            Call::Unreachable => {
                self.unreachable = true;
                return;
            }
            Call::Close => Input::Close,
            Call::Ask {
                to,
                nth,
                ruid,
                bin,
                from,
                until,
            } => {
                let part = Part {
                    stream: (self.me(), FOREIGN | u32::from(nth)),
                    opens: Some(Streams::Pullsync),
                    messages: vec![
                        Message::Ruid { ruid },
                        Message::GetRange {
                            bin,
                            from,
                            to: until,
                        },
                    ],
                    end: End::Open,
                };
                batch.effects.push(self.send(to, Body::Part(part)));
                return;
            }
        };
        self.drive(input, batch);
    }

    fn send(&self, to: u8, body: Body) -> Effect<Chain> {
        Effect::Send {
            to: usize::from(to),
            message: Packet {
                from: (self.me(), self.life),
                to: self.lives[usize::from(to)],
                body,
            },
        }
    }

    /// Sends what was collected.
    fn flush(&self, parts: Vec<Part>, effects: &mut Vec<Effect<Chain>>) {
        let me = self.me();
        for part in parts {
            let (opener, _) = part.stream;
            // Who opened a stream and has all it wanted is not waited for, nor is anybody who cancelled.
            let ends = part.messages.is_empty() && part.end != End::Reset;
            let cancels = part.stream.1 & (FETCH | CANCEL) == CANCEL;
            let done = ends && (opener == me || cancels);
            let to = match opener == me {
                true => self.source(),
                false => Some(opener),
            };
            if let Some(to) = to.filter(|_| !done) {
                effects.push(self.send(to, Body::Part(part)));
            }
        }
    }

    /// Whether a packet was sent on a connection that is gone.
    fn is_stale(&self, from: usize, packet: &Packet) -> bool {
        packet.to.is_some_and(|life| life < self.life)
            || self.lives[from].is_some_and(|life| packet.from.1 < life)
    }
}

impl Protocol for Chain {
    type Machine = Member;
    type Disk = Disk<Ids>;
    type Write = Write<Ids>;
    type Message = Packet;
    type Call = Call;
    type Reply = ();
    type Query = ();
    type Answer = ();
    type Tick = Tick;
    type Ghost = History;

    fn blank(&self, node: usize) -> Disk<Ids> {
        let settings = &self.settings[node];
        let mut disk = Disk::new(settings.overlay, settings.strategies);
        for (_, mode, chunk) in self.held.iter().filter(|(holder, ..)| *holder == node) {
            disk.apply(&Write::Put {
                mode: *mode,
                chunks: vec![chunk.clone()],
            });
        }
        disk
    }

    fn start(
        &self,
        node: usize,
        life: u8,
        disk: &Disk<Ids>,
        effects: &mut Vec<Effect<Self>>,
    ) -> Member {
        let settings = Arc::clone(&self.settings[node]);
        let known = (life == 0).then_some(0);
        let mut member = Member {
            core: State::new(settings, disk.clone()),
            life,
            failures: 0,
            fetches: 0,
            listed: true,
            unreachable: false,
            lives: vec![known; self.settings.len()],
        };
        if life > 0 {
            let neighbours = [node.checked_sub(1), Some(node + 1)].into_iter().flatten();
            for to in neighbours.filter(|to| *to < self.settings.len()) {
                effects.push(member.send(to as u8, Body::Connected));
            }
        }
        self.collected(&mut member, effects, |member, batch| {
            member.drive(member.topology(), batch);
        });
        member
    }

    fn disk<'a>(&self, member: &'a Member) -> &'a Disk<Ids> {
        member.core.disk()
    }

    fn apply(&self, disk: &mut Disk<Ids>, write: &Write<Ids>) {
        disk.apply(write);
    }

    fn step(&self, member: &mut Member, event: Event<Self>, effects: &mut Vec<Effect<Self>>) {
        match event {
            Event::Call { token, call } => {
                self.collected(member, effects, |member, batch| member.call(call, batch));
                effects.push(Effect::Reply { token, reply: () });
            }
            Event::Deliver { from, message } if member.is_stale(from, &message) => {}
            Event::Deliver { from, message } => {
                member.lives[from] = Some(message.from.1);
                self.collected(member, effects, |member, batch| match message.body {
                    Body::Connected => member.reconnect(from as u8, batch),
                    Body::Part(part) => member.take(from as u8, part, batch),
                });
            }
            Event::Tick(tick) => self.collected(member, effects, |member, batch| {
                let input = match tick {
                    Tick::Retry => member.topology(),
                    Tick::Idle(stream) => Input::Idle { stream },
                };
                member.drive(input, batch);
            }),
            Event::Close => {
                self.collected(member, effects, |member, batch| {
                    member.drive(Input::Close, batch);
                });
            }
            Event::Answered { .. } | Event::Published { .. } => {
                unreachable!("nothing is asked or published")
            }
        }
    }

    fn ready(&self, member: &Member, packet: &Packet) -> bool {
        // A later life is heard of once it has connected.
        let (sender, life) = packet.from;
        let known = member.lives[usize::from(sender)];
        matches!(packet.body, Body::Connected) || known.is_none_or(|known| life <= known)
    }

    fn lane(&self, packet: &Packet) -> u64 {
        match &packet.body {
            Body::Connected => 0,
            Body::Part(part) => 1 + (u64::from(part.stream.0) << 32 | u64::from(part.stream.1)),
        }
    }

    fn may_lose(&self, packet: &Packet) -> bool {
        matches!(
            &packet.body,
            Body::Part(Part {
                opens: Some(Streams::Cancel),
                ..
            })
        )
    }

    fn damages(&self, packet: &Packet) -> Vec<Packet> {
        match &packet.body {
            Body::Connected => Vec::new(),
            Body::Part(part) => {
                let parts = self
                    .forgeries
                    .iter()
                    .flat_map(|kind| forgery::of(*kind, part));
                parts
                    .map(|part| Packet {
                        body: Body::Part(part),
                        ..packet.clone()
                    })
                    .collect()
            }
        }
    }

    fn damage_name(&self, packet: &Packet) -> &'static str {
        match &packet.body {
            Body::Part(Part { end: End::Cut, .. }) => "cut",
            Body::Part(_) | Body::Connected => "forge",
        }
    }

    fn damage_names(&self) -> Vec<&'static str> {
        let cuts = self.forgeries.contains(&Forgery::Cut);
        let forges = self.forgeries.iter().any(|kind| *kind != Forgery::Cut);
        let names = [cuts.then_some("cut"), forges.then_some("forge")];
        names.into_iter().flatten().collect()
    }

    fn may_call(&self, member: &Member, call: &Call) -> bool {
        let disk = member.core.disk();
        match call {
            Call::Delete(address) | Call::Evict(address) => disk.held().any(|held| held == address),
            Call::Expire(worker) => member.exchange_of(*worker).is_some(),
            Call::Drop => member.listed,
            Call::Return => !member.listed,
            Call::Refuse(Failing::Put) => {
                let mut exchanges = member.core.node().exchanges();
                exchanges.any(|(_, running)| running.exchange.is_delivering())
            }
            Call::Put(..)
            | Call::Refuse(Failing::Scan)
            | Call::Unreachable
            | Call::Close
            | Call::Ask { .. } => true,
        }
    }

    fn ticks(&self, member: &Member) -> Vec<Tick> {
        let node = member.core.node();
        let mut ticks = Vec::new();
        if member.source().is_some() && !node.server().is_closed() {
            ticks.push(Tick::Retry);
        }
        for (stream, handler) in node.server().handlers() {
            if let HandlerState::Waiting { found, .. } = handler.state
                && found > 0
            {
                ticks.push(Tick::Idle(*stream));
            }
        }
        ticks
    }

    fn queries(&self, _: &Member) -> Vec<()> {
        Vec::new()
    }

    fn publications(&self, _: &Member) -> Vec<(u32, Packet)> {
        Vec::new()
    }

    fn answer(&self, _: &Member, (): &()) -> Option<()> {
        None
    }

    fn observe(&self, history: &mut History, seen: &Seen<'_, Self>) {
        history.note(self, seen);
    }

    fn write_name(&self, write: &Write<Ids>) -> &'static str {
        match write {
            Write::Put { .. } => "crash_after_put",
            Write::Delete { .. } => "crash_after_delete",
            Write::SetIntervals { .. } => "crash_after_seal",
            Write::RemoveIntervals { .. } => "crash_after_reset",
        }
    }

    fn call_name(&self, call: &Call) -> &'static str {
        match call {
            Call::Put(..) => "put",
            Call::Delete(_) => "delete",
            Call::Evict(_) => "evict",
            Call::Expire(_) => "expire",
            Call::Drop => "drop",
            Call::Return => "return",
            Call::Refuse(_) => "refuse",
            Call::Unreachable => "unreachable",
            Call::Close => "shut_down",
            Call::Ask { .. } => "ask",
        }
    }

    fn tick_name(&self, tick: &Tick) -> &'static str {
        match tick {
            Tick::Retry => "retry",
            Tick::Idle(_) => "idle",
        }
    }

    fn crash_points(&self) -> Vec<&'static str> {
        vec![
            "crash_after_put",
            "crash_after_delete",
            "crash_after_seal",
            "crash_after_reset",
        ]
    }

    fn tick_names(&self) -> Vec<&'static str> {
        vec!["retry", "idle"]
    }

    fn has_queries(&self) -> bool {
        false
    }

    fn has_publications(&self) -> bool {
        false
    }

    fn message_text(&self, packet: &Packet) -> String {
        text::packet(packet)
    }

    fn call_text(&self, call: &Call) -> String {
        text::call(call)
    }

    fn tick_text(&self, tick: &Tick) -> String {
        match tick {
            Tick::Retry => "retry".to_owned(),
            Tick::Idle(stream) => format!("idle timer of {}", text::stream(*stream)),
        }
    }

    fn bounds(&self) -> Vec<(&'static str, serde_json::Value)> {
        let kinds = self.forgeries.iter().map(|kind| kind.name());
        vec![
            ("max_page", self.settings[0].max_page.into()),
            ("chunks_at_start", self.held.len().into()),
            ("may_arrive_instead", kinds.collect::<Vec<_>>().into()),
        ]
    }

    fn heap_bytes(&self, member: &Member) -> usize {
        512 + 64 * member.core.disk().held().count()
    }
}

impl Chain {
    /// Lets a member do something, and sends what it wants sent.
    fn collected(
        &self,
        member: &mut Member,
        effects: &mut Vec<Effect<Self>>,
        act: impl FnOnce(&mut Member, &mut Batch<'_>),
    ) {
        let mut batch = Batch {
            effects,
            parts: Vec::new(),
        };
        act(member, &mut batch);
        let parts = batch.parts;
        member.flush(parts, effects);
    }
}
