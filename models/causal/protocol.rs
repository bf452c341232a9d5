//! Causal as the cluster model drives it: translation only.

use std::sync::Arc;

use bytes::Bytes;
use concord_systems::causal::{
    self, Change, Disk, Input, LogName, Node, Output, Profile, Request, Settings, State, framed,
};
use concord_systems::machine::Machine as _;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::cluster::{Effect, Event, Protocol, Seen};

use super::history::History;
use super::{records, text};

/// Causal on a cluster.
#[derive(Clone, Debug)]
pub struct Causal {
    /// What never changes of each node.
    pub settings: Vec<Arc<Settings>>,
    /// When nodes apply what they received.
    pub applies: Applies,
    /// Whether liveness is judged under fairness.
    pub fair: bool,
}

/// When nodes apply what they received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applies {
    /// By an action of its own, at any time.
    Anytime,
    /// Within the step that stored it, after its confirmation; by an action of its own after a
    /// recovery. Crashes still come between.
    AtOnce,
}

/// What a client asks of its node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Submits.
    Submit(Request),
    /// Somebody who is no member sends these bytes to the node's port.
    Stranger(Wire),
}

/// Bytes that travel, in hex where they are written down.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Wire(pub Bytes);

/// What two nodes send each other on one connection. Which transfer a confirmation belongs to is
/// known to the connection, and noted here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packet {
    /// A transfer (6.3).
    Transfer {
        /// The last of the sender's messages in it.
        upto: u64,
        /// Its bytes.
        wire: Wire,
    },
    /// A confirmed transfer.
    Stored {
        /// The last of the receiver's messages in it.
        upto: u64,
    },
}

/// What a node does of itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// Transfers what a peer has not confirmed.
    Flush(Node),
    /// Delivers what can be delivered.
    Apply,
}

/// A write with the crash point after it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Durable {
    /// The write.
    pub write: causal::Write,
    /// The crash point (6.5).
    point: Point,
}

/// Which operation a write belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum During {
    Submit,
    Receive,
    Apply,
    Ack,
    Recovery,
    Other,
}

/// Crash points in the midst of a step, as 6.5 names them; `idle` is a crash at rest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
enum Point {
    SendTorn,
    SendAfterLog,
    SendAfterState,
    ReceiveTorn,
    ReceiveAfterLog,
    ApplyBeforeState,
    ApplyAfterState,
    AckBeforeTruncate,
    AckAfterTruncate,
    InRecovery,
    Faulty,
}

impl Point {
    const ALL: [Self; 11] = [
        Self::SendTorn,
        Self::SendAfterLog,
        Self::SendAfterState,
        Self::ReceiveTorn,
        Self::ReceiveAfterLog,
        Self::ApplyBeforeState,
        Self::ApplyAfterState,
        Self::AckBeforeTruncate,
        Self::AckAfterTruncate,
        Self::InRecovery,
        Self::Faulty,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::SendTorn => "crash_send_torn",
            Self::SendAfterLog => "crash_send_after_log",
            Self::SendAfterState => "crash_send_after_state",
            Self::ReceiveTorn => "crash_receive_torn",
            Self::ReceiveAfterLog => "crash_receive_after_log",
            Self::ApplyBeforeState => "crash_apply_before_state",
            Self::ApplyAfterState => "crash_apply_after_state",
            Self::AckBeforeTruncate => "crash_ack_before_truncate",
            Self::AckAfterTruncate => "crash_ack_after_truncate",
            Self::InRecovery => "crash_in_recovery",
            Self::Faulty => "crash_between_faulty_writes",
        }
    }

    /// The point after a whole write; appends have one before their last byte, too.
    fn after(during: During, write: &causal::Write) -> Self {
        use causal::Write;
        match (during, write) {
            (During::Recovery, _) => Self::InRecovery,
            (During::Submit, Write::Append { .. }) => Self::SendAfterLog,
            (During::Submit, Write::Change(Change::Delivered(_))) => Self::SendAfterState,
            (During::Receive, Write::Append { .. }) => Self::ReceiveAfterLog,
            (During::Apply, Write::Change(Change::Delivered(_))) => Self::ApplyAfterState,
            (During::Apply, Write::Purge { .. }) => Self::ApplyBeforeState,
            (During::Ack, Write::Change(Change::Cursor { .. })) => Self::AckBeforeTruncate,
            (During::Ack, Write::Truncate { .. }) => Self::AckAfterTruncate,
            _ => Self::Faulty,
        }
    }
}

impl Causal {
    /// The profile of the group.
    pub fn profile(&self) -> Profile {
        self.settings[0].profile
    }

    /// Steps the core and carries out what it asks for.
    fn drive(
        &self,
        machine: &mut State,
        during: During,
        input: Input,
        effects: &mut Vec<Effect<Self>>,
        mut answer: impl FnMut(Output, &mut Vec<Effect<Self>>),
    ) {
        let mut outputs = Vec::new();
        machine.step(input, &mut outputs);
        for output in outputs {
            match output {
                Output::Write(write) => self.write(during, write, effects),
                Output::Sync => effects.push(Effect::Sync),
                output => answer(output, effects),
            }
        }
    }

    /// The first connection of a flush that ends with the message `upto`. Text: one message per
    /// connection, and the next one once it is confirmed.
    fn transfer(&self, wire: Bytes, upto: u64) -> Packet {
        let settings = &self.settings[0];
        let records = records::of_wire(settings.profile, &wire);
        let last = records
            .last()
            .and_then(|record| records::decoded(settings, record));
        Packet::Transfer {
            upto: last.map_or(upto, |message| message.seq()),
            wire: Wire(wire),
        }
    }

    /// Applies what is received.
    fn run(&self, machine: &mut State, effects: &mut Vec<Effect<Self>>) {
        let input = Input::Apply { limit: None };
        self.drive(machine, During::Apply, input, effects, |_, _| {});
    }

    /// A crash may tear an append: it is cut into pieces after its first byte, before its last one
    /// and between records. Other lengths leave nothing else.
    fn write(&self, during: During, write: causal::Write, effects: &mut Vec<Effect<Self>>) {
        let point = Point::after(during, &write);
        let torn = match point {
            Point::SendAfterLog => Point::SendTorn,
            Point::ReceiveAfterLog => Point::ReceiveTorn,
            _ => {
                effects.push(Effect::Write(Durable { write, point }));
                return;
            }
        };
        let causal::Write::Append { log, bytes } = write else {
            unreachable!("only appends can be torn");
        };
        let mut done = 0;
        for cut in self.cuts(&bytes) {
            effects.push(append(log, bytes.slice(done..cut), torn));
            done = cut;
        }
        effects.push(append(log, bytes.slice(done..), point));
    }

    /// Where a crash may tear an append.
    fn cuts(&self, bytes: &[u8]) -> Vec<usize> {
        let last = bytes.len() - 1;
        let mut cuts = vec![1, last];
        if self.profile() == Profile::Framed {
            let mut border = 0;
            while let Ok((_, length)) = framed::first_frame(&bytes[border..]) {
                border += length;
                cuts.push(border);
                if border >= bytes.len() {
                    break;
                }
            }
        }
        cuts.retain(|cut| (1..=last).contains(cut));
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }
}

fn append(log: LogName, bytes: Bytes, point: Point) -> Effect<Causal> {
    let write = causal::Write::Append { log, bytes };
    Effect::Write(Durable { write, point })
}

impl Protocol for Causal {
    type Machine = State;
    type Disk = Disk;
    type Write = Durable;
    type Message = Packet;
    type Call = Call;
    type Reply = bool;
    type Query = ();
    type Answer = ();
    type Tick = Tick;
    type Ghost = History;

    fn blank(&self, node: usize) -> Disk {
        Disk::new(&self.settings[node])
    }

    fn start(&self, node: usize, _: u8, disk: &Disk, effects: &mut Vec<Effect<Self>>) -> State {
        let mut outputs = Vec::new();
        let settings = Arc::clone(&self.settings[node]);
        let recovered = State::recover(settings, disk.clone(), &mut outputs);
        for output in outputs {
            match output {
                Output::Write(write) => self.write(During::Recovery, write, effects),
                _ => effects.push(Effect::Sync),
            }
        }
        let (state, _) = recovered.expect("a node reads what it wrote, or starts dead");
        state
    }

    fn disk<'a>(&self, machine: &'a State) -> &'a Disk {
        machine.disk()
    }

    fn apply(&self, disk: &mut Disk, durable: &Durable) {
        disk.apply(&durable.write, &self.settings[0]);
    }

    fn step(&self, machine: &mut State, event: Event<Self>, effects: &mut Vec<Effect<Self>>) {
        match event {
            Event::Call { token, call } => {
                let (during, input) = match call {
                    Call::Submit(request) => (During::Submit, Input::Submit(request)),
                    Call::Stranger(wire) => (During::Receive, Input::Receive { wire: wire.0 }),
                };
                self.drive(machine, during, input, effects, |output, effects| {
                    let reply =
                        matches!(output, Output::Submitted(Ok(_)) | Output::Received(Ok(_)));
                    effects.push(Effect::Reply { token, reply });
                });
            }
            Event::Deliver {
                from,
                message: Packet::Transfer { upto, wire },
            } => {
                let input = Input::Receive { wire: wire.0 };
                self.drive(
                    machine,
                    During::Receive,
                    input,
                    effects,
                    |output, effects| {
                        if let Output::Received(Ok(_)) = output {
                            let message = Packet::Stored { upto };
                            effects.push(Effect::Send { to: from, message });
                        }
                    },
                );
                if self.applies == Applies::AtOnce {
                    self.run(machine, effects);
                }
            }
            Event::Deliver {
                from,
                message: Packet::Stored { upto },
            } => {
                let peer = Node(from as u16);
                let input = Input::Ack { peer, seq: upto };
                self.drive(machine, During::Ack, input, effects, |_, _| {});
            }
            Event::Tick(Tick::Flush(peer)) => {
                let input = Input::Flush { peer };
                self.drive(machine, During::Other, input, effects, |output, effects| {
                    let Output::Flushed(Ok(flushed)) = output else {
                        return;
                    };
                    let upto = flushed.upto;
                    if let Some(wire) = flushed.wire.into_iter().next() {
                        let message = self.transfer(wire, upto);
                        let to = peer.index();
                        effects.push(Effect::Send { to, message });
                    }
                });
            }
            Event::Tick(Tick::Apply) => self.run(machine, effects),
            Event::Close => {
                self.drive(machine, During::Other, Input::Shutdown, effects, |_, _| {});
            }
            Event::Answered { .. } | Event::Published { .. } => {
                unreachable!("nothing is asked or published")
            }
        }
    }

    fn ticks(&self, machine: &State) -> Vec<Tick> {
        if machine.halted().is_some() {
            return Vec::new();
        }
        let me = machine.settings().me;
        let own = machine
            .unconfirmed()
            .last()
            .map(|entry| entry.message.seq());
        let cursors = &machine.record().cursors;
        let mut ticks: Vec<Tick> = machine
            .settings()
            .group
            .peers(me)
            .filter(|peer| own.is_some_and(|last| last != cursors.get(*peer)))
            .map(Tick::Flush)
            .collect();
        if machine.received().next().is_some() {
            ticks.push(Tick::Apply);
        }
        ticks
    }

    fn is_timer(&self, tick: &Tick) -> bool {
        matches!(tick, Tick::Flush(_))
    }

    fn queries(&self, _: &State) -> Vec<()> {
        Vec::new()
    }

    fn publications(&self, _: &State) -> Vec<(u32, Packet)> {
        Vec::new()
    }

    fn answer(&self, _: &State, (): &()) -> Option<()> {
        None
    }

    fn observe(&self, history: &mut History, seen: &Seen<'_, Self>) {
        history.note(self, seen);
    }

    fn write_name(&self, durable: &Durable) -> &'static str {
        durable.point.name()
    }

    fn call_name(&self, call: &Call) -> &'static str {
        match call {
            Call::Submit(_) => "submit",
            Call::Stranger(_) => "stranger",
        }
    }

    fn tick_name(&self, tick: &Tick) -> &'static str {
        match tick {
            Tick::Flush(_) => "flush",
            Tick::Apply => "apply",
        }
    }

    fn crash_points(&self) -> Vec<&'static str> {
        Point::ALL.into_iter().map(Point::name).collect()
    }

    fn tick_names(&self) -> Vec<&'static str> {
        vec!["flush", "apply"]
    }

    fn has_queries(&self) -> bool {
        false
    }

    fn has_publications(&self) -> bool {
        false
    }

    fn message_text(&self, packet: &Packet) -> String {
        text::packet(self, packet)
    }

    fn call_text(&self, call: &Call) -> String {
        text::call(call)
    }

    fn tick_text(&self, tick: &Tick) -> String {
        match tick {
            Tick::Flush(peer) => format!("flush for {}", text::name(*peer)),
            Tick::Apply => "apply".to_owned(),
        }
    }

    fn bounds(&self) -> Vec<(&'static str, Value)> {
        let applies = match self.applies {
            Applies::Anytime => "anytime",
            Applies::AtOnce => "at_once",
        };
        vec![("applies", applies.into())]
    }

    fn heap_bytes(&self, machine: &State) -> usize {
        let records = machine.received().chain(machine.unconfirmed());
        records.map(|entry| 96 + entry.record.len()).sum::<usize>() + 256
    }
}

impl Serialize for Wire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        let bytes = HEXLOWER.decode(hex.as_bytes());
        let bytes = bytes.map_err(serde::de::Error::custom)?;
        Ok(Self(bytes.into()))
    }
}
