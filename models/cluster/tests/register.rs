//! A toy: a replicated register that only grows, as a core of its own and as a protocol.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::cluster::{Cause, Effect, Event, Protocol, Seen};

/// When a call is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acknowledge {
    /// By the flush that synced its write.
    AfterSync,
    /// At once, before anything is synced.
    AtOnce,
    /// In the step that writes, before the sync of the same step.
    BeforeSyncOfStep,
}

/// The protocol, with its faults.
#[derive(Debug)]
pub(super) struct Register {
    pub(super) acknowledge: Acknowledge,
    /// Whether a timer announces the value again and again.
    pub(super) repeats: bool,
    /// Whether a node that looks for content takes in no further announcement.
    pub(super) one_at_a_time: bool,
    /// Whether a call announces by plain messages instead of a publication.
    pub(super) plain: bool,
    /// Breaks the contract of a protocol: its image changes without a write.
    pub(super) forgets_to_write: bool,
}

impl Register {
    pub(super) const CORRECT: Self = Self {
        acknowledge: Acknowledge::AfterSync,
        repeats: true,
        one_at_a_time: false,
        plain: false,
        forgets_to_write: false,
    };
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, Serialize)]
pub(super) struct Image {
    pub(super) value: u8,
    pub(super) lives: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) enum Record {
    Value(u8),
    Life(u8),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Node {
    pub(super) image: Image,
    unflushed: Vec<u32>,
    unpublished: BTreeSet<u8>,
    wanted: BTreeSet<u8>,
    /// Values announced to this node, in order of arrival; only without repetition.
    pub(super) heard: Vec<u8>,
}

/// Only the content's address travels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Announce(pub(super) u8);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Timer {
    Flush,
    Announce,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, Serialize)]
pub(super) struct History {
    /// Highest acknowledged value of each node since its last loss of data.
    pub(super) acknowledged: [u8; 3],
    pub(super) abandoned: Vec<u32>,
    pub(super) damaged: bool,
}

type Effects = Vec<Effect<Register>>;

impl Register {
    fn set(&self, node: &mut Node, token: u32, value: u8, effects: &mut Effects) {
        if value > node.image.value {
            node.image.value = value;
            if !self.forgets_to_write {
                effects.push(Effect::Write(Record::Value(value)));
            }
        }
        let reply = Effect::Reply { token, reply: () };
        match self.acknowledge {
            Acknowledge::AfterSync => {
                node.unflushed.push(token);
                return;
            }
            Acknowledge::AtOnce => effects.push(reply),
            Acknowledge::BeforeSyncOfStep => effects.extend([reply, Effect::Sync]),
        }
        self.announce(node, effects);
    }

    fn announce(&self, node: &mut Node, effects: &mut Effects) {
        if self.plain {
            effects.push(Effect::Broadcast(Announce(node.image.value)));
        } else {
            node.unpublished.insert(node.image.value);
        }
    }
}

impl Protocol for Register {
    type Machine = Node;
    type Disk = Image;
    type Write = Record;
    type Message = Announce;
    type Call = u8;
    type Reply = ();
    type Query = u8;
    type Answer = u8;
    type Tick = Timer;
    type Ghost = History;

    fn blank(&self, _: usize) -> Image {
        Image::default()
    }

    fn start(&self, _node: usize, life: u8, disk: &Image, effects: &mut Effects) -> Node {
        let mut image = disk.clone();
        image.lives = life + 1;
        effects.extend([Effect::Write(Record::Life(life + 1)), Effect::Sync]);
        Node {
            image,
            unflushed: Vec::new(),
            unpublished: BTreeSet::new(),
            wanted: BTreeSet::new(),
            heard: Vec::new(),
        }
    }

    fn disk<'a>(&self, machine: &'a Node) -> &'a Image {
        &machine.image
    }

    fn apply(&self, disk: &mut Image, write: &Record) {
        match write {
            Record::Value(value) => disk.value = *value,
            Record::Life(lives) => disk.lives = *lives,
        }
    }

    fn step(&self, node: &mut Node, event: Event<Self>, effects: &mut Effects) {
        match event {
            Event::Call { token, call } => self.set(node, token, call, effects),
            Event::Deliver { message, .. } => {
                if message.0 > node.image.value {
                    node.wanted.insert(message.0);
                }
                if !self.repeats {
                    node.heard.push(message.0);
                }
            }
            Event::Answered { query, answer } => {
                node.wanted.remove(&query);
                if answer == Some(query) && query > node.image.value {
                    node.image.value = query;
                    effects.extend([Effect::Write(Record::Value(query)), Effect::Sync]);
                }
            }
            Event::Published { ticket, .. } => {
                node.unpublished.remove(&(ticket as u8));
            }
            Event::Tick(Timer::Flush) => {
                effects.push(Effect::Sync);
                for token in std::mem::take(&mut node.unflushed) {
                    effects.push(Effect::Reply { token, reply: () });
                }
                self.announce(node, effects);
            }
            Event::Tick(Timer::Announce) => {
                effects.push(Effect::Broadcast(Announce(node.image.value)));
            }
            Event::Close => effects.push(Effect::Sync),
        }
    }

    fn ready(&self, node: &Node, _message: &Announce) -> bool {
        !self.one_at_a_time || node.wanted.is_empty()
    }

    fn ticks(&self, node: &Node) -> Vec<Timer> {
        let flush = !node.unflushed.is_empty();
        let announce = self.repeats && node.image.value > 0;
        let timers = [(flush, Timer::Flush), (announce, Timer::Announce)];
        timers
            .into_iter()
            .filter_map(|(on, timer)| on.then_some(timer))
            .collect()
    }

    fn queries(&self, node: &Node) -> Vec<u8> {
        node.wanted.iter().copied().collect()
    }

    fn publications(&self, node: &Node) -> Vec<(u32, Announce)> {
        let values = node.unpublished.iter();
        values.map(|v| (u32::from(*v), Announce(*v))).collect()
    }

    fn answer(&self, node: &Node, query: &u8) -> Option<u8> {
        (node.image.value == *query).then_some(*query)
    }

    fn corrupt(&self, answer: u8) -> Option<u8> {
        Some(answer + 100)
    }

    fn observe(&self, ghost: &mut History, seen: &Seen<'_, Self>) {
        for effect in seen.effects {
            if let (Effect::Reply { .. }, Some(before)) = (effect, seen.before) {
                let value = match seen.cause {
                    Cause::Event(Event::Call { call, .. }) => before.image.value.max(*call),
                    _ => before.image.value,
                };
                ghost.acknowledged[seen.node] = value;
            }
        }
        match seen.cause {
            Cause::DataLoss => ghost.acknowledged[seen.node] = 0,
            Cause::Event(Event::Answered { answer, .. }) => {
                ghost.damaged |= answer.is_some_and(|answer| answer > 100);
            }
            _ => {}
        }
        ghost.abandoned.extend(seen.abandoned);
    }

    fn write_name(&self, write: &Record) -> &'static str {
        match write {
            Record::Value(_) => "crash_value",
            Record::Life(_) => "crash_life",
        }
    }

    fn call_name(&self, _call: &u8) -> &'static str {
        "set"
    }

    fn tick_name(&self, tick: &Timer) -> &'static str {
        match tick {
            Timer::Flush => "flush",
            Timer::Announce => "announce",
        }
    }

    fn crash_points(&self) -> Vec<&'static str> {
        vec!["crash_value", "crash_life"]
    }

    fn tick_names(&self) -> Vec<&'static str> {
        let mut names = vec!["flush"];
        if self.repeats {
            names.push("announce");
        }
        names
    }

    fn has_publications(&self) -> bool {
        !self.plain
    }

    fn message_text(&self, message: &Announce) -> String {
        format!("{{{}}}", message.0)
    }

    fn call_text(&self, call: &u8) -> String {
        format!("set {call}")
    }
}
