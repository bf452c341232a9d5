//! A node with its disk, and groups of them.

use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use concord::systems::causal::{
    AckError, Applied, Clock, CrashPoint, Disk, FlushError, Flushed, FramedRequest, Group, Input,
    Name, Node, Output, Profile, ReceiveError, Received, Recovered, Request, Settings, State,
    Strategies, SubmitError, Submitted, TextRequest, framed,
};
use concord::systems::machine::Machine as _;

pub(crate) const PROFILES: [Profile; 2] = [Profile::Text, Profile::Framed];

/// A running node and the disk that its outputs make.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    pub(crate) settings: Arc<Settings>,
    pub(crate) disk: Disk,
    pub(crate) state: State,
}

pub(crate) fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(Name::new).collect()
}

pub(crate) fn settings(profile: Profile, members: &[&str], me: u16) -> Settings {
    let group = Group::new(names(members)).expect("the names are legal");
    Settings {
        profile,
        initial: Clock::zero(group.size()),
        group,
        me: Node(me),
        strategies: Strategies::REFERENCE,
    }
}

/// A group of nodes that were never started before.
pub(crate) fn group(profile: Profile, members: &[&str], strategies: Strategies) -> Vec<Replica> {
    let nodes = 0..members.len() as u16;
    nodes
        .map(|me| {
            Replica::new(Settings {
                strategies,
                ..settings(profile, members, me)
            })
        })
        .collect()
}

/// Reference nodes a, b, c.
pub(crate) fn abc(profile: Profile) -> Vec<Replica> {
    group(profile, &["a", "b", "c"], Strategies::REFERENCE)
}

impl Replica {
    pub(crate) fn new(settings: Settings) -> Self {
        let disk = Disk::new(&settings);
        Self::recovered(Arc::new(settings), disk).0
    }

    /// Recovers a node from a disk.
    pub(crate) fn recovered(settings: Arc<Settings>, disk: Disk) -> (Self, Recovered) {
        let mut outputs = Vec::new();
        let recovered = State::recover(Arc::clone(&settings), disk.clone(), &mut outputs);
        let (state, recovered) = recovered.expect("the disk is one that a node left");
        let mut replica = Self {
            settings,
            disk,
            state,
        };
        replica.carry_out(&outputs);
        (replica, recovered)
    }

    /// Forgets all that is not on disk.
    pub(crate) fn restart(&mut self) -> Recovered {
        let (replica, recovered) = Self::recovered(Arc::clone(&self.settings), self.disk.clone());
        *self = replica;
        recovered
    }

    pub(crate) fn step(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.state.step(input, &mut outputs);
        self.carry_out(&outputs);
        outputs
    }

    fn carry_out(&mut self, outputs: &[Output]) {
        for write in outputs.iter().filter_map(Output::as_write) {
            self.disk.apply(write, &self.settings);
        }
        assert_eq!(self.state.disk(), &self.disk, "a node knows its disk");
    }

    /// Crashes in the middle of an input and recovers.
    pub(crate) fn crash(&mut self, point: CrashPoint, input: Input) -> Recovered {
        let mut outputs = Vec::new();
        self.state.step(input, &mut outputs);
        for write in point.survivors(&outputs) {
            self.disk.apply(&write, &self.settings);
        }
        self.restart()
    }

    /// Crashes after so many writes of an input and recovers.
    pub(crate) fn crash_after(&mut self, writes: usize, input: Input) -> Recovered {
        let mut outputs = Vec::new();
        self.state.step(input, &mut outputs);
        for write in outputs.iter().filter_map(Output::as_write).take(writes) {
            self.disk.apply(write, &self.settings);
        }
        self.restart()
    }

    pub(crate) fn submit(&mut self, request: Request) -> Result<Submitted, SubmitError> {
        match self.step(Input::Submit(request)).pop() {
            Some(Output::Submitted(result)) => result,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn flush(&mut self, peer: u16) -> Result<Flushed, FlushError> {
        let outputs = self.step(Input::Flush { peer: Node(peer) });
        let flushed = outputs.into_iter().find_map(|output| match output {
            Output::Flushed(result) => Some(result),
            _ => None,
        });
        flushed.expect("a flush is answered")
    }

    pub(crate) fn ack(&mut self, peer: u16, seq: u64) -> Result<usize, AckError> {
        let peer = Node(peer);
        match self.step(Input::Ack { peer, seq }).pop() {
            Some(Output::Acked(result)) => result,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn receive(&mut self, wire: &[u8]) -> Result<Received, ReceiveError> {
        let wire = Bytes::copy_from_slice(wire);
        let outputs = self.step(Input::Receive { wire });
        let received = outputs.into_iter().find_map(|output| match output {
            Output::Received(result) => Some(result),
            _ => None,
        });
        received.expect("a receive is answered")
    }

    /// A run of apply, if the node survives it.
    pub(crate) fn apply_up_to(&mut self, limit: u64) -> Option<Applied> {
        let limit = NonZeroU64::new(limit);
        match self.step(Input::Apply { limit }).pop() {
            Some(Output::Applied(result)) => result.ok(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn apply(&mut self) -> Applied {
        self.apply_up_to(0).expect("the node survives it")
    }

    pub(crate) fn clock(&self) -> &[u64] {
        self.state.record().clock.entries()
    }

    /// Whether the pair stands in the structure of user u.
    pub(crate) fn has(&self, mailbox: &str) -> bool {
        let sets = self.state.record().payload.user(&Name::new("u"));
        sets.is_some_and(|sets| sets.structure.has_value(mailbox))
    }
}

/// Transfers everything that `to` has not confirmed, and confirms it.
pub(crate) fn transfer(nodes: &mut [Replica], from: usize, to: usize) {
    let flushed = nodes[from].flush(to as u16).expect("it is a peer");
    for wire in &flushed.wire {
        nodes[to].receive(wire).expect("it is well formed");
    }
    nodes[from]
        .ack(to as u16, flushed.upto)
        .expect("it was sent");
}

/// What each profile calls creating a mailbox of user u.
pub(crate) fn create(profile: Profile, mailbox: &str, tag: &str) -> Request {
    let (user, mailbox, tag) = (Name::new("u"), Name::new(mailbox), Name::new(tag));
    match profile {
        Profile::Text => Request::Text(TextRequest::Create { user, mailbox, tag }),
        Profile::Framed => Request::Framed(FramedRequest::Create { user, mailbox, tag }),
    }
}

/// What each profile calls deleting a mailbox of user u.
pub(crate) fn delete(profile: Profile, mailbox: &str) -> Request {
    let (user, mailbox) = (Name::new("u"), Name::new(mailbox));
    match profile {
        Profile::Text => Request::Text(TextRequest::Delete { user, mailbox }),
        Profile::Framed => Request::Framed(FramedRequest::Delete { user, mailbox }),
    }
}

/// What each profile calls adding a mail.
pub(crate) fn append(profile: Profile, mailbox: &str, tag: &str, contents: &[u8]) -> Request {
    let (user, mailbox, tag) = (Name::new("u"), Name::new(mailbox), Name::new(tag));
    let contents = Bytes::copy_from_slice(contents);
    match profile {
        Profile::Text => Request::Text(TextRequest::Append {
            user,
            mailbox,
            value: Name::new("x"),
            tag,
            contents,
        }),
        Profile::Framed => Request::Framed(FramedRequest::Append {
            user,
            mailbox,
            tag,
            content: contents,
        }),
    }
}

/// What is no well-formed operation in either profile.
pub(crate) fn opaque(profile: Profile) -> Request {
    match profile {
        Profile::Text => text_send("nonsense"),
        Profile::Framed => Request::Framed(FramedRequest::Send(Box::default())),
    }
}

pub(crate) fn text_send(payload: &str) -> Request {
    let payload = Bytes::copy_from_slice(payload.as_bytes());
    Request::Text(TextRequest::Send { payload })
}

/// A bulk of these messages.
pub(crate) fn bulk(msgs: &[framed::Msg]) -> Vec<u8> {
    let frames = msgs.iter().map(|msg| framed::frame(&msg.encode()));
    frames.flatten().collect()
}

/// A framed message that says nothing.
pub(crate) fn msg(replica: &str, clock: &[(&str, u32)]) -> framed::Msg {
    framed::Msg {
        replica: Name::new(replica),
        vclock: clock
            .iter()
            .map(|(name, value)| (Name::new(name), *value))
            .collect(),
        ..framed::Msg::default()
    }
}
