//! The streams that peers open (8).

use bytes::Bytes;

use super::{Host, Node};
use crate::map::SortedSet;
use crate::pullsync::error::{HandlerError, Reason};
use crate::pullsync::message::{Message, Output};
use crate::pullsync::server::{HandlerState, Ranged};
use crate::pullsync::space::Space;
use crate::pullsync::store::Storage as _;

impl<S: Space> Node<S> {
    /// 8.1, step 1.
    pub(super) fn register(&mut self, host: &mut impl Host<S>, stream: S::Stream, ruid: u32) {
        let Some((peer, _)) = self.accepted.remove(&stream) else {
            return;
        };
        match self.server.open(stream, peer, ruid) {
            Ok(opened) => {
                if let Some(replaced) = opened.replaced {
                    self.discard(host, replaced);
                }
                if opened.canceled {
                    self.discard(host, stream);
                }
            }
            Err(_) => self.discard(host, stream),
        }
    }

    /// 8.1, steps 2 to 4.
    pub(super) fn serve_range(
        &mut self,
        host: &mut impl Host<S>,
        stream: S::Stream,
        range: (i32, u64, u64),
    ) {
        let ranged = self.server.range(host.storage(), stream, range, false);
        self.answer(host, stream, ranged, 0);
    }

    /// Looks again for a handler, if it waits; `idle` if its timer fired (3.1).
    pub(super) fn look_again(&mut self, host: &mut impl Host<S>, stream: S::Stream, idle: bool) {
        let handler = self.server.handler(&stream);
        let Some(HandlerState::Waiting { found, .. }) = handler.map(|handler| &handler.state)
        else {
            return;
        };
        let found = *found;
        let ranged = self.server.poll(host.storage(), stream, idle);
        self.answer(host, stream, ranged, found);
    }

    /// Sends the page if it is complete. Its timer starts with the first entry found, and anew with each
    /// further one.
    fn answer(
        &mut self,
        host: &mut impl Host<S>,
        stream: S::Stream,
        ranged: Result<Ranged<S>, HandlerError>,
        before: usize,
    ) {
        match ranged {
            Ok(Ranged::Waiting { found }) if found > before => host.emit(Output::Arm { stream }),
            Ok(Ranged::Waiting { .. }) => {}
            Ok(Ranged::Offered { topmost, hashes }) => {
                let message = Message::Offer { topmost, hashes };
                host.emit(Output::Send { stream, message });
                let handler = self.server.handler(&stream);
                if let Some(early) = handler.and_then(|handler| handler.early.clone()) {
                    self.deliver(host, stream, &early);
                }
            }
            Ok(Ranged::Empty { topmost }) => {
                let hashes = Vec::new();
                let message = Message::Offer { topmost, hashes };
                host.emit(Output::Send { stream, message });
                self.finish(host, stream);
            }
            Err(_) => self.discard(host, stream),
        }
    }

    /// 8.1, step 5. A want that comes before its offer waits for it.
    pub(super) fn take_want(
        &mut self,
        host: &mut impl Host<S>,
        stream: S::Stream,
        bit_vector: Bytes,
    ) {
        let handler = self.server.handler(&stream);
        match handler.map(|handler| &handler.state) {
            Some(HandlerState::Waiting { .. }) => self.server.early_want(stream, bit_vector),
            _ => self.deliver(host, stream, &bit_vector),
        }
    }

    /// 8.1, steps 6 and 7.
    fn deliver(&mut self, host: &mut impl Host<S>, stream: S::Stream, bit_vector: &[u8]) {
        let Ok(ending) = self.server.want(host.storage(), stream, bit_vector) else {
            return self.discard(host, stream);
        };
        for chunk in ending.deliveries {
            let message = Message::Delivery(chunk.into());
            host.emit(Output::Send { stream, message });
        }
        self.finish(host, stream);
    }

    /// 8.2.
    pub(super) fn tell_cursors(&mut self, host: &mut impl Host<S>, stream: S::Stream) {
        self.accepted.remove(&stream);
        let Ok(cursors) = host.storage().cursors() else {
            return host.emit(Output::Reset { stream });
        };
        let message = Message::Ack { cursors };
        host.emit(Output::Send { stream, message });
        host.emit(Output::Finish { stream });
    }

    /// 8.3.
    pub(super) fn cancel(&mut self, host: &mut impl Host<S>, stream: S::Stream, ruid: u32) {
        let Some((peer, _)) = self.accepted.remove(&stream) else {
            return;
        };
        if let Some(handler) = self.server.cancel(peer, ruid).canceled {
            self.discard(host, handler);
        }
        host.emit(Output::Finish { stream });
    }

    /// Ends the handler of a stream on which nothing more arrives; whether there was one to be ended. One
    /// that has all it needs goes on.
    pub(super) fn stop_serving(&mut self, stream: S::Stream, reason: Reason) -> bool {
        let Some(handler) = self.server.handler(&stream) else {
            return false;
        };
        if reason == Reason::Eof && handler.early.is_some() {
            return false;
        }
        self.server.broken(stream);
        self.server.forget(stream);
        true
    }

    /// The handlers that wait for entries of these bins, by stream.
    pub(super) fn waiting_in(&self, bins: &SortedSet<u8>) -> Vec<S::Stream> {
        let waits = |state: &HandlerState<S>| match state {
            // Faulty code takes the lowest bits only (D22).
            HandlerState::Waiting { bin, .. } => bins.contains(&bin.to_le_bytes()[0]),
            _ => false,
        };
        let handlers = self.server.handlers();
        let waiting = handlers.filter(|(_, handler)| waits(&handler.state));
        waiting.map(|(stream, _)| *stream).collect()
    }

    /// A handler that succeeded closes its stream.
    fn finish(&mut self, host: &mut impl Host<S>, stream: S::Stream) {
        self.server.forget(stream);
        host.emit(Output::Finish { stream });
    }

    /// A handler that failed or was cancelled resets its stream.
    pub(super) fn discard(&mut self, host: &mut impl Host<S>, stream: S::Stream) {
        self.server.forget(stream);
        host.emit(Output::Reset { stream });
    }
}
