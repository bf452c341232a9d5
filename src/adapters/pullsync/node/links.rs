//! Connections: those that come in, those that are kept to peers, and what runs on them.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{Event, Shared, streams};
use crate::pullsync::transport::{Connection, Side, TransportError};

/// Accepts connections until the node stops, whatever fails meanwhile.
pub(super) async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let room = Arc::new(Semaphore::new(shared.limits.connections));
    while let Some(accepted) = shared.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((socket, from)) => {
                let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                    continue;
                };
                let welcoming = Arc::clone(&shared);
                shared.connections.spawn(async move {
                    let shared = welcoming;
                    let served = match establish(&shared, socket, Side::Listener).await {
                        Ok(connection) => serve(&shared, connection).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = &served {
                        (shared.tell)(Event::Incoming { from, error });
                    }
                    drop(place);
                });
            }
            Err(error) => {
                (shared.tell)(Event::Accept(&error));
                let pause = sleep(shared.limits.pause);
                shared.stop.run_until_cancelled(pause).await;
            }
        }
    }
}

/// Keeps a connection to a peer until the node stops.
pub(super) async fn dial(shared: Arc<Shared>, peer: String) {
    let limits = &shared.limits;
    let mut pause = limits.pause;
    let mut is_lost = false;
    while !shared.stop.is_cancelled() {
        let dialled = shared.stop.run_until_cancelled(reach(&shared, &peer)).await;
        let ended = match dialled {
            Some(Ok(connection)) => {
                pause = limits.pause;
                is_lost = false;
                serve(&shared, connection).await
            }
            Some(Err(error)) => Err(error),
            None => return,
        };
        if let (Err(error), false) = (&ended, is_lost) {
            let peer = &peer;
            (shared.tell)(Event::Lost { peer, error });
            is_lost = true;
        }
        shared.stop.run_until_cancelled(sleep(pause)).await;
        pause = (2 * pause).min(limits.longest_pause);
    }
}

async fn reach(shared: &Shared, peer: &str) -> Result<Connection, TransportError> {
    let patience = shared.limits.bounds.patience;
    let socket = timeout(patience, TcpStream::connect(peer)).await;
    let socket = socket.map_err(|_| TransportError::Late(patience))??;
    establish(shared, socket, Side::Dialler).await
}

async fn establish(
    shared: &Shared,
    socket: TcpStream,
    side: Side,
) -> Result<Connection, TransportError> {
    Connection::establish(socket, side, shared.overlay, shared.limits.bounds).await
}

/// Serves a connection until it is lost, or the node stops.
async fn serve(shared: &Arc<Shared>, mut connection: Connection) -> Result<(), TransportError> {
    let peer = connection.peer();
    (shared.tell)(Event::Connected { peer });
    let number = shared.connected(peer, connection.opener().clone());
    let ended = loop {
        match shared.stop.run_until_cancelled(connection.accept()).await {
            Some(Ok(stream)) => {
                tokio::spawn(streams::accepted(Arc::clone(shared), peer, stream));
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    shared.disconnected(peer, number);
    connection.close().await;
    ended
}
