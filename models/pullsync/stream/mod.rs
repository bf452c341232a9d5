//! One exchange over two pipes of bytes, between the puller's side and the server of the system, each
//! with its reader of frames. The network cuts the bytes into pieces, and may end either direction.

mod pipe;
mod properties;
mod side;

use std::sync::Arc;

use bytes::Bytes;
use concord_systems::pullsync::limits::{HASH_SIZE, MAX_MESSAGE, STAMP_SIZE};
use concord_systems::pullsync::{
    Address, Batches, Chunk, Disk, Real, Server, Storage as _, Strategies, chunk, wire,
};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Family, Subject};

use pipe::Pipe;
use side::{Client, Serving, Side as _, Stage};

/// Overlays; all chunks are in bin 0 of both.
const SERVER: Address = Address([0x80; HASH_SIZE]);
const PULLER: Address = Address([0xc0; HASH_SIZE]);

/// The model.
pub(super) fn family() -> Box<dyn Subject> {
    Box::new(Family {
        name: "pullsync/stream",
        properties: properties::properties(),
        faults: properties::faults(),
        build: properties::build,
    })
}

/// A puller, a server and what is between them.
#[derive(Debug)]
pub(super) struct Stream {
    /// Of both sides.
    how: Strategies,
    frames: wire::Strategies,
    /// Chunks put on the server, before the request or later; as many as a page has.
    uploads: u8,
    /// Directions that the network ends.
    cuts: u8,
    /// What the server may be given: a page, and one that is longer than a frame.
    chunks: Vec<Chunk<Real>>,
    batches: Batches,
}

/// Both sides, and what is under way between them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct State {
    client: Client,
    serving: Serving,
    /// To the server.
    up: Pipe,
    /// To the puller.
    down: Pipe,
    uploads: u8,
    cuts: u8,
    seen: Seen,
}

/// What was seen to happen.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Seen {
    /// A frame that was written was refused, or read as something else.
    misread: bool,
    /// A direction ended within a frame.
    cut: bool,
    /// That was taken for an end between frames.
    clean_cut: bool,
    /// Two frames came with one piece.
    together: bool,
}

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    /// A chunk is put on the server.
    Upload(u8),
    /// The puller asks for it all.
    Request,
    /// Likewise, and sends its want at once.
    RequestAndWant,
    /// A piece of so many bytes arrives at a side.
    Deliver(To, u32),
    /// A side sees the end of what the other wrote.
    End(To),
    /// The network ends a direction; what did not arrive is lost.
    Cut(To),
}

/// A direction, by who reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum To {
    /// Up.
    Server,
    /// Down.
    Puller,
}

const DIRECTIONS: [To; 2] = [To::Server, To::Puller];

impl Stream {
    /// The correct one, with at most three uploads.
    fn new(uploads: u8, cuts: u8) -> Self {
        let batch = [7; HASH_SIZE];
        let mut stamp = vec![9; STAMP_SIZE];
        stamp[..HASH_SIZE].copy_from_slice(&batch);
        let stamp = Bytes::from(stamp);
        let small = |payload: &[u8]| {
            let (address, data) = chunk::new(payload).expect("a payload of a few bytes");
            let stamp = stamp.clone();
            Chunk {
                address,
                data,
                stamp,
            }
        };
        // Nobody looks at what a store is given.
        let large = Chunk {
            address: Address([1; HASH_SIZE]),
            data: vec![0; MAX_MESSAGE + 1].into(),
            stamp: stamp.clone(),
        };
        let payloads: [&[u8]; 3] = [b"foo", b"greaterthanspan", b"penguin"];
        let payloads = payloads.into_iter().take(uploads.into());
        Self {
            how: Strategies::REFERENCE,
            frames: wire::Strategies::REFERENCE,
            uploads,
            cuts,
            chunks: payloads.map(small).chain([large]).collect(),
            batches: Batches(Arc::new([batch].into())),
        }
    }

    fn step(&self, state: &mut State, action: Action) -> Option<()> {
        let State {
            client,
            serving,
            up,
            down,
            ..
        } = state;
        match action {
            Action::Upload(which) => {
                state.uploads = state.uploads.checked_sub(1)?;
                let chunk = self.chunks.get(usize::from(which))?;
                if serving.disk.has(&chunk.address).ok()? {
                    return None;
                }
                serving.upload(chunk.clone(), (up, down), self);
            }
            Action::Request => client.request(false, up, self)?,
            Action::RequestAndWant => client.request(true, up, self)?,
            Action::Deliver(to, bytes) => {
                let (piece, whole) = pipe(state, to).take(bytes)?;
                state.seen.together |= whole > 1;
                self.deliver(state, to, &piece);
            }
            Action::End(to) => self.end(state, to)?,
            Action::Cut(to) => {
                state.cuts = state.cuts.checked_sub(1)?;
                pipe(state, to).cut()?;
            }
        }
        Some(())
    }

    fn deliver(&self, state: &mut State, to: To, piece: &[u8]) {
        let State {
            client,
            serving,
            up,
            down,
            seen,
            ..
        } = state;
        match to {
            To::Server => serving.receive(piece, (up, down), self, seen),
            To::Puller => client.receive(piece, (down, up), self, seen),
        }
    }

    fn end(&self, state: &mut State, to: To) -> Option<()> {
        let State {
            client,
            serving,
            up,
            down,
            seen,
            ..
        } = state;
        match to {
            To::Server if !serving.line.has_ended() => {
                serving.end(up.seen_end()?, (up, down), self, seen);
            }
            To::Puller if !client.line.has_ended() => {
                client.end(down.seen_end()?, (down, up), self, seen);
            }
            To::Server | To::Puller => return None,
        }
        Some(())
    }
}

fn pipe(state: &mut State, to: To) -> &mut Pipe {
    match to {
        To::Server => &mut state.up,
        To::Puller => &mut state.down,
    }
}

impl Model for Stream {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let page = self.uploads.into();
        vec![State {
            client: Client::new(Disk::new(PULLER, self.how)),
            serving: Serving::new(Server::new(page, 0, self.how), Disk::new(SERVER, self.how)),
            up: Pipe::default(),
            down: Pipe::default(),
            uploads: self.uploads,
            cuts: self.cuts,
            seen: Seen::default(),
        }]
    }

    /// Some of them are not enabled.
    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend((0..self.chunks.len() as u8).map(Action::Upload));
        actions.extend([Action::Request, Action::RequestAndWant]);
        for (to, pipe) in DIRECTIONS.into_iter().zip([&state.up, &state.down]) {
            let pieces = pipe.pieces().into_iter();
            actions.extend(pieces.map(|bytes| Action::Deliver(to, bytes)));
            actions.extend([Action::End(to), Action::Cut(to)]);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.step(&mut state, action)?;
        Some(state)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

impl Checkable for Stream {
    fn bounds(&self) -> Bounds {
        checker::bounds([("uploads", self.uploads), ("cuts", self.cuts)])
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["upload", "request", "early_want", "deliver", "end", "cut"]
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Upload(_) => "upload",
            Action::Request => "request",
            Action::RequestAndWant => "early_want",
            Action::Deliver(..) => "deliver",
            Action::End(_) => "end",
            Action::Cut(_) => "cut",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        let reader = |to: &To| match to {
            To::Server => "server",
            To::Puller => "puller",
        };
        match action {
            Action::Upload(which) => match &self.chunks.get(usize::from(*which)) {
                Some(chunk) => format!("chunk {which} of {} bytes is put", chunk.data.len()),
                None => format!("chunk {which} is put"),
            },
            Action::Request => "the puller sends ruid and range".to_owned(),
            Action::RequestAndWant => "the puller sends ruid, range and want".to_owned(),
            Action::Deliver(to, 1) => format!("1 byte reaches the {}", reader(to)),
            Action::Deliver(to, bytes) => format!("{bytes} bytes reach the {}", reader(to)),
            Action::End(to) => format!("the {} sees the end", reader(to)),
            Action::Cut(to) => format!("the way to the {} is cut", reader(to)),
        }
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        properties::claims()
    }

    fn heap_bytes(&self, state: &State) -> usize {
        let lines = [&state.client.line, &state.serving.line];
        lines.map(side::Line::heap_bytes).iter().sum::<usize>()
            + state.up.heap_bytes()
            + state.down.heap_bytes()
            + size_of::<Chunk<Real>>() * 2 * usize::from(self.uploads)
    }
}
