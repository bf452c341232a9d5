//! The reader and the writer of a stream.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use concord_systems::pullsync::limits::{MAX, MAX_MESSAGE};
use concord_systems::pullsync::shell::{Action, Reader, Routines, Writer};
use concord_systems::pullsync::wire::{self, Kind, frame};
use concord_systems::pullsync::{Address, Message, Purpose, Real, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::select;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Limits, Shared};
use crate::pullsync::store::ChunkStore;
use crate::pullsync::transport::{Stream, receive};

/// How the writer came to its end.
enum Done {
    /// The own direction is closed; the end of the other is awaited.
    Closed,
    /// The stream is reset.
    Reset,
}

/// Serves a stream that a peer opened.
pub(super) async fn accepted(shared: Arc<Shared>, peer: Address, mut stream: Stream) {
    let limits = &shared.limits;
    // A stream for nothing that is known is reset.
    let Ok(protocol) = stream.protocol(limits.bounds.patience).await else {
        return;
    };
    if let Ok(routines) = shared.shell.accepted(peer, shared.stream(), protocol) {
        serve(&shared, routines, stream, None).await;
    }
}

/// Serves a stream to its end; `purpose` says for what it was opened if this node did. Dropped before, it
/// resets the stream.
pub(super) async fn serve(
    shared: &Shared,
    (reader, writer): Routines<Real, ChunkStore>,
    stream: Stream,
    purpose: Option<Purpose>,
) {
    let limits = &shared.limits;
    let (input, output) = split(stream);
    let mut reading = pin!(read(limits, reader, input, purpose));
    let mut writing = pin!(write(limits, writer, output));
    select! {
        () = &mut reading => {
            writing.await;
        }
        done = &mut writing => if let Done::Closed = done {
            // What does not end by itself is reset.
            let _ = timeout(limits.full_close, reading).await;
        }
    }
}

/// Reads messages and gives them to the core, until the stream ends or is stopped.
async fn read(
    limits: &Limits,
    mut reader: Reader<Real, ChunkStore>,
    mut stream: ReadHalf<Stream>,
    purpose: Option<Purpose>,
) {
    let mut frames = wire::Reader::default();
    loop {
        let kind = reader.expects();
        let receiving = async {
            let patience = kind.and_then(|kind| patience(limits, kind, purpose));
            let receiving = next(&mut stream, &mut frames, kind);
            match patience {
                Some(patience) => timeout(patience, receiving)
                    .await
                    .unwrap_or(Err(Reason::Timeout)),
                None => receiving.await,
            }
        };
        let received = select! {
            received = receiving => received,
            () = reader.stopped() => return,
        };
        match received {
            Ok(message) => {
                if reader.message(message).await.is_err() {
                    return;
                }
            }
            Err(reason) => return reader.ended(reason),
        }
    }
}

/// How long a message of this kind may take; as long as it likes if none.
fn patience(limits: &Limits, kind: Kind, purpose: Option<Purpose>) -> Option<Duration> {
    match (kind, purpose) {
        // Entries may come late, and the want comes after them.
        (Kind::Offer, Some(Purpose::Pull { range, .. })) if range.to == MAX => limits.live,
        (Kind::Want, _) => None,
        _ => Some(limits.message),
    }
}

/// The next message, or if none is expected the end of the stream.
async fn next(
    stream: &mut ReadHalf<Stream>,
    frames: &mut wire::Reader,
    kind: Option<Kind>,
) -> Result<Message<Real>, Reason> {
    match kind {
        Some(kind) => {
            let message = receive(stream, frames, kind).await?;
            message.typed().map_err(|_| Reason::Malformed)
        }
        None => Err(end(stream).await),
    }
}

/// Passes over what nobody expects; too much of it is not borne.
async fn end(stream: &mut ReadHalf<Stream>) -> Reason {
    let mut block = [0; 1024];
    let mut surplus = 0;
    while surplus <= MAX_MESSAGE {
        match stream.read(&mut block).await {
            Ok(0) => return Reason::Eof,
            Ok(read) => surplus += read,
            Err(_) => return Reason::Reset,
        }
    }
    Reason::Malformed
}

/// Does what the core wants done with the stream, until the last of it.
async fn write(
    limits: &Limits,
    mut writer: Writer<Real, ChunkStore>,
    mut stream: WriteHalf<Stream>,
) -> Done {
    let mut idle = None;
    loop {
        let fires = async {
            match idle {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let action = select! {
            biased;
            action = writer.action() => action,
            () = fires => {
                idle = None;
                writer.idle();
                continue;
            }
        };
        let broken = match action {
            Some(Action::Send(message)) => send(limits, &mut writer, &mut stream, message).await,
            Some(Action::Arm) => {
                idle = Some(Instant::now() + limits.idle);
                Ok(())
            }
            // The other side may have reset the stream.
            Some(Action::Finish) => match stream.shutdown().await {
                Ok(()) => return Done::Closed,
                Err(_) => return Done::Reset,
            },
            Some(Action::Reset) | None => return Done::Reset,
        };
        if let Err(reason) = broken {
            writer.ended(reason);
            return Done::Reset;
        }
    }
}

/// Sends a message, unless that is void meanwhile.
async fn send(
    limits: &Limits,
    writer: &mut Writer<Real, ChunkStore>,
    stream: &mut WriteHalf<Stream>,
    message: Message<Real>,
) -> Result<(), Reason> {
    let bytes = frame(&wire::Message::untyped(message)).map_err(|_| Reason::Malformed)?;
    let writing = timeout(limits.message, async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    });
    select! {
        written = writing => match written {
            Ok(written) => written.map_err(|_| Reason::Reset),
            Err(_) => Err(Reason::Timeout),
        },
        () = writer.void() => Ok(()),
    }
}
