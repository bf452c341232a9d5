//! Transfers to one peer.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use concord_systems::causal::shell::Unanswered;
use concord_systems::causal::{Flushed, Input, Name, Node as Member, Output, framed};
use thiserror::Error;

use super::super::tls::{ConnectionError, Outgoing};
use super::sockets::Place;
use super::{Ask, Event, Shared};

/// Why a peer does not have everything.
#[derive(Debug, Error)]
enum Broken {
    /// The node ends.
    #[error(transparent)]
    Ended(#[from] Unanswered),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
}

/// Sends to `peer` whatever it has not confirmed, whenever there is something, until the node stops.
pub(super) fn send(shared: &Arc<Shared>, number: usize, peer: Member) {
    let name = shared.settings.group.name(peer);
    let mut link = Link {
        shared,
        name,
        peer,
        open: None,
        progressed: false,
    };
    let limits = &shared.limits;
    while shared.shell.sender(number).wait() {
        let mut pause = limits.pause;
        let mut is_lost = false;
        loop {
            match link.catch_up() {
                Ok(()) => break,
                Err(Broken::Ended(_)) => return,
                Err(Broken::Connection(error)) => {
                    if std::mem::take(&mut link.progressed) {
                        pause = limits.pause;
                    }
                    if !is_lost && !shared.stop.is_set() {
                        let error = &error;
                        (shared.tell)(Event::Lost { peer: name, error });
                    }
                    is_lost = true;
                    if !shared.stop.pause(pause) {
                        return;
                    }
                    pause = (2 * pause).min(limits.longest_pause);
                }
            }
        }
        if is_lost {
            (shared.tell)(Event::Reached { peer: name });
        }
    }
}

/// The way to a peer.
struct Link<'a> {
    shared: &'a Shared,
    name: &'a Name,
    peer: Member,
    /// The connection that was used last.
    open: Option<Connection>,
    /// Whether something was confirmed since that was last asked.
    progressed: bool,
}

struct Connection {
    outgoing: Outgoing,
    used: Instant,
    /// Given up after the connection.
    _place: Place,
}

impl Link<'_> {
    /// Transfers until the peer has confirmed everything.
    fn catch_up(&mut self) -> Result<(), Broken> {
        while self.has_unsent()? {
            let mut connection = self.connection()?;
            let flushed = self.flush()?;
            for (bulk, upto) in self.bulks(&flushed) {
                connection.outgoing.transfer(&bulk)?;
                connection.used = Instant::now();
                self.ack(upto)?;
            }
            self.open = Some(connection);
        }
        Ok(())
    }

    fn has_unsent(&self) -> Result<bool, Unanswered> {
        self.shared
            .shell
            .ask(|answer| Ask::HasUnsent(self.peer, answer))
    }

    /// The connection that is open, if the peer will not have closed it for its silence, or another.
    fn connection(&mut self) -> Result<Connection, ConnectionError> {
        let timeouts = self.shared.limits.timeouts;
        match self.open.take() {
            Some(open) if open.used.elapsed() < timeouts.idle / 2 => return Ok(open),
            Some(old) => old.outgoing.close(),
            None => {}
        }
        let peer = &self.shared.peers[self.name];
        let admit = |socket: &_| self.shared.outgoing.admit(socket);
        let (outgoing, place) =
            self.shared
                .identity
                .dial(&peer.address, &peer.server_name, timeouts, admit)?;
        Ok(Connection {
            outgoing,
            used: Instant::now(),
            _place: place,
        })
    }

    fn flush(&self) -> Result<Flushed, Unanswered> {
        match self.shared.step(Input::Flush { peer: self.peer })? {
            Output::Flushed(Ok(flushed)) => Ok(flushed),
            Output::Flushed(Err(_)) => Err(Unanswered::Refused),
            other => unreachable!("{other:?} answers no flush"),
        }
    }

    /// Parts of a transfer that are not too large, each with the last message in it.
    fn bulks(&self, flushed: &Flushed) -> Vec<(Bytes, u64)> {
        let mut bulks = Vec::new();
        for wire in &flushed.wire {
            let mut rest = wire.clone();
            while let Some((bulk, last)) = first_bulk(&mut rest, self.shared.limits.bulk) {
                let upto = match rest.is_empty() {
                    true => flushed.upto,
                    false => self.seq(&last),
                };
                bulks.push((bulk, upto));
            }
        }
        bulks
    }

    /// The number of an own message.
    fn seq(&self, body: &Bytes) -> u64 {
        let settings = &self.shared.settings;
        let me = settings.group.name(settings.me);
        let seq = framed::Msg::decode(body)
            .ok()
            .and_then(|msg| msg.vclock.get(me).copied());
        seq.expect("the send log holds own messages, stamped")
            .into()
    }

    fn ack(&mut self, seq: u64) -> Result<(), Unanswered> {
        let peer = self.peer;
        self.shared.step(Input::Ack { peer, seq })?;
        self.progressed = true;
        Ok(())
    }
}

/// Takes frames from the front of `rest`, as many as have `limit` bytes, but one at least; gives the
/// body of the last, too.
fn first_bulk(rest: &mut Bytes, limit: usize) -> Option<(Bytes, Bytes)> {
    let mut end = 0;
    let mut last = None;
    while let Ok((body, len)) = framed::first_frame(&rest[end..]) {
        if end > 0 && end + len > limit {
            break;
        }
        last = Some(rest.slice(end + body.start..end + body.end));
        end += len;
    }
    Some((rest.split_to(end), last?))
}
