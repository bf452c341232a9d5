//! Streams between two ends of a TCP connection: what section 6 asks of a transport.

use std::future::Future;
use std::io::ErrorKind;
use std::time::Duration;

use bytes::Bytes;
use concord::adapters::pullsync::transport::{
    Bounds, Connection, Side, Stream, TransportError, receive,
};
use concord::systems::pullsync::wire::{Kind, Message, Reader, frame};
use concord::systems::pullsync::{Address, Protocol, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::time::timeout;

const ONE: Address = Address([1; 32]);
const OTHER: Address = Address([2; 32]);

/// Nothing takes this long unless it never ends.
const PATIENCE: Duration = Duration::from_secs(60);

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a thread and sockets");
    runtime
        .block_on(async { timeout(PATIENCE, test).await })
        .expect("nothing waits for ever")
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let (dialled, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (
        dialled.expect("it listens"),
        accepted.expect("somebody came").0,
    )
}

async fn connected(bounds: Bounds) -> (Connection, Connection) {
    let (dialled, accepted) = sockets().await;
    let (dialler, listener) = tokio::join!(
        Connection::establish(dialled, Side::Dialler, ONE, bounds),
        Connection::establish(accepted, Side::Listener, OTHER, bounds),
    );
    let (dialler, listener) = (dialler.expect("greeted"), listener.expect("greeted"));
    assert_eq!((dialler.peer(), listener.peer()), (OTHER, ONE));
    (dialler, listener)
}

/// A stream that the first opens, at both ends.
async fn stream(from: &Connection, to: &mut Connection, protocol: Protocol) -> (Stream, Stream) {
    let opened = from.opener().open(protocol).await.expect("a stream");
    let mut accepted = to.accept().await.expect("it comes");
    assert_eq!(accepted.protocol(PATIENCE).await.expect("an id"), protocol);
    (opened, accepted)
}

#[test]
fn both_sides_open_streams_of_every_kind_and_messages_pass() {
    run(async {
        let (mut one, mut other) = connected(Bounds::default()).await;
        for protocol in [Protocol::Pullsync, Protocol::Cursors, Protocol::Cancel] {
            for _ in 0..2 {
                let (mut opened, mut accepted) = stream(&one, &mut other, protocol).await;
                let ruid = Message::Ruid { ruid: 7 };
                let bytes = frame(&ruid).expect("it is small");
                opened.write_all(&bytes).await.expect("it is open");
                let mut frames = Reader::default();
                let came = receive(&mut accepted, &mut frames, Kind::Ruid).await;
                assert_eq!(came, Ok(ruid));
                std::mem::swap(&mut one, &mut other);
            }
        }
    });
}

#[test]
fn a_reset_is_told_from_a_close_and_what_came_before_is_read_first() {
    run(async {
        let (one, mut other) = connected(Bounds::default()).await;
        for is_reset in [false, true] {
            for payload in [0, 1, 300_000] {
                let (mut opened, mut accepted) = stream(&one, &mut other, Protocol::Pullsync).await;
                let sending = async {
                    let bytes = vec![7; payload];
                    opened.write_all(&bytes).await.expect("it is open");
                    match is_reset {
                        true => drop(opened),
                        false => {
                            opened.shutdown().await.expect("it is open");
                            // The other direction is open still.
                            let mut answer = Vec::new();
                            opened
                                .read_to_end(&mut answer)
                                .await
                                .expect("closed, not reset");
                            assert_eq!(answer, b"late");
                        }
                    }
                };
                let receiving = async {
                    let mut came = Vec::new();
                    let ended = accepted.read_to_end(&mut came).await;
                    assert_eq!(came.len(), payload, "reset: {is_reset}");
                    match is_reset {
                        true => {
                            let error = ended.expect_err("a reset");
                            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                            assert!(accepted.write_all(b"late").await.is_err());
                        }
                        false => {
                            ended.expect("a close");
                            accepted.write_all(b"late").await.expect("it is open");
                            accepted.shutdown().await.expect("it is open");
                        }
                    }
                };
                tokio::join!(sending, receiving);
            }
        }
    });
}

#[test]
fn messages_end_with_what_ended_the_stream() {
    let whole = frame(&Message::Ruid { ruid: 300 }).expect("it is small");
    let cases: [(&[u8], bool, Reason); 5] = [
        (&[], false, Reason::Eof),
        (&whole[..2], false, Reason::Eof),
        (&whole[..2], true, Reason::Reset),
        (&[0x80; 11], false, Reason::Malformed),
        (&[0xff, 0xff, 0x7f, 1], true, Reason::Malformed),
    ];
    run(async {
        let (one, mut other) = connected(Bounds::default()).await;
        for (rest, is_reset, expected) in cases {
            let (mut opened, mut accepted) = stream(&one, &mut other, Protocol::Pullsync).await;
            opened.write_all(&whole).await.expect("it is open");
            opened.write_all(rest).await.expect("it is open");
            if !is_reset {
                opened.shutdown().await.expect("it is open");
            }
            drop(opened);
            let mut frames = Reader::default();
            let first = receive(&mut accepted, &mut frames, Kind::Ruid).await;
            assert_eq!(first, Ok(Message::Ruid { ruid: 300 }), "{rest:?}");
            let second = receive(&mut accepted, &mut frames, Kind::Ruid).await;
            assert_eq!(second, Err(expected), "{rest:?}");
        }
    });
}

#[test]
fn a_lost_connection_resets_its_streams_and_opens_no_more() {
    run(async {
        let (dialled, accepted) = sockets().await;
        let bounds = Bounds::default();
        let (greeted, one) = tokio::join!(
            async {
                let mut dialled = dialled;
                let greeting = [b"/concord/pullsync/1\n".as_slice(), &OTHER.0].concat();
                dialled.write_all(&greeting).await.expect("it is open");
                dialled
            },
            Connection::establish(accepted, Side::Listener, ONE, bounds),
        );
        let mut one = one.expect("greeted");
        let mut opened = one
            .opener()
            .open(Protocol::Cursors)
            .await
            .expect("a stream");
        drop(greeted);
        let error = opened.read_u8().await.expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        one.accept().await.expect_err("the connection has ended");
        let opened = one.opener().open(Protocol::Cursors).await;
        opened.expect_err("the connection has ended");
    });
}

#[test]
fn streams_of_a_peer_beyond_the_bound_are_reset_and_own_ones_wait() {
    run(async {
        let few = Bounds {
            streams: 2,
            ..Bounds::default()
        };
        let (dialled, accepted) = sockets().await;
        let (one, other) = tokio::join!(
            Connection::establish(dialled, Side::Dialler, ONE, Bounds::default()),
            Connection::establish(accepted, Side::Listener, OTHER, few),
        );
        let (mut one, mut other) = (one.expect("greeted"), other.expect("greeted"));
        let held = [
            stream(&one, &mut other, Protocol::Cancel).await,
            stream(&one, &mut other, Protocol::Cancel).await,
        ];
        let third = one.opener().open(Protocol::Cancel).await;
        let error = third.expect("a stream").read_u8().await;
        let error = error.expect_err("it was refused");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        drop(held);
        stream(&one, &mut other, Protocol::Cancel).await;

        let held = [
            stream(&other, &mut one, Protocol::Cancel).await,
            stream(&other, &mut one, Protocol::Cancel).await,
        ];
        let opener = other.opener().clone();
        let waiting = tokio::spawn(async move { opener.open(Protocol::Cancel).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        waiting.await.expect("no panic").expect("there is room now");
    });
}

#[test]
fn a_writer_waits_for_a_slow_reader() {
    run(async {
        let (one, mut other) = connected(Bounds::default()).await;
        let (mut opened, mut accepted) = stream(&one, &mut other, Protocol::Pullsync).await;
        let megabytes = 4 << 20;
        let writing = tokio::spawn(async move {
            let written = opened.write_all(&vec![1; megabytes]).await;
            written.expect("it is open");
            opened.shutdown().await.expect("it is open");
        });
        // Other streams of the connection are not held up.
        let (mut quick, mut answering) = stream(&one, &mut other, Protocol::Cursors).await;
        for byte in 0..50 {
            quick.write_u8(byte).await.expect("it is open");
            assert_eq!(answering.read_u8().await.expect("it is open"), byte);
        }
        assert!(!writing.is_finished(), "4 MiB fit in no window");
        let mut came = Vec::new();
        let read = accepted.read_to_end(&mut came).await;
        assert_eq!(read.expect("it is open"), megabytes);
        writing.await.expect("no panic");
    });
}

#[test]
fn strangers_are_turned_away() {
    run(async {
        let bounds = Bounds {
            patience: Duration::from_millis(50),
            ..Bounds::default()
        };
        let greeted = |greeting: Bytes| async move {
            let (mut dialled, accepted) = sockets().await;
            dialled.write_all(&greeting).await.expect("it is open");
            let establish = Connection::establish(accepted, Side::Listener, ONE, bounds);
            establish.await.expect_err("a stranger")
        };
        let web = greeted(Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n      ")).await;
        assert!(matches!(web, TransportError::Greeting { .. }), "{web}");
        let own = [b"/concord/pullsync/1\n".as_slice(), &ONE.0].concat();
        let itself = greeted(Bytes::from(own)).await;
        assert!(matches!(itself, TransportError::Itself), "{itself}");
        let silent = greeted(Bytes::new()).await;
        assert!(matches!(silent, TransportError::Late(_)), "{silent}");

        for line in ["/penguin/pullsync/2.0.0/pullsync\n", "\n", &"x".repeat(99)] {
            let (mut dialled, accepted) = sockets().await;
            let greeting = [b"/concord/pullsync/1\n".as_slice(), &OTHER.0].concat();
            dialled.write_all(&greeting).await.expect("it is open");
            let one = Connection::establish(accepted, Side::Listener, ONE, bounds).await;
            // The first bytes on stream 1 as yamux has them: data, opening the stream.
            let length = u8::try_from(line.len()).expect("it is short");
            let data = [&[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, length], line.as_bytes()].concat();
            dialled.write_all(&data).await.expect("it is open");
            let mut stream = one.expect("greeted").accept().await.expect("it comes");
            let error = stream
                .protocol(PATIENCE)
                .await
                .expect_err("no such protocol");
            assert!(matches!(error, TransportError::Protocol { .. }), "{error}");
        }
    });
}
