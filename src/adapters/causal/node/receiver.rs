//! Connections that come in.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use concord_systems::causal::{Input, Output};

use super::super::tls::ConnectionError;
use super::{Event, Shared};

/// Status of a transfer that is stored durably.
const STORED: u32 = 0;

/// Status of a transfer that was refused; nothing of it is stored.
const REFUSED: u32 = 1;

/// Accepts connections until the node stops, whatever fails meanwhile (D21).
pub(super) fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    while !shared.stop.is_set() {
        match listener.accept() {
            Ok((socket, from)) => {
                if let (Err(error), false) = (take(shared, socket, from), shared.stop.is_set()) {
                    let error = &error;
                    (shared.tell)(Event::Incoming { from, error });
                }
            }
            Err(error) => {
                (shared.tell)(Event::Accept(&error));
                shared.stop.pause(shared.limits.pause);
            }
        }
    }
}

/// Gives a connection a thread of its own, or closes it.
fn take(shared: &Arc<Shared>, socket: TcpStream, from: SocketAddr) -> io::Result<()> {
    let place = shared.incoming.admit(&socket)?;
    let shared = Arc::clone(shared);
    let thread = thread::Builder::new().name(String::from("receiver"));
    thread.spawn(move || {
        let received = receive(&shared, socket, from);
        if let (Err(error), false) = (&received, shared.stop.is_set()) {
            (shared.tell)(Event::Incoming { from, error });
        }
        // It goes last: who waits for it knows that nothing runs any more.
        drop(shared);
        drop(place);
    })?;
    Ok(())
}

/// Stores one bulk after the other and confirms each once it is durable (6.3).
fn receive(shared: &Shared, socket: TcpStream, from: SocketAddr) -> Result<(), ConnectionError> {
    let timeouts = shared.limits.timeouts;
    let mut incoming = shared.identity.welcome(socket, timeouts)?;
    while let Some(wire) = incoming.next()? {
        let status = match shared.step(Input::Receive { wire }) {
            Ok(Output::Received(Ok(_))) => STORED,
            Ok(Output::Received(Err(error))) => {
                let error = &error;
                (shared.tell)(Event::Incoming { from, error });
                REFUSED
            }
            Ok(other) => unreachable!("{other:?} answers no transfer"),
            // The node ends.
            Err(_) => break,
        };
        incoming.confirm(status)?;
    }
    incoming.close();
    Ok(())
}
