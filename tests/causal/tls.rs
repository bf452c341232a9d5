//! Nodes over TLS: who is served, who is not, and what a peer that fails does to the others.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use concord::adapters::causal::{
    Authority, Config, ConnectionError, Event, Identity, Limits, Node, Outgoing, Peer, Requests,
    Timeouts, write_certificates,
};
use concord::systems::causal::trace::live::Look;
use concord::systems::causal::{Disk, FramedRequest, Input, Name, Output, Request, State, trace};
use concord::systems::machine::Machine;
use concord::systems::replay::{Answer, Outcome};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::files::settings;

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Certificates and directories of the group a, b, c.
struct Bench {
    folder: TempDir,
    listeners: BTreeMap<&'static str, TcpListener>,
    addresses: BTreeMap<&'static str, SocketAddr>,
    limits: Limits,
}

/// A node, and what it told.
struct Running {
    node: Node,
    requests: Requests,
    lost: mpsc::Receiver<String>,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let names = NAMES.map(String::from);
        write_certificates(folder.path(), &names).expect("certificates");
        let listeners: BTreeMap<_, _> = NAMES
            .into_iter()
            .map(|name| (name, TcpListener::bind("127.0.0.1:0").expect("a port")))
            .collect();
        let addresses = listeners
            .iter()
            .map(|(name, listener)| (*name, listener.local_addr().expect("it is bound")));
        let addresses = addresses.collect();
        let timeouts = Timeouts {
            handshake: Duration::from_secs(10),
            ..Timeouts::default()
        };
        Self {
            folder,
            listeners,
            addresses,
            limits: Limits {
                timeouts,
                pause: Duration::from_millis(5),
                longest_pause: Duration::from_millis(50),
                ..Limits::default()
            },
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn identity(&self, name: &str) -> Identity {
        identity(self.folder.path(), name)
    }

    fn config(&mut self, name: &'static str) -> Config {
        let settings = settings(name);
        let listener = self.listeners.remove(name);
        let peers = self.addresses.iter().filter(|(peer, _)| **peer != name);
        let peers = peers.map(|(peer, address)| {
            let peer_of = Peer {
                address: address.to_string(),
                server_name: (*peer).to_owned(),
            };
            (Name::new(peer), peer_of)
        });
        Config {
            settings,
            directory: self.path(&format!("{name}.files")),
            listener: listener.unwrap_or_else(|| TcpListener::bind("127.0.0.1:0").expect("a port")),
            peers: peers.collect(),
            identity: self.identity(name),
            trace: Some(self.path(&format!("{name}.jsonl"))),
            limits: self.limits,
        }
    }

    fn start(&mut self, name: &'static str) -> Running {
        start(self.config(name))
    }

    /// Connects as `as_name` to the node `to`.
    fn dial(&self, as_name: &str, to: &str) -> Result<Outgoing, ConnectionError> {
        dial(&self.identity(as_name), self.addresses[to], to)
    }

    /// Whether the reference conforms to what a node recorded.
    fn assert_conforms(&self, name: &str) {
        let trace = File::open(self.path(&format!("{name}.jsonl"))).expect("it was recorded");
        let replayed = trace::replay(&mut BufReader::new(trace)).expect("it can be read");
        assert_eq!(replayed.outcome, Outcome::Conforms, "{name}");
        assert!(replayed.steps > 0, "{name}");
    }
}

fn identity(folder: &Path, name: &str) -> Identity {
    let file = |end: &str| folder.join(format!("{name}.{end}"));
    Identity::load(&folder.join("root.pem"), &file("pem"), &file("key")).expect("an identity")
}

fn dial(identity: &Identity, address: SocketAddr, name: &str) -> Result<Outgoing, ConnectionError> {
    let timeouts = Timeouts::default();
    let (outgoing, ()) = identity.dial(&address.to_string(), name, timeouts, |_| Ok(()))?;
    Ok(outgoing)
}

fn start(config: Config) -> Running {
    let (tell, lost) = mpsc::channel();
    let tell = Mutex::new(tell);
    let node = Node::start(config, move |event| {
        if let Event::Lost { peer, error } = event {
            // Nobody may be interested.
            let _ = tell
                .lock()
                .expect("no panic")
                .send(format!("{peer}: {error}"));
        }
    });
    let node = node.expect("it starts");
    let requests = node.requests();
    Running {
        node,
        requests,
        lost,
    }
}

fn create(mailbox: &str) -> FramedRequest {
    FramedRequest::Create {
        user: Name::new("u"),
        mailbox: Name::new(mailbox),
        tag: Name::new("tag"),
    }
}

impl Running {
    fn submit(&self, request: FramedRequest) {
        let submitted = self.requests.submit(request).expect("the node is up");
        submitted.expect("the request is in order");
    }

    fn look(&self, look: Look) -> Value {
        match self.requests.look(look).expect("the node is up") {
            Answer::Returns(value) => value,
            Answer::Fails(code) => panic!("{code}"),
        }
    }

    fn clock(&self) -> Value {
        self.look(Look::Clock)
    }

    fn acked(&self, peer: &str) -> u64 {
        let send_log = self.look(Look::SendLog);
        send_log["acked"][peer].as_u64().expect("a number")
    }

    fn wait_for_clock(&self, clock: &Value) {
        wait_until("clock", || self.clock() == *clock);
    }

    fn shutdown(self) {
        self.node.shutdown().expect("nothing failed");
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what} does not come");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The frame of the first message of a member that is no process.
fn frame_of(name: &str, mailbox: &str) -> Bytes {
    let settings = settings(name);
    let disk = Disk::new(&settings);
    let (mut state, _) = State::recover(settings, disk, &mut Vec::new()).expect("it is empty");
    let mut outputs = Vec::new();
    let request = Request::Framed(create(mailbox));
    state.step(Input::Submit(request), &mut outputs);
    match outputs.pop() {
        Some(Output::Submitted(Ok(submitted))) => submitted.wire,
        other => panic!("{other:?} is no submit"),
    }
}

/// What comes from a connection until the other side ends it.
fn rest(mut socket: TcpStream) -> Vec<u8> {
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut read = Vec::new();
    if let Err(error) = socket.read_to_end(&mut read) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    read
}

#[test]
fn peers_exchange_what_they_submit_and_confirm_it() {
    let mut bench = Bench::new();
    let nodes = NAMES.map(|name| bench.start(name));
    nodes[0].submit(create("M"));
    nodes[1].submit(create("N"));
    let clock = json!({"a": 1, "b": 1, "c": 0});
    nodes.iter().for_each(|node| node.wait_for_clock(&clock));
    wait_until("acks of a", || {
        nodes[0].acked("b") == 1 && nodes[0].acked("c") == 1
    });
    let values = nodes[2].look(Look::Values {
        user: Name::new("u"),
        mailbox: None,
    });
    assert_eq!(values, json!(["M", "N"]));
    nodes.into_iter().for_each(Running::shutdown);
    NAMES.iter().for_each(|name| bench.assert_conforms(name));
}

#[test]
fn whoever_has_no_certificate_of_the_group_is_refused_and_peers_are_served() {
    let mut bench = Bench::new();
    bench.limits.timeouts.handshake = Duration::from_secs(2);
    let b = bench.start("b");
    let address = bench.addresses["b"];
    let frame = frame_of("c", "M");

    // Silent: held open until the node ends it.
    let silent = TcpStream::connect(address).expect("it listens");

    let mut plain = TcpStream::connect(address).expect("it listens");
    plain.write_all(&frame).expect("it is accepted");
    assert!(!rest(plain).windows(4).any(|bytes| bytes == b"Conf"));

    let elsewhere = tempfile::tempdir().expect("a directory");
    let names = ["c".to_owned()];
    write_certificates(elsewhere.path(), &names).expect("certificates");
    // It trusts the true root, but shows a certificate of another.
    let root = bench.path("root.pem");
    std::fs::copy(root, elsewhere.path().join("root.pem")).expect("it is there");
    let stranger = identity(elsewhere.path(), "c");
    let refused = dial(&stranger, address, "b").and_then(|mut link| link.transfer(&frame));
    assert!(refused.is_err(), "another root");

    assert!(nobody(&bench, address).is_err(), "no certificate");

    let mut good = bench.dial("c", "b").expect("c is a peer");
    good.transfer(&frame).expect("it is stored");
    b.wait_for_clock(&json!({"a": 0, "b": 0, "c": 1}));
    assert!(rest(silent).is_empty());
    good.transfer(&frame).expect("a duplicate is stored, too");
    b.shutdown();
    bench.assert_conforms("b");
}

/// A client that trusts the root and shows no certificate.
fn nobody(bench: &Bench, address: SocketAddr) -> std::io::Result<()> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    let root = CertificateDer::from_pem_file(bench.path("root.pem")).expect("the root");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("b").expect("a name");
    let connection = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut stream = rustls::StreamOwned::new(connection, socket);
    stream.write_all(b"0;")?;
    stream.flush()?;
    let mut answer = [0];
    stream.read_exact(&mut answer)
}

#[test]
fn a_bulk_that_is_none_is_refused_and_the_connection_goes_on() {
    let mut bench = Bench::new();
    let b = bench.start("b");
    let mut link = bench.dial("c", "b").expect("c is a peer");
    for bulk in [&b"no frame"[..], b"3;abc", &frame_of("b", "M")] {
        let refused = link.transfer(bulk);
        assert!(
            matches!(refused, Err(ConnectionError::Refused(1))),
            "{refused:?}"
        );
    }
    link.transfer(&frame_of("c", "M")).expect("it is stored");
    link.transfer(b"").expect("nothing is stored");
    link.close();
    b.wait_for_clock(&json!({"a": 0, "b": 0, "c": 1}));
    b.shutdown();
    bench.assert_conforms("b");
}

#[test]
fn a_peer_with_another_name_is_never_acked() {
    let mut bench = Bench::new();
    let c = bench.start("c");
    let mut config = bench.config("a");
    let at_b = Peer {
        address: bench.addresses["c"].to_string(),
        server_name: String::from("b"),
    };
    config.peers.insert(Name::new("b"), at_b);
    let a = start(config);
    a.submit(create("M"));
    c.wait_for_clock(&json!({"a": 1, "b": 0, "c": 0}));
    let lost = a.lost.recv_timeout(PATIENCE).expect("b is not reached");
    assert!(lost.starts_with("b: handshake"), "{lost}");
    wait_until("ack of c", || a.acked("c") == 1);
    assert_eq!(a.acked("b"), 0);
    a.shutdown();
    c.shutdown();
}

#[test]
fn a_dead_and_a_hanging_peer_delay_nobody() {
    let mut bench = Bench::new();
    // b hangs: connections are taken by the system and nobody answers. c is alive. Then c dies.
    let hanging = bench.listeners.remove("b").expect("a listener");
    let (a, c) = (bench.start("a"), bench.start("c"));
    for mailbox in ["K", "L", "M"] {
        a.submit(create(mailbox));
    }
    c.wait_for_clock(&json!({"a": 3, "b": 0, "c": 0}));
    c.shutdown();
    drop(hanging);
    a.submit(create("N"));
    assert_eq!(a.acked("b"), 0);
    a.shutdown();
    ["a", "c"]
        .iter()
        .for_each(|name| bench.assert_conforms(name));
}

#[test]
fn a_node_that_comes_back_gets_what_it_missed() {
    let mut bench = Bench::new();
    let (a, b) = (bench.start("a"), bench.start("b"));
    a.submit(create("K"));
    b.wait_for_clock(&json!({"a": 1, "b": 0, "c": 0}));
    let address = bench.addresses["b"];
    b.shutdown();
    a.submit(create("L"));
    let listener = TcpListener::bind(address).expect("the port is free again");
    bench.listeners.insert("b", listener);
    let b = bench.start("b");
    b.wait_for_clock(&json!({"a": 2, "b": 0, "c": 0}));
    wait_until("ack of b", || a.acked("b") == 2);
    a.shutdown();
    b.shutdown();
    ["a", "b"]
        .iter()
        .for_each(|name| bench.assert_conforms(name));
}

#[test]
fn large_bulks_are_split_at_the_borders_of_frames() {
    let mut bench = Bench::new();
    bench.limits.bulk = 400;
    let a = bench.start("a");
    for number in 0..40 {
        a.submit(create(&format!("mailbox {number}")));
    }
    let b = bench.start("b");
    b.wait_for_clock(&json!({"a": 40, "b": 0, "c": 0}));
    wait_until("ack of b", || a.acked("b") == 40);
    a.shutdown();
    b.shutdown();
    let trace = std::fs::read_to_string(bench.path("b.jsonl")).expect("it was recorded");
    assert!(trace.matches("\"op\":\"receive\"").count() > 5);
    bench.assert_conforms("b");
}

/// Open files of this process whose target has `part` in its name.
#[cfg(target_os = "linux")]
fn sockets() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").expect("Linux has it");
    let targets = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

/// In a process of its own, since other tests open sockets, too.
#[cfg(target_os = "linux")]
#[test]
fn connections_that_come_and_go_leave_no_descriptor() {
    const ROLE: &str = "CONCORD_CAUSAL_DESCRIPTORS";
    const TEST: &str = "tls::connections_that_come_and_go_leave_no_descriptor";
    if std::env::var_os(ROLE).is_none() {
        let (mut child, _said) = crate::process::again(TEST, ROLE, "1");
        assert!(child.wait().expect("it ends").success());
        return;
    }
    let mut bench = Bench::new();
    let b = bench.start("b");
    let address = bench.addresses["b"];
    let frame = frame_of("c", "M");
    let idle = sockets();
    for round in 0..60 {
        let mut plain = TcpStream::connect(address).expect("it listens");
        plain
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .expect("it is accepted");
        drop(TcpStream::connect(address).expect("it listens"));
        let mut link = bench.dial("c", "b").expect("c is a peer");
        link.transfer(&frame).expect("it is stored");
        if round % 2 == 0 {
            link.close();
        }
    }
    wait_until("all descriptors", || sockets() <= idle);
    b.shutdown();
}

#[test]
fn a_root_of_two_certificates_is_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    write_certificates(folder.path(), &["a".to_owned()]).expect("certificates");
    let other = Authority::new().expect("a root").certificate();
    let root = folder.path().join("root.pem");
    let mut file = File::options()
        .append(true)
        .open(&root)
        .expect("it is there");
    file.write_all(other.as_bytes()).expect("it is written");
    let (certificate, key) = (folder.path().join("a.pem"), folder.path().join("a.key"));
    let refused = Identity::load(&root, &certificate, &key).expect_err("two roots");
    assert!(refused.to_string().contains("2 certificates"), "{refused}");
    let refused = Identity::load(&certificate, &key, &key).expect_err("a key is no certificate");
    assert!(refused.to_string().contains("a.key"), "{refused}");
}
