//! Links between nodes: for every direction somebody in the middle who holds certificates of both
//! ends, and cuts, delays, repeats and refuses until told to behave.

use std::io::{self, Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use concord::systems::causal::framed::first_frame;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

use super::group::Home;

/// Bulks that are kept to be repeated later.
const KEPT: usize = 16;

/// What was done to connections and bulks.
#[derive(Default, Debug)]
pub(super) struct Mischief {
    /// Connections that were not welcomed.
    pub(super) refused: AtomicU64,
    /// Connections that ended before all of a bulk had passed.
    pub(super) cut_within: AtomicU64,
    /// Connections that ended when a bulk had passed, but its confirmation had not.
    pub(super) cut_unconfirmed: AtomicU64,
    /// Bulks that were held.
    pub(super) delayed: AtomicU64,
    /// Bulks that the receiver confirmed once more, those of long ago included.
    pub(super) repeated: AtomicU64,
}

/// The link from one node to another.
pub(super) struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    /// Who stands for the receiver.
    server: Arc<ServerConfig>,
    /// Who stands for the sender.
    client: Arc<ClientConfig>,
    receiver: ServerName<'static>,
    /// Where the receiver listens.
    target: Mutex<Option<SocketAddr>>,
    rng: Mutex<ChaCha8Rng>,
    passed: Mutex<Vec<Vec<u8>>>,
    mischief: Arc<Mischief>,
    calm: AtomicBool,
    closed: AtomicBool,
}

/// What becomes of a bulk.
enum Fate {
    Passes,
    CutWithin,
    CutUnconfirmed,
    Repeated,
    /// And one from before is repeated.
    Late,
}

type Sender = StreamOwned<ServerConnection, TcpStream>;
type Receiver = StreamOwned<ClientConnection, TcpStream>;

impl Link {
    pub(super) fn new(
        home: &Home,
        from: &str,
        to: &'static str,
        mischief: &Arc<Mischief>,
        seed: u64,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            server: server(home, to),
            client: client(home, from),
            receiver: to
                .try_into()
                .expect("names of nodes are names of hosts here"),
            target: Mutex::default(),
            rng: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
            passed: Mutex::default(),
            mischief: Arc::clone(mischief),
            calm: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        Self {
            address,
            shared,
            accepting: Some(thread::spawn(move || accepting.accept(&listener))),
        }
    }

    /// Where the sender finds the receiver.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The receiver listens there now.
    pub(super) fn lead_to(&self, target: SocketAddr) {
        *lock(&self.shared.target) = Some(target);
    }

    /// From now on everything passes.
    pub(super) fn behave(&self) {
        self.shared.calm.store(true, Ordering::SeqCst);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Connections end with the processes at their ends.
        if TcpStream::connect(self.address).is_ok() {
            let ended = self.accepting.take().map(JoinHandle::join);
            assert!(thread::panicking() || !matches!(ended, Some(Err(_))));
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for socket in listener.incoming() {
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            let Ok(socket) = socket else { continue };
            if self.one_in(10) {
                count(&self.mischief.refused);
                continue;
            }
            let shared = Arc::clone(&self);
            // Whatever ends a connection, its ends see it.
            thread::spawn(move || shared.carry(socket));
        }
    }

    fn carry(&self, socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let server = ServerConnection::new(Arc::clone(&self.server)).map_err(io::Error::other)?;
        let mut sender = Frames::new(StreamOwned::new(server, socket));
        let mut receiver = None;
        while let Some(bulk) = sender.next()? {
            let receiver = match &mut receiver {
                Some(receiver) => receiver,
                None => receiver.insert(self.dial()?),
            };
            self.pass(&bulk, &mut sender, receiver)?;
            self.keep(bulk);
        }
        sender.close();
        receiver.into_iter().for_each(Frames::close);
        Ok(())
    }

    fn dial(&self) -> io::Result<Frames<Receiver>> {
        let target = lock(&self.target).ok_or(io::ErrorKind::NotFound)?;
        let socket = TcpStream::connect(target)?;
        socket.set_nodelay(true)?;
        let client = ClientConnection::new(Arc::clone(&self.client), self.receiver.clone());
        let client = client.map_err(io::Error::other)?;
        Ok(Frames::new(StreamOwned::new(client, socket)))
    }

    /// An error ends the connection on both sides.
    fn pass(
        &self,
        bulk: &[u8],
        sender: &mut Frames<Sender>,
        receiver: &mut Frames<Receiver>,
    ) -> io::Result<()> {
        if self.one_in(3) {
            count(&self.mischief.delayed);
            sleep(Duration::from_micros(self.draw(15_000)));
        }
        match self.fate() {
            Fate::Passes => sender.send(&receiver.confirmation_of(bulk)?),
            Fate::CutWithin => {
                count(&self.mischief.cut_within);
                let some = usize::try_from(self.draw(bulk.len() as u64)).expect("a length");
                receiver.send(&bulk[..some])?;
                Err(cut())
            }
            Fate::CutUnconfirmed => {
                count(&self.mischief.cut_unconfirmed);
                receiver.send(bulk)?;
                if self.one_in(2) {
                    receiver.next()?;
                }
                Err(cut())
            }
            Fate::Repeated => {
                let confirmation = receiver.confirmation_of(bulk)?;
                receiver.confirmation_of(bulk)?;
                count(&self.mischief.repeated);
                sender.send(&confirmation)
            }
            Fate::Late => {
                sender.send(&receiver.confirmation_of(bulk)?)?;
                if let Some(old) = self.old() {
                    receiver.confirmation_of(&old)?;
                    count(&self.mischief.repeated);
                }
                Ok(())
            }
        }
    }

    fn fate(&self) -> Fate {
        if self.is_calm() {
            return Fate::Passes;
        }
        match self.draw(20) {
            0 | 1 => Fate::CutWithin,
            2 | 3 => Fate::CutUnconfirmed,
            4..7 => Fate::Repeated,
            7..10 => Fate::Late,
            _ => Fate::Passes,
        }
    }

    fn keep(&self, bulk: Vec<u8>) {
        let place = usize::try_from(self.draw(KEPT as u64)).expect("a small number");
        let mut passed = lock(&self.passed);
        match passed.get_mut(place) {
            Some(old) => *old = bulk,
            None => passed.push(bulk),
        }
    }

    fn old(&self) -> Option<Vec<u8>> {
        let passed = lock(&self.passed);
        let place = lock(&self.rng).random_range(0..passed.len().max(1));
        passed.get(place).cloned()
    }

    fn one_in(&self, of: u64) -> bool {
        !self.is_calm() && self.draw(of) == 0
    }

    fn draw(&self, below: u64) -> u64 {
        lock(&self.rng).random_range(0..below)
    }

    fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }
}

/// The frames of a connection.
struct Frames<S> {
    stream: S,
    read: Vec<u8>,
}

impl<S: Read + Write> Frames<S> {
    fn new(stream: S) -> Self {
        let read = Vec::new();
        Self { stream, read }
    }

    /// The next one with its head; none once the other side is done.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match first_frame(&self.read) {
                Ok((_, len)) => {
                    let rest = self.read.split_off(len);
                    return Ok(Some(mem::replace(&mut self.read, rest)));
                }
                Err(error) if error.code() == "truncated_frame" => {}
                Err(error) => return Err(io::Error::other(error)),
            }
            let mut block = [0; 4096];
            match self.stream.read(&mut block)? {
                0 => return Ok(None),
                some => self.read.extend(&block[..some]),
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn confirmation_of(&mut self, bulk: &[u8]) -> io::Result<Vec<u8>> {
        self.send(bulk)?;
        self.next()?.ok_or_else(cut)
    }
}

impl<C, D> Frames<StreamOwned<C, TcpStream>>
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>>,
    D: rustls::SideData,
{
    fn close(mut self) {
        self.stream.conn.send_close_notify();
        // The other side may be gone.
        let _ = self.stream.conn.complete_io(&mut self.stream.sock);
    }
}

fn cut() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

fn count(times: &AtomicU64) {
    times.fetch_add(1, Ordering::SeqCst);
}

/// A thread that panicked has failed the test.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The root, and who this is.
struct Papers {
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

fn papers(home: &Home, name: &str) -> Papers {
    let [root, certificate, key] = home.certificates(name);
    let certificate_of = |file| CertificateDer::from_pem_file(file).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate_of(root)).expect("it is a root");
    Papers {
        roots: Arc::new(roots),
        chain: vec![certificate_of(certificate)],
        key: PrivateKeyDer::from_pem_file(key).expect("a key"),
    }
}

fn server(home: &Home, name: &str) -> Arc<ServerConfig> {
    let papers = papers(home, name);
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(papers.roots, Arc::clone(&provider));
    let verifier = verifier.build().expect("there is a root");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them all")
        .with_client_cert_verifier(verifier)
        .with_single_cert(papers.chain, papers.key);
    Arc::new(config.expect("certificate and key belong together"))
}

fn client(home: &Home, name: &str) -> Arc<ClientConfig> {
    let papers = papers(home, name);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has them all")
        .with_root_certificates(papers.roots)
        .with_client_auth_cert(papers.chain, papers.key);
    Arc::new(config.expect("certificate and key belong together"))
}
