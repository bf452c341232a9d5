//! The two sides of the stream: the system's own exchange and server, fed by its own reader of frames.

use concord_systems::pullsync::wire::{Kind, Message as Written, Reader};
use concord_systems::pullsync::{
    Address, BitVector, Chunk, Delivery, Disk, Exchange, HandlerState, Message, Mode, Ranged, Real,
    Server, Storage as _,
};
use serde::Serialize;

use super::pipe::{Ending, Pipe};
use super::{PULLER, Seen, Stream};

/// What both sides have: what arrived, and how far they are.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct Line {
    reader: Reader,
    pub(super) stage: Stage,
}

/// How far a side is (6, stream endings).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) enum Stage {
    /// It has not begun.
    Idle,
    /// It reads and writes.
    Running,
    /// It did all it had to, closed its direction, and waits for the end of the other.
    Closing,
    /// It succeeded, and that is over.
    Succeeded,
    /// It failed, and reset the stream.
    Failed,
}

impl Line {
    fn new(stage: Stage) -> Self {
        let reader = Reader::default();
        Self { reader, stage }
    }

    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Succeeded | Stage::Failed)
    }

    /// Bytes that arrived and were not read yet.
    pub(super) fn heap_bytes(&self) -> usize {
        self.reader.rest().len()
    }
}

/// One side, as its reader drives it. A step that gives none fails the side.
pub(super) trait Side {
    fn line(&mut self) -> &mut Line;
    /// Which message is read next; none if no more are.
    fn expects(&self) -> Option<Kind>;
    /// Takes a message and writes what follows from it.
    fn take(&mut self, message: Message<Real>, output: &mut Pipe, model: &Stream) -> Option<()>;
    /// Ends what the stream was for, which failed.
    fn broken(&mut self);

    /// Takes in a piece of bytes, and every message that is whole with it.
    fn receive(
        &mut self,
        piece: &[u8],
        (input, output): (&mut Pipe, &mut Pipe),
        model: &Stream,
        seen: &mut Seen,
    ) {
        self.line().reader.push(piece);
        while let Some(kind) = self.expects() {
            let message = match self.line().reader.next_by(kind, &model.frames) {
                Ok(None) => return,
                Ok(message) => message,
                Err(_) => None,
            };
            seen.misread |= message != input.unread.pop_front();
            let typed = message.and_then(|message| message.typed().ok());
            if typed
                .and_then(|message| self.take(message, output, model))
                .is_none()
            {
                return self.fail(input, output);
            }
        }
    }

    /// Sees the end of what the other side writes.
    fn end(
        &mut self,
        ending: Ending,
        (input, output): (&mut Pipe, &mut Pipe),
        model: &Stream,
        seen: &mut Seen,
    ) {
        let error = self.line().reader.end_by(&model.frames);
        let is_cut = ending != Ending::Reset && input.is_within_frame();
        seen.cut |= is_cut;
        seen.clean_cut |= is_cut && error.code() == "eof";
        match self.line().stage {
            Stage::Closing => {
                self.line().stage = Stage::Succeeded;
                input.stop();
            }
            _ => self.fail(input, output),
        }
    }

    /// Closes the own direction.
    fn succeed(&mut self, output: &mut Pipe) {
        self.line().stage = Stage::Closing;
        output.end(Ending::Closed);
    }

    /// Resets the stream.
    fn fail(&mut self, input: &mut Pipe, output: &mut Pipe) {
        self.broken();
        *self.line() = Line::new(Stage::Failed);
        output.end(Ending::Reset);
        input.stop();
    }
}

/// The puller.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct Client {
    pub(super) line: Line,
    exchange: Option<Exchange<Real>>,
    pub(super) disk: Disk<Real>,
    /// Whether its want went out with the request.
    pub(super) early: bool,
    /// What it succeeded with.
    pub(super) topmost: Option<u64>,
}

impl Client {
    pub(super) fn new(disk: Disk<Real>) -> Self {
        Self {
            line: Line::new(Stage::Idle),
            exchange: None,
            disk,
            early: false,
            topmost: None,
        }
    }

    /// Asks for all that the server will have; `early` for every bit of it at once.
    pub(super) fn request(&mut self, early: bool, up: &mut Pipe, model: &Stream) -> Option<()> {
        if self.line.stage != Stage::Idle {
            return None;
        }
        let (exchange, messages) = Exchange::open(0, 1, model.uploads.into(), 1).ok()?;
        let want = Message::Want {
            bit_vector: vec![0xff].into(),
        };
        for message in messages.into_iter().chain(early.then_some(want)) {
            write(up, message, model)?;
        }
        self.exchange = Some(exchange);
        self.early = early;
        self.line.stage = Stage::Running;
        Some(())
    }

    fn store(&mut self, kept: &[Chunk<Real>]) -> Option<()> {
        if !kept.is_empty() {
            self.disk.put(Mode::Sync, kept).ok()?;
        }
        Some(())
    }

    fn offered(
        &mut self,
        (topmost, hashes): (u64, &[Address]),
        up: &mut Pipe,
        model: &Stream,
    ) -> Option<()> {
        let disk = &self.disk;
        let exchange = self.exchange.as_mut()?;
        let has = |address: &Address| disk.has(address);
        let offered = exchange.offer(topmost, hashes, has, &model.how).ok()?;
        if let Some(want) = offered.want.filter(|_| !self.early) {
            let bit_vector = BitVector::to_bytes(&want);
            write(up, Message::Want { bit_vector }, model)?;
        }
        self.topmost = offered.topmost;
        Some(())
    }

    fn delivered(&mut self, delivery: Delivery<Real>, model: &Stream) -> Option<()> {
        let exchange = self.exchange.as_mut()?;
        let taken = exchange
            .delivery(delivery, &model.batches, &model.how)
            .ok()?;
        if let Some(complete) = taken.complete {
            self.store(&complete.kept)?;
            self.topmost = Some(complete.topmost);
        }
        Some(())
    }
}

impl Side for Client {
    fn line(&mut self) -> &mut Line {
        &mut self.line
    }

    fn expects(&self) -> Option<Kind> {
        match (self.line.stage, &self.exchange) {
            (Stage::Running, Some(exchange)) if exchange.is_delivering() => Some(Kind::Delivery),
            (Stage::Running, Some(_)) => Some(Kind::Offer),
            _ => None,
        }
    }

    fn take(&mut self, message: Message<Real>, up: &mut Pipe, model: &Stream) -> Option<()> {
        match message {
            Message::Offer { topmost, hashes } => self.offered((topmost, &hashes), up, model)?,
            Message::Delivery(delivery) => self.delivered(delivery, model)?,
            _ => return None,
        }
        if self.topmost.is_some() {
            self.succeed(up);
        }
        Some(())
    }

    /// 7, rule 8.
    fn broken(&mut self) {
        let kept = self
            .exchange
            .as_mut()
            .map(|exchange| exchange.broken().kept);
        self.store(&kept.unwrap_or_default())
            .expect("a disk that is a value never fails");
    }
}

/// Under which the server knows the stream.
const STREAM: u64 = 1;

/// The server.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct Serving {
    pub(super) line: Line,
    server: Server<Real>,
    pub(super) disk: Disk<Real>,
}

impl Serving {
    pub(super) fn new(server: Server<Real>, disk: Disk<Real>) -> Self {
        Self {
            line: Line::new(Stage::Running),
            server,
            disk,
        }
    }

    /// Puts a chunk; a handler that waits looks again.
    pub(super) fn upload(
        &mut self,
        chunk: Chunk<Real>,
        pipes: (&mut Pipe, &mut Pipe),
        model: &Stream,
    ) {
        let put = self.disk.put(Mode::Upload, &[chunk]);
        put.expect("a disk that is a value never fails");
        if let Some(HandlerState::Waiting { .. }) = self.state() {
            let ranged = self.server.poll(&self.disk, STREAM, false);
            let (up, down) = pipes;
            if ranged
                .ok()
                .and_then(|ranged| self.answer(ranged, down, model))
                .is_none()
            {
                self.fail(up, down);
            }
        }
    }

    /// Whether a want is kept for the offer.
    pub(super) fn keeps_early_want(&self) -> bool {
        let handler = self.server.handler(&STREAM);
        handler.is_some_and(|handler| handler.early.is_some())
    }

    fn state(&self) -> Option<&HandlerState<Real>> {
        self.server.handler(&STREAM).map(|handler| &handler.state)
    }

    fn answer(&mut self, ranged: Ranged<Real>, down: &mut Pipe, model: &Stream) -> Option<()> {
        match ranged {
            Ranged::Waiting { .. } => Some(()),
            Ranged::Empty { topmost } => {
                let hashes = Vec::new();
                write(down, Message::Offer { topmost, hashes }, model)?;
                self.finish(down);
                Some(())
            }
            Ranged::Offered { topmost, hashes } => {
                write(down, Message::Offer { topmost, hashes }, model)?;
                let early = self.server.handler(&STREAM)?.early.clone();
                early.map_or(Some(()), |want| self.deliver(&want, down, model))
            }
        }
    }

    fn deliver(&mut self, bit_vector: &[u8], down: &mut Pipe, model: &Stream) -> Option<()> {
        let ending = self.server.want(&self.disk, STREAM, bit_vector).ok()?;
        for chunk in ending.deliveries {
            let delivery = Delivery {
                address: Some(chunk.address),
                data: chunk.data,
                stamp: chunk.stamp,
            };
            write(down, Message::Delivery(delivery), model)?;
        }
        self.finish(down);
        Some(())
    }

    fn finish(&mut self, down: &mut Pipe) {
        self.server.forget(STREAM);
        self.succeed(down);
    }
}

impl Side for Serving {
    fn line(&mut self) -> &mut Line {
        &mut self.line
    }

    fn expects(&self) -> Option<Kind> {
        match (self.line.stage, self.state()) {
            (Stage::Running, None) => Some(Kind::Ruid),
            (Stage::Running, Some(HandlerState::Open)) => Some(Kind::GetRange),
            (Stage::Running, Some(HandlerState::Waiting { .. } | HandlerState::Offered { .. })) => {
                Some(Kind::Want)
            }
            _ => None,
        }
    }

    fn take(&mut self, message: Message<Real>, down: &mut Pipe, model: &Stream) -> Option<()> {
        match message {
            Message::Ruid { ruid } => {
                self.server.open(STREAM, PULLER, ruid).ok()?;
                Some(())
            }
            Message::GetRange { bin, from, to } => {
                let range = (bin, from, to);
                let ranged = self.server.range(&self.disk, STREAM, range, false).ok()?;
                self.answer(ranged, down, model)
            }
            Message::Want { bit_vector } => match self.state()? {
                HandlerState::Waiting { .. } => {
                    self.server.early_want(STREAM, bit_vector);
                    Some(())
                }
                _ => self.deliver(&bit_vector, down, model),
            },
            _ => None,
        }
    }

    fn broken(&mut self) {
        self.server.broken(STREAM);
        self.server.forget(STREAM);
    }
}

fn write(pipe: &mut Pipe, message: Message<Real>, model: &Stream) -> Option<()> {
    pipe.write(Written::untyped(message), &model.frames).ok()
}
