//! Random histories of a group, with crashes, and what must hold in all of them (8).

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use bytes::Bytes;
use concord::systems::causal::{
    Change, Disk, FramedRequest, Input, Message, Name, Node, Output, Profile, Request, State,
    Strategies, TextRequest, Write,
};
use concord::systems::machine::Machine as _;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::driver::{Replica, group, opaque, transfer};

/// What happens next. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Do(Op),
    /// A node crashes in the middle of an operation and recovers.
    Crash {
        during: Op,
        /// So many of its writes are durable.
        writes: usize,
        /// So many bytes of the next one are, if it is an append.
        bytes: usize,
    },
    /// Orderly.
    Restart(usize),
}

/// An operation of one node.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Submit {
        node: usize,
        kind: u8,
        mailbox: u8,
    },
    /// `to` stores something that `from` has not seen confirmed: a lost confirmation repeats it.
    Receive {
        from: usize,
        to: usize,
        which: usize,
    },
    /// `from` learns what `to` has.
    Ack {
        from: usize,
        to: usize,
    },
    /// `to` receives anything that ever travelled to it.
    Repeat {
        to: usize,
        which: usize,
    },
    Apply {
        node: usize,
        limit: u64,
    },
}

/// Words of a language; another prefix is another language, in the same order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) members: [&'static str; 3],
    pub(crate) prefix: &'static str,
    /// Whether bytes of torn writes are counted. They differ from language to language; if not, all
    /// but one byte are durable, or none.
    pub(crate) counts_bytes: bool,
}

pub(crate) const PLAIN: Words = Words {
    members: ["a", "b", "c"],
    prefix: "",
    counts_bytes: true,
};

/// A group in the middle of a history.
#[derive(Clone, Debug)]
pub(crate) struct History {
    profile: Profile,
    words: Words,
    pub(crate) nodes: Vec<Replica>,
    /// What travelled, by receiver.
    travelled: [Vec<Bytes>; 3],
    /// Clocks that follow from the deliveries that are durable.
    clocks: [[u64; 3]; 3],
    /// Records of the messages whose append was complete.
    stamped: BTreeMap<(Node, u64), Bytes>,
    /// Everything that steps gave.
    pub(crate) outputs: Vec<Vec<Output>>,
    submits: u64,
}

pub(crate) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let crash = (op(), 0..8_usize, any::<usize>());
    let crash = crash.prop_map(|(during, writes, bytes)| Act::Crash {
        during,
        writes,
        bytes,
    });
    let act = prop_oneof![
        8 => op().prop_map(Act::Do),
        3 => crash,
        1 => (0..3_usize).prop_map(Act::Restart),
    ];
    vec(act, 0..60)
}

fn op() -> impl Strategy<Value = Op> {
    let node = || 0..3_usize;
    prop_oneof![
        4 => (node(), 0..7_u8, 0..2_u8)
            .prop_map(|(node, kind, mailbox)| Op::Submit { node, kind, mailbox }),
        4 => (node(), 1..3_usize, any::<usize>())
            .prop_map(|(from, far, which)| Op::Receive { from, to: (from + far) % 3, which }),
        2 => (node(), 1..3_usize).prop_map(|(from, far)| Op::Ack { from, to: (from + far) % 3 }),
        1 => (node(), any::<usize>()).prop_map(|(to, which)| Op::Repeat { to, which }),
        3 => (node(), 0..3_u64).prop_map(|(node, limit)| Op::Apply { node, limit }),
    ]
}

impl History {
    pub(crate) fn new(profile: Profile, words: Words) -> Self {
        Self {
            profile,
            words,
            nodes: group(profile, &words.members, Strategies::REFERENCE),
            travelled: Default::default(),
            clocks: [[0; 3]; 3],
            stamped: BTreeMap::new(),
            outputs: Vec::new(),
            submits: 0,
        }
    }

    pub(crate) fn run(profile: Profile, words: Words, acts: &[Act]) -> Self {
        let mut history = Self::new(profile, words);
        for act in acts {
            history.act(act);
        }
        history
    }

    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::Do(op) => {
                if let Some((node, input)) = self.input(op) {
                    let outputs = self.nodes[node].step(input);
                    let writes = outputs.iter().filter_map(Output::as_write).cloned();
                    self.note(node, &writes.collect::<Vec<_>>());
                    self.note_stamps(node);
                    check_order(&outputs);
                    self.outputs.push(outputs);
                }
            }
            Act::Crash {
                during,
                writes,
                bytes,
            } => {
                if let Some((node, input)) = self.input(during) {
                    self.crash(node, input, *writes, *bytes);
                }
            }
            Act::Restart(node) => {
                self.nodes[*node].step(Input::Shutdown);
                self.recover(*node);
            }
        }
    }

    fn crash(&mut self, node: usize, input: Input, writes: usize, bytes: usize) {
        let mut outputs = Vec::new();
        let replica = &mut self.nodes[node];
        replica.state.step(input, &mut outputs);
        let all: Vec<Write> = outputs
            .iter()
            .filter_map(Output::as_write)
            .cloned()
            .collect();
        let mut durable: Vec<Write> = all.iter().take(writes).cloned().collect();
        if let Some(Write::Append { log, bytes: full }) = all.get(writes) {
            let kept = match self.words.counts_bytes {
                true => bytes % full.len(),
                false => (bytes % 2) * (full.len() - 1),
            };
            durable.push(Write::Append {
                log: *log,
                bytes: full.slice(..kept),
            });
        }
        for write in &durable {
            replica.disk.apply(write, &replica.settings);
        }
        self.note(node, &durable);
        self.outputs.push(outputs);
        self.recover(node);
    }

    /// Recovers a node, and shows that it may be interrupted after any write.
    fn recover(&mut self, node: usize) {
        let replica = &mut self.nodes[node];
        let left = replica.disk.clone();
        let mut outputs = Vec::new();
        let recovered = State::recover(replica.settings.clone(), left.clone(), &mut outputs);
        let (state, _) = recovered.expect("the disk is one that a node left");
        let writes: Vec<Write> = outputs
            .iter()
            .filter_map(Output::as_write)
            .cloned()
            .collect();
        for durable in 0..=writes.len() {
            let mut disk = left.clone();
            for write in &writes[..durable] {
                disk.apply(write, &replica.settings);
            }
            let reread = Disk::read(
                &replica.settings,
                Some(disk.record.clone()),
                disk.send_log.bytes(),
                disk.receive_log.bytes(),
            );
            assert_eq!(reread, disk, "a disk is what its files say");
            let (again, _) = Replica::recovered(replica.settings.clone(), reread);
            assert_eq!(again.state, state, "after {durable} of {writes:?}");
            assert!(again.state.received().eq(state.received()));
            assert!(again.state.unconfirmed().eq(state.unconfirmed()));
        }
        replica.restart();
        assert_eq!(replica.state, state);
        self.note(node, &writes);
        self.note_stamps(node);
        self.outputs.push(outputs);
    }

    /// The input of an operation, if there is something to do.
    fn input(&mut self, op: &Op) -> Option<(usize, Input)> {
        match *op {
            Op::Submit {
                node,
                kind,
                mailbox,
            } => {
                self.submits += 1;
                let request = self.request(kind, mailbox);
                Some((node, Input::Submit(request)))
            }
            Op::Receive { from, to, which } => {
                let mut wires = self.nodes[from].flush(to as u16).ok()?.wire;
                self.travelled[to].extend(wires.iter().cloned());
                if wires.is_empty() {
                    return None;
                }
                let wire = wires.swap_remove(which % wires.len());
                Some((to, Input::Receive { wire }))
            }
            Op::Ack { from, to } => {
                let seq = self.stored(from, to);
                let peer = Node(to as u16);
                Some((from, Input::Ack { peer, seq }))
            }
            Op::Repeat { to, which } => {
                let travelled = &self.travelled[to];
                let which = which.checked_rem(travelled.len())?;
                let wire = travelled[which].clone();
                Some((to, Input::Receive { wire }))
            }
            Op::Apply { node, limit } => {
                let limit = NonZeroU64::new(limit);
                Some((node, Input::Apply { limit }))
            }
        }
    }

    /// The last message of `from` up to which `to` has all.
    fn stored(&self, from: usize, to: usize) -> u64 {
        let state = &self.nodes[to].state;
        let mut stored = state.record().clock.entries()[from];
        let from = Node(from as u16);
        let has = |seq| {
            let mut received = state.received().map(|entry| &entry.message);
            received.any(|message| message.sender == from && message.seq() == seq)
        };
        while has(stored + 1) {
            stored += 1;
        }
        stored
    }

    fn request(&self, kind: u8, mailbox: u8) -> Request {
        let name = |base: &str| Name::from([self.words.prefix, base].concat());
        let user = name("u");
        let tag = name(&format!("t{}", self.submits));
        let value = name("x");
        let mailbox = name(["M", "N"][usize::from(mailbox)]);
        let contents = Bytes::from_static(b"hi");
        let last = name(&format!("t{}", self.submits.saturating_sub(2)));
        match self.profile {
            Profile::Text => Request::Text(match kind {
                0 => return opaque(Profile::Text),
                1 => TextRequest::Delete { user, mailbox },
                2 => TextRequest::Append {
                    user,
                    mailbox,
                    value,
                    tag,
                    contents,
                },
                3 => TextRequest::Expunge {
                    user,
                    mailbox,
                    value,
                },
                4 => TextRequest::Store {
                    user,
                    mailbox,
                    new_value: value.clone(),
                    value,
                    tag,
                    contents,
                },
                _ => TextRequest::Create { user, mailbox, tag },
            }),
            Profile::Framed => Request::Framed(match kind {
                0 => return opaque(Profile::Framed),
                1 => FramedRequest::Delete { user, mailbox },
                2 => FramedRequest::Append {
                    user,
                    mailbox,
                    tag,
                    content: contents,
                },
                3 => FramedRequest::Expunge {
                    user,
                    mailbox,
                    rmv_tag: last,
                    add_tag: tag,
                },
                4 => FramedRequest::Store {
                    user,
                    mailbox,
                    rmv_tag: last,
                    add_tag: tag,
                    content: contents,
                },
                _ => FramedRequest::Create { user, mailbox, tag },
            }),
        }
    }

    /// Takes in what became durable: deliveries are causal, without gap and never repeated.
    fn note(&mut self, node: usize, writes: &[Write]) {
        for write in writes {
            if let Write::Change(Change::Delivered(message)) = write {
                self.note_delivery(node, message);
            }
        }
    }

    /// A stamp is given once.
    fn note_stamps(&mut self, node: usize) {
        let unconfirmed = self.nodes[node].state.unconfirmed();
        for entry in unconfirmed {
            let id = (entry.message.sender, entry.message.seq());
            let record = self
                .stamped
                .entry(id)
                .or_insert_with(|| entry.record.clone());
            assert_eq!(*record, entry.record, "a stamp is given once");
        }
    }

    fn note_delivery(&mut self, node: usize, message: &Message) {
        let clock = &mut self.clocks[node];
        let sender = message.sender.index();
        for (at, (mine, theirs)) in clock.iter().zip(message.stamp.entries()).enumerate() {
            if at == sender {
                assert_eq!(*theirs, mine + 1, "the next one of its sender");
            } else {
                assert!(theirs <= mine, "everything it depends on is delivered");
            }
        }
        clock[sender] += 1;
    }

    /// Lets everything arrive, and shows that all nodes agree and all logs are empty.
    pub(crate) fn settle(&mut self) {
        for _ in 0..2 {
            for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
                transfer(&mut self.nodes, from, to);
            }
        }
        for replica in &mut self.nodes {
            replica.apply();
        }
        let first = &self.nodes[0].state;
        for replica in &self.nodes {
            assert_eq!(replica.state.record().clock, first.record().clock);
            assert_eq!(replica.state.record().payload, first.record().payload);
            assert!(replica.disk.receive_log.is_empty());
            assert!(replica.disk.send_log.is_empty());
            assert!(replica.state.received().next().is_none());
            assert!(replica.state.unconfirmed().next().is_none());
        }
    }
}

impl History {
    /// What happened and what is left of it, without the bytes of a language and its prefix.
    pub(crate) fn told(&self) -> Vec<String> {
        let steps = self.outputs.iter().flatten().map(told);
        let sets = self.nodes.iter().flat_map(|node| self.sets(node));
        steps.chain(sets).collect()
    }

    fn sets(&self, node: &Replica) -> Vec<String> {
        let plain = |name: &str| {
            let rest = name.strip_prefix(self.words.prefix);
            rest.expect("every name has the prefix").to_owned()
        };
        let mut told = Vec::new();
        for (user, sets) in node.state.record().payload.users() {
            let structure = (String::new(), &sets.structure);
            let mails = sets.mails.iter();
            let mails = mails.map(|(mailbox, set)| (plain(mailbox), set));
            for (mailbox, set) in std::iter::once(structure).chain(mails) {
                for (pair, dots) in set.iter() {
                    let pair = (plain(user), &mailbox, plain(&pair.value), plain(&pair.tag));
                    told.push(format!("{pair:?} {dots:?}"));
                }
            }
        }
        told
    }
}

fn told(output: &Output) -> String {
    match output {
        Output::Write(Write::Append { log, .. }) => format!("append to the {log}"),
        Output::Write(Write::Change(Change::Delivered(message))) => {
            format!("deliver {:?} {:?}", message.sender, message.stamp)
        }
        Output::Submitted(Ok(submitted)) => format!("{} {:?}", submitted.seq, submitted.clock),
        Output::Submitted(Err(error)) => error.code().to_owned(),
        Output::Flushed(Ok(flushed)) => format!("{} {}", flushed.upto, flushed.wire.len()),
        Output::Received(Err(error)) => error.code().to_owned(),
        other => format!("{other:?}"),
    }
}

/// Nothing is answered before every write is synced.
fn check_order(outputs: &[Output]) {
    let mut is_synced = true;
    for output in outputs {
        match output {
            Output::Write(_) => is_synced = false,
            Output::Sync => is_synced = true,
            _ => assert!(is_synced, "{outputs:?}"),
        }
    }
    assert!(is_synced, "{outputs:?}");
}
