//! Connections between nodes: TLS with certificates on both sides (section 10).
//!
//! Claim: whoever holds no certificate under the configured root exchanges no byte with the node, and a
//! connection that fails, whatever its bytes, ends alone. Assumed: rustls with ring, and that the
//! root signs for members of the group only.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use concord_systems::causal::framed;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConfig,
    ServerConnection, SideData, StreamOwned,
};
use thiserror::Error;

/// Largest body of a frame on a connection, in bytes: that of the original.
pub const MAX_BODY: usize = 268_437_504;

/// Bytes of a frame's head and of `BinMsgs` around its data, at most.
pub(super) const MAX_HEAD: usize = 32;

/// How long a connection may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// To be connected, for each address of a name.
    pub connect: Duration,
    /// To finish the handshake, from the first byte to the last.
    pub handshake: Duration,
    /// For each read or write of a transfer that has begun.
    pub progress: Duration,
    /// Until the next transfer begins.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            handshake: Duration::from_secs(5),
            progress: Duration::from_secs(20),
            idle: Duration::from_secs(60),
        }
    }
}

/// Why certificates or a key are of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file cannot be read as PEM.
    #[error("{file}: {source}; expected {expected} in PEM; nothing was changed")]
    Pem {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// Why not.
        source: rustls::pki_types::pem::Error,
    },
    /// There must be one root.
    #[error("{file}: {found} certificates, expected the one root; nothing was changed")]
    Roots {
        /// The file.
        file: PathBuf,
        /// How many it holds.
        found: usize,
    },
    /// Certificate, key and root do not go together.
    #[error(
        "{file}: {why}; expected a certificate with its key, and the root; nothing was changed"
    )]
    Unusable {
        /// The file at fault.
        file: PathBuf,
        /// Why.
        why: String,
    },
}

/// Why a connection ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The name of the peer has no address, or none of them answers.
    #[error("{address}: cannot be connected: {source}")]
    Connect {
        /// As it was configured.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// A name that no certificate can have.
    #[error("{name:?} is no name of a server: {source}")]
    ServerName {
        /// The name.
        name: String,
        /// Why not.
        source: InvalidDnsNameError,
    },
    /// The handshake, or reading or writing after it, failed.
    #[error("{task}: {source}")]
    Io {
        /// What was tried.
        task: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// What was read is no frame, or does not hold what it should.
    #[error("the peer sent {found}, expected {expected}")]
    Malformed {
        /// What was read.
        found: String,
        /// What should have been.
        expected: &'static str,
    },
    /// The peer did not store the bulk.
    #[error("the peer refused the bulk with status {0}, expected 0")]
    Refused(u32),
}

/// Who this node is, and whom it trusts.
#[derive(Clone, Debug)]
pub struct Identity {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Identity {
    /// From files in PEM: the root, the certificate of this node with those between it and the root,
    /// and its key.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn load(root: &Path, certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let roots = certificates(root, "the root's certificate")?;
        let [trusted] = <[CertificateDer<'_>; 1]>::try_from(roots).map_err(|roots| {
            let (file, found) = (root.to_owned(), roots.len());
            IdentityError::Roots { file, found }
        })?;
        let chain = certificates(certificate, "the node's certificate")?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(pem(key, "the node's key"))?;
        Self::new(trusted, chain, private).map_err(|(part, why)| {
            let file = match part {
                Part::Root => root,
                Part::Certificate => certificate,
            };
            let file = file.to_owned();
            IdentityError::Unusable { file, why }
        })
    }

    fn new(
        root: CertificateDer<'static>,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, (Part, String)> {
        let of_root = |error: &dyn std::error::Error| (Part::Root, error.to_string());
        let of_chain = |error: rustls::Error| (Part::Certificate, error.to_string());
        let mut roots = RootCertStore::empty();
        roots.add(root).map_err(|error| of_root(&error))?;
        let roots = Arc::new(roots);
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
                .build()
                .map_err(|error| of_root(&error))?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(of_chain)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(of_chain)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(of_chain)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(of_chain)?;
        Ok(Self {
            server: Arc::new(server),
            client: Arc::new(client),
        })
    }

    /// Connects to the peer at `address`, whose certificate must be for `name`. `admit` is shown the
    /// socket before anything is said, so that somebody else can shut it down; what it gives is given
    /// back.
    ///
    /// # Errors
    /// If nobody is there, or it is somebody else.
    pub fn dial<P>(
        &self,
        address: &str,
        name: &str,
        timeouts: Timeouts,
        admit: impl FnOnce(&TcpStream) -> io::Result<P>,
    ) -> Result<(Outgoing, P), ConnectionError> {
        let server_name = ServerName::try_from(name.to_owned()).map_err(|source| {
            let name = name.to_owned();
            ConnectionError::ServerName { name, source }
        })?;
        let socket = connect(address, timeouts.connect).map_err(|source| {
            let address = address.to_owned();
            ConnectionError::Connect { address, source }
        })?;
        let place = admit(&socket).map_err(failed("connecting"))?;
        let connection = ClientConnection::new(Arc::clone(&self.client), server_name);
        let connection =
            connection.map_err(|error| failed("handshake")(io::Error::other(error)))?;
        let stream = shake_hands(connection, socket, timeouts)?;
        Ok((Outgoing(stream), place))
    }

    /// Welcomes a peer on a connection that was accepted.
    ///
    /// # Errors
    /// If it has no certificate under the root, or does not finish the handshake in time.
    pub fn welcome(
        &self,
        socket: TcpStream,
        timeouts: Timeouts,
    ) -> Result<Incoming, ConnectionError> {
        let connection = ServerConnection::new(Arc::clone(&self.server));
        let connection =
            connection.map_err(|error| failed("handshake")(io::Error::other(error)))?;
        let stream = shake_hands(connection, socket, timeouts)?;
        Ok(Incoming { stream, timeouts })
    }
}

/// A connection to a peer that was dialled.
#[derive(Debug)]
pub struct Outgoing(StreamOwned<ClientConnection, TcpStream>);

impl Outgoing {
    /// Transfers one bulk and waits until the peer has stored it durably.
    ///
    /// # Errors
    /// If it did not say so: then the bulk is to be repeated, on another connection unless the peer
    /// refused it.
    pub fn transfer(&mut self, bulk: &[u8]) -> Result<(), ConnectionError> {
        let frame = framed::frame(&framed::encode_bulk(bulk));
        let sent = self.0.write_all(&frame).and_then(|()| self.0.flush());
        sent.map_err(failed("sending a bulk"))?;
        let answer = read_frame(&mut self.0)?.ok_or_else(|| ConnectionError::Malformed {
            found: String::from("no answer"),
            expected: "a confirmation",
        })?;
        match framed::decode_confirmation(&answer) {
            Ok(0) => Ok(()),
            Ok(status) => Err(ConnectionError::Refused(status)),
            Err(error) => Err(ConnectionError::Malformed {
                found: error.to_string(),
                expected: "a confirmation",
            }),
        }
    }

    /// Says that nothing follows, and closes.
    pub fn close(self) {
        part(self.0);
    }
}

/// A connection that a peer opened.
#[derive(Debug)]
pub struct Incoming {
    stream: StreamOwned<ServerConnection, TcpStream>,
    timeouts: Timeouts,
}

impl Incoming {
    /// The data of the next bulk; none once the peer is done, or has been silent for too long.
    ///
    /// # Errors
    /// If the connection fails, or what comes is no bulk.
    pub fn next(&mut self) -> Result<Option<Bytes>, ConnectionError> {
        let socket = &self.stream.sock;
        let limited = socket.set_read_timeout(Some(self.timeouts.idle));
        limited.map_err(failed("waiting for a bulk"))?;
        let mut first = [0];
        match self.stream.read(&mut first) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) if is_end(error.kind()) => return Ok(None),
            Err(error) => return Err(failed("waiting for a bulk")(error)),
        }
        let limited = self
            .stream
            .sock
            .set_read_timeout(Some(self.timeouts.progress));
        limited.map_err(failed("reading a bulk"))?;
        let Some(body) = read_frame(&mut (&first[..]).chain(&mut self.stream))? else {
            return Ok(None);
        };
        let bulk = framed::decode_bulk(&body).map_err(|error| ConnectionError::Malformed {
            found: error.to_string(),
            expected: "a bulk",
        })?;
        Ok(Some(bulk))
    }

    /// Answers the bulk that was read last: status 0 says that it is stored durably.
    ///
    /// # Errors
    /// If the connection fails.
    pub fn confirm(&mut self, status: u32) -> Result<(), ConnectionError> {
        let frame = framed::frame(&framed::encode_confirmation(status));
        let sent = self.stream.write_all(&frame);
        let sent = sent.and_then(|()| self.stream.flush());
        sent.map_err(failed("confirming a bulk"))
    }

    /// Says that nothing follows, and closes.
    pub fn close(self) {
        part(self.stream);
    }
}

enum Part {
    Root,
    Certificate,
}

fn pem(
    file: &Path,
    expected: &'static str,
) -> impl Fn(rustls::pki_types::pem::Error) -> IdentityError {
    move |source| IdentityError::Pem {
        file: file.to_owned(),
        expected,
        source,
    }
}

fn certificates(
    file: &Path,
    expected: &'static str,
) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found = CertificateDer::pem_file_iter(file).map_err(pem(file, expected))?;
    found.collect::<Result<_, _>>().map_err(pem(file, expected))
}

/// Between two bulks a peer may go without a word, or keep silent.
fn is_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{TimedOut, UnexpectedEof, WouldBlock};
    matches!(kind, UnexpectedEof | TimedOut | WouldBlock)
}

fn failed(task: &'static str) -> impl FnOnce(io::Error) -> ConnectionError {
    move |source| ConnectionError::Io { task, source }
}

/// The first address that answers.
fn connect(address: &str, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Completes the handshake within one deadline; afterwards each read and write has its own.
fn shake_hands<C, S>(
    mut connection: C,
    socket: TcpStream,
    timeouts: Timeouts,
) -> Result<StreamOwned<C, TcpStream>, ConnectionError>
where
    C: std::ops::DerefMut<Target = ConnectionCommon<S>>,
    S: SideData,
{
    let result = (|| {
        socket.set_nodelay(true)?;
        let mut limited = Limited {
            socket: &socket,
            deadline: Instant::now() + timeouts.handshake,
        };
        while connection.is_handshaking() {
            connection.complete_io(&mut limited)?;
        }
        socket.set_read_timeout(Some(timeouts.progress))?;
        socket.set_write_timeout(Some(timeouts.progress))
    })();
    result.map_err(failed("handshake"))?;
    Ok(StreamOwned::new(connection, socket))
}

/// A socket all of whose reads and writes end by one deadline: else a peer that sends a byte now and
/// then could hold it for ever.
struct Limited<'a> {
    socket: &'a TcpStream,
    deadline: Instant,
}

impl Limited<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(Some(left)),
        }
    }
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body of one frame (4.1); none if nothing comes any more. Memory grows with what has arrived,
/// not with the length that was told.
fn read_frame(stream: &mut impl Read) -> Result<Option<Bytes>, ConnectionError> {
    let Some(len) = read_length(stream)? else {
        return Ok(None);
    };
    let mut body = Vec::new();
    let read = stream.take(len as u64).read_to_end(&mut body);
    read.map_err(failed("reading a frame"))?;
    if body.len() < len {
        return Err(ConnectionError::Malformed {
            found: format!("{} bytes of {len}", body.len()),
            expected: "a whole frame",
        });
    }
    Ok(Some(body.into()))
}

fn read_length(stream: &mut impl Read) -> Result<Option<usize>, ConnectionError> {
    let malformed = |found: String| ConnectionError::Malformed {
        found,
        expected: "the length of a frame, of at most 268437504 bytes",
    };
    // More digits than the limit has are leading zeros, of which no sender needs any.
    let mut head = Vec::with_capacity(10);
    while head.len() < 10 {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) if head.is_empty() => return Ok(None),
            Ok(0) => return Err(malformed(String::from("the end"))),
            Ok(_) if byte == *b";" => {
                let digits = str::from_utf8(&head).ok();
                let len = digits.and_then(|digits| digits.parse().ok());
                let len = len.filter(|len| *len <= MAX_BODY);
                return len
                    .map(Some)
                    .ok_or_else(|| malformed(format!("{:?}", String::from_utf8_lossy(&head))));
            }
            Ok(_) if byte[0].is_ascii_digit() => head.extend(byte),
            Ok(_) => return Err(malformed(format!("the byte {}", byte[0]))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(malformed(String::from("the end, without a word")));
            }
            Err(error) => return Err(failed("reading a frame")(error)),
        }
    }
    Err(malformed(format!("{:?}", String::from_utf8_lossy(&head))))
}

/// A close that cannot be told is a close all the same.
fn part<C, S>(mut stream: StreamOwned<C, TcpStream>)
where
    C: std::ops::DerefMut<Target = ConnectionCommon<S>>,
    S: SideData,
{
    stream.conn.send_close_notify();
    let _ = stream.conn.complete_io(&mut stream.sock);
}
